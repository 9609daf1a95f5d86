"""Time stamps (RFC 3161) by an authority that is not ours, over the class checkpoint, verified off line."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ledger import timestamps, words
from ledger.__main__ import main
from ledger.archive import Directory
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError
from ledger.findings import Status
from ledger.page import render
from ledger.report import Report
from ledger.timestamps import NoReaderError, TimestampError
from ledger.verify import Options, verify
from tests.ledger.authority import Authority
from tests.ledger.conftest import Made

needs = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is the authority")


@pytest.fixture
def stamped(archive: Made, tmp_path: Path) -> tuple[Path, Authority, Path]:
    """A copy of the archive with one time stamp; (it, the authority, the token's file)."""
    pytest.importorskip("rfc3161_client", reason="an extra: build/requirements/extras.txt")
    copy, authority, question = tmp_path / "copy", Authority(tmp_path / "tsa"), tmp_path / "today.tsq"
    shutil.copytree(archive.path, copy)
    assert main(["stamp", "ask", str(copy), "--out", str(question)]) == 0
    answer = authority.answer(question)
    assert authority.agrees(question, answer)
    assert main(["stamp", "keep", str(copy), str(answer)]) == 0
    (token,) = (copy / "timestamps").glob("*/*")
    return copy, authority, token


def verified(archive: Made, path: Path, roots: bytes = b"") -> Report:
    """As a stranger who trusts these certificates."""
    return verify(Directory(path), archive.trust, Options(authority=(archive.room.authority.vkey,), tsa=roots))


@needs
def test_a_time_stamp_is_verified_and_shown(archive: Made, stamped: tuple[Path, Authority, Path]) -> None:
    """Size, time and authority stand in text, page and JSON; without the certificate it is not checkable."""
    path, authority, token = stamped
    report = verified(archive, path, authority.root.read_bytes())
    (stamp,) = report.timestamps
    assert not report.refused
    assert report.findings.steps["1"].status is Status.OK
    assert (stamp.size, stamp.authority) == (len(archive.room.entries), "CN=Time of the county")
    assert abs(stamp.time - token.stat().st_mtime) < 3600
    for text in (words.text(report), render.page(report, "zh").decode(), render.page(report, "en").decode()):
        assert "Time of the county" in text
    assert report.to_json()["timestamps"][0]["size"] == stamp.size
    blind = verified(archive, path)
    assert not blind.refused
    assert blind.findings.steps["1"].status is Status.NOT_CHECKABLE


@needs
def test_a_token_of_another_log_or_authority_is_refused(
    archive: Made, stamped: tuple[Path, Authority, Path], tmp_path: Path
) -> None:
    """A stranger's certificate, a token over another size, a token over another class."""
    path, authority, token = stamped
    roots, data = authority.root.read_bytes(), token.read_bytes()
    assert verified(archive, path, Authority(tmp_path / "other", "Another time").root.read_bytes()).refused
    other = Checkpoint(archive.room.origin, 5, b"\0" * 32)
    with pytest.raises(TimestampError):
        timestamps.verify(data, other, roots)
    with pytest.raises(TimestampError, match="not over"):
        timestamps.check_form(data, other)
    moved = path / timestamps.name(5, data)
    moved.parent.mkdir()
    token.rename(moved)
    token.parent.rmdir()
    assert verified(archive, path, roots).refused


@needs
def test_no_bit_of_a_token_changes_unnoticed(archive: Made, stamped: tuple[Path, Authority, Path]) -> None:
    """With or without the certificate: its name is its hash. Whatever is bent, only our errors leave."""
    path, authority, token = stamped
    roots, data = authority.root.read_bytes(), token.read_bytes()
    stated = Checkpoint(archive.room.origin, len(archive.room.entries), archive.room.log.tree.root())
    assert timestamps.verify(data, stated, roots).size == stated.size
    for at in range(0, len(data), max(1, len(data) // 60)):
        bent = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        for check in (lambda d: timestamps.verify(d, stated, roots), lambda d: timestamps.check_form(d, stated)):
            try:
                check(bent)
            except LedgerError:
                continue
    token.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    for known in (b"", roots):
        assert verified(archive, path, known).refused
    for torn in (b"", b"\x30", data[:100], b"\0" * (timestamps.MAX_TOKEN + 1)):
        with pytest.raises(TimestampError):
            timestamps.verify(torn, stated, roots)


def test_without_the_extra_a_token_is_not_checkable(
    archive: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verifier runs on the standard library and cryptography; it says what is missing and calls nothing ok."""
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    copy = tmp_path / "copy"
    shutil.copytree(archive.path, copy)
    path = copy / timestamps.name(3, b"token")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"token")
    report = verified(archive, copy, b"some certificate")
    assert not report.refused
    assert report.findings.steps["1"].status is Status.NOT_CHECKABLE
    with pytest.raises(NoReaderError):
        timestamps.request(Checkpoint(archive.room.origin, 1, b"\0" * 32))
    stray = copy / "timestamps" / "3" / "note.txt"
    stray.write_bytes(b"x")
    assert verified(archive, copy).refused
