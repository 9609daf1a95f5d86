"""What macOS tells about processes (libproc.h, sys/proc_info.h, sys/codesign.h)."""

from __future__ import annotations

import ctypes
import struct
from typing import Final, NamedTuple

from agent.collectors.macos import api
from agent.errors import CollectorError

MAX_PROCESSES: Final = 20_000
BSD_INFO: Final = 3  # PROC_PIDTBSDINFO
# struct proc_bsdinfo: flags, status, exit, pid, parent, seven owners, comm[16], name[32], six numbers, start s, µs
_BSD: Final = struct.Struct("<12I16s32s6IQQ")
TRACED: Final = 2  # PROC_FLAG_TRACED
PATH_BYTES: Final = 4096
KERN, PROC_ARGUMENTS = 1, 49  # CTL_KERN, KERN_PROCARGS2
MAX_ARGUMENTS: Final = 1024 * 1024
MAX_CMDLINE: Final = 32_768
STATUS, TEAM = 0, 14  # CS_OPS_STATUS, CS_OPS_TEAMID
VALID: Final = 0x00000001  # CS_VALID
DEBUGGED: Final = 0x10000000  # CS_DEBUGGED


class Info(NamedTuple):
    """One process."""

    pid: int
    parent: int
    name: str
    began_us: int  # since 1970
    traced: bool


def pids() -> list[int]:
    """Numbers of all processes, or `CollectorError`."""
    room = (ctypes.c_int32 * MAX_PROCESSES)()
    count = api.function("System", "proc_listallpids", ctypes.c_int, api.Ref, ctypes.c_int)(room, ctypes.sizeof(room))
    if count <= 0:
        raise CollectorError(f"process list: error {ctypes.get_errno()}")
    return [pid for pid in room[: min(count, MAX_PROCESSES)] if pid > 0]


def info(pid: int) -> Info | None:
    """What the kernel says of one process; None for one that is gone or another user's."""
    room = ctypes.create_string_buffer(_BSD.size)
    ask = api.function(
        "System", "proc_pidinfo", ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_uint64, api.Ref, ctypes.c_int
    )
    return parse_info(room.raw) if ask(pid, BSD_INFO, 0, room, _BSD.size) == _BSD.size else None


def parse_info(data: bytes) -> Info | None:
    """Read a proc_bsdinfo; the longer of the two names counts."""
    if len(data) != _BSD.size:
        return None
    fields = _BSD.unpack(data)
    short, long = (raw.split(b"\0", 1)[0].decode("utf-8", "replace") for raw in fields[12:14])
    return Info(fields[3], fields[4], long or short, fields[20] * 1_000_000 + fields[21], bool(fields[0] & TRACED))


def path_of(pid: int) -> str:
    """The file of a process; "" where it is not told."""
    room = ctypes.create_string_buffer(PATH_BYTES)
    ask = api.function("System", "proc_pidpath", ctypes.c_int, ctypes.c_int, api.Ref, ctypes.c_uint32)
    size = ask(pid, room, PATH_BYTES)
    return room.raw[:size].decode("utf-8", "replace") if size > 0 else ""


def arguments_of(pid: int) -> str:
    """The arguments of a process, joined by blanks; "" for another user's."""
    try:
        return parse_arguments(api.sysctl_mib(KERN, PROC_ARGUMENTS, pid, limit=MAX_ARGUMENTS))
    except CollectorError:
        return ""


def parse_arguments(data: bytes) -> str:
    """Read a KERN_PROCARGS2: how many, the file, padding, the arguments. The environment behind them is not read."""
    count = int.from_bytes(data[:4], "little", signed=True)
    end = data.find(b"\0", 4)
    if end < 0 or count <= 0:
        return ""
    start = end
    while start < len(data) and data[start] == 0:
        start += 1
    words: list[bytes] = []
    while len(words) < count and start < len(data):
        end = data.find(b"\0", start)
        if end < 0:
            break
        words.append(data[start:end])
        start = end + 1
    return b" ".join(words)[:MAX_CMDLINE].decode("utf-8", "replace")


def team_of(pid: int) -> str:
    """The developer team that signed a process whose signature the kernel holds valid: `team:<id>`, else ""."""
    try:
        flags = _codesign(pid, STATUS, 4)
        if len(flags) < 4 or not int.from_bytes(flags, "little") & VALID:
            return ""
        return parse_team(_codesign(pid, TEAM, 256))
    except CollectorError:
        return ""


def parse_team(data: bytes) -> str:
    """Read the blob: type, length (both big-endian), text ended by zero."""
    name = data[8:].split(b"\0", 1)[0]
    return f"team:{name.decode('ascii')}" if name.isalnum() and name.isascii() and len(name) <= 32 else ""


def code_debugged(pid: int) -> bool:
    """Whether the kernel let go of a process's signature for a debugger."""
    flags = _codesign(pid, STATUS, 4)
    return bool(int.from_bytes(flags, "little") & DEBUGGED)


def _codesign(pid: int, operation: int, room: int) -> bytes:
    buffer = ctypes.create_string_buffer(room)
    ask = api.function("System", "csops", ctypes.c_int, ctypes.c_int, ctypes.c_uint, api.Ref, ctypes.c_size_t)
    if ask(pid, operation, buffer, room) != 0:
        raise CollectorError(f"code signature of {pid}: error {ctypes.get_errno()}")
    return buffer.raw
