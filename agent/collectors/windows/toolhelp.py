"""What Windows tells about processes: the list, the file, the arguments and the start of each, and what is loaded."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import Final

from agent.collectors.table import Entry
from agent.collectors.windows import api
from agent.errors import CollectorError

SNAP_PROCESSES: Final = 0x02
INVALID_HANDLE: Final = ctypes.c_void_p(-1).value
COMMAND_LINE_INFORMATION: Final = 60  # PROCESSINFOCLASS, since Windows 8.1; asks for the least right
BASIC_INFORMATION: Final = 0
MAX_CMDLINE: Final = 32_768  # characters: the longest that CreateProcess takes
MAX_PROCESSES: Final = 20_000
MAX_MODULES: Final = 4_096
ALL_MODULES: Final = 3  # LIST_MODULES_ALL
# 64-bit layout of PEB and RTL_USER_PROCESS_PARAMETERS (winternl.h)
PEB_PARAMETERS: Final = 0x20
PARAMETERS_CMDLINE: Final = 0x70
PARAMETERS_FOLDER: Final = 0x38
COMMITTED, PRIVATE, WRITE_AND_RUN = 0x1000, 0x20000, 0x40
MAX_REGIONS: Final = 100_000


class _Entry32(ctypes.Structure):
    _fields_ = (
        ("size", api.DWORD), ("usage", api.DWORD), ("pid", api.DWORD), ("heap", ctypes.c_size_t),
        ("module", api.DWORD), ("threads", api.DWORD), ("parent", api.DWORD), ("priority", ctypes.c_int32),
        ("flags", api.DWORD), ("name", ctypes.c_wchar * 260),
    )  # fmt: skip


class _Region(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_size_t), ("allocation", ctypes.c_size_t), ("first_protection", api.DWORD),
        ("partition", api.DWORD), ("size", ctypes.c_size_t), ("state", api.DWORD), ("protection", api.DWORD),
        ("kind", api.DWORD), ("pad", api.DWORD),
    )  # fmt: skip


def entries() -> list[Entry]:
    """All processes of this machine; the names are as other programs gave them."""
    snapshot = api.function("kernel32", "CreateToolhelp32Snapshot", api.Handle, api.DWORD, api.DWORD)(SNAP_PROCESSES, 0)
    api.check(snapshot not in (None, INVALID_HANDLE), "process list")
    found: list[Entry] = []
    entry = _Entry32(size=ctypes.sizeof(_Entry32))
    step = "Process32FirstW"
    try:
        while len(found) < MAX_PROCESSES:
            more = api.function("kernel32", step, api.BOOL, api.Handle, api.PTR)(snapshot, ctypes.byref(entry))
            if not more:
                return found
            found.append(Entry(entry.pid, entry.parent, entry.name))
            step = "Process32NextW"
    finally:
        api.close(snapshot)
    return found


def parent_pid() -> int:
    """The process that started this one; 0 where the list does not name it."""
    try:
        return next((entry.parent for entry in entries() if entry.pid == os.getpid()), 0)
    except CollectorError:
        return 0


def started_100ns(pid: int) -> int:
    """When a process began, on Windows' wall clock (100 ns since 1601); 0 where it does not say."""
    times = [ctypes.c_uint64() for _ in range(4)]
    try:
        with api.process(pid) as handle:
            ask = api.function("kernel32", "GetProcessTimes", api.BOOL, api.Handle, *[api.PTR] * 4)
            return times[0].value if ask(handle, *map(ctypes.byref, times)) else 0
    except CollectorError:
        return 0


def exe_of(pid: int) -> str:
    """The full path of a process's file; "" for another user's or the system's."""
    room, size = ctypes.create_unicode_buffer(api.ENDLESS_PATH), api.DWORD(api.ENDLESS_PATH)
    try:
        with api.process(pid) as handle:
            name = "QueryFullProcessImageNameW"
            ask = api.function("kernel32", name, api.BOOL, api.Handle, api.DWORD, api.PTR, api.PTR)
            return str(room.value) if ask(handle, 0, room, ctypes.byref(size)) else ""
    except CollectorError:
        return ""


