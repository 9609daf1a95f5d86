"""Units of pages: each page its time, none claimed that was not shown, and no PDF breaks the player."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.events import MediaFault
from client.player.book import Book
from client.player.errors import MediaError
from client.player.playback import Playback
from client.player.sound import Silence
from client.ports import UnitMedia
from ledger import content
from tests.tries import tries

PAGE_MS = 10_000
INKS = ((1, 0, 0), (0, 0.6, 0), (0, 0, 1))


def pdf(pages: int = 3) -> bytes:
    """Pages of one colour each, with a number."""
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    made = io.BytesIO()
    sheet = canvas.Canvas(made, pagesize=(720, 405))
    for number in range(pages):
        sheet.setFillColorRGB(*INKS[number % 3])
        sheet.rect(0, 0, 720, 405, stroke=0, fill=1)
        sheet.setFillColorRGB(1, 1, 1)
        sheet.setFont("Helvetica", 80)
        sheet.drawString(300, 180, str(number + 1))
        sheet.showPage()
    sheet.save()
    return made.getvalue()


class Desk:
    """A playback of a PDF on a clock that the test moves."""

    def __init__(self, path: Path, pages: int = 3, at: int = 0, keys: dict[str, bytes] | None = None) -> None:
        self.seconds = 0.0
        self.playback = Playback(Silence, lambda: self.seconds)
        self.playback.fit((720, 405))
        self.faults: list[MediaFault] = []
        self.playback.load(UnitMedia("notes", "Notes", path, pages * PAGE_MS, {}, keys or {}), at)
        self.playback.play()
        self.ink: tuple[int, ...] = ()
        self.settle()

    def settle(self) -> None:
        """Let the drawing thread finish: the test has no hurry."""
        for _ in range(60_000):  # two minutes: only a broken test waits so long
            self.look()
            leaf = self.playback.leaf
            if self.faults or self.playback.progress().playing or (leaf is not None and leaf.waits):
                return
            time.sleep(0.002)
        raise AssertionError("no page came")

    def look(self) -> None:
        picture = self.playback.picture()
        self.faults += self.playback.poll()
        if picture is not None:
            rows = np.frombuffer(picture.planes[0], np.uint8).reshape(picture.height, picture.strides[0])
            self.ink = tuple(int(v) for v in rows[5, 20:23])

    def step(self, ms: int, times: int = 1) -> None:
        for _ in range(times):
            self.seconds += ms / 1000
            self.look()

    @property
    def at(self) -> int:
        return self.playback.progress().position_ms


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    path = tmp_path / "slides.pdf"
    path.write_bytes(pdf())
    return path


def test_a_page_waits_for_its_reader_and_claims_no_more_than_its_time(slides: Path) -> None:
    """Ten seconds are the page's; however long it lies there, its media time ends, and nothing plays."""
    desk = Desk(slides)
    assert desk.ink == (255, 0, 0)
    desk.step(100, 50)
    assert 4_900 <= desk.at <= 5_000
    assert not desk.playback.turn(), "its minimum time is not over"
    desk.step(100, 200)
    leaf = desk.playback.leaf
    assert leaf is not None
    assert (leaf.number, leaf.count, leaf.waits) == (1, 3, True)
    assert desk.at == PAGE_MS - 1
    assert not desk.playback.progress().playing
    desk.playback.close()


def test_turned_pages_run_on_without_a_jump_to_the_end(slides: Path) -> None:
    """Turn, ten seconds, turn, ten seconds: the unit ends by itself, with every ms shown once."""
    desk = Desk(slides)
    for number, ink in ((1, (255, 0, 0)), (2, (0, 153, 0)), (3, (0, 0, 255))):
        desk.settle()
        begun = desk.at
        assert desk.ink == ink
        assert abs(begun - (number - 1) * PAGE_MS) <= 1
        desk.step(100, 130)
        if number < 3:
            assert desk.playback.turn()
    end = desk.playback.progress()
    assert (end.position_ms, end.ended, end.shown) == (3 * PAGE_MS, True, 3)
    assert desk.faults == []
    desk.playback.close()


def test_a_reader_resumes_on_the_page_and_turns_back_freely(slides: Path) -> None:
    """Exact resume; a seek (which the session allows only within what was seen) shows that page."""
    desk = Desk(slides, at=23_456)
    assert (desk.ink, desk.at) == ((0, 0, 255), 23_456)
    desk.playback.pause()
    desk.playback.seek(desk.playback.page_begins(1))
    desk.playback.play()
    desk.settle()
    assert desk.ink == (255, 0, 0)
    assert desk.at == 0
    desk.playback.close()


def test_resume_at_the_last_moment_of_a_page_waits_there(slides: Path) -> None:
    """Closed while the page waited: it waits again."""
    desk = Desk(slides, at=PAGE_MS - 1)
    leaf = desk.playback.leaf
    assert leaf is not None
    assert (leaf.number, leaf.waits) == (1, True)
    assert desk.playback.turn()
    desk.settle()
    desk.step(100, 5)
    assert desk.ink == (0, 153, 0)
    assert PAGE_MS <= desk.at <= PAGE_MS + 500
    desk.playback.close()


def test_an_encrypted_pdf_is_read_in_memory(tmp_path: Path) -> None:
    """As every other file of an encrypted course."""
    plain, key = pdf(), bytes(range(32))
    path = tmp_path / "slides.pdf"
    path.write_bytes(b"".join(content.seal(io.BytesIO(plain), len(plain), key)))
    desk = Desk(path, keys={content.key_id(key): key})
    assert desk.ink == (255, 0, 0)
    desk.playback.close()
    (fault,) = Desk(path).faults
    assert "no key" in fault.detail


def test_pages_without_time_to_read_them_are_no_unit(tmp_path: Path) -> None:
    """Thirty pages in thirty seconds: a course that credits nothing honest does not play."""
    path = tmp_path / "slides.pdf"
    path.write_bytes(pdf(11))
    (fault,) = Desk(path, pages=3).faults
    assert "11 pages" in fault.detail


@settings(max_examples=tries(60))
@given(st.binary(max_size=400), st.integers(0, 4000), st.binary(min_size=1, max_size=60))
def test_no_pdf_breaks_the_player(rubbish: bytes, at: int, bent: bytes) -> None:
    """Bytes that are no PDF, and a real one with a stretch overwritten: pages that draw whole pictures, or our own
    error; nothing else leaves, and never a book without pages."""
    whole = _WHOLE[0] if _WHOLE else pdf(2)
    _WHOLE[:] = [whole]
    place = at % len(whole)
    for data in (rubbish, b"%PDF-1.7\n" + rubbish, whole[:place] + bent + whole[place + len(bent) :]):
        try:
            book = Book(data)
        except MediaError:
            continue
        assert book.count > 0
        for number in range(min(book.count, 3)):
            try:
                width, height, stride, pixels = book.render(number, (64, 64))
            except MediaError:
                continue
            assert min(width, height) > 0
            assert len(pixels) == stride * height >= 4 * width * height
        book.close()


_WHOLE: list[bytes] = []
