"""The registry, read only: keys and values by path, `HKLM\\…` or `HKCU\\…`. What is absent is empty."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from agent.errors import CollectorError

MAX_ENTRIES: Final = 2_000  # subkeys or values of one key that are read
WOW64_64KEY: Final = 0x0100  # a 32-bit agent sees the machine's own hive, too
READ: Final = 0x20019


class Registry(Protocol):
    """What collectors need of it; tests script one."""

    def keys(self, path: str) -> Sequence[str]:
        """Names of the keys under `path`."""

    def values(self, path: str) -> Mapping[str, object]:
        """Values of the key `path` by name; the nameless one is ""."""


class SystemRegistry:
    """This machine's registry; a key that is absent or closed to this user is empty."""

    def __init__(self) -> None:
        try:
            self._winreg: Any = importlib.import_module("winreg")
        except ImportError as error:
            raise CollectorError("registry: this is no Windows") from error

    def keys(self, path: str) -> Sequence[str]:
        """Names of the keys under `path`."""
        return [name for name in self._each(path, self._winreg.EnumKey) if isinstance(name, str)]

    def values(self, path: str) -> Mapping[str, object]:
        """Values of the key `path`."""
        return {entry[0]: entry[1] for entry in self._each(path, self._winreg.EnumValue) if isinstance(entry, tuple)}

    def _each(self, path: str, entry_at: Any) -> list[object]:
        root, _, rest = path.partition("\\")
        hive = {"HKLM": self._winreg.HKEY_LOCAL_MACHINE, "HKCU": self._winreg.HKEY_CURRENT_USER}[root]
        found: list[object] = []
        try:
            with self._winreg.OpenKey(hive, rest, 0, READ | WOW64_64KEY) as key:
                while len(found) < MAX_ENTRIES:
                    found.append(entry_at(key, len(found)))
        except OSError:  # absent, closed, or the end of the list
            pass
        return found


def text(values: Mapping[str, object], name: str) -> str:
    """A value that is text, else ""; of several lines the first."""
    value = values.get(name)
    if isinstance(value, list):
        value = next((line for line in value if isinstance(line, str)), "")
    return value.strip("\0 ") if isinstance(value, str) else ""


def number(values: Mapping[str, object], name: str) -> int | None:
    """A value that is a number, else None."""
    value = values.get(name)
    return value if isinstance(value, int) else None
