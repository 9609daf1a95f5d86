"""A class archive as files, wherever they lie: a plain directory or a strict .zip, read one file at a time."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ledger import tiles
from ledger.checkpoint import Checkpoint
from ledger.errors import ArchiveError, LedgerError, MissingFileError, RootMismatchError, StrayFileError, TileError
from ledger.tree import HASH_BYTES, Tree, leaf_hash

README: Final = "README.txt"  # the one file that nothing binds
CHECKPOINT: Final = "checkpoint"
PEOPLE: Final = "people.csv"
SUMMARIES: Final = ("summary.csv", "summary.json")
MAX_FILE: Final = 256 << 20  # a full bundle has 17 MB; a longer file is no part of an archive
MAX_NAME: Final = 200  # the longest path of a tile has less than half; it bounds how deep folders lie, too
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class Source(Protocol):
    """The files of one archive, by names with `/`."""

    def names(self, prefix: str = "") -> list[str]:
        """All files whose name begins with `prefix` (empty, or ending in `/`), sorted."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """The names directly under `prefix` that have files below them, sorted."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file, or `MissingFileError`."""
        ...

    def digest(self, name: str) -> bytes:
        """SHA-256 of a file, read piece by piece, or `MissingFileError`."""
        ...


class Directory:
    """A plain directory. Links, devices and empty folders have no place in it."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ArchiveError(f"{path} is no directory")
        self._path = path

    def names(self, prefix: str = "") -> list[str]:
        """See `Source.names`; refuses anything but plain files."""
        found: list[str] = []
        top = f"{self._path}/{prefix}"
        if os.path.isdir(top):
            self._walk(top, prefix, found)
        return sorted(found)

    def _walk(self, folder: str, prefix: str, found: list[str]) -> None:
        entries = _listed(folder)
        if not entries and prefix:
            raise StrayFileError(f"{prefix} is an empty folder")
        for entry in entries:
            name = prefix + entry.name
            if not NAME.fullmatch(name) or len(name) > MAX_NAME:
                raise StrayFileError(f"{name!r} has no place in an archive")
            if entry.is_dir(follow_symlinks=False):
                self._walk(entry.path, name + "/", found)
            elif entry.is_file(follow_symlinks=False):
                found.append(name)
            else:
                raise StrayFileError(f"{name} is neither a file nor a folder")

    def folders(self, prefix: str) -> list[str]:
        """See `Source.folders`."""
        top = f"{self._path}/{prefix}"
        entries = _listed(top) if os.path.isdir(top) else []
        for entry in entries:
            if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
                raise StrayFileError(f"{prefix + entry.name} is neither a file nor a folder")
        return sorted(entry.name for entry in entries)

    def has(self, name: str) -> bool:
        """See `Source.has`."""
        return os.path.isfile(f"{self._path}/{name}")

    def read(self, name: str) -> bytes:
        """See `Source.read`."""
        with self._open(name) as file:
            return file.read()

    def digest(self, name: str) -> bytes:
        """See `Source.digest`."""
        with self._open(name) as file:
            return file_digest(file, "sha256").digest()  # type: ignore[arg-type]  # typeshed wants more of a file than it has

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        path = f"{self._path}/{name}"  # a Path would keep every name for ever
        try:
            found = os.lstat(path)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE:  # opening a pipe would wait for ever
                raise ArchiveError(f"{name} is a link, or too long")
            with open(path, "rb") as file:
                yield file
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise MissingFileError(f"{name} is missing") from error
        except OSError as error:
            raise ArchiveError(f"{name} cannot be read: {error.strerror}") from error


def _listed(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder, or `ArchiveError`."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise ArchiveError(f"{folder} cannot be read: {error.strerror}") from error


def open_source(path: Path) -> Source:
    """Open an archive directory or .zip, or raise `ArchiveError`."""
    if path.is_dir():
        return Directory(path)
    if path.is_file():
        from ledger.zipform import Zip

        return Zip(path)
    raise ArchiveError(f"{path} does not exist")


def read_log(source: Source, prefix: str, signed: Checkpoint, what: str) -> Iterator[tuple[bytes | None, bytes]]:
    """As `read_bundles`, entry by entry: (the entry, or None when withheld; its leaf hash)."""
    for entries, leaves in read_bundles(source, prefix, signed, what, Tree()):
        for entry, leaf in zip(entries, leaves, strict=True):
            yield entry or None, leaf


def read_bundles(
    source: Source, prefix: str, signed: Checkpoint, what: str, tree: Tree
) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Yield (entries, empty where withheld; their leaf hashes) of the log under `prefix`, a bundle at a time.

    `tree`, empty, takes the leaf hashes before they are yielded; at the end root and tiles are checked. What was
    yielded is to be believed only when the iterator ends quietly. `RootMismatchError` or `TileError` carry the index of
    the first entry that does not fit; `what` names it: "class log entry", "session …, event".
    """
    stated = b""  # the leaf hashes as tile/0 has them, kept from the first difference on
    first_bad: int | None = None
    for entries, expected in _bundles(source, prefix, signed.size, what):
        pieces = range(0, len(expected), HASH_BYTES)
        leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
        if b"" in entries:  # withheld: its hash stands in the tile alone
            leaves = [leaf if e else expected[at : at + HASH_BYTES] for e, leaf, at in zip(entries, leaves, pieces)]  # noqa: B905
        hashes = b"".join(leaves)
        if hashes != expected and first_bad is None:
            stated = b"".join(tree.node(0, i) for i in range(len(tree)))
            differ = (leaf != expected[at : at + HASH_BYTES] for leaf, at in zip(leaves, pieces, strict=True))
            first_bad = len(tree) + list(differ).index(True)
        if first_bad is not None:
            stated += expected
        tree.extend(hashes)
        yield entries, leaves
    if first_bad is not None:
        raise _blame(signed, tree, stated, first_bad, what)
    if tree.root() != signed.root:
        raise RootMismatchError(f"{what} 0 to {signed.size - 1}: together they do not hash to the signed root")
    _check_upper_tiles(source, prefix, tree, what)


