"""What somebody may try who hands over files: pipes, endless folders, links, bombs; each named after the attack."""

from __future__ import annotations

import os
import shutil
import signal
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import tiles
from ledger.archive import Directory, open_source
from ledger.errors import LedgerError, TileError
from ledger.verify import verify
from ledger.zipform import DEFLATED, Member, _end
from tests.ledger.conftest import Made

WAIT_S = 60  # generous: what hangs for ever is meant


@contextmanager
def in_time() -> Iterator[None]:
    """Raise instead of waiting for ever."""

    def late(*_: object) -> None:
        raise TimeoutError("it waits for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(WAIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def copied(archive: Made, tmp_path: Path) -> Path:
    """The archive as a directory that a test may spoil."""
    return Path(shutil.copytree(archive.path, tmp_path / "copy"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="left out: needs named pipes")
@pytest.mark.parametrize("name", ["checkpoint", "people.csv", "summary.csv", "tile/entries/000.p/25"])
def test_a_pipe_in_the_place_of_a_file_does_not_hold_the_verifier(archive: Made, copied: Path, name: str) -> None:
    """Opening a named pipe waits for a writer who never comes: it is no file, and refused unopened."""
    path = copied / name
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    with in_time():
        assert verify(Directory(copied), archive.trust, archive.options).refused


def test_a_folder_without_end_is_refused_in_our_words(archive: Made, copied: Path) -> None:
    """A thousand folders in one another are no archive, and no stack falls."""
    folders = [str(copied / "bodies")]
    for _ in range(1_200):
        folders.append(f"{folders[-1]}/a")
        os.mkdir(folders[-1])
    try:
        with in_time():
            assert verify(Directory(copied), archive.trust, archive.options).refused
    finally:  # one by one: what removes a tree falls over it, too
        for folder in folders[:0:-1]:
            os.rmdir(folder)


@pytest.mark.parametrize("name", ["bodies", "tile", "sessions", "evidence"])
def test_a_linked_folder_is_refused(archive: Made, copied: Path, tmp_path: Path, name: str) -> None:
    """An archive whose parts lie elsewhere is not the one that will be handed on."""
    if (copied / name).exists():
        (copied / name).rename(tmp_path / name)
    else:
        (tmp_path / name).mkdir()
    (copied / name).symlink_to(tmp_path / name, target_is_directory=True)
    assert verify(Directory(copied), archive.trust, archive.options).refused


def test_a_session_folder_that_is_a_link_is_refused(archive: Made, copied: Path, tmp_path: Path) -> None:
    """The same one level down."""
    sid = archive.room.sessions[0].sid
    (copied / "sessions" / sid).rename(tmp_path / sid)
    (copied / "sessions" / sid).symlink_to(tmp_path / sid, target_is_directory=True)
    assert verify(Directory(copied), archive.trust, archive.options).refused


def test_a_bundle_of_nothing_but_lengths_costs_little(archive: Made) -> None:
    """A few KB unpack to 64 MB of empty entries: longer than its entries can be, it is not taken apart."""
    bomb = bytes(64 << 20)
    with pytest.raises(TileError):
        tiles.decode_bundle(bomb, 256)
    tracemalloc.start()
    try:
        bundle = next(name for name in archive.source.names("tile/entries/"))
        assert archive.verify(archive.source.changed(bundle, bomb)).refused
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(bomb) // 4, "an entry of two bytes takes eight more in a list"


@pytest.mark.slow
def test_a_zip_bomb_stops_at_the_size_that_it_states(tmp_path: Path) -> None:
    """A member that unpacks to more than its header says is refused after one byte too many."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(200 << 20)) + packer.flush()
    member = Member("checkpoint", DEFLATED, 0, len(packed), 100, 0)
    body = member.local() + packed
    path = tmp_path / "bomb.zip"
    path.write_bytes(body + member.central() + _end(1, len(member.central()), len(body)))
    tracemalloc.start()
    try:
        with pytest.raises(LedgerError, match="longer than its header"):
            open_source(path).read("checkpoint")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(packed) + (1 << 20)
