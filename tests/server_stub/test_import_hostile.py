"""`python -m server_stub import DIR COPY` against copies that somebody tampered with: refused whole, or taken whole."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.__main__ import main
from tests.server_stub.conftest import Room
from tests.server_stub.school import School
from tests.server_stub.test_copies import half_sent, unsent
from tests.tries import tries

pytestmark = pytest.mark.slow
ACTS = ("flip", "cut", "grow", "drop", "twin", "link", "folder", "empty folder", "bytes")
Change = tuple[str, int, int, bytes]
changes = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 99), st.integers(0, 9_999), st.binary(max_size=64)), max_size=3
)


@pytest.fixture
def school(room: Room, tmp_path: Path) -> School:
    return School(room, tmp_path / "school")


def tamper(copy: Path, change: Change) -> None:
    """One thing that may happen to a folder on the way to the school."""
    act, which, where, data = change
    files = sorted(path for path in copy.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return
    path = files[which % len(files)]
    old = path.read_bytes()
    at = where % (len(old) + 1)
    match act:
        case "flip" if old:
            at %= len(old)
            path.write_bytes(old[:at] + bytes([old[at] ^ (1 << where % 8)]) + old[at + 1 :])
        case "cut":
            path.write_bytes(old[:at])
        case "grow":
            path.write_bytes(old[:at] + data + old[at:])
        case "drop":
            path.unlink()
        case "twin":
            path.with_name(path.name + "x").write_bytes(old)
        case "link":
            path.unlink()
            path.symlink_to("/etc/passwd")
        case "folder":
            path.unlink()
            path.mkdir()
        case "empty folder":
            (path.parent / "more").mkdir(exist_ok=True)
        case "bytes":
            path.write_bytes(data)


def zipped(copy: Path, change: Change) -> Path:
    """The same as a .zip, some of its bytes changed."""
    out = copy.with_suffix(".zip")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as box:
        for path in sorted(copy.rglob("*")):
            if path.is_file():
                box.write(path, path.relative_to(copy).as_posix())
    data, at = out.read_bytes(), change[2]
    out.write_bytes(data[:at] + change[3] + data[at + len(change[3]) :])
    return out


def test_whatever_came_of_a_copy_it_is_taken_whole_or_not_at_all(
    room: Room, school: School, tmp_path: Path, capsys: Any
) -> None:
    """Bytes flipped, files cut, doubled, gone, made links, a folder or a .zip: one sentence and nothing done, or every
    event of the session; and the copy as it was is taken in afterwards, twice with the same result."""
    device = half_sent(room)
    whole = unsent(device, school.out())
    begun, end, number = device.sent, len(device.entries), iter(range(10_000))
    seen: set[int] = set()

    def size() -> int:
        return room.server.records.read(lambda tx: tx.events.progress(device.sid)).size

    @settings(max_examples=tries(40), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(changes, min_size=1, max_size=1), st.booleans(), st.binary(max_size=40), st.integers(0, 9_999))
    def hostile(many: list[list[Change]], as_zip: bool, data: bytes, at: int) -> None:
        copy = tmp_path / f"copy{next(number)}"
        shutil.copytree(whole, copy)
        for change in many[0]:
            tamper(copy, change)
        path = zipped(copy, ("flip", 0, at, data)) if as_zip else copy
        before = size()
        code = main(["import", str(room.settings.directory), str(path)])
        told = capsys.readouterr()
        seen.add(code)
        assert code in (0, 2)
        assert size() == (end if code == 0 else before)
        assert "Traceback" not in told.err
        assert code == 0 or told.err.startswith("TS-"), told.err
        assert before in (begun, end)

    hostile()
    assert 2 in seen, "nothing was refused: nothing was tampered with"
    first = school.operator("import", whole)
    assert first.endswith(f"{end} are now")
    assert school.operator("import", whole) == f"{device.sid}: {end} events were here, {end} are now"
    assert size() == end
