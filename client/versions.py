"""Versions of the client side by side in one folder: the next one is built beside the one in use, then pointed to.

    <root>/current            the name of the version in use, one line; replaced whole
    <root>/versions/<v>/      one frozen client, whole
    <root>/refused            versions that did not pass their examination here
    <root>/bucket             0…999, drawn once: when its turn is where an update is given to a share of all computers
    <root>/trueseat[.cmd]     starts the current one

The pointer decides the next start alone: a running client is never touched.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import Final

from client import release
from client.profile import disk, sync_folder, write_private
from client.release import BadReleaseError, File, Release

KEPT: Final = 2  # the current version and the one before
_SH: Final = """#!/bin/sh
# Starts the version that `current` names.
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
exec "$here/versions/$(cat "$here/current")/trueseat" "$@"
"""
_CMD: Final = (
    '@echo off\r\nset /p version=<"%~dp0current"\r\n"%~dp0versions\\%version%\\trueseat.exe" %*\r\n'
)


class Versions:
    """The folder of one installation that keeps itself up to date."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_this_program(cls) -> Versions | None:
        """The installation that this frozen program is a version of; None where somebody else keeps it up to date."""
        if not getattr(sys, "frozen", False):
            return None
        folder = Path(sys.executable).resolve().parent
        found = cls(folder.parent.parent)
        return found if folder.parent.name == "versions" and found.current() == folder.name else None

    @classmethod
    def first(cls, root: Path, bundle: Path, version: str) -> Versions:
        """A new installation of a frozen client that lies in `bundle`."""
        release.order(version)
        made = cls(root)
        with disk(str(root)):
            shutil.copytree(bundle, made.folder(version), symlinks=True)
            launcher = root / "trueseat"
            launcher.write_text(_SH, encoding="ascii", newline="\n")
            launcher.chmod(0o755)
            (root / "trueseat.cmd").write_text(_CMD, encoding="ascii", newline="")
        made.point_to(version)
        return made

    def folder(self, version: str) -> Path:
        """Where a version lies, or would."""
        return self.root / "versions" / version

    def current(self) -> str | None:
        """The version that the next start uses; None where there is none."""
        return self._line("current")

    def refused(self) -> frozenset[str]:
        """Versions that are not tried again on this computer."""
        return frozenset((self._line("refused") or "").split())

    def refuse(self, version: str) -> None:
        """Never try `version` again here, and forget its files."""
        write_private(self.root / "refused", " ".join(sorted({*self.refused(), version})).encode())
        shutil.rmtree(self.folder(version), ignore_errors=True)

    def bucket(self) -> int:
        """This computer's place among a thousand: drawn once, known to nobody else."""
        line = self._line("bucket")
        if line is None or not line.isdigit():
            line = str(secrets.randbelow(1000))
            write_private(self.root / "bucket", line.encode())
        return int(line)

    def missing(self, wanted: Release) -> list[File]:
        """The files of a release that neither its begun folder nor the current version has."""
        begun, used = self.folder(wanted.version), self.folder(self.current() or "-")
        return [f for f in wanted.files if not release.same(f, begun / f.path) and not release.same(f, used / f.path)]

    def put(self, wanted: Release, file: File, data: bytes) -> None:
        """Write one file of a release that is being built; its bytes are on the disk before it has its name."""
        path = self.folder(wanted.version) / file.path
        with disk(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name[:80]}.new")
            with fresh.open("wb") as written:
                written.write(data)
                written.flush()
                os.fsync(written.fileno())
            fresh.chmod(0o755 if file.executable else 0o644)
            fresh.replace(path)

    def complete(self, wanted: Release) -> None:
        """Take from the current version what did not change, set the links, drop what does not belong; then every file
        is compared once more. `BadReleaseError` names the first that is wrong."""
        folder, used = self.folder(wanted.version), self.folder(self.current() or "-")
        for file in wanted.files:
            if not release.same(file, folder / file.path):
                try:
                    self.put(wanted, file, (used / file.path).read_bytes())
                except OSError as error:
                    raise BadReleaseError(f"{file.path}: {error.strerror}") from error
        listed = {file.path for file in wanted.files}
        with disk(str(folder)):
            for name, path in list(release.walk(folder)):
                if name not in listed or path.is_symlink():
                    path.unlink()
            for name, target in wanted.links.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to(target)
            for inner in {folder, *(path.parent for _, path in release.walk(folder))}:
                sync_folder(inner)
        for file in wanted.files:
            if not release.same(file, folder / file.path):
                raise BadReleaseError(f"{file.path}: other bytes than the release lists")

    def point_to(self, version: str) -> None:
        """Let the next start use `version`."""
        with disk(str(self.root)):
            fresh = self.root / ".current.new"
            with fresh.open("w", encoding="ascii") as file:
                file.write(version + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.root / "current")
            sync_folder(self.root)

    def tidy(self) -> None:
        """Forget all but the current version and the one before it."""
        there = [path.name for path in (self.root / "versions").iterdir() if path.is_dir()]
        current = self.current() or ""
        older = [name for name in there if _is_before(name, current)]
        keep = {current, *sorted(older, key=release.order)[1 - KEPT :]}
        for name in there:
            if name not in keep:
                shutil.rmtree(self.folder(name), ignore_errors=True)

    def _line(self, name: str) -> str | None:
        try:
            return (self.root / name).read_text(encoding="ascii").strip() or None
        except (OSError, ValueError):
            return None


def _is_before(name: str, current: str) -> bool:
    try:
        return release.order(name) < release.order(current)
    except BadReleaseError:
        return False
