"""What a frozen client loads beside our modules: an exchanged library is found like an exchanged module of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import bundle, manifest
from agent.bundle import HEAD, LIST, PIECE, PRELINKED, Comparison
from agent.collectors import Context
from agent.collectors.libraries import SWEEP_MS, Libraries
from agent.engine import Engine
from agent.errors import CollectorError, ManifestError
from agent.manifest import ROOT
from agent.tables import SelfRow

SIGN = ROOT / "build/sign_installed.py"
LIBRARY, BIG = "_internal/av.libs/libavcodec-5e6b81c2.so.62.28", "_internal/libpython3.11.so.1.0"
LOADED = (
    "trueseat", "trueseat-agent.exe", LIBRARY, BIG, "_internal/base_library.zip", "_internal/cv2/config.py",
    "_internal/numpy/core.cpython-311.so", "_internal/python313.dll", "_internal/_ssl.pyd",
    "_internal/certifi/cacert.pem", "_internal/kivy/data/style.kv", "_internal/client/proctor/bundled/face.onnx",
    "_internal/libssl.so.1.1.1k",
)  # fmt: skip
OURS = ("_internal/agent/watch.pyc", "_internal/client/study.pyc", "_internal/ledger/tree.pyc")
INERT = ("LICENSE", "licences/av.txt", "_internal/kivy/data/logo.png", "_internal/numpy.dist-info/RECORD")


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as freezing lays it out, signed as a release."""
    base = tmp_path_factory.mktemp("release") / "trueseat"
    for name in (*LOADED, *OURS, *INERT):
        put(base / name, f"the bytes of {name}\n".encode() * (100_000 if name == BIG else 10))
    (base / "trueseat").chmod(0o755)
    (base / "_internal/libavcodec.so").symlink_to("av.libs/libavcodec-5e6b81c2.so.62.28")
    command = [sys.executable, SIGN, base / "_internal", base.parent / "release.pem", "demo.example/r"]
    subprocess.run(command, check=True, capture_output=True)
    return base


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    """The user's own copy of it."""
    return shutil.copytree(made, tmp_path / "trueseat", symlinks=True)


class Looks:
    """The collector of libraries, look by look, two seconds apart."""

    def __init__(self, base: Path) -> None:
        self.now, self.source = 1_000, Libraries(Context(), base / "_internal")

    def once(self) -> tuple[str, ...]:
        self.now += 2_000
        (row,) = self.source.collect(self.now)
        assert isinstance(row, SelfRow)
        assert row.subject == "libraries"
        return row.changed

    def until(self, wanted: tuple[str, ...]) -> None:
        """As many looks as it takes; each reads for some milliseconds, so their number is no promise."""
        for _ in range(10_000):
            if self.once() == wanted:
                return
        raise AssertionError(f"{self.once()} is not {wanted}")

    def settled(self) -> tuple[str, ...]:
        """What is found once everything has been read."""
        for _ in range(10_000):
            self.once()
            assert self.source._comparison is not None
            if not self.source._comparison.urgent:
                return self.once()
        raise AssertionError("it is never done")


def test_the_list_names_all_that_is_loaded_and_nothing_else(base: Path) -> None:
    """Libraries, modules, programs, models, authorities, links; pictures and papers are no code, our rooms apart."""
    listed = bundle.read(base / "_internal")
    assert listed is not None
    assert set(listed) == {*LOADED, "_internal/libavcodec.so"}
    assert LIST in manifest.installed(root=base / "_internal"), "the list itself is signed with our own files"


def test_an_untouched_copy_is_as_released(base: Path) -> None:
    """Other times, another place, another owner: the bytes count."""
    for path in base.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    assert bundle.check(base / "_internal").changed == ()
    assert Looks(base).settled() == ()


@pytest.mark.parametrize("name", [*LOADED, "_internal/libavcodec.so"])
def test_attack_an_exchanged_library(base: Path, name: str, engine: Engine) -> None:
    """Each of them, of the same length and with its old times: the finding blocks, as for a module of ours."""
    path = base / name
    before = path.stat()
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert bundle.check(base / "_internal").changed == (name,)
    looks = Looks(base)
    assert looks.settled() == (name,)
    (finding,) = engine.judge(looks.source.collect(looks.now))
    assert (finding.rule, finding.response) == ("self.changed-files", "block")
    assert name in str(finding.evidence)


def test_attack_an_exchanged_library_with_its_old_times_while_the_lesson_runs(base: Path) -> None:
    """Size and mtime as before: the time of the change, which no user can set on Linux, sends it to the front."""
    looks = Looks(base)
    assert looks.settled() == ()
    before = (base / LIBRARY).stat()
    data = (base / LIBRARY).read_bytes()
    with (base / LIBRARY).open("r+b") as file:
        file.write(data[:-1] + b"!")
    os.utime(base / LIBRARY, ns=(before.st_atime_ns, before.st_mtime_ns))
    looks.until((LIBRARY,))
    (base / LIBRARY).write_bytes(data)
    looks.until(())


