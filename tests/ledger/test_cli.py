"""The verifier's command line, and the script by which anybody checks an archive without it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger import checkpoint, trust
from ledger.__main__ import main
from ledger.checkpoint import Checkpoint
from ledger.errors import ArchiveError
from ledger.export import ArchiveData, SessionFiles, write_archive, write_unsent
from ledger.verify import verify
from ledger.zipform import write_zip
from tests.ledger.builder import Classroom, small
from tests.ledger.conftest import Made


@pytest.fixture
def copy(archive: Made, tmp_path: Path) -> Path:
    """The archive as a folder of the test's own, its trust file beside it."""
    shutil.copytree(archive.path, tmp_path / "a")
    (tmp_path / "class.trust").write_text(str(archive.trust), encoding="utf-8")
    return tmp_path


def tamper(copy: Path) -> tuple[str, int]:
    """Change one byte of event 17 of the first session; its sid and index."""
    sid = sorted(path.name for path in (copy / "a/sessions").iterdir())[0]
    (bundle,) = [path for path in (copy / "a/sessions" / sid / "tile/entries").rglob("*") if path.is_file()]
    data = bytearray(bundle.read_bytes())
    data[data.index(b'"seq":17') + 30] ^= 1
    bundle.write_bytes(data)
    return sid, 17


def ledger(copy: Path, *arguments: str) -> int:
    return main(["verify", str(copy / "a"), "--trust", str(copy / "class.trust"), *arguments])


