"""Userscripts: what the managers of this user's browsers keep, and the scripts of extensions from outside the stores.

Of all extensions' stores only those of known script managers are opened (`MANAGERS`; others hold people's own things),
and of these only texts with a userscript's header are looked at. What a text says is judged by `agent/texts.py`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.collectors import Context
from agent.collectors.browsers import Profile, mapping, profiles, read_json, texts
from agent.collectors.extensions import MAX_MANIFEST
from agent.errors import StoreError
from agent.formats.leveldb import read_folder
from agent.formats.mozilla import Value, read_store
from agent.tables import ExtensionRow, ProcessRow, Row, ScriptRow
from agent.texts import Reader
from agent.userscript import OPEN, everywhere, script_row
from agent.watchdog import give_back

# Tampermonkey (also beta, legacy, Edge, Firefox), Violentmonkey, ScriptCat, Greasemonkey, FireMonkey, OrangeMonkey,
# User JavaScript and CSS
MANAGERS: Final = frozenset({
    "dhdgffkkebhmkfjojejmpbldmpobfkfo", "iikmkjmpaadaobahmlepeloendndfphd", "gcalenpjmijncebpfijmoaglllgpjagf",
    "fcmfnpggmnlmfebfghbfnillijihnkoh", "firefox@tampermonkey.net", "firefoxbeta@tampermonkey.net",
    "jinjaccalgkegednnccohejagnlnfdag", "eeagobfjdenkkddmbclomhiblgggliao", "{aecec67f-0d10-4fa7-b7c7-609a2db280cf}",
    "ndcooeababalnlpkfedmmbbbgkljhpjf", "liilgpjgabokdklappibcjfablkpcekh", "{8e515334-52b5-4cc5-b4e8-675d50af677d}",
    "jaehimmlecjmebpekkipmpmbpfhdacom", "{e4a8a97b-f2ed-450b-b12d-ee082ba24781}", "firemonkey@eros.man",
    "opmfdhdkpnpfkmbbeampkmkjepbiimei", "ekmeppjgajofkpiofbebgcbohbmfldaf", "nbhcbdghjpllgmfilhnhkllmkecfmpld",
})  # fmt: skip
STORE: Final = "idb/3647222921wleabcEoxlt-eengsairo.sqlite"  # Firefox's own name for storage.local
MAX_SCRIPTS: Final = 500
MAX_SOURCE: Final = 4 * 1024 * 1024
MAX_FILES: Final = 60  # of one unpacked extension
_UUIDS: Final = re.compile(r'^user_pref\("extensions\.webextensions\.uuids", (".{2,100000}")\);\r?$', re.MULTILINE)
_TAIL: Final = re.compile(r"[#:]")

Said = tuple[str, bool | None, tuple[str, ...]]  # the text, whether its manager runs it, sites that a manifest names
Stamp = tuple[tuple[str, int, int], ...]


class Scripts:
    """One row a script; a store is read again only when one of its files changed, or the rules did."""

    def __init__(
        self,
        context: Context,
        extensions: Callable[[], Sequence[ExtensionRow]] = tuple,
        processes: Callable[[], Sequence[ProcessRow]] = tuple,
        home: Path | None = None,
        system: str = sys.platform,
    ) -> None:
        self._context, self._extensions, self._processes = context, extensions, processes
        self._home = home if home is not None else Path.home()
        self._system = system
        self._seen: dict[Path, tuple[Stamp, object, tuple[ScriptRow, ...]]] = {}
        self._reader: tuple[object, Reader] | None = None

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """All scripts that were found; raises `CollectorError` when there are some and their text cannot be judged."""
        rows: list[ScriptRow] = []
        seen: dict[Path, tuple[Stamp, object, tuple[ScriptRow, ...]]] = {}
        for browser, folder, read in self._stores():
            stamp = _stamp(folder)
            if not stamp:
                continue
            known = self._seen.get(folder)
            if known is None or known[0] != stamp or known[1] is not self._context.texts:
                found = tuple(self._row(said, browser) for said in list(read(folder))[:MAX_SCRIPTS])
                known = (stamp, self._context.texts, found)
            seen[folder] = known
            rows += known[2]
        if seen.keys() - self._seen.keys():
            give_back()
        self._seen, self._reader = seen, None  # compiled patterns take more memory than time
        return rows

    def _stores(self) -> Iterator[tuple[str, Path, Callable[[Path], Iterator[Said]]]]:
        managers = MANAGERS | {row.id for row in self._extensions() if _runs_scripts(row)}
        for profile in profiles(self._home, self._system, self._processes()):
            if profile.firefox:
                yield from (("firefox", folder, firefox_scripts) for folder in _firefox_stores(profile, managers))
            else:
                for name in sorted(managers):
                    yield profile.browser, profile.folder / "Local Extension Settings" / name, chromium_scripts
        for row in self._extensions():
            if row.enabled and row.folder and row.install.startswith(("--load", "unpacked", "location(", "sideload")):
                folder = Path(row.folder)
                if not folder.is_relative_to("/usr"):  # the distribution's own
                    yield row.browser, folder, extension_scripts

    def _row(self, said: Said, browser: str) -> ScriptRow:
        text, enabled, hosts = said
        row = script_row(text, browser, enabled)
        if self._reader is None or self._reader[0] is not self._context.texts:
            self._reader = (self._context.texts, Reader(self._context.texts))
        marks, tokens = self._reader[1].read(text)
        if hosts:
            row = dataclasses.replace(row, hosts=row.hosts + hosts, everywhere=everywhere(hosts))
        return dataclasses.replace(row, marks=marks, tokens=tokens)


def chromium_scripts(folder: Path) -> Iterator[Said]:
    """The scripts in an extension's storage of the Chromium family; values are JSON (storage/value_store)."""
    found: list[tuple[str, str]] = []
    switched: dict[str, bool] = {}
    for raw, data in read_folder(folder).items():
        key = raw.decode("utf-8", "replace")
        try:
            value = json.loads(data) if len(data) <= 2 * MAX_SOURCE else None
        except (ValueError, RecursionError):
            continue
        flag = _switched(value)
        if flag is not None:
            switched[_TAIL.split(key)[-1]] = flag
        found += [(_TAIL.split(key)[-1], text) for text in _sources(value)]
    yield from ((text, switched.get(name), ()) for name, text in found)