def test_attack_times_that_can_be_forged(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every time can be set back (Windows), the files are read again in turn all the same."""
    real = bundle._stamp
    monkeypatch.setattr(bundle, "_stamp", lambda path: (found := real(path)) and found[-1:])
    looks = Looks(base)
    assert looks.settled() == ()
    (base / BIG).write_bytes(b"x" * (base / BIG).stat().st_size)
    looks.until((BIG,))


@pytest.mark.parametrize("name", [
    "_internal/simplejson/__init__.py", "_internal/cv2/__pycache__/config.cpython-311.pyc", "version.dll", "LIBZ.DLL",
    "_internal/numpy/extra.so", "_internal/python313._pth", "_internal/agent/watch.so.1", "trueseat.exe.local",
])  # fmt: skip
def test_attack_a_file_that_would_be_loaded_before_ours(base: Path, name: str) -> None:
    """Beside the program or among the libraries: what was added is named."""
    put(base / name, b"not ours")
    assert bundle.check(base / "_internal").changed == (name,)
    assert Looks(base).settled() == (name,)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_attack_a_link_to_elsewhere(base: Path, tmp_path: Path) -> None:
    """A library's link that is turned, a file in the place of a link's bytes, a linked folder of modules."""
    put(tmp_path / "elsewhere/__init__.py", b"not ours")
    link = base / "_internal/libavcodec.so"
    link.unlink()
    link.symlink_to(tmp_path / "elsewhere/__init__.py")
    (base / "_internal/ujson").symlink_to(tmp_path / "elsewhere")
    assert bundle.check(base / "_internal").changed == ("_internal/libavcodec.so", "_internal/ujson")
    link.unlink()
    link.write_bytes(b"av.libs/libavcodec-5e6b81c2.so.62.28")
    assert "_internal/libavcodec.so" in bundle.check(base / "_internal").changed


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_attack_a_pipe_in_the_place_of_a_file(base: Path) -> None:
    """Whoever opens it would wait for ever: it is named and not opened, a library as well as a module of ours."""
    for name in (LIBRARY, OURS[0]):
        (base / name).unlink()
        os.mkfifo(base / name)
    found = bundle.check(base / "_internal").changed
    assert found == (LIBRARY, "agent/watch.pyc")
    assert Looks(base).settled() == (LIBRARY,)


def test_attack_a_list_that_was_rewritten(base: Path) -> None:
    """A list that fits the exchanged library is no longer the one that was signed."""
    (base / LIBRARY).write_bytes(b"not ours")
    internal = base / "_internal"
    (internal / LIST).write_text(bundle.text_of(base, internal))
    assert bundle.check(internal).changed == (LIST,)
    (internal / LIST).unlink()
    assert manifest.check(internal).changed == (LIST,)


def test_what_lies_beside_and_is_no_code_is_nobodys_business(base: Path) -> None:
    """An uninstaller, what file managers leave, a note of the user's, our papers: no finding."""
    for name in ("uninstall.exe", "my.pem", "_internal/desktop.ini", ".DS_Store", "Thumbs.db", "notes.txt", "LICENSE"):
        put(base / name, b"anything")
    assert bundle.check(base / "_internal").changed == ()


def test_a_virus_scanner_that_takes_a_file_away_and_brings_it_back(base: Path, tmp_path: Path) -> None:
    """Gone is named; back with the same bytes, and with times and a place of its own, it is as released again."""
    looks = Looks(base)
    assert looks.settled() == ()
    shutil.move(base / LIBRARY, tmp_path / "quarantine")
    looks.until((LIBRARY,))
    shutil.copy(tmp_path / "quarantine", base / LIBRARY)
    looks.until(())


def test_a_file_that_another_program_keeps_for_itself_is_asked_for_again(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scanner on Windows refuses others for a moment: no finding; one that never lets go is one."""

    class BusyError(OSError):
        winerror = 32

    real, held = bundle._piece, {BIG}

    def piece(path: Path, at: int) -> bytes:
        if path == base / BIG and held:
            raise BusyError
        return real(path, at)

    monkeypatch.setattr(bundle, "_piece", piece)
    looks = Looks(base)
    for _ in range(SWEEP_MS // 2_000):
        assert looks.once() == ()
    held.clear()
    assert looks.settled() == ()
    held.add(BIG)
    os.utime(base / BIG)
    looks.until((BIG,))


def test_a_library_that_is_written_to_for_ever_is_not_believed(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes under our eyes is put off, some times, and then named; nobody hangs."""
    real = bundle._piece

    def piece(path: Path, at: int) -> bytes:
        data = real(path, at)
        if path == base / LIBRARY:
            path.write_bytes(path.read_bytes() + b"x")
        return data

    monkeypatch.setattr(bundle, "_piece", piece)
    assert bundle.check(base / "_internal").changed == (LIBRARY,)


@pytest.mark.parametrize(("writable", "changed"), [(True, (LIBRARY,)), (False, ())])
def test_what_the_administrator_prelinked_is_no_finding(base: Path, writable: bool, changed: tuple[str, ...]) -> None:
    """Where the learner cannot write, prelink's mark says who did; where he can, the mark proves nothing."""
    (base / LIBRARY).write_bytes(b"rewritten \0" + PRELINKED + b"\0")
    listed = bundle.read(base / "_internal")
    assert listed is not None
    comparison = Comparison(base / "_internal", listed, writable=lambda _path: writable)
    comparison.finish()
    assert comparison.changed == changed


def test_an_update_beside_and_a_repair_in_place(base: Path, made: Path) -> None:
    """A repair brings the released bytes back; another version has its own list, and is held to that one."""
    (base / LIBRARY).write_bytes(b"damaged")
    (base / BIG).unlink()
    assert bundle.check(base / "_internal").changed == tuple(sorted((LIBRARY, BIG)))
    for name in (LIBRARY, BIG):
        shutil.copy(made / name, base / name)
    assert bundle.check(base / "_internal").changed == ()
    (base / LIBRARY).write_bytes(b"the next version's")
    command = [sys.executable, SIGN, base / "_internal", base.parent / "next.pem", "demo.example/r"]
    subprocess.run(command, check=True, capture_output=True)
    assert bundle.check(base / "_internal").changed == ()


def test_a_development_key_proves_nothing_and_blocks_nothing(base: Path) -> None:
    """As for our own files: unknown, with the reason, once something differs."""
    command = [sys.executable, SIGN, "--development", base / "_internal"]
    subprocess.run(command, check=True, capture_output=True)
    source = Libraries(Context(patient=True), base / "_internal")
    assert source.collect(0) == []
    (base / LIBRARY).write_bytes(b"x")
    with pytest.raises(CollectorError, match=r"libavcodec.*development"):
        source.collect(1)


def test_a_checkout_has_no_list_and_no_row(tmp_path: Path) -> None:
    """Nothing to compare is nothing found; so is an installation that nobody signed."""
    assert bundle.read(tmp_path) is None
    assert Libraries(Context(), tmp_path).collect(0) == ()


def test_a_single_look_reads_everything(base: Path) -> None:
    """`scan --once`: nobody waits for it."""
    (base / BIG).write_bytes(b"x")
    (row,) = Libraries(Context(patient=True), base / "_internal").collect(0)
    assert isinstance(row, SelfRow)
    assert row.changed == (BIG,)


def test_a_look_reads_for_so_long_and_no_longer(base: Path) -> None:
    """A piece is the least; the clock and the bytes end a step, and the next goes on where it was."""
    listed = bundle.read(base / "_internal")
    assert listed is not None
    ticks = iter(range(10_000))
    comparison = Comparison(base / "_internal", {BIG: listed[BIG]}, clock=lambda: float(next(ticks)))
    pieces = (base / BIG).stat().st_size // PIECE + 1
    steps = 0
    while not comparison.complete:
        comparison.step(1.5, 1 << 40)  # the clock is asked before each piece: one piece
        steps += 1
    assert steps == pieces > 2
    comparison.again()
    comparison.step(1e9, 1)
    assert not comparison.complete
    comparison.step(1e9, 1 << 40)
    assert comparison.changed == ()


NAMES = st.sampled_from(["a.so", "_internal/b.so", "../c", "/d", "e//f", "", "g\\h", "c:/i", "j k", "\x00"])


@given(st.lists(st.tuples(st.sampled_from(["ab" * 32, "AB" * 32, "x"]), NAMES)), st.binary(max_size=8))
def test_any_list_is_read_or_refused(rows: list[tuple[str, str]], noise: bytes) -> None:
    """Fuzz: names that stay inside, each once, or our own error; what was written is read."""
    data = HEAD.encode() + b"".join(f"{digest} {name}\n".encode() for digest, name in rows) + noise
    try:
        found = bundle.parse(data)
    except ManifestError:
        return
    assert all(not name.startswith(("/", "..")) and "\\" not in name and ":" not in name for name in found)
    assert bundle.parse(HEAD.encode() + b"".join(f"{one} {name}\n".encode() for name, one in found.items())) == found


@pytest.mark.parametrize("data", [b"", b"\xff", HEAD[:-1].encode(), HEAD.encode() + b"x", b"x" * (5 << 20)])
def test_a_damaged_list_is_our_own_error_and_counts_as_changed(base: Path, data: bytes, engine: Engine) -> None:
    """Whatever lies there: the list is one of our own files, and those are signed."""
    (base / "_internal" / LIST).write_bytes(data)
    with pytest.raises(ManifestError):
        bundle.read(base / "_internal")
    (finding,) = engine.judge(Libraries(Context(), base / "_internal").collect(0))
    assert finding.response == "block"


def test_a_hostile_name_stays_a_name(base: Path) -> None:
    """A line end or a byte that is no text, in the name of an added file."""
    for name in (b"a\nb.so", b"\xff.so"):
        (base / "_internal" / os.fsdecode(name)).write_bytes(b"x")
    found = bundle.check(base / "_internal").changed
    assert len(found) == 2
    assert all(name.encode() for name in found)
