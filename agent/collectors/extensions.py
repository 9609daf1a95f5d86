"""Browser extensions, as the profiles of the Chromium family and of Firefox list them. Read only when a file changed.

Every profile file is foreign: what does not fit is left out, whatever it holds.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.collectors.browsers import existing, mapping, profiles, read_json, text, texts
from agent.tables import ExtensionRow, ProcessRow, Row

MAX_EXTENSIONS: Final = 500
MAX_MANIFEST: Final = 1024 * 1024
LISTS: Final = ("Secure Preferences", "Preferences")
# Chromium's own numbers for where an extension came from (extensions/common/mojom/manifest.mojom)
LOCATIONS: Final = {1: "webstore", 4: "unpacked", 5: "component(5)", 8: "--load-extension=", 10: "component(10)"}

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
        self.rows: Sequence[ExtensionRow] = ()

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
        self.rows = list(dict.fromkeys([*listed, *self._loaded()]))
        return self.rows

    def _loaded(self) -> Iterator[ExtensionRow]:
        """Extensions that a browser was started with: they stand in no profile."""
        folders: dict[str, str] = {}
        for row in self._processes():
            found = None if " --type=" in row.cmdline else _LOADED.search(row.cmdline)
            folders.update(dict.fromkeys(map(existing, found.group(1).split(",")) if found else (), row.name))
        for folder, browser in list(folders.items())[:MAX_EXTENSIONS]:
            manifest = manifest_in(Path(folder))
            yield ExtensionRow(
                id=unpacked_id(text(manifest.get("key")), folder), name=text(manifest.get("name")), browser=browser,
                permissions=texts(manifest, "permissions"), hosts=texts(manifest, "host_permissions"),
                install=f"--load-extension={folder}", folder=folder,
            )  # fmt: skip

    def _files(self) -> Iterator[tuple[str, Path]]:
        for profile in profiles(self._home, self._system, self._processes()):
            for name in ("extensions.json",) if profile.firefox else LISTS:
                yield profile.browser, profile.folder / name


def read_profile(browser: str, path: Path) -> Iterator[ExtensionRow]:
    """The extensions that one profile file lists; nothing if the file is not of its form."""
    raw = read_json(path)
    if browser == "firefox":
        yield from _firefox(raw)
    else:
        yield from _chromium(browser, raw, path.parent)


def _chromium(browser: str, raw: Any, profile: Path) -> Iterator[ExtensionRow]:
    settings = mapping(mapping(mapping(raw).get("extensions")).get("settings"))
    for number, (key, entry) in enumerate(settings.items()):
        entry = mapping(entry)  # noqa: PLW2901
        if number >= MAX_EXTENSIONS or not entry:
            continue
        path = text(entry.get("path"))  # relative to the profile's Extensions unless unpacked
        folder = profile / "Extensions" / path if path else None
        manifest = mapping(entry.get("manifest")) or (manifest_in(folder) if folder else {})
        location = entry.get("location")
        install = LOCATIONS.get(location, f"location({location})") if isinstance(location, int) else ""
        if install == "--load-extension=":
            install += path
        yield ExtensionRow(
            id=str(key), name=text(manifest.get("name")), browser=browser, permissions=texts(manifest, "permissions"),
            hosts=texts(manifest, "host_permissions"), install=install, folder=str(folder or ""),
            enabled=entry.get("state", 1) == 1 and not entry.get("disable_reasons"),
        )  # fmt: skip


def unpacked_id(key: str, folder: str) -> str:
    """Chromium's id of an extension outside the store: of its public key, else of its folder (crx_file/id_util.cc)."""
    try:
        source = base64.b64decode(key, validate=True)
    except ValueError:
        source = b""
    digest = hashlib.sha256(source or folder.encode("utf-8", "surrogateescape")).hexdigest()
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:32])


def manifest_in(folder: Path) -> Mapping[str, Any]:
    """The manifest in an extension's folder; nothing where there is none that can be read."""
    return mapping(read_json(folder / "manifest.json", MAX_MANIFEST))


def _firefox(raw: Any) -> Iterator[ExtensionRow]:
    addons = mapping(raw).get("addons")
    for addon in addons[:MAX_EXTENSIONS] if isinstance(addons, list) else ():
        entry = mapping(addon)
        if entry.get("type", "extension") != "extension":
            continue
        rights = mapping(entry.get("userPermissions"))
        temporary = entry.get("temporarilyInstalled") is True
        yield ExtensionRow(
            id=text(entry.get("id")), name=text(mapping(entry.get("defaultLocale")).get("name")), browser="firefox",
            permissions=texts(rights, "permissions"), hosts=texts(rights, "origins"),
            install="temporary" if temporary else text(entry.get("location")), enabled=entry.get("active") is True,
        )  # fmt: skip
