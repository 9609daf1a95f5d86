"""Several processes say what one says, to the byte: of a good archive, and of whatever was done to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import words
from ledger.archive import Directory, open_source
from ledger.verify import Options, verify
from ledger.zipform import write_zip
from tests.ledger.builder import Classroom, fails


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> tuple[Classroom, Path]:
    """Four learners: one fails a check, one never gets a settlement, one is told to pause by a command."""
    room = Classroom(witnesses=1)
    for n in range(4):
        device = room.device(room.learner(f"learner {n}"))
        session = room.session(device, fails if n == 1 else lambda order: ("passed", "ok", 3_000)).study(20_000).close()
        if n not in (1, 2):
            session.settle(20_000)
        room.anchor()
    path = tmp_path_factory.mktemp("several") / "archive"
    room.export(path)
    return room, path


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, 3])
def test_the_report_is_the_same(several: tuple[Classroom, Path], jobs: int) -> None:
    """Text and JSON, with findings of every kind, in the same order."""
    room, path = several
    reports = [verify(Directory(path), room.trust(), Options(jobs=n)) for n in (1, jobs)]
    assert words.text(reports[0]) == words.text(reports[1])
    assert reports[0].to_json() == reports[1].to_json()
    assert len(reports[1].sessions) == 4


@pytest.mark.slow
def test_a_changed_event_is_refused_in_the_same_words(several: tuple[Classroom, Path], tmp_path: Path) -> None:
    """A refusal in a worker is a refusal of the whole, and files that nothing names are still found."""
    import shutil

    room, path = several
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    bundle = next(copy.glob(f"sessions/{room.sessions[2].sid}/tile/entries/*/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b'"verb":"played"', b'"verb":"plaied"', 1))
    (copy / "bodies" / "sha256" / ("0" * 64)).write_bytes(b"loose")
    reports = [verify(Directory(copy), room.trust(), Options(jobs=n)) for n in (1, 2)]
    assert reports[0].refused
    assert reports[0].to_json() == reports[1].to_json()


@pytest.mark.slow
def test_a_zip_can_be_shared_too(several: tuple[Classroom, Path], tmp_path: Path) -> None:
    """Each process opens the .zip for itself."""
    room, path = several
    packed = tmp_path / "archive.zip"
    with packed.open("wb") as out:
        write_zip(Directory(path), out)
    reports = [verify(open_source(packed), room.trust(), Options(jobs=n)) for n in (1, 2)]
    assert not reports[1].refused
    assert reports[0].to_json() == reports[1].to_json()
