"""A backup: both databases as files, everything else of the data directory, and the keys in a place of their own.

Records first, then people, then files: what the records name is there, since the others only grow meanwhile. The same
form whatever the databases are, so a backup of PostgreSQL can be restored into files, and the other way about.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from server_stub.domain.errors import SetupError
from server_stub.settings import CONFIG, Settings, load, write_private
from server_stub.storage.tablecopy import copy_database

MANIFEST: Final = "manifest.json"
_SECRET: Final = ("keys", "secret", CONFIG)  # CONFIG may hold a database's password
_SECRET_TOO: Final = ("oidc.toml",)  # where there is one
_NOT: Final = ("records.sqlite", "people.sqlite", "exports")


def make(settings: Settings, out: Path, keys: Path | None) -> dict[str, int]:
    """Write a backup to the new folder `out`, the keys to the new folder `keys` (None: not at all); rows by database.

    `SetupError` where a folder exists already, or one would lie in the other.
    """
    _check_apart(settings, out, keys)
    part = _part(out)
    rows = {
        "records": copy_database(settings.records_database, _file(part / "records.sqlite"), "records"),
        "people": copy_database(settings.people_url, _file(part / "people.sqlite"), "people"),
    }
    for path in sorted(settings.directory.iterdir()):
        if path.name not in (*_SECRET, *_SECRET_TOO) and not path.name.startswith(_NOT):
            _take(path, part / path.name)
    listed = {str(path.relative_to(part)): _digest(path) for path in _files(part)}
    manifest = {"server": settings.server, "files": listed, "rows": rows}
    write_private(part / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    if keys is not None:
        apart = _part(keys)
        for name in (*_SECRET, *_SECRET_TOO):
            _take(settings.directory / name, apart / name)
        apart.rename(keys)
    part.rename(out)
    return rows


def restore(backup: Path, keys: Path, directory: Path, config: Path | None, *, local: bool) -> Settings:
    """Make a data directory of a backup and its keys: settings as kept, or as `config` says; `local`: both databases
    as files. `SetupError` for a backup that is not whole, and for anything there that would be overwritten."""
    _check_whole(backup)
    if directory.exists() and any(directory.iterdir()):
        raise SetupError(f"{directory} is not empty; a backup is restored into a new directory")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in _SECRET:
        if not (keys / name).exists():
            raise SetupError(f"{keys} holds no {name!r}: these are not a server's keys")
        _take(keys / name, directory / name)
    for name in _SECRET_TOO:
        _take(keys / name, directory / name)
    if config is not None:
        write_private(directory / CONFIG, config.read_bytes())
    settings = load(directory)
    if local:
        settings = Settings(directory, settings.server, settings.development)
        settings.save()
    if settings.server != _manifest(backup)["server"]:
        raise SetupError("the keys are of another server than the backup")
    for path in sorted(backup.iterdir()):
        if path.name != MANIFEST and not path.name.startswith(_NOT):
            _take(path, directory / path.name)
    copy_database(_file(backup / "records.sqlite"), settings.records_database, "records")
    copy_database(_file(backup / "people.sqlite"), settings.people_url, "people")
    return settings


def _check_apart(settings: Settings, out: Path, keys: Path | None) -> None:
    for new in (out, *([keys] if keys else [])):
        if new.exists():
            raise SetupError(f"{new} exists already; a backup is a new folder")
        if new.absolute().is_relative_to(settings.directory):
            raise SetupError("a backup does not lie in the directory that it is of")
    if keys is not None and (keys.absolute().is_relative_to(out.absolute()) or keys.absolute() == out.absolute()):
        raise SetupError("keys lie apart from the data that they seal and sign: name another folder, on another disk")


def _part(path: Path) -> Path:
    """Where a folder is filled before it gets its name: what has the name is whole."""
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    return part


def _file(path: Path) -> str:
    return f"sqlite:///{path.absolute()}"


def _take(source: Path, target: Path) -> None:
    """Copy a file or a folder, durably and for nobody else; what was erased meanwhile stays away."""
    if source.is_dir():
        target.mkdir(mode=0o700, exist_ok=True)
        for path in source.iterdir():
            _take(path, target / path.name)
        return
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with source.open("rb") as old, os.fdopen(handle, "wb") as new:
            shutil.copyfileobj(old, new)
            new.flush()
            os.fsync(new.fileno())
    except FileNotFoundError:
        target.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(backup: Path) -> dict[str, object]:
    try:
        manifest = json.loads((backup / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise SetupError(f"{backup} is no backup: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise SetupError(f"{backup / MANIFEST} is not of the form of a backup's list")
    return manifest


def _check_whole(backup: Path) -> None:
    """Every file as listed and no other. It finds damage, not fraud: that is what signatures and `fsck` are for."""
    listed = _manifest(backup)["files"]
    found = {str(path.relative_to(backup)): _digest(path) for path in _files(backup) if path.name != MANIFEST}
    if found != listed:
        assert isinstance(listed, dict)
        other = sorted(set(found.items()) ^ set(listed.items()))
        raise SetupError(f"the backup is not whole: {other[0][0]!r} is missing, changed or not listed")
