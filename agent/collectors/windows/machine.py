"""What a Windows machine says it is: firmware names, kinds of devices that are there, addresses of network cards."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from agent.collectors.windows import api
from agent.collectors.windows.registry import Registry, text
from agent.collectors.windows.smbios import Firmware, parse_smbios, table
from agent.errors import CollectorError
from agent.tables import HostRow, Row

BIOS_KEY: Final = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS"
BUSES: Final = ("PCI", "ACPI", "USB", "SCSI", "VMBUS")  # ROOT is left out: there drivers of VM programs' hosts stand
PRESENT_ON_BUS: Final = 0x101  # CM_GETIDLIST_FILTER_PRESENT | CM_GETIDLIST_FILTER_ENUMERATOR
MAX_DEVICES: Final = 1_000
MAX_CARDS: Final = 200
CARD_BYTES: Final = 1352  # MIB_IF_ROW2 (netioapi.h), its fields at
ADDRESS_LENGTH, ADDRESS, FLAGS = 1056, 1060, 1152
HARDWARE, FILTER = 0x01, 0x02


class Machine:
    """One row; `CollectorError` where neither firmware nor devices are told."""

    def __init__(
        self,
        registry: Registry,
        firmware: Callable[[], bytes] = table,
        devices: Callable[[str], str] | None = None,
        cards: Callable[[], bytes] | None = None,
        wine: Callable[[], str] = api.wine_version,
    ) -> None:
        self._registry, self._firmware, self._wine = registry, firmware, wine
        self._devices = devices if devices is not None else device_list
        self._cards = cards if cards is not None else card_table

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row: the firmware's table first, what Windows copied of it second."""
        firmware = self._names()
        pnp, macs = tuple(self._pnp()), tuple(self._macs())
        runs_in = self._wine()
        if not (firmware.manufacturer or firmware.model or pnp or runs_in):
            raise CollectorError("hosts: Windows tells neither maker nor devices")
        # a Windows that is a program of another system sees that system's programs no more than a guest would
        model = f"Wine {runs_in}" if runs_in else firmware.model
        return [HostRow(firmware.manufacturer, model, firmware.bios, firmware.board, pnp, macs)]

    def _names(self) -> Firmware:
        try:
            found = parse_smbios(self._firmware())
        except CollectorError:
            found = Firmware()
        values = self._registry.values(BIOS_KEY)
        copied = Firmware(
            text(values, "SystemManufacturer"), text(values, "SystemProductName"),
            f"{text(values, 'BIOSVendor')} {text(values, 'BIOSVersion')}".strip(),
            f"{text(values, 'BaseBoardManufacturer')} {text(values, 'BaseBoardProduct')}".strip(),
        )  # fmt: skip
        return Firmware(*(first or second for first, second in zip(found, copied, strict=True)))

    def _pnp(self) -> Iterator[str]:
        kinds: dict[str, None] = {}
        for bus in BUSES:
            try:
                names = self._devices(bus).split("\0")
            except CollectorError:
                continue
            kinds.update(dict.fromkeys("\\".join(name.split("\\")[:2]) for name in names[:MAX_DEVICES] if name))
        yield from kinds  # the third part, a single device's own number, is not kept

    def _macs(self) -> Iterator[str]:
        try:
            yield from parse_cards(self._cards())
        except CollectorError:
            return


def parse_cards(data: bytes) -> Iterator[str]:
    """The addresses of the hardware network cards in rows of MIB_IF_ROW2."""
    for at in range(0, min(len(data), MAX_CARDS * CARD_BYTES) - CARD_BYTES + 1, CARD_BYTES):
        length = int.from_bytes(data[at + ADDRESS_LENGTH : at + ADDRESS_LENGTH + 4], "little")
        flags = data[at + FLAGS]
        if flags & HARDWARE and not flags & FILTER and length == 6:
            yield data[at + ADDRESS : at + ADDRESS + length].hex(":")


def card_table() -> bytes:
    """The rows of this machine's network interfaces."""
    pointer = api.PTR()
    status = api.function("iphlpapi", "GetIfTable2", api.DWORD, api.PTR)(ctypes.byref(pointer))
    api.check(status == 0 and pointer.value, "network cards")
    start = pointer.value or 0
    try:
        count = min(ctypes.c_uint32.from_address(start).value, MAX_CARDS)
        return ctypes.string_at(start + 8, count * CARD_BYTES)
    finally:
        api.function("iphlpapi", "FreeMibTable", None, api.PTR)(pointer)


def device_list(bus: str) -> str:
    """The devices of one bus that are there now, each ended by a zero."""
    size = api.DWORD()
    ask_size = api.function("cfgmgr32", "CM_Get_Device_ID_List_SizeW", api.DWORD, api.PTR, api.WSTR, api.DWORD)
    ask = api.function("cfgmgr32", "CM_Get_Device_ID_ListW", api.DWORD, api.WSTR, api.PTR, api.DWORD, api.DWORD)
    api.check(ask_size(ctypes.byref(size), bus, PRESENT_ON_BUS) == 0, f"devices of {bus}")
    if not size.value:
        return ""
    room = ctypes.create_unicode_buffer(size.value)
    api.check(ask(bus, room, size.value, PRESENT_ON_BUS) == 0, f"devices of {bus}")
    return "".join(room)
