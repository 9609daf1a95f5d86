"""The desktop that Windows gives us: is it shown to somebody afar, and which devices are a hand's own."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Final, Protocol

from agent.collectors.windows import api
from agent.collectors.windows.registry import Registry, number
from agent.errors import CollectorError
from agent.tables import DisplayRow, Row

REMOTE_SESSION, REMOTE_CONTROL = 0x1000, 0x2001  # SM_…, winuser.h
TERMINAL_SERVER: Final = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server"
STATION_NAME: Final = 6  # WTSWinStationName
CURRENT_SESSION: Final = 0xFFFFFFFF
DEVICE_NAME: Final = 0x20000007  # RIDI_DEVICENAME
MAX_DEVICES: Final = 100
MAX_ADAPTERS: Final = 32
ATTACHED: Final = 1  # DISPLAY_DEVICE_ATTACHED_TO_DESKTOP


class System(Protocol):
    """What is asked of Windows; tests script it. None is "it does not say"."""

    def remote(self) -> bool | None:
        """SM_REMOTESESSION."""

    def controlled(self) -> bool | None:
        """SM_REMOTECONTROL: somebody shadows this session."""

    def session(self) -> tuple[int | None, str]:
        """Number and name of our session."""

    def devices(self) -> Sequence[str]:
        """Names of keyboards, mice and display adapters."""


class Displays:
    """One row; a session that is not the one at the screen is remote whatever the metrics say (RemoteFX)."""

    def __init__(self, registry: Registry, system: System | None = None) -> None:
        self._registry = registry
        self._system: System = system if system is not None else SystemDesktop()

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row."""
        remote = self._system.remote()
        session, name = self._system.session()
        at_screen = number(self._registry.values(TERMINAL_SERVER), "GlassSessionId")
        if remote is False and None not in (session, at_screen) and session != at_screen:
            remote = True
        return [
            DisplayRow(
                devices=tuple(self._system.devices()), remote=remote, controlled=self._system.controlled(),
                session_name=name,
            )
        ]  # fmt: skip


class SystemDesktop:
    """This machine's desktop. Wine answers some of these without knowing: there they are unknown."""

    def __init__(self) -> None:
        self._blind = bool(api.wine_version())

    def remote(self) -> bool | None:
        """The metric of the session."""
        return self._metric(REMOTE_SESSION)

    def controlled(self) -> bool | None:
        """The metric of the session."""
        return self._metric(REMOTE_CONTROL)

    def _metric(self, which: int) -> bool | None:
        if self._blind:
            return None
        return bool(api.function("user32", "GetSystemMetrics", ctypes.c_int32, ctypes.c_int32)(which))

    def session(self) -> tuple[int | None, str]:
        """By the process for the number, by the terminal service for the name."""
        if self._blind:
            return None, ""
        session = api.DWORD()
        ask = api.function("kernel32", "ProcessIdToSessionId", api.BOOL, api.DWORD, api.PTR)
        told = ask(os.getpid(), ctypes.byref(session))
        return (session.value if told else None), _station_name()

    def devices(self) -> Sequence[str]:
        """Raw input devices, then the display adapters in use; what is not told is left out."""
        found: list[str] = []
        for read in (_raw_input, _adapters):
            try:
                found += read()
            except CollectorError:
                continue
        return found


def _station_name() -> str:
    text, size = ctypes.c_wchar_p(), api.DWORD()
    try:
        ask = api.function(
            "wtsapi32", "WTSQuerySessionInformationW", api.BOOL, api.Handle, api.DWORD, api.DWORD, api.PTR, api.PTR
        )
        if not ask(None, CURRENT_SESSION, STATION_NAME, ctypes.byref(text), ctypes.byref(size)):
            return ""
        name = text.value or ""
        api.function("wtsapi32", "WTSFreeMemory", None, api.PTR)(text)
    except CollectorError:
        return ""
    return name


class _RawDevice(ctypes.Structure):
    _fields_ = (("device", api.Handle), ("kind", api.DWORD))


def _raw_input() -> list[str]:
    ask = api.function("user32", "GetRawInputDeviceList", api.DWORD, api.PTR, api.PTR, api.DWORD)
    count = api.DWORD(MAX_DEVICES)
    room = (_RawDevice * MAX_DEVICES)()
    got = ask(room, ctypes.byref(count), ctypes.sizeof(_RawDevice))
    api.check(got <= MAX_DEVICES, "input devices")  # (DWORD) -1: an error, or more than that
    name = api.function("user32", "GetRawInputDeviceInfoW", api.DWORD, api.Handle, api.DWORD, api.PTR, api.PTR)
    found = []
    for device in room[:got]:
        text, size = ctypes.create_unicode_buffer(512), api.DWORD(512)
        if 0 < name(device.device, DEVICE_NAME, text, ctypes.byref(size)) <= 512:
            found.append(str(text.value))
    return found


class _DisplayDevice(ctypes.Structure):
    _fields_ = (
        ("size", api.DWORD), ("name", ctypes.c_wchar * 32), ("text", ctypes.c_wchar * 128), ("flags", api.DWORD),
        ("id", ctypes.c_wchar * 128), ("key", ctypes.c_wchar * 128),
    )  # fmt: skip


def _adapters() -> list[str]:
    ask = api.function("user32", "EnumDisplayDevicesW", api.BOOL, api.WSTR, api.DWORD, api.PTR, api.DWORD)
    found: dict[str, None] = {}
    device = _DisplayDevice(size=ctypes.sizeof(_DisplayDevice))
    for index in range(MAX_ADAPTERS):
        if not ask(None, index, ctypes.byref(device), 0):
            break
        if device.flags & ATTACHED:
            found[device.text] = None
    return list(found)
