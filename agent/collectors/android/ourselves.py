"""What Android tells of our own process: a debugger of Java or native code, and the files mapped into it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.collectors.android.port import Device
from agent.collectors.maps import parse_maps, tracer_of
from agent.errors import CollectorError
from agent.tables import Row, SelfRow

MAX_BYTES: Final = 16 * 1024 * 1024


class Ourselves:
    """One row: player and agent are one process here, or two of one package that see no more of each other."""

    def __init__(self, device: Device, root: Path = Path("/proc")) -> None:
        self._device, self._root = device, root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; `CollectorError` where neither Java nor the kernel tells."""
        status, maps = self._read("status"), self._read("maps")
        try:
            java = self._device.debugged()
        except CollectorError:
            if not status:
                raise
            java = False
        names, regions = parse_maps(maps)
        return [
            SelfRow(
                subject="client", tracer_pid=tracer_of(status), debugger=java, maps=names,
                rwx_anon=regions,
            )
        ]  # fmt: skip

    def _read(self, name: str) -> bytes:
        try:
            with (self._root / str(os.getpid()) / name).open("rb") as file:
                return file.read(MAX_BYTES)
        except OSError:
            return b""
