"""Encrypted lessons play like plain ones; a byte that was changed stops them with the number of its chunk."""

from __future__ import annotations

import io
import os
import runpy
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.player.course import open_package
from client.player.errors import MediaKeyError, MediaSealError
from client.player.vault import open_media
from client.ports import UnitMedia
from ledger import content
from ledger.content import CHUNK, TAG
from tests.client.player.test_playback import Theatre, fingerprint
from tests.conftest import ROOT

KEY = bytes(range(32))
KEYS: Mapping[str, bytes] = {content.key_id(KEY): KEY}


@pytest.fixture(scope="module")
def packed(demo_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo course, packed as a provider packs it."""
    out = tmp_path_factory.mktemp("packed") / "course"
    runpy.run_path(str(ROOT / "build/pack_course.py"))["pack"](demo_course, out, KEY)
    return out


def lesson(folder: Path, keys: Mapping[str, bytes] = KEYS) -> UnitMedia:
    return open_package(folder).media("pass", "zh", keys=keys)


def test_the_packed_course_is_a_course_and_shows_no_picture(packed: Path, demo_course: Path) -> None:
    """Every file is the one that the manifest names; nothing of the video stands in it."""
    package = open_package(packed)
    assert package.encrypted
    assert not open_package(demo_course).encrypted
    plain = (demo_course / "lesson.mp4").read_bytes()
    sealed = (packed / "lesson.mp4").read_bytes()
    assert b"ftyp" not in sealed[:4096]
    assert plain[100_000:100_064] not in sealed


def test_an_encrypted_lesson_shows_the_same_pictures(theatre: Theatre, packed: Path, demo_course: Path) -> None:
    """The same bytes on the screen, after seeks too."""
    plain = Theatre(lambda _: theatre.sink)
    theatre.playback.load(lesson(packed), 0)
    plain.playback.load(lesson(demo_course), 0)
    for at in (0, 59_000, 30_000, 13_370):
        shown = []
        for one in (theatre, plain):
            one.playback.seek(at)
            one.settle()
            picture = one.playback.picture()
            assert picture is not None
            shown.append(fingerprint(picture))
        assert shown[0] == shown[1]
    plain.playback.close()


@pytest.fixture
def theatre() -> Theatre:
    """A silent one."""
    from client.player.sound import Silence

    return Theatre(lambda _: Silence())


@pytest.mark.slow
def test_a_flipped_byte_stops_the_lesson_and_names_the_chunk(theatre: Theatre, packed: Path, tmp_path: Path) -> None:
    """What was shown before it stays; what was changed is never decoded."""
    whole = bytearray((packed / "lesson.mp4").read_bytes())
    head = len(content.parse_header(bytes(whole[:200])).encode())
    chunks = content.parse_header(bytes(whole[:200])).chunks
    number = chunks // 2
    whole[head + number * (CHUNK + TAG) + 5] ^= 1
    path = tmp_path / "lesson.mp4"
    path.write_bytes(whole)
    theatre.playback.load(UnitMedia("pass", "Demo", path, 60_000, {}, KEYS), 0)
    theatre.playback.play()
    faults = []
    for _ in range(3200):
        theatre.step()
        faults += theatre.playback.poll()
        if faults:
            break
    assert len(faults) == 1
    assert f"chunk {number} of {chunks} was changed" in faults[0].detail
    assert not theatre.playback.progress().playing
    theatre.playback.close()


def test_without_the_sessions_key_nothing_opens(theatre: Theatre, packed: Path) -> None:
    """The file alone is worth nothing; the sentence says what to do."""
    theatre.playback.load(lesson(packed, {}), 0)
    theatre.playback.play()
    theatre.step()
    (fault,) = theatre.playback.poll()
    assert "no key" in fault.detail
    assert KEY.hex() not in repr(lesson(packed))
    theatre.playback.close()


@given(st.data())
def test_any_place_reads_as_in_the_plain_file(data: st.DataObject) -> None:
    """Seek and read in any order: the same bytes as without encryption."""
    plain = bytes(i * 7 % 251 for i in range(2 * CHUNK + 999))
    with _sealed(plain) as file:
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, len(plain) + 5))
            size = data.draw(st.integers(0, CHUNK + 10))
            assert file.seek(at) == at
            assert file.read(size) == plain[at : at + size]
        assert file.seek(-5, os.SEEK_END) == len(plain) - 5
        assert file.read() == plain[-5:]


@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_file_breaks_the_reader(tail: bytes, cut: int) -> None:
    """Only our own errors leave it, whatever follows the first line."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.mp4"
        path.write_bytes((content.MAGIC + tail)[: max(cut, len(content.MAGIC))])
        with pytest.raises((MediaSealError, MediaKeyError)):
            open_media(path, KEYS)


def _sealed(plain: bytes) -> io.IOBase:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".mp4", delete=False) as made:
        for piece in content.seal(io.BytesIO(plain), len(plain), KEY):
            made.write(piece)
    try:
        return open_media(Path(made.name), KEYS)
    finally:
        os.unlink(made.name)


def test_the_packer_keeps_the_key_apart(tmp_path: Path, demo_course: Path) -> None:
    """One command: the package, and beside it a key file that only its owner reads."""
    command = [sys.executable, str(ROOT / "build/pack_course.py"), str(demo_course), str(tmp_path / "out")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    kept = tmp_path / "out.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (name, key), *_ = content.parse_keys(kept.read_text()).items()
    assert name in done.stdout
    assert key.hex() not in done.stdout
    assert all(key.hex().encode() not in path.read_bytes() for path in (tmp_path / "out").iterdir())
