"""The installed files: one signed list, and every way in which a copy may differ from it is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.collectors.installed import Installed
from agent.engine import Engine
from agent.errors import CollectorError, ManifestError
from agent.manifest import DEVELOPMENT, KEY, NOTE, ROOT, check, files_hash, installed, text_of
from agent.tables import SelfRow
from ledger import note
from tests.tries import tries


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A small installation, signed as an installer's build signs it."""
    root = tmp_path / "app"
    for name in ("agent/watch.py", "client/study.py", "ledger/tree.py", "client/view.kv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    command = [sys.executable, ROOT / "build/sign_installed.py", root, tmp_path / "release.pem", "demo.example/r"]
    subprocess.run(command, check=True, capture_output=True)
    return root


def test_an_untouched_copy_is_as_signed(copy: Path) -> None:
    """Nothing changed; what caches write beside the code is not looked at."""
    (copy / "client/__pycache__").mkdir()
    (copy / "client/__pycache__/study.py").write_text("x")
    assert check(copy).changed == ()
    assert Installed(copy).collect(0) == [SelfRow(subject="files")]


def test_changed_added_and_removed_files_are_named(copy: Path) -> None:
    """Each by its path."""
    (copy / "client/study.py").write_text("# patched\n")
    (copy / "client/sitecustomize.py").write_text("import frida\n")
    (copy / "agent/watch.py").unlink()
    assert check(copy).changed == ("agent/watch.py", "client/sitecustomize.py", "client/study.py")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_attack_a_linked_folder_in_the_place_of_a_module(copy: Path, tmp_path: Path) -> None:
    """Python imports a folder before the module of its name; a link to one that lies elsewhere is an added file."""
    (tmp_path / "patched").mkdir()
    (tmp_path / "patched/__init__.py").write_text("# not ours\n")
    (copy / "agent/watch").symlink_to(tmp_path / "patched")
    assert check(copy).changed == ("agent/watch",)
    (copy / "agent/watch").unlink()
    (copy / "client/__pycache__").symlink_to(tmp_path / "patched")
    assert check(copy).changed == (), "caches are still not looked at"


def test_attack_a_module_that_windows_alone_imports(copy: Path) -> None:
    """There `.pyw` is source like `.py`, and found before the compiled module of a frozen client."""
    (copy / "agent/watch.pyw").write_text("# not ours\n")
    assert check(copy).changed == ("agent/watch.pyw",)


def test_changed_files_block(copy: Path, engine: Engine) -> None:
    """Tampering with ourselves; the finding names the first file."""
    (copy / "client/study.py").write_text("# patched\n")
    (finding,) = engine.judge(Installed(copy).collect(0))
    assert (finding.rule, finding.response) == ("self.changed-files", "block")
    assert finding.evidence["changed"] == "client/study.py"


def test_a_list_that_was_rewritten_without_the_key_is_refused(copy: Path, engine: Engine) -> None:
    """A changed file with a list changed to match: the signature tells, and it counts as a change."""
    (copy / "client/study.py").write_text("# patched\n")
    data = (copy / NOTE).read_bytes()
    (copy / NOTE).write_bytes(text_of(installed(root=copy)).encode() + data[data.index(b"\n\n") + 1 :])
    with pytest.raises(ManifestError):
        check(copy)
    assert engine.judge(Installed(copy).collect(0))[0].response == "block"


def test_a_checkout_is_unsigned_and_says_so(copy: Path) -> None:
    """Unknown, never a guess: no manifest is no finding."""
    (copy / NOTE).unlink()
    with pytest.raises(CollectorError):
        Installed(copy).collect(0)


def test_one_hash_in_three_places(copy: Path) -> None:
    """The beat's `manifest`, the note's own hash, and the hash of the list as a class publishes it are the same."""
    text = text_of(installed(root=copy))
    assert files_hash(("agent", "client", "ledger"), copy) == note.digest(text)
    assert note.parse((copy / NOTE).read_bytes()).digest == note.digest(text)


def test_a_hostile_file_name_stays_in_its_line(copy: Path) -> None:
    """A name with a line end cannot forge an entry of the list."""
    (copy / "client/a\n00 study.py").write_text("x")
    assert len(text_of(installed(root=copy)).split("\n")) == 1 + 5 + 1
    assert len(check(copy).changed) == 1


@settings(max_examples=tries(50), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60), st.integers(0, 10**4), st.sampled_from([NOTE, KEY]))
def test_a_changed_byte_of_the_manifest_is_never_believed(copy: Path, noise: bytes, at: int, name: str) -> None:
    """Fuzz: other bytes are our own error, or the very same files."""
    good = (copy / name).read_bytes()
    at %= len(good)
    try:
        (copy / name).write_bytes(good[:at] + noise + good[at + len(noise) :])
        assert check(copy).changed == ()
    except ManifestError:
        assert (copy / name).read_bytes() != good
    finally:
        (copy / name).write_bytes(good)


@pytest.mark.parametrize("data", [b"", b"\xff", b"trueseat/installed/v1\n\n", b"x" * 70_000])
@pytest.mark.parametrize("name", [NOTE, KEY])
def test_a_damaged_manifest_is_our_own_error(copy: Path, name: str, data: bytes) -> None:
    """Whatever lies there."""
    (copy / name).write_bytes(data)
    with pytest.raises(ManifestError):
        check(copy)


def test_a_checkout_that_signed_itself_is_told_apart_from_a_release(copy: Path, engine: Engine) -> None:
    """The development key says what changed and proves nothing: never a finding, always a word in the session."""
    command = [sys.executable, ROOT / "build/sign_installed.py", "--development", copy]
    subprocess.run(command, check=True, capture_output=True)
    found = check(copy)
    assert (found.changed, found.development, found.signer) == ((), True, f"{DEVELOPMENT}/checkout")
    with pytest.raises(CollectorError, match="as signed, by a development key"):
        Installed(copy).collect(0)
    (copy / "client/study.py").write_text("# patched\n")
    with pytest.raises(CollectorError, match=r"client/study\.py first"):
        Installed(copy).collect(0)
    assert (copy / ".work/development.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("words", [["--development", "K", "real.example/r"], ["K", f"{DEVELOPMENT}/x"]])
def test_a_key_may_not_pass_for_the_other_kind(copy: Path, words: list[str]) -> None:
    """A development key under a release's name, a release under a development name: refused, nothing written."""
    before = (copy / NOTE).read_bytes()
    key = [str(copy / "k.pem") if word == "K" else word for word in words]
    place = 1 if words[0].startswith("--") else 0
    command = [sys.executable, ROOT / "build/sign_installed.py", *key[:place], copy, *key[place:]]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 2
    assert (copy / NOTE).read_bytes() == before
