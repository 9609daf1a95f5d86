"""What a Mac says it is: its model, its maker, and the kernel's own word whether it is a guest."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.collectors.macos import api
from agent.collectors.macos.plists import mapping, text
from agent.errors import CollectorError
from agent.tables import HostRow, Row


class Machine:
    """One row, or `CollectorError`."""

    def __init__(
        self,
        value: Callable[[str], bytes] = api.sysctl,
        platform: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._value = value
        self._platform = platform if platform is not None else platform_expert

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; the machine's serial number, which stands beside these, is not read."""
        model = text({"": self._value("hw.model")}, "")
        try:
            guest = self._value("kern.hv_vmm_present")
        except CollectorError:
            guest = b""  # a macOS before 11 does not say
        try:
            expert = self._platform()
        except CollectorError:
            expert = {}
        flag = bool(int.from_bytes(guest[:4], "little")) if len(guest) >= 4 else None
        return [
            HostRow(
                manufacturer=text(expert, "manufacturer"), model=model, board=text(expert, "board-id"), guest_flag=flag
            )
        ]


def platform_expert() -> Mapping[str, Any]:
    """The registry's entry of the machine itself."""
    matching = api.function("IOKit", "IOServiceMatching", api.Ref, ctypes.c_char_p)(b"IOPlatformExpertDevice")
    service = api.function("IOKit", "IOServiceGetMatchingService", ctypes.c_uint32, ctypes.c_uint32, api.Ref)(
        0, matching
    )
    if not service:
        raise CollectorError("hosts: the registry names no machine")
    properties = api.Ref()
    read = api.function(
        "IOKit", "IORegistryEntryCreateCFProperties", ctypes.c_int, ctypes.c_uint32, api.Ref, api.Ref, ctypes.c_uint32
    )
    status = read(service, ctypes.byref(properties), None, 0)
    api.function("IOKit", "IOObjectRelease", ctypes.c_int, ctypes.c_uint32)(service)
    if status != 0:
        raise CollectorError(f"hosts: error {status}")
    return mapping(api.plain(properties.value))