def test_a_good_archive_exits_0_and_says_what_was_verified(
    archive: Made, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Time, sessions, checks, credited minutes per learner, unit and session, each step with its word."""
    assert ledger(copy, "--authority", str(archive.room.authority.vkey)) == 0
    text = capsys.readouterr().out
    for words in (
        "Class archive of demo.trueseat.example/c/demo-2026",
        "witnessed by witness0.example/w",
        "王小明",
        "unit u1: 40.0 s of 10 min 0.0 s",
        "credited 40.0 s of 40.0 s played",
        "checks: 0 passed",
        "UNSAFE scripted camera",
        "not checkable",
        "Nothing refused. Credited in all: 1 min 10.0 s (70000 ms).",
    ):
        assert words in text


def test_a_changed_byte_exits_1_and_names_session_and_event(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the demo shows: refused, session, event, code."""
    sid, index = tamper(copy)
    assert ledger(copy) == 1
    assert f"REFUSED: session {sid}, event {index}: its bytes were changed" in capsys.readouterr().out


def test_the_json_report_says_the_same(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: steps with their status, findings with code, session and index."""
    sid, index = tamper(copy)
    assert ledger(copy, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    found = [f for step in report["steps"] for f in step["findings"] if f["status"] == "refused"]
    assert (found[0]["sid"], found[0]["index"], found[0]["code"]) == (sid, index, "TS-L-022")
    assert report["refused"] is True


@pytest.mark.parametrize(
    "break_it",
    [
        lambda copy: shutil.rmtree(copy / "a"),
        lambda copy: (copy / "class.trust").write_text("quorum none", encoding="utf-8"),
        lambda copy: (copy / "class.trust").unlink(),
        lambda copy: (copy / "class.trust").write_bytes(b"\xff\x00"),
    ],
    ids=["no archive", "half a trust file", "no trust file", "no text"],
)
def test_what_cannot_be_read_exits_2_with_a_remedy(
    copy: Path, capsys: pytest.CaptureFixture[str], break_it: object
) -> None:
    """One sentence, a code and what to do, on standard error; no traceback."""
    break_it(copy)  # type: ignore[operator]
    assert ledger(copy) == 2
    said = capsys.readouterr()
    assert said.err.startswith("TS-L-0")
    assert len(said.err.splitlines()) == 3
    assert not said.out


def test_witnessed_checkpoints_and_zip_come_from_files(archive: Made, copy: Path) -> None:
    """--witnessed takes files, and the archive may be a .zip."""
    (copy / "kept").write_bytes(archive.room.checkpoint(5))
    assert ledger(copy, "--witnessed", str(copy / "kept"), str(copy / "a/checkpoint")) == 0
    with (copy / "a.zip").open("wb") as file:
        write_zip(archive.source, file)
    assert main(["verify", str(copy / "a.zip"), "--trust", str(copy / "class.trust")]) == 0


def test_show_prints_a_session_as_a_table(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every event, when it was and what it says; a session that is not there is a clear error."""
    sid = sorted(path.name for path in (copy / "a/sessions").iterdir())[0]
    assert main(["show", str(copy / "a"), sid]) == 0
    text = capsys.readouterr().out
    assert "opened" in text
    assert "played unit=" in text
    assert "closed how=ended" in text
    assert main(["show", str(copy / "a"), "../x"]) == 2


def test_trust_prints_a_trust_file_by_which_others_check_the_session(
    archive: Made, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Log = the session's key, witness = the server's cosigner: a tlog-policy that other tools read, too."""
    session = archive.room.sessions[0]
    assert main(["trust", str(copy / "a"), session.sid]) == 0
    policy = trust.parse(capsys.readouterr().out.encode())
    seen = policy.verify(session.checkpoint)
    assert seen.checkpoint.origin == session.key.vkey.name
    assert set(seen.times) == {archive.room.cosigner.vkey}


# --- the script in README.txt -----------------------------------------------------------------------------------------

TOOLS = all(shutil.which(tool) for tool in ("bash", "openssl", "basenc", "od", "sha256sum"))


def script(copy: Path) -> subprocess.CompletedProcess[str]:
    """Take the script out of README.txt as the README says, and run it."""
    command = "sed -n '/^#!/,$p' a/README.txt > check.sh && bash check.sh a class.trust"
    assert "sed -n '/^#!/,$p' README.txt > check.sh" in (copy / "a/README.txt").read_text(encoding="utf-8")
    return subprocess.run(["bash", "-c", command], cwd=copy, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(not TOOLS, reason="left out: needs bash, coreutils and OpenSSL 3")
def test_the_script_in_the_readme_checks_the_archive_without_us(copy: Path) -> None:
    """bash, coreutils and OpenSSL: signatures, hashes, nothing left out."""
    done = script(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("OK")
    assert done.stdout.count("events, as signed") == 2


@pytest.mark.skipif(not TOOLS, reason="left out: needs bash, coreutils and OpenSSL 3")
@pytest.mark.parametrize("what", ["event", "signature", "session", "witness", "certificate", "class log"])
def test_the_script_refuses_what_was_changed(archive: Made, copy: Path, what: str) -> None:
    """An event, a signature, a missing session, a missing witness, a forged certificate, a changed class log."""
    sid = archive.room.sessions[0].sid
    folder = copy / "a/sessions" / sid
    if what == "event":
        tamper(copy)
    elif what == "session":
        shutil.rmtree(folder)
    elif what == "class log":
        (path,) = [path for path in (copy / "a/tile/entries").rglob("*") if path.is_file()]
        path.write_bytes(path.read_bytes().replace(b'"credited_ms":40000', b'"credited_ms":90000'))
    elif what == "certificate":
        other = archive.room.sessions[1]
        (folder / "device.cert").write_bytes(other.certificate)
    elif what == "witness":
        text = (copy / "a/checkpoint").read_text(encoding="utf-8")
        (copy / "a/checkpoint").write_text("".join(text.splitlines(keepends=True)[:-1]), encoding="utf-8")
    else:
        lines = (copy / "a/checkpoint").read_text(encoding="utf-8").splitlines()
        lines[4] = lines[4][:-10] + ("A" if lines[4][-10] != "A" else "B") + lines[4][-9:]
        (copy / "a/checkpoint").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = script(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("REFUSED")


@pytest.mark.slow
@pytest.mark.skipif(not TOOLS, reason="left out: needs bash, coreutils and OpenSSL 3")
def test_the_script_reads_logs_of_more_than_one_bundle(tmp_path: Path) -> None:
    """Full and partial tiles, upper levels: a session of more than 256 events."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(600_000)
    session.unit, session.at = "u2", 0
    session.study(200_000).close()
    assert len(session.log) > 256
    room.export(tmp_path / "a")
    (tmp_path / "class.trust").write_text(str(room.trust()), encoding="utf-8")
    done = script(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


# --- export -----------------------------------------------------------------------------------------------------------


def test_an_archive_that_would_not_verify_gets_no_summary(archive: Made, tmp_path: Path) -> None:
    """The exporter verifies what it wrote before anybody gets it."""
    room = archive.room
    broken = [*room.sessions]
    data = ArchiveData(
        checkpoint=archive.source.read("checkpoint"),
        entries=room.entries,
        sessions=[broken[0].files()],
        bodies=room.bodies.items(),
    )
    with pytest.raises(ArchiveError, match="left out"):
        write_archive(tmp_path / "a", data, archive.trust, archive.options)
    assert not (tmp_path / "a/summary.json").exists()
    with pytest.raises(ArchiveError, match="not empty"):
        write_archive(tmp_path / "a", data, archive.trust, archive.options)


def test_a_session_that_was_never_sent_is_its_learners_to_keep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a class log: hashes, the session's signature and the form are checked, everything else said to be not."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(10_000)
    found = Checkpoint(session.key.vkey.name, len(session.log), session.tree.root())
    files = SessionFiles(session.sid, checkpoint.sign(found, session.key), session.certificate, session.log)
    write_unsent(tmp_path / "a", files)
    (tmp_path / "class.trust").write_text(str(room.trust()), encoding="utf-8")
    assert ledger(tmp_path, "--partial") == 0
    text = capsys.readouterr().out
    assert "never sent" in text
    assert ledger(tmp_path) == 1  # a whole archive has a class log
    tamper_with = next(path for path in (tmp_path / "a").rglob("entries/*/*") if path.is_file())
    tamper_with.write_bytes(tamper_with.read_bytes().replace(b'"seq":4', b'"seq":5'))
    assert ledger(tmp_path, "--partial") == 1
    assert "event 4" in capsys.readouterr().out
    with pytest.raises(ArchiveError):
        write_unsent(tmp_path / "a", files)


def test_the_same_class_gives_the_same_archive(tmp_path: Path) -> None:
    """Nothing of the machine or the hour of export stands in it but what the class log says."""
    room, _ = small(tmp_path / "a")
    assert not verify_again(room, tmp_path / "a")
    data = ArchiveData(
        checkpoint=(tmp_path / "a/checkpoint").read_bytes(),
        entries=room.entries,
        sessions=[session.files() for session in room.sessions],
        bodies=room.bodies.items(),
        people=(tmp_path / "a/people.csv").read_bytes(),
    )
    write_archive(tmp_path / "b", data, room.trust(), room.options())
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def verify_again(room: Classroom, path: Path) -> bool:
    from ledger.archive import Directory

    return verify(Directory(path), room.trust(), room.options()).refused
