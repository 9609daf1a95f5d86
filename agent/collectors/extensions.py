"""Browser extensions, as the profiles of the Chromium family and of Firefox list them. Read only when a file changed.

Every profile file is foreign: what does not fit is left out, whatever it holds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.tables import ExtensionRow, ProcessRow, Row

MAX_FILE: Final = 32 * 1024 * 1024  # a heavy user's Preferences has a few MiB
MAX_PROFILES: Final = 50
MAX_EXTENSIONS: Final = 500
LISTS: Final = ("Secure Preferences", "Preferences")
# Chromium's own numbers for where an extension came from (extensions/common/mojom/manifest.mojom)
LOCATIONS: Final = {1: "webstore", 4: "unpacked", 5: "component(5)", 8: "--load-extension=", 10: "component(10)"}
CHROMIUM: Final[Mapping[str, Mapping[str, str]]] = {
    "linux": {
        "chrome": ".config/google-chrome", "chromium": ".config/chromium", "edge": ".config/microsoft-edge",
        "brave": ".config/BraveSoftware/Brave-Browser", "vivaldi": ".config/vivaldi", "opera": ".config/opera",
        "chromium-snap": "snap/chromium/common/chromium",
    },
    "win32": {
        "chrome": "AppData/Local/Google/Chrome/User Data", "edge": "AppData/Local/Microsoft/Edge/User Data",
        "brave": "AppData/Local/BraveSoftware/Brave-Browser/User Data",
        "360": "AppData/Local/360Chrome/Chrome/User Data", "qq": "AppData/Local/Tencent/QQBrowser/User Data",
    },
    "darwin": {
        "chrome": "Library/Application Support/Google/Chrome", "edge": "Library/Application Support/Microsoft Edge",
        "brave": "Library/Application Support/BraveSoftware/Brave-Browser",
    },
}  # fmt: skip
FIREFOX: Final[Mapping[str, str]] = {
    "linux": ".mozilla/firefox", "win32": "AppData/Roaming/Mozilla/Firefox/Profiles",
    "darwin": "Library/Application Support/Firefox/Profiles",
}  # fmt: skip


_LOADED = re.compile(r"(?:^| )--load-extension=((?:[^ ]| (?!-)){1,2000})")


class Extensions:
    """One row an installed extension, of all profiles of this user, and of those that a command line loads."""

    def __init__(
        self,
        home: Path | None = None,
        system: str = sys.platform,
        processes: Callable[[], Sequence[ProcessRow]] = tuple,
    ) -> None:
        self._processes = processes
        self._home = home if home is not None else Path.home()
        self._system = system
        self._seen: dict[Path, tuple[int, int, tuple[ExtensionRow, ...]]] = {}

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """All extensions; a profile that another user owns is not looked at."""
        seen: dict[Path, tuple[int, int, tuple[ExtensionRow, ...]]] = {}
        for browser, path in self._files():
            try:
                state = os.stat(path)
            except OSError:
                continue
            if not stat.S_ISREG(state.st_mode):
                continue  # a pipe put in its place would hold the agent up
            known = self._seen.get(path)
            if known is not None and known[:2] == (state.st_mtime_ns, state.st_size):
                seen[path] = known
            else:
                seen[path] = (state.st_mtime_ns, state.st_size, tuple(read_profile(browser, path)))
        self._seen = seen
        listed = [row for _, _, rows in seen.values() for row in rows]
        return list(dict.fromkeys([*listed, *self._loaded()]))

    def _loaded(self) -> Iterator[ExtensionRow]:
        """Extensions that a browser was started with: they stand in no profile."""
        folders: dict[str, str] = {}
        for row in self._processes():
            found = None if " --type=" in row.cmdline else _LOADED.search(row.cmdline)
            folders.update(dict.fromkeys(found.group(1).split(",") if found else (), row.name))
        for folder, browser in list(folders.items())[:MAX_EXTENSIONS]:
            manifest = _manifest_in(Path(folder))
            yield ExtensionRow(
                id=unpacked_id(_text(manifest.get("key")), folder), name=_text(manifest.get("name")), browser=browser,
                permissions=_texts(manifest, "permissions"), hosts=_texts(manifest, "host_permissions"),
                install=f"--load-extension={folder}",
            )  # fmt: skip

    def _files(self) -> Iterator[tuple[str, Path]]:
        for browser, folder in CHROMIUM.get(self._system, {}).items():
            for profile in _folders(self._home / folder):
                if profile.name == "Default" or profile.name.startswith("Profile "):
                    yield from ((browser, profile / name) for name in LISTS)
        if self._system in FIREFOX:
            for profile in _folders(self._home / FIREFOX[self._system]):
                yield "firefox", profile / "extensions.json"


def read_profile(browser: str, path: Path) -> Iterator[ExtensionRow]:
    """The extensions that one profile file lists; nothing if the file is not of its form."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        raw = json.loads(data) if len(data) <= MAX_FILE else None
    except (OSError, ValueError, RecursionError):
        return
    if browser == "firefox":
        yield from _firefox(raw)
    else:
        yield from _chromium(browser, raw, path.parent)