def firefox_scripts(folder: Path) -> Iterator[Said]:
    """The scripts in an extension's storage of Firefox; nothing where it cannot be read."""
    try:
        store = read_store(folder / STORE)
    except StoreError:
        return
    switched = {_TAIL.split(key)[-1]: flag for key, values in store.items() if (flag := _after(values)) is not None}
    for key, values in store.items():
        for value in values:
            for text in _sources(value):
                yield text, switched.get(_TAIL.split(key)[-1]), ()


def extension_scripts(folder: Path) -> Iterator[Said]:
    """The scripts of an unpacked extension, as one text: what its manifest injects, and its background's."""
    manifest = mapping(read_json(folder / "manifest.json", MAX_MANIFEST))
    hosts: list[str] = list(texts(manifest, "host_permissions"))
    files: list[str] = []
    entries = manifest.get("content_scripts")
    for entry in map(mapping, entries[:MAX_FILES] if isinstance(entries, list) else ()):
        hosts += texts(entry, "matches")
        files += texts(entry, "js")
    worker = mapping(manifest.get("background")).get("service_worker")
    files += [worker] if isinstance(worker, str) else texts(mapping(manifest.get("background")), "scripts")
    source = "\n".join(_file(folder, name) for name in list(dict.fromkeys(files))[:MAX_FILES])[:MAX_SOURCE]
    if source.strip():
        yield source, True, tuple(dict.fromkeys(hosts))


def _file(folder: Path, name: str) -> str:
    path = folder / name.lstrip("/")
    try:
        if "\0" in name or not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            return ""
        with path.open("rb") as file:
            return file.read(MAX_SOURCE).decode("utf-8", "replace")
    except (OSError, ValueError, RuntimeError):
        return ""


def _firefox_stores(profile: Profile, managers: frozenset[str]) -> Iterator[Path]:
    """Where the managers of a profile keep their storage: each extension has an id of its own in each profile."""
    try:
        with (profile.folder / "prefs.js").open("rb") as file:
            found = _UUIDS.search(file.read(MAX_SOURCE).decode("utf-8", "replace"))
        uuids = mapping(json.loads(json.loads(found[1]))) if found else {}
    except (OSError, ValueError, TypeError, RecursionError):
        return
    for name in sorted(managers & uuids.keys()):
        uuid = uuids[name]
        if isinstance(uuid, str) and re.fullmatch(r"[0-9a-fA-F-]{36}", uuid):
            root = profile.folder / "storage/default"
            yield from (root / f"moz-extension+++{uuid}{end}" for end in ("^userContextId=4294967295", ""))


def _runs_scripts(row: ExtensionRow) -> bool:
    return any(name.casefold() == "userscripts" for name in row.permissions)


def _sources(value: Any, depth: int = 4) -> Iterator[str]:
    """The texts in a value that have a userscript's header."""
    if isinstance(value, str):
        if OPEN not in value[:MAX_SOURCE]:
            return
        if depth and value.lstrip()[:1] in ("{", '"'):  # JSON within JSON
            try:
                yield from _sources(json.loads(value), depth - 1)
            except (ValueError, RecursionError):
                return
        else:
            yield value[:MAX_SOURCE]
    elif isinstance(value, Mapping) and depth:
        for inner in value.values():
            yield from _sources(inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _sources(inner, depth - 1)


def _switched(value: Any) -> bool | None:
    """Whether a manager's record of a script says that it runs: each manager has its own place for that."""
    record = mapping(value)
    for inner in (record, mapping(record.get("value")), mapping(record.get("config"))):
        flag = inner.get("enabled")
        if isinstance(flag, bool | int):
            return bool(flag)
    status = record.get("status")  # ScriptCat: 1 runs, 2 does not
    return status == 1 if isinstance(status, int) and "uuid" in record else None


def _after(values: Sequence[Value]) -> bool | None:
    """The flag that follows the word `enabled` among the texts and flags of a record."""
    for place, value in enumerate(values[:-1]):
        if value == "enabled" and isinstance(values[place + 1], bool | int):
            return bool(values[place + 1])
    return None


def _stamp(folder: Path) -> Stamp:
    """Names, times and sizes of the files of a store; empty where there is none."""
    place = folder / "idb" if (folder / "idb").is_dir() else folder
    try:
        with os.scandir(place) as entries:
            files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
        return tuple(sorted((entry.name, entry.stat().st_mtime_ns, entry.stat().st_size) for entry in files))
    except (OSError, ValueError):
        return ()
