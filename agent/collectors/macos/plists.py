"""Property lists, XML or binary, the form in which macOS hands over nearly everything: what does not fit is None."""

from __future__ import annotations

import plistlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from xml.parsers.expat import ExpatError

MAX_FILE: Final = 8 * 1024 * 1024


def parse_plist(data: bytes) -> Any:
    """The value of a property list; None for bytes that are none."""
    try:
        return plistlib.loads(data)
    except (
        plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError, AttributeError,
        OverflowError, RecursionError, MemoryError, struct.error,
    ):  # fmt: skip
        return None


def read_plist(path: Path) -> Any:
    """The value of a property list file; None for a file that is absent, too large or none."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError):
        return None
    return parse_plist(data) if len(data) <= MAX_FILE else None


def mapping(value: Any) -> Mapping[str, Any]:
    """A dictionary, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """A list, else an empty one."""
    return value if isinstance(value, list) else []


def text(data: Mapping[str, Any], key: str) -> str:
    """A text, or bytes that hold one ended by zero; "" for anything else."""
    value = data.get(key)
    if isinstance(value, bytes):
        value = value.split(b"\0", 1)[0].decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def number(data: Mapping[str, Any], key: str) -> int | None:
    """A number or a flag, else None."""
    value = data.get(key)
    return int(value) if isinstance(value, int) else None
