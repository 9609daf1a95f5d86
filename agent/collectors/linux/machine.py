"""What a Linux machine says it is: DMI names, PCI devices and the addresses of its own network cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from agent.errors import CollectorError
from agent.tables import HostRow, Row

MAX_ENTRIES: Final = 500


class Machine:
    """One row; on machines without DMI (many containers, ARM boards) the table is unknown."""

    def __init__(self, root: Path = Path("/sys")) -> None:
        self._root = root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row, or `CollectorError` where the kernel tells nothing."""
        dmi = self._root / "class/dmi/id"
        row = HostRow(
            manufacturer=_line(dmi / "sys_vendor"), model=_line(dmi / "product_name"), bios=_line(dmi / "bios_vendor"),
            board=_line(dmi / "board_name"), pnp=tuple(self._pci()), macs=tuple(self._macs()),
        )  # fmt: skip
        if not (row.manufacturer or row.model or row.pnp):
            raise CollectorError("hosts: the kernel tells neither maker nor devices")
        return [row]

    def _pci(self) -> Iterator[str]:
        for device in _entries(self._root / "bus/pci/devices"):
            vendor, product = _line(device / "vendor"), _line(device / "device")
            yield f"PCI\\VEN_{vendor.removeprefix('0x').upper()}&DEV_{product.removeprefix('0x').upper()}"

    def _macs(self) -> Iterator[str]:
        for card in _entries(self._root / "class/net"):
            if (card / "device").exists():  # a card; bridges and host adapters of VM programs have no device
                yield _line(card / "address")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:MAX_ENTRIES]
    except OSError:
        return []


def _line(path: Path) -> str:
    try:
        return path.read_bytes()[:256].decode("utf-8", "replace").strip()
    except OSError:
        return ""