def _bundles(source: Source, prefix: str, size: int, what: str) -> Iterator[tuple[list[bytes], bytes]]:
    """(entries, their leaf hashes as tile/0 has them), bundle by bundle; `TileError` where the two do not fit."""
    for index, width in tiles.spans(size):
        first = index * tiles.WIDTH
        try:
            hashes = source.read(prefix + tiles.tile_path(0, index, width))
            stated = tiles.split_hashes(hashes, width)
            bundle = source.read(prefix + tiles.tile_path("entries", index, width))
            entries = tiles.decode_bundle(bundle, most=width)
        except (TileError, MissingFileError) as error:
            raise _at(first, type(error)(f"{what} {first} and on: {error}")) from error
        if len(entries) != width:
            fits = zip(entries, stated, strict=False)
            bad = next((i for i, (e, h) in enumerate(fits) if e and leaf_hash(e) != h), min(len(entries), width))
            found = f"{len(entries)} entries where {width} were signed"
            raise _at(first + bad, TileError(f"{what} {first + bad}: removed or added ({found})"))
        yield entries, hashes


def _blame(signed: Checkpoint, tree: Tree, stated: bytes, index: int, what: str) -> LedgerError:
    """Say what was changed: whichever side still leads to the signed root is the honest one."""
    other = Tree()
    other.extend(stated)
    if other.root() == signed.root:
        error: LedgerError = RootMismatchError(f"{what} {index}: its bytes were changed after they were signed")
    elif tree.root() == signed.root:
        error = TileError(f"{what} {index}: its hash in tile/0 was changed")
    else:
        error = RootMismatchError(f"{what} {index}: from here on the bytes do not fit the signed root")
    return _at(index, error)


def _at(index: int, error: LedgerError) -> LedgerError:
    error.index = index
    return error


def _check_upper_tiles(source: Source, prefix: str, tree: Tree, what: str) -> None:
    """Every hash tile above level 0 is exactly what the entries give, and no file stands beside them."""
    for level in tiles.levels(len(tree)):
        for index, width in tiles.spans(len(tree), level) if level else ():
            name = tiles.tile_path(level, index, width)
            if source.read(prefix + name) != tiles.hash_tile(tree, level, index, width):
                raise TileError(f"{name} is not what the entries give ({what} 0 and on)")


def check_names(found: list[str], expected: set[str]) -> None:
    """Return quietly, or raise `MissingFileError` or `StrayFileError` naming the first file too few or too many."""
    for name in sorted(expected - set(found)):
        raise MissingFileError(f"{name} is missing")
    for name in found:
        if name not in expected:
            raise StrayFileError(f"{name} is named by nothing in this archive")
