"""The letter of keys: what is printed is what the verifier shows, and the QR code is the trust file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import fingerprint
from ledger.trust import parse
from server_stub import letter
from server_stub.__main__ import main
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.witnessed import watched

pytest.importorskip("segno")


def test_the_letter_prints_the_groups_that_the_verifier_shows(room: Room, tmp_path: Path) -> None:
    """One page for the authority: trust file, log, witnesses, the authority's own key, each in both halves."""
    with watched(room, tmp_path) as site:
        keyring = room.server.keyring
        page = letter.letter(keyring)
        assert keyring.authority is not None
        shown = fingerprint.of_all(site.trust, site.key.name, [keyring.authority.vkey])
        assert len(shown) == 6
        for groups in shown.values():
            assert all(half in page for half in fingerprint.halves(groups))
        assert page.count("<section>") == 1
        assert keyring.authority.vkey.name in page


def test_the_code_on_the_page_is_the_trust_file(room: Room, tmp_path: Path) -> None:
    """Read back by another program's readers: two, because one of them fails on a code in sixteen of this size."""
    cv2, numpy, segno = (pytest.importorskip(name) for name in ("cv2", "numpy", "segno"))
    with watched(room, tmp_path) as site:
        text = str(site.trust)
    assert "<svg" in letter.qr(text)
    code, seen = segno.make(text, error="l", micro=False, boost_error=True), set()
    readers = (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector())
    for scale in (4, 6, 8, 10):  # a camera looks at a printed code more than once, too
        rows = [list(row) for row in code.matrix_iter(scale=scale, border=4)]
        picture = (255 - numpy.array(rows, dtype=numpy.uint8) * 255).astype(numpy.uint8)
        seen.update(reader.detectAndDecode(picture)[0] for reader in readers)
    (read,) = seen - {""}
    assert parse(read.encode()) == parse(text.encode())
    assert letter.qr("x" * 3000) == ""


def test_the_command_prints_the_groups_and_writes_the_page(
    room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`keys DIR`, and `keys DIR --letter FILE`."""
    assert main(["keys", str(room.settings.directory)]) == 0
    out = capsys.readouterr().out
    assert fingerprint.halves(fingerprint.of_key(room.server.keyring.log(CLASS).vkey))[0] in out
    assert main(["keys", str(room.settings.directory), "--letter", str(tmp_path / "letter.html")]) == 0
    assert "密钥告知函" in (tmp_path / "letter.html").read_text()