def _chromium(browser: str, raw: Any, profile: Path) -> Iterator[ExtensionRow]:
    settings = _map(_map(_map(raw).get("extensions")).get("settings"))
    for number, (key, entry) in enumerate(settings.items()):
        entry = _map(entry)  # noqa: PLW2901
        if number >= MAX_EXTENSIONS or not entry:
            continue
        manifest = _map(entry.get("manifest")) or _manifest(profile, _text(entry.get("path")))
        location = entry.get("location")
        install = LOCATIONS.get(location, f"location({location})") if isinstance(location, int) else ""
        if install == "--load-extension=":
            install += _text(entry.get("path"))
        yield ExtensionRow(
            id=str(key), name=_text(manifest.get("name")), browser=browser, permissions=_texts(manifest, "permissions"),
            hosts=_texts(manifest, "host_permissions"), install=install,
            enabled=entry.get("state", 1) == 1 and not entry.get("disable_reasons"),
        )  # fmt: skip


def _manifest(profile: Path, folder: str) -> Mapping[str, Any]:
    """The manifest of an installed extension; `folder` is relative to the profile's Extensions unless unpacked."""
    return _manifest_in(profile / "Extensions" / folder) if folder else {}


def unpacked_id(key: str, folder: str) -> str:
    """Chromium's id of an extension outside the store: of its public key, else of its folder (crx_file/id_util.cc)."""
    try:
        source = base64.b64decode(key, validate=True)
    except ValueError:
        source = b""
    digest = hashlib.sha256(source or folder.encode("utf-8", "surrogateescape")).hexdigest()
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:32])


def _manifest_in(folder: Path) -> Mapping[str, Any]:
    """The manifest in an extension's folder; nothing where there is none that can be read."""
    try:
        path = folder / "manifest.json"
        if not stat.S_ISREG(path.stat().st_mode):
            return {}
        with path.open("rb") as file:
            return _map(json.loads(file.read(1024 * 1024)))
    except (OSError, ValueError, RecursionError):
        return {}


def _firefox(raw: Any) -> Iterator[ExtensionRow]:
    addons = _map(raw).get("addons")
    for addon in addons[:MAX_EXTENSIONS] if isinstance(addons, list) else ():
        entry = _map(addon)
        if entry.get("type", "extension") != "extension":
            continue
        rights = _map(entry.get("userPermissions"))
        temporary = entry.get("temporarilyInstalled") is True
        yield ExtensionRow(
            id=_text(entry.get("id")), name=_text(_map(entry.get("defaultLocale")).get("name")), browser="firefox",
            permissions=_texts(rights, "permissions"), hosts=_texts(rights, "origins"),
            install="temporary" if temporary else _text(entry.get("location")), enabled=entry.get("active") is True,
        )  # fmt: skip


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(entry for entry in root.iterdir() if entry.is_dir())[:MAX_PROFILES]
    except OSError:
        return []


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key)
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
