"""The scripts that interpreters of this user run, by path and digest, and the names that lie beside them.

A program that takes courses is a folder of files; started through Python or Node it has no name of its own. Only the
folder of a running script is listed, one level deep; no other file is opened, and what does not match is forgotten.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from agent.tables import FileRow, ProcessRow, Row
from agent.text import program

MAX_SCRIPTS: Final = 60  # running at one time
MAX_BESIDE: Final = 100
MAX_HASHED: Final = 40
MAX_BYTES: Final = 512 * 1024  # of a file that is hashed: source text
INTERPRETER: Final = re.compile(
    r"(python|pypy|node|nodejs|deno|bun|java|ruby|perl|lua|php|bash|sh|wine|[wc]script|autohotkeyu?|autoit)[-.0-9w]{0,8}"
)
SOURCE: Final = re.compile(r"[^\0]{1,500}\.(pyw?|pyz|[mc]?js|ts|jar|rb|pl|lua|php|sh|ahk|au3|vbs)", re.IGNORECASE)
Told = Callable[[ProcessRow], tuple[Sequence[str], str]]  # arguments after the program, and the folder it works in


class Files:
    """One row a script, and one a name beside it; a folder is read again only when it changed."""

    def __init__(self, processes: Callable[[], Sequence[ProcessRow]], told: Told, system: Sequence[str]) -> None:
        self._processes, self._told = processes, told
        self._system = tuple(folder.casefold() for folder in system)  # the system's own programs are not looked at
        self._seen: dict[Path, tuple[int, tuple[FileRow, ...]]] = {}

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The rows; programs of the system, and of other users, have none."""
        seen: dict[Path, tuple[int, tuple[FileRow, ...]]] = {}
        for script in dict.fromkeys(self._scripts()):
            folder = script.parent
            if folder in seen:
                continue
            try:
                changed = os.stat(folder).st_mtime_ns ^ os.stat(script).st_mtime_ns
            except OSError:
                continue
            known = self._seen.get(folder)
            seen[folder] = known if known is not None and known[0] == changed else (changed, tuple(_rows(script)))
            if len(seen) >= MAX_SCRIPTS:
                break
        self._seen = seen
        return [row for _, rows in seen.values() for row in rows]

    def _scripts(self) -> Iterator[Path]:
        for row in self._processes():
            if INTERPRETER.fullmatch(program(row.exe or row.name)) is not None:
                yield from self._named(*self._told(row))

    def _named(self, words: Sequence[str], here: str) -> Iterator[Path]:
        """The script that the arguments of an interpreter name, made absolute."""
        for word in words[:20]:
            if SOURCE.fullmatch(word) is not None:
                path = Path(os.path.normpath(os.path.join(here, word)))
                own = str(path).casefold().startswith(self._system) or "site-packages" in path.parts
                if path.is_absolute() and not own:
                    yield path
                return


def _rows(script: Path) -> Iterator[FileRow]:
    hashed = 0
    try:
        entries = sorted(os.scandir(script.parent), key=lambda entry: (entry.name != script.name, entry.name))
    except OSError:
        return
    for entry in entries[:MAX_BESIDE]:
        path = os.fsencode(entry.path).decode("utf-8", "replace")
        try:
            if entry.is_dir(follow_symlinks=False):
                yield FileRow(path=f"{path}/")
            elif SOURCE.fullmatch(entry.name) is not None:
                hashed += 1
                yield FileRow(path=path, sha256=digest(entry.path) if hashed <= MAX_HASHED else "")
        except OSError:
            continue


def digest(path: str) -> str:
    """SHA-256 of a source file in lowercase hex; "" for one that is no plain file, too large, or gone."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return ""
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return ""
    return hashlib.sha256(data).hexdigest() if len(data) <= MAX_BYTES else ""
