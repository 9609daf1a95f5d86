"""Certificates and notices on paper: what is printed is read back, by eye and by a telephone's camera: R0.11, R3.5."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest

from ledger.completion import parse
from server_stub import printing
from server_stub.domain.work_errors import FontMissingError
from server_stub.printing import Notice
from tests.server_stub.classlife import completion_of, font
from tests.server_stub.conftest import Room
from tests.server_stub.staff import hire

cv2 = pytest.importorskip("cv2", reason="left out: OpenCV is not installed")


def text(data: bytes) -> str:
    """All pages as one line."""
    pages = list(pypdfium2.PdfDocument(io.BytesIO(data)))
    return "".join(page.get_textpage().get_text_bounded() for page in pages).replace("\r\n", "")


@pytest.mark.slow
def test_the_printed_code_is_read_by_a_camera_and_verifies(room: Room) -> None:
    """R3.5: the code gives the note, byte for byte; a camera looks more than once, from 144 to 360 dots per inch.

    Two readers, because each of them fails on a code in fifty or so that the other one reads.
    """
    font()
    browsers = hire(room)
    paper = completion_of(room, room.learner().sign_in().learner)
    data = browsers["officer"].get(f"/completions/{paper}").content
    page = pypdfium2.PdfDocument(data)[0]
    looks = [np.asarray(page.render(scale=scale).to_pil().convert("L")) for scale in (2, 2.5, 3, 4, 5)]
    readers = (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector())
    read = next(filter(None, (reader.detectAndDecode(look)[0] for look in looks for reader in readers)), "")
    note = room.server.services.supervision.bench.papers.find("completion")[0].data["note"]
    assert read == note
    assert parse(read.encode())[0].name == "张伟"


def test_a_long_notice_goes_on_on_the_next_page() -> None:
    """Nothing is cut: neither Chinese, which breaks anywhere, nor a long word of Latin letters."""
    font()
    long = "情况说明，" * 500
    said = Notice("限期整改通知书", "1 号", "市职业培训学校", (long, "x" * 300), "监管部门", "2026-11-22")
    data = printing.notice(said)
    assert len(pypdfium2.PdfDocument(io.BytesIO(data))) > 1
    assert text(data).count("情况说明") == 500
    assert text(data).count("x") == 300


def test_the_same_notice_is_the_same_file() -> None:
    """No time or random number of the machine in it: two copies can be compared."""
    font()
    said = Notice("约谈通知书", "2 号", "某单位", ("请说明。",), "监管部门", "2026-11-22", ("编号",))
    assert printing.notice(said) == printing.notice(said)


def test_a_file_that_is_no_font_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence instead of a page of empty boxes."""
    path = tmp_path / "font.ttf"
    path.write_bytes(b"no font at all")
    monkeypatch.setenv("TRUESEAT_FONT", str(path))
    with pytest.raises(FontMissingError, match="no TrueType font"):
        printing.notice(Notice("t", "1", "a", ("b",), "c", "d"))
