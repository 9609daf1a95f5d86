"""Course packages and model files on the disk, found by their digest alone."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from ledger import course as courses
from ledger.course import Course
from ledger.errors import FormatError
from server_stub.domain.errors import NotThereError, SetupError
from server_stub.settings import safe_name
from server_stub.storage import contentkeys

MANIFEST = "course.toml"


class Packages:
    """What learners download: nothing is reachable that a manifest does not name."""

    def __init__(self, course_folder: Path, model_folder: Path) -> None:
        self._courses, self._models = course_folder, model_folder
        self._parsed: dict[str, Course] = {}

    def install(self, folder: Path) -> bytes:
        """Copy a checked course package in; return its manifest, or raise `SetupError`."""
        course, manifest = read_package(folder)
        target = self._courses / course.sha256
        try:
            target.mkdir(parents=True, exist_ok=True)
            for name in course.files():
                shutil.copyfile(folder / name, target / name)
            (target / MANIFEST).write_bytes(manifest)
            contentkeys.install(folder, target, course)
        except OSError as error:
            raise SetupError(f"the course {folder} cannot be copied: {error}") from error
        return manifest

    def install_models(self, folder: Path) -> int:
        """Copy model files in under their digests; return how many."""
        self._models.mkdir(parents=True, exist_ok=True)
        files = [path for path in sorted(folder.iterdir()) if path.is_file()]
        for path in files:
            shutil.copyfile(path, self._models / file_digest(path))
        return len(files)

    def file(self, digest: str, name: str) -> Path:
        """A file of a course package, or `NotThereError`."""
        course = self.course(digest)
        if name != MANIFEST and name not in course.files():
            raise NotThereError(f"the course has no file {name[:80]!r}")
        return self._there(self._courses / digest / name)

    def model(self, digest: str) -> Path:
        """A model file, or `NotThereError`."""
        if not safe_name(digest):
            raise NotThereError("a model is asked for by its sha256")
        return self._there(self._models / digest)

    def content_keys(self, digest: str) -> list[bytes]:
        """The keys of the encrypted files of a course; empty for one that is not encrypted."""
        self.course(digest)
        return list(contentkeys.read(contentkeys.key_file(self._courses / digest)).values())

    def course(self, digest: str) -> Course:
        """An installed course, or `NotThereError`."""
        if digest not in self._parsed:
            if not safe_name(digest):
                raise NotThereError("a course is asked for by its sha256")
            self._parsed[digest] = courses.parse(self._there(self._courses / digest / MANIFEST).read_bytes())
        return self._parsed[digest]

    @staticmethod
    def _there(path: Path) -> Path:
        if not path.is_file():
            raise NotThereError("this server does not hold that file")
        return path


def read_package(folder: Path) -> tuple[Course, bytes]:
    """The course in `folder` and its manifest, every file compared with its digest; or `SetupError`."""
    try:
        manifest = (folder / MANIFEST).read_bytes()
        course = courses.parse(manifest)
        for name, digest in course.files().items():
            if file_digest(folder / name) != digest:
                raise SetupError(f"{folder / name} is not the file that {MANIFEST} names")
    except (OSError, FormatError) as error:
        raise SetupError(f"the course {folder} cannot be used: {error}") from error
    return course, manifest


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
