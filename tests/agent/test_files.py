"""Scripts that interpreters run: path, digest, and what lies beside them; nothing of the system's own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.files import digest
from agent.collectors.linux.files import Files
from agent.engine import Engine, gravest
from agent.tables import FileRow, ProcessRow

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: reads Linux' /proc")


def running(root: Path, pid: int, words: list[str], here: Path, name: str = "python3") -> ProcessRow:
    """A process of a scripted /proc."""
    folder = root / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"\0".join(os.fsencode(word) for word in words) + b"\0")
    (folder / "cwd").symlink_to(here)
    return ProcessRow(name=name, exe=f"/usr/bin/{name}", pid=pid)


def test_a_course_program_without_a_name_of_its_own_is_known_by_its_folder(tmp_path: Path, engine: Engine) -> None:
    """`python main.py`, and a folder `cxapi` beside it."""
    project = tmp_path / "homework"
    (project / "cxapi").mkdir(parents=True)
    (project / "main.py").write_text("import cxapi", "ascii")
    row = running(tmp_path / "proc", 5, ["python3", "-u", "main.py"], project)
    rows = Files(lambda: [row], str(tmp_path / "proc")).collect(0)
    assert rows[0] == FileRow(f"{project}/main.py", hashlib.sha256(b"import cxapi").hexdigest())
    assert [finding.rule for finding in engine.judge(rows)] == ["bot.file"]


def test_an_ordinary_script_is_nothing(tmp_path: Path, engine: Engine) -> None:
    """Homework, a dev server, a tool of the system, an interpreter without a script."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/manage.py").write_text("print()", "ascii")
    proc = tmp_path / "proc"
    rows = [
        running(proc, 1, ["python3", "src/manage.py", "runserver"], tmp_path),
        running(proc, 2, ["python3", "/usr/bin/onboard.py"], tmp_path),
        running(proc, 3, ["python3", "-c", "print()"], tmp_path),
        running(proc, 4, ["notes", "x.py"], tmp_path, name="notes"),
    ]
    found = Files(lambda: rows, str(proc)).collect(0)
    assert [Path(row.path).name for row in found if isinstance(row, FileRow)] == ["manage.py"]
    assert gravest(engine.judge(found)) == "none"


def test_a_folder_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    """What was digested stays so until a file of it is another."""
    (tmp_path / "a.py").write_text("1", "ascii")
    row = running(tmp_path / "proc", 1, ["python3", "a.py"], tmp_path)
    table = Files(lambda: [row], str(tmp_path / "proc"))
    first = table.collect(0)
    assert table.collect(0)[0] is first[0]
    (tmp_path / "b.py").write_text("2", "ascii")
    assert len(table.collect(0)) == len(first) + 1


def test_a_real_interpreter(tmp_path: Path) -> None:
    """Python started on a script: its path is found by the kernel's word for where it stands."""
    (tmp_path / "wait.py").write_text("import time; time.sleep(600)", "ascii")
    with subprocess.Popen([sys.executable, "wait.py"], cwd=tmp_path) as process:
        row = ProcessRow(name="python3.11", exe=os.path.realpath(sys.executable), pid=process.pid)
        for _ in range(1_200):  # while the kernel puts it in place it has no arguments yet
            found = Files(lambda: [row]).collect(0)
            if found:
                break
            time.sleep(0.05)
        process.kill()
    assert [getattr(entry, "path", "") for entry in found] == [f"{tmp_path}/wait.py"]


def test_what_is_no_plain_file_has_no_digest(tmp_path: Path) -> None:
    """A pipe, a folder, a file too large, none."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(bytes(600_000))
    assert [digest(str(tmp_path / name)) for name in ("pipe", "big", "none", "")] == [""] * 4


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_any_arguments_are_read(words: list[bytes]) -> None:
    """Whatever stands on a command line."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "7"
        folder.mkdir()
        (folder / "cmdline").write_bytes(b"python3\0" + b"\0".join(words) + b".py\0")
        (folder / "cwd").symlink_to(name)
        row = ProcessRow(name="python3", exe="/usr/bin/python3", pid=7)
        assert all(isinstance(found, FileRow) for found in Files(lambda: [row], name).collect(0))
