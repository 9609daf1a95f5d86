"""macOS' own libraries by ctypes: how they are loaded, kernel values by name, and Apple's objects as plain values.

Nothing here can be run on another system, but everything is typed and imported there: what is read from bytes is
tested everywhere, and each call is as small as it can be.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from agent.collectors.macos.plists import parse_plist
from agent.errors import CollectorError

SYSTEM: Final = "/usr/lib/libSystem.B.dylib"
FRAMEWORK: Final = "/System/Library/Frameworks/{0}.framework/{0}"
BINARY_PLIST: Final = 200  # kCFPropertyListBinaryFormat_v1_0
MAX_BYTES: Final = 8 * 1024 * 1024
Ref = ctypes.c_void_p


@lru_cache(maxsize=32)
def library(name: str) -> Any:
    """A framework, or libSystem for "System"; `CollectorError` where this is no macOS."""
    if str(sys.platform) != "darwin":
        raise CollectorError(f"{name}: this is no macOS")
    try:
        return ctypes.CDLL(SYSTEM if name == "System" else FRAMEWORK.format(name), use_errno=True)
    except OSError as error:
        raise CollectorError(f"{name}: {error}") from error


@lru_cache(maxsize=128)
def function(name: str, entry: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """One typed function of a library; `CollectorError` where this macOS has none of that name."""
    try:
        found = library(name)[entry]
    except AttributeError as error:
        raise CollectorError(f"{name} has no {entry}") from error
    found.restype, found.argtypes = result, list(arguments)
    return found  # type: ignore[no-any-return]


def sysctl(name: str, limit: int = 4096) -> bytes:
    """A kernel value by name, or `CollectorError`."""
    room, size = ctypes.create_string_buffer(limit), ctypes.c_size_t(limit)
    ask = function("System", "sysctlbyname", ctypes.c_int, ctypes.c_char_p, Ref, Ref, Ref, ctypes.c_size_t)
    if ask(name.encode(), room, ctypes.byref(size), None, 0) != 0:
        raise CollectorError(f"{name}: error {ctypes.get_errno()}")
    return room.raw[: size.value]


def sysctl_mib(*numbers: int, limit: int) -> bytes:
    """A kernel value by numbers, or `CollectorError`."""
    mib = (ctypes.c_int * len(numbers))(*numbers)
    room, size = ctypes.create_string_buffer(limit), ctypes.c_size_t(limit)
    ask = function("System", "sysctl", ctypes.c_int, Ref, ctypes.c_uint, Ref, Ref, Ref, ctypes.c_size_t)
    if ask(mib, len(numbers), room, ctypes.byref(size), None, 0) != 0:
        raise CollectorError(f"sysctl {numbers}: error {ctypes.get_errno()}")
    return room.raw[: size.value]


def plain(reference: Any) -> Any:
    """An object of Core Foundation (list, dictionary, text, number, data) as Python's, and released; None for null."""
    if not reference:
        return None
    try:
        write = function(
            "CoreFoundation", "CFPropertyListCreateData", Ref, Ref, Ref, ctypes.c_long, ctypes.c_ulong, Ref
        )
        data = write(None, reference, BINARY_PLIST, 0, None)
        return parse_plist(data_of(data)) if data else None
    finally:
        release(reference)


def data_of(data: Any) -> bytes:
    """The bytes of a CFData, which is released."""
    try:
        size = function("CoreFoundation", "CFDataGetLength", ctypes.c_long, Ref)(data)
        start = function("CoreFoundation", "CFDataGetBytePtr", Ref, Ref)(data)
        return ctypes.string_at(start, size) if start and 0 < size <= MAX_BYTES else b""
    finally:
        release(data)


def release(reference: Any) -> None:
    """Give an object back."""
    function("CoreFoundation", "CFRelease", None, Ref)(reference)
