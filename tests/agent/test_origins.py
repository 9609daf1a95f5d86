"""Where a program comes from: packages name their files, and a renamed copy keeps the id that the linker gave it."""

from __future__ import annotations

import dataclasses
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.linux.origins import BUILD_ID, Origins, parse_build_id
from agent.collectors.linux.processes import Processes
from agent.engine import Engine, gravest
from agent.tables import ProcessRow

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: Linux' packages and ELF files")


def elf(identity: bytes) -> bytes:
    """The beginning of a program with a build id, as a linker lays it out."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, 36, 36, 4) + BUILD_ID + identity


def program(path: Path, identity: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(elf(identity))
    return str(path)


def test_a_renamed_copy_is_known_by_its_build_id(tmp_path: Path) -> None:
    """`xdotool` copied to `notes`: the copy tells whose it is; a program of one's own tells nothing."""
    program(tmp_path / "usr/bin/xdotool", b"x" * 20)
    copy, own = program(tmp_path / "home/notes", b"x" * 20), program(tmp_path / "home/mine", b"y" * 20)
    origins = Origins(tmp_path)
    assert origins.original_name("/home/u/notes", copy) == "xdotool"
    assert origins.original_name("/home/u/mine", own) == ""
    assert origins.original_name("/usr/bin/notes", copy) == "", "a packaged program is what its package says"


def test_a_real_copy_of_a_real_program(tmp_path: Path, engine: Engine) -> None:
    """A tool of this system under another name, started: it is known; were it a tool for input, its rule names it."""
    copy = tmp_path / "Notes"
    shutil.copy("/usr/bin/sleep", copy)
    with subprocess.Popen([copy, "60"]) as process:
        rows = Processes().collect(0)
        process.kill()
    (row,) = [row for row in rows if isinstance(row, ProcessRow) and row.pid == process.pid]
    if not row.original_name:
        pytest.skip("left out: this system's programs carry no build id")
    assert (row.name, row.original_name) == ("Notes", "sleep")
    assert gravest(engine.judge([dataclasses.replace(row, original_name="xdotool")])) == "report"


def test_packages_say_whose_file_it_is(tmp_path: Path) -> None:
    """dpkg's own lists, folders of snap and flatpak; what none of them names is unknown."""
    lists = tmp_path / "var/lib/dpkg/info"
    lists.mkdir(parents=True)
    (lists / "grep.list").write_text("/.\n/bin\n/bin/grep\n", "ascii")
    origins, here = Origins(tmp_path), str(Path(sys.executable).resolve())
    assert origins._package("/usr/bin/grep") == "deb:grep", "moved into /usr since it was packaged"
    assert origins._package("/usr/bin/other") == ""
    assert origins._package("/home/u/grep") == ""
    assert origins._package("/snap/chromium/2/usr/bin/chrome") == "snap:chromium"
    assert origins._package("/var/lib/flatpak/app/org.kde.kate/x86_64/bin/kate") == "flatpak:org.kde.kate"
    assert origins.signer(here, "/bin/sh") == "", "another file under this name is another container's"


@given(st.binary(max_size=300), st.integers(0, 160))
def test_any_file_has_a_build_id_or_none(noise: bytes, at: int) -> None:
    """Noise, and a program with noise written over it."""
    good = elf(b"i" * 20)
    assert parse_build_id(good) == b"i" * 20
    for data in (noise, good[:at] + noise + good[at + len(noise) :], good[:at]):
        found = parse_build_id(data)
        assert found is None or len(found) == 20
