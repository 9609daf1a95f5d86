"""Where settings come from: an administrator's defaults, the user's file, the environment, and policies that win.

Everything read here is text that somebody else wrote: it is refused by place and line before anything starts.
docs/deploy.md holds the same list for administrators.
"""

from __future__ import annotations

import os
import plistlib
import re
import stat
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.errors import ConfigError
from client.owner import ADMINISTRATORS, owner_of

MAX_FILE: Final = 64 * 1024
ENVIRONMENT: Final = "TRUESEAT_"
DEFAULTS_KEY: Final = r"SOFTWARE\TrueSeat"  # what setup writes
POLICY_KEY: Final = r"SOFTWARE\Policies\TrueSeat"  # what group policy writes
MANAGED: Final = Path("/Library/Managed Preferences/org.trueseat.client.plist")


@dataclass(frozen=True, slots=True)
class Source:
    """One place with settings: its name for people, what it says, and on which line (files alone have lines) or in
    which variable."""

    place: str
    values: Mapping[str, Any]
    text: str = ""
    prefix: str = ""

    def where(self, name: str) -> str:
        """The place, with the line on which `name` is set, or its variable."""
        if self.prefix:
            return f"{self.place}, {self.prefix}{name.upper()}"
        for number, line in enumerate(self.text.splitlines(), 1):
            if re.match(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=", line):
                return f"{self.place}, line {number}"
        return self.place


def file(path: Path, vet: Callable[[int], None] = lambda _handle: None) -> Source:
    """The settings of a TOML file; none where there is no file; `ConfigError` where it is no TOML.

    `vet` looks at the open file (its descriptor) before a byte of it is read, and raises for one that does not count.
    """
    try:
        with path.open("rb") as opened:
            vet(opened.fileno())
            data = opened.read(MAX_FILE + 1)
    except FileNotFoundError:
        return Source(str(path), {})
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise ConfigError(f"{path}: longer than {MAX_FILE} bytes")
    try:
        text = data.decode("utf-8-sig")  # editors of Windows write a byte order mark
        return Source(str(path), tomllib.loads(text), text)
    except (ValueError, RecursionError) as error:  # tomllib names line and column
        raise ConfigError(f"{path}: {str(error)[:200]}") from error


@dataclass(frozen=True, slots=True)
class Machine:
    """What the operating system offers: its folder for all users, and how its own stores are read."""

    folder: Path
    defaults: Callable[[], Iterator[Source]]
    policies: Callable[[], Iterator[Source]]
    read: Callable[[Path], Source] = file  # the defaults in `folder`


def shared_file(path: Path, whose: Callable[[int], str] = owner_of) -> Source:
    """A file of defaults in a folder where Windows lets every user make files: only an administrator's counts."""

    def vet(handle: int) -> None:
        if whose(handle) not in ADMINISTRATORS:
            raise ConfigError(f"{path}: defaults of all users belong to the administrators (takeown /a /f, elevated)")

    return file(path, vet)


def policy_file(path: Path) -> Source:
    """A file of mandatory settings: only root may be able to write it, or whoever could is the administrator."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return Source(str(path), {})
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if facts.st_uid != 0 or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"{path}: a policy belongs to root and is written by nobody else (chown root, chmod 644)")
    return file(path)


def environment(variables: Mapping[str, str], names: tuple[str, ...]) -> Source:
    """The settings that `TRUESEAT_…` variables name."""
    found = {name: variables[ENVIRONMENT + name.upper()] for name in names if ENVIRONMENT + name.upper() in variables}
    return Source("environment", found, prefix=ENVIRONMENT)


def registry(key: str, *, users: bool) -> Iterator[Source]:
    """The text values of a key in Windows' registry: of this user where `users`, then, stronger, of the machine."""
    import winreg  # mypy: this module is typed for every system, and called on Windows alone

    api: Any = winreg
    hives = [("HKCU", api.HKEY_CURRENT_USER)] if users else []
    for short, hive in [*hives, ("HKLM", api.HKEY_LOCAL_MACHINE)]:
        try:
            opened = api.OpenKey(hive, key)
        except OSError:
            continue  # no such key
        with opened:
            count = api.QueryInfoKey(opened)[1]
            values = [api.EnumValue(opened, number) for number in range(min(count, 200))]
        yield Source(f"{short}\\{key}", {name.lower(): value for name, value, _kind in values if name})


def managed(path: Path = MANAGED) -> Iterator[Source]:
    """Preferences that macOS' device management has forced."""
    try:
        data = path.read_bytes()
    except OSError:
        return
    try:
        values = plistlib.loads(data[: MAX_FILE + 1], fmt=None) if len(data) <= MAX_FILE else None
    except Exception as error:  # plistlib lets whatever its two parsers raise go
        raise ConfigError(f"{path}: no property list ({type(error).__name__})") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: no property list of settings")
    yield Source(str(path), {str(name): value for name, value in values.items()})


def machine(platform: str = sys.platform) -> Machine:
    """The places of this operating system."""
    if platform == "win32":
        folder = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "TrueSeat"
        return Machine(
            folder, lambda: registry(DEFAULTS_KEY, users=False), lambda: registry(POLICY_KEY, users=True), shared_file
        )
    if platform == "darwin":
        return Machine(Path("/Library/Application Support/TrueSeat"), lambda: iter(()), managed)
    folder = Path("/etc/trueseat")
    return Machine(folder, lambda: iter(()), lambda: iter([policy_file(folder / "policy.toml")]))