def cmdline_of(pid: int) -> str:
    """The arguments that a process was started with; "" where they cannot be read."""
    try:
        with api.process(pid) as handle:
            data = _query(handle, COMMAND_LINE_INFORMATION, 2 * MAX_CMDLINE + 16)
        if len(data) >= 16:
            return parse_counted(data)
        with api.process(pid, api.QUERY | api.VM_READ) as handle:
            return _from_memory(handle)
    except CollectorError:
        return ""


def parse_counted(data: bytes) -> str:
    """The text of a UNICODE_STRING with its characters behind it: length in bytes, room, pointer, text."""
    if len(data) < 16:
        return ""
    length = int.from_bytes(data[:2], "little")
    return data[16 : 16 + min(length, 2 * MAX_CMDLINE)].decode("utf-16-le", "replace").rstrip("\0")


def _query(handle: api.Handle, kind: int, room: int) -> bytes:
    buffer, size = ctypes.create_string_buffer(room), api.DWORD()
    ask = api.function(
        "ntdll", "NtQueryInformationProcess", ctypes.c_int32, api.Handle, api.DWORD, api.PTR, api.DWORD, api.PTR
    )
    return buffer.raw[: size.value] if ask(handle, kind, buffer, room, ctypes.byref(size)) == 0 else b""


def folder_of(pid: int) -> str:
    """The folder that a process works in; "" where it cannot be read."""
    try:
        with api.process(pid, api.QUERY | api.VM_READ) as handle:
            return _from_memory(handle, PARAMETERS_FOLDER)
    except CollectorError:
        return ""


def _from_memory(handle: api.Handle, field: int = PARAMETERS_CMDLINE) -> str:
    """A text of a process's own block: process block → parameters → text."""
    basic = _query(handle, BASIC_INFORMATION, 48)
    if len(basic) != 48:
        return ""
    peb = struct.unpack_from("<Q", basic, 8)[0]
    parameters = struct.unpack("<Q", _peek(handle, peb + PEB_PARAMETERS, 8))[0]
    length, _, at = struct.unpack("<HH4xQ", _peek(handle, parameters + field, 16))
    return _peek(handle, at, length).decode("utf-16-le", "replace").rstrip("\0") if length else ""


def _peek(handle: api.Handle, at: int, size: int) -> bytes:
    room, got = ctypes.create_string_buffer(size), ctypes.c_size_t()
    read = api.function(
        "kernel32", "ReadProcessMemory", api.BOOL, api.Handle, api.PTR, api.PTR, ctypes.c_size_t, api.PTR
    )
    api.check(read(handle, at, room, size, ctypes.byref(got)) and got.value == size, "process memory")
    return room.raw


def modules_of(handle: api.Handle) -> tuple[str, ...]:
    """Paths of the libraries that are loaded into a process, sorted."""
    count, needed = MAX_MODULES, api.DWORD()
    room = (api.Handle * count)()
    ask = api.function(
        "kernel32", "K32EnumProcessModulesEx", api.BOOL, api.Handle, api.PTR, api.DWORD, api.PTR, api.DWORD
    )
    api.check(ask(handle, room, ctypes.sizeof(room), ctypes.byref(needed), ALL_MODULES), "modules")
    name = api.function("kernel32", "K32GetModuleFileNameExW", api.DWORD, api.Handle, api.Handle, api.PTR, api.DWORD)
    path = ctypes.create_unicode_buffer(api.ENDLESS_PATH)
    found = set()
    for module in room[: min(count, needed.value // ctypes.sizeof(api.Handle))]:
        if name(handle, module, path, len(path)):
            found.add(str(path.value))
    return tuple(sorted(found))


def writable_code(handle: api.Handle) -> int:
    """How many private regions of a process may be both written and run."""
    return sum(1 for region in _regions(handle) if region == (COMMITTED, PRIVATE, WRITE_AND_RUN))


def _regions(handle: api.Handle) -> Iterator[tuple[int, int, int]]:
    ask = api.function(
        "kernel32", "VirtualQueryEx", ctypes.c_size_t, api.Handle, ctypes.c_size_t, api.PTR, ctypes.c_size_t
    )
    region, at = _Region(), 0
    for _ in range(MAX_REGIONS):
        if not ask(handle, at, ctypes.byref(region), ctypes.sizeof(region)) or not region.size:
            return
        yield region.state, region.kind, region.protection & 0xFF
        at = region.base + region.size
