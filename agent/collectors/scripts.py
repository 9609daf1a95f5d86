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
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.collectors import Context
from agent.collectors.browsers import Profile, mapping, profiles, read_json, texts
from agent.collectors.extensions import MAX_MANIFEST
from agent.errors import CollectorError, StoreError
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
AT_ONCE: Final = 4 * 1024 * 1024  # bytes of a store that are read within a look: a tenth of a second
MAX_SOURCE: Final = 4 * 1024 * 1024
MAX_FILES: Final = 60  # of one unpacked extension
_UUIDS: Final = re.compile(r'^user_pref\("extensions\.webextensions\.uuids", (".{2,100000}")\);\r?$', re.MULTILINE)
_TAIL: Final = re.compile(r"[#:]")

Said = tuple[str, bool | None, tuple[str, ...]]  # the text, whether its manager runs it, sites that a manifest names
Stamp = tuple[tuple[str, int, int], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Store:
    """Where scripts of one browser are kept, and how they are read there."""

    browser: str
    folder: Path
    read: Callable[[Path], Iterator[Said]]


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What a store held when its files were as `stamp` says, judged by `texts`."""

    stamp: Stamp
    texts: object
    rows: tuple[ScriptRow, ...]


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
        self._seen: dict[Path, Known] = {}
        self._late: dict[Path, Known] = {}  # read beside the looks, for the next one
        self._beside: threading.Thread | None = None
        self._failed: CollectorError | None = None

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """All scripts that were found; raises `CollectorError` when there are some and their text cannot be judged.

        A store of a heavy user takes seconds, in which the agent would not beat: it is read beside the looks, and its
        scripts stand in a later one.
        """
        seen: dict[Path, Known] = {}
        fresh = False
        for store in self._stores():
            stamp, known = _stamp(store.folder), self._seen.get(store.folder)
            if not stamp:
                continue
            if known is None or known.stamp != stamp or known.texts is not self._context.texts:
                late = self._late.pop(store.folder, None)
                if late is not None and late.stamp == stamp and late.texts is self._context.texts:
                    known = late
                elif self._context.patient or sum(size for _, _, size in stamp) <= AT_ONCE:
                    known, fresh = self._read(store, stamp), True
                elif self._beside is None or not self._beside.is_alive():
                    self._beside = threading.Thread(target=self._read_late, args=(store, stamp), daemon=True)
                    self._beside.start()
            if known is not None:
                seen[store.folder] = known
        if fresh:
            give_back()
        self._seen = seen
        if isinstance(self._failed, CollectorError):
            failed, self._failed = self._failed, None
            raise failed
        return [row for known in seen.values() for row in known.rows]

    def _read(self, store: Store, stamp: Stamp) -> Known:
        texts, reader = self._context.texts, None
        rows: list[ScriptRow] = []
        for text, enabled, hosts in store.read(store.folder):
            if reader is None:
                reader = Reader(texts)  # compiled anew each time: the patterns take more memory than time
            rows.append(_row(text, enabled, hosts, store.browser, reader))
            if len(rows) >= MAX_SCRIPTS:
                break
        return Known(stamp, texts, tuple(rows))

    def _read_late(self, store: Store, stamp: Stamp) -> None:
        try:
            self._late[store.folder] = self._read(store, stamp)
            give_back()
        except CollectorError as error:
            self._failed = error
        except Exception as error:  # a thread's end is silent otherwise
            self._failed = CollectorError(f"scripts: failed with {type(error).__name__}")

    def _stores(self) -> Iterator[Store]:
        managers = MANAGERS | {row.id for row in self._extensions() if _runs_scripts(row)}
        for profile in profiles(self._home, self._system, self._processes()):
            if profile.firefox:
                yield from (Store("firefox", folder, firefox_scripts) for folder in _firefox_stores(profile, managers))
            else:
                for name in sorted(managers):
                    folder = profile.folder / "Local Extension Settings" / name
                    yield Store(profile.browser, folder, chromium_scripts)
        for row in self._extensions():
            if row.enabled and row.folder and row.install.startswith(("--load", "unpacked", "location(", "sideload")):
                folder = Path(row.folder)
                if not folder.is_relative_to("/usr"):  # the distribution's own
                    yield Store(row.browser, folder, extension_scripts)


def _row(text: str, enabled: bool | None, hosts: tuple[str, ...], browser: str, reader: Reader) -> ScriptRow:
    row = script_row(text, browser, enabled)
    marks, tokens = reader.read(text)
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
