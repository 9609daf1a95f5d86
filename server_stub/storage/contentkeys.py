"""Content keys of encrypted courses, one 0600 file a course, beside the folder that is served and never in it."""

from __future__ import annotations

from pathlib import Path

from ledger import content
from ledger.content import ContentError
from ledger.course import Course
from server_stub.domain.errors import SetupError
from server_stub.settings import write_private


def key_file(folder: Path) -> Path:
    """Where the keys of the package in `folder` lie: `<folder>.key`."""
    return folder.with_name(folder.name + ".key")


def needed(folder: Path, course: Course) -> set[str]:
    """The names of the keys that the files of a package ask for, or `SetupError`."""
    found = set()
    for name in course.files():
        with (folder / name).open("rb") as file:
            first = file.read(content.MAX_HEADER)
        if content.is_encrypted(first):
            try:
                found.add(content.parse_header(first).key_id)
            except ContentError as error:
                raise SetupError(f"{folder / name}: {error}") from error
    return found


def read(path: Path) -> dict[str, bytes]:
    """The keys of a key file by name; none where there is no file; `SetupError` when it is malformed."""
    if not path.is_file():
        return {}
    try:
        return content.parse_keys(path.read_text(encoding="ascii"))
    except (OSError, ValueError, ContentError) as error:
        raise SetupError(f"{path} is no key file: {type(error).__name__}") from error


def install(source: Path, target: Path, course: Course) -> None:
    """Keep the keys that the package at `source` needs beside `target`; `SetupError` when one is missing."""
    wanted = needed(source, course)
    if not wanted:
        return
    keys = read(key_file(source))
    missing = sorted(wanted - set(keys))
    if missing:
        raise SetupError(f"{source} is encrypted, and {key_file(source).name} beside it lacks the key {missing[0]}")
    write_private(key_file(target), content.write_keys(keys[name] for name in sorted(wanted)).encode())
