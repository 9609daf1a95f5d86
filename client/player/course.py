"""A course package on this device: every file is the one that the manifest names, or the course does not open.

`ledger.course` parses the manifest; here its files are found in the package's own folder and hashed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from client.player.errors import CourseError, CourseFileError
from client.player.vault import NO_KEYS, is_encrypted
from client.ports import UnitMedia
from ledger import course as manifest
from ledger.errors import LedgerError

MANIFEST = "course.toml"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Package:
    """An opened course: `course` is the manifest, all of whose files lie checked in `folder`."""

    folder: Path
    course: manifest.Course

    @property
    def encrypted(self) -> bool:
        """Whether any file of it needs a key that comes with a session."""
        return any(is_encrypted(self.folder / name) for name in self.course.files())

    def media(self, unit: str, language: str, lower: bool = False, keys: Mapping[str, bytes] = NO_KEYS) -> UnitMedia:
        """One unit as the player takes it, its title in `language`; `CourseError` for a unit that is not there.

        `lower`: with the smaller picture, where the package has one. `keys`: looked into when the unit is opened.
        """
        try:
            found = self.course.unit(unit)
        except LedgerError as e:
            raise CourseError(str(e)) from e
        if found.live is not None:
            return UnitMedia(found.id, found.title.in_(language), self.folder, found.duration_ms)
        picture = found.lower if lower and found.lower else found.media
        captions = {tag: self.folder / name for tag, name in found.captions.items()}
        return UnitMedia(found.id, found.title.in_(language), self.folder / picture, found.duration_ms, captions, keys)


def open_package(folder: Path, expected: str | None = None) -> Package:
    """Return the course in `folder`, every byte checked, or raise `CourseError` naming the file.

    `expected` is the sha256 of course.toml that the grant names. Reads the whole package: not on the screen's thread.
    """
    data = _read(folder / MANIFEST, manifest.MAX_COURSE_BYTES)
    found = hashlib.sha256(data).hexdigest()
    if expected is not None and found != expected:
        raise CourseFileError(f"{MANIFEST}: sha256 {found}, the class studies {expected}")
    try:
        course = manifest.parse(data)
    except LedgerError as e:
        raise CourseError(str(e)) from e
    for name, digest in course.files().items():
        check_file(folder, name, digest)
    return Package(folder, course)


def check_file(folder: Path, name: str, digest: str) -> Path:
    """Return the path of a package's file whose bytes hash to `digest`, or raise `CourseFileError`."""
    try:
        path = folder / manifest.safe_name(name)
    except LedgerError as e:
        raise CourseFileError(str(e)) from e
    sha = hashlib.sha256()
    try:
        with os.fdopen(_open_regular(path), "rb") as file:
            while chunk := file.read(_CHUNK):
                sha.update(chunk)
    except OSError as e:
        raise CourseFileError(f"{name}: {e.strerror}") from e
    if sha.hexdigest() != digest:
        raise CourseFileError(f"{name}: sha256 {sha.hexdigest()}, the manifest names {digest}")
    return path


def _open_regular(path: Path) -> int:
    """A descriptor of a real file: no link that leads out of the package, no device that never ends."""
    handle = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise CourseFileError(f"{path.name}: not a plain file")
    return handle


def _read(path: Path, limit: int) -> bytes:
    try:
        with os.fdopen(_open_regular(path), "rb") as file:
            data = file.read(limit + 1)
    except OSError as e:
        raise CourseFileError(f"{path.name}: {e.strerror}") from e
    if len(data) > limit:
        raise CourseFileError(f"{path.name}: more than {limit} bytes")
    return data
