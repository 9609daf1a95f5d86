"""Windows' own libraries by ctypes: how they are loaded, and how a call that fails becomes `CollectorError`.

Nothing here is called on another system, but everything is typed and imported there: the parsers beside it are tested
everywhere, and the calls themselves under Wine.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from agent.errors import CollectorError

Handle = ctypes.c_void_p
DWORD = ctypes.c_uint32
BOOL = ctypes.c_int32
ULONGLONG = ctypes.c_uint64
WSTR = ctypes.c_wchar_p
PTR = ctypes.c_void_p

QUERY_LIMITED: Final = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
QUERY: Final = 0x0400
VM_READ: Final = 0x0010
ENDLESS_PATH: Final = 32_768  # characters: the longest path that Windows knows
INSUFFICIENT_BUFFER: Final = 122


@lru_cache(maxsize=32)
def library(name: str) -> Any:
    """The library `name` of the system folder, or `CollectorError` where this is no Windows."""
    loader = getattr(ctypes, "WinDLL", None)
    if loader is None:
        raise CollectorError(f"{name}: this is no Windows")
    try:
        return loader(name, use_last_error=True)
    except OSError as error:
        raise CollectorError(f"{name}: {error}") from error


@lru_cache(maxsize=256)
def function(name: str, entry: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """One typed function of a library; `CollectorError` where this Windows has none of that name."""
    try:
        found = library(name)[entry]  # an object of its own: another user of the name may give it other types
    except AttributeError as error:
        raise CollectorError(f"{name} has no {entry}") from error
    found.restype, found.argtypes = result, list(arguments)
    return found  # type: ignore[no-any-return]


def last_error() -> int:
    """What the last failed call of this thread said."""
    get: Callable[[], int] | None = getattr(ctypes, "get_last_error", None)
    return get() if get is not None else 0


def check(fine: object, what: str) -> None:
    """Return quietly, or raise `CollectorError` with the system's own number."""
    if not fine:
        raise CollectorError(f"{what}: error {last_error()}")


@contextlib.contextmanager
def process(pid: int, access: int = QUERY_LIMITED) -> Iterator[Handle]:
    """A handle of a process, closed in the end; `CollectorError` for one that is gone or not ours to look at."""
    opened = function("kernel32", "OpenProcess", Handle, DWORD, BOOL, DWORD)(access, False, pid)
    check(opened, f"process {pid}")
    try:
        yield Handle(opened)
    finally:
        close(opened)


def ourselves() -> Handle:
    """A handle of this very process; it needs no closing, and it may always do everything."""
    return Handle(-1)


def close(handle: Any) -> None:
    """Close a kernel object."""
    function("kernel32", "CloseHandle", BOOL, Handle)(handle)


def sized(call: Callable[[Any, Any], int], what: str, tries: int = 4) -> bytes:
    """What a function fills in that is asked twice: `call(buffer, size)` returns 0 once the buffer is large enough.

    The first question tells the size; between the two it may have grown, so there are a few.
    """
    size = DWORD(0)
    status = call(None, ctypes.byref(size))
    for _ in range(tries):
        room = ctypes.create_string_buffer(max(size.value, 1))
        status = call(room, ctypes.byref(size))
        if status == 0:
            return bytes(room.raw[: size.value])
        if status != INSUFFICIENT_BUFFER:
            break
    raise CollectorError(f"{what}: error {status}")


def wine_version() -> str:
    """The version of Wine that plays Windows here; "" on Windows itself."""
    try:
        answer = function("ntdll", "wine_get_version", ctypes.c_char_p)()
    except CollectorError:
        return ""
    return bytes(answer).decode("ascii", "replace") if answer else ""
