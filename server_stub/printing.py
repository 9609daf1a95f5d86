"""Notices and certificates on paper: A4 as PDF, in Chinese, from a font that is found on this machine."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from server_stub.domain.work_errors import FontMissingError

FONTS: Final = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",  # fonts-wqy-microhei, Apache-2.0
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simhei.ttf",
    "/System/Library/Fonts/Supplemental/Songti.ttc",
)
_NAME: Final = "trueseat"
_MM: Final = 72 / 25.4
_WIDTH, _HEIGHT, _MARGIN = 210 * _MM, 297 * _MM, 25 * _MM


def find_font() -> Path:
    """The first font there is: `TRUESEAT_FONT`, else one of `FONTS`; `FontMissingError` when there is none."""
    named = os.environ.get("TRUESEAT_FONT", "")
    for text in ([named] if named else FONTS):
        if Path(text).is_file():
            return Path(text)
    raise FontMissingError(f"no font at {named}" if named else "no Chinese font is installed")


@cache
def _register(path: Path) -> str:
    from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
    from reportlab.pdfbase.ttfonts import TTFError, TTFont  # type: ignore[import-untyped]

    try:
        pdfmetrics.registerFont(TTFont(_NAME, str(path), subfontIndex=0))
    except (TTFError, OSError) as error:
        raise FontMissingError(f"{path} is no TrueType font: {error}") from error
    return _NAME


@dataclass(frozen=True, slots=True)
class Notice:
    """One page: a title, its number, to whom, paragraphs, who signs, the day; `foot` is small and says how to check."""

    title: str
    number: str
    to: str
    paragraphs: tuple[str, ...]
    by: str
    day: str
    foot: tuple[str, ...] = ()


class _Page:
    """A canvas with a pen that goes down the page."""

    def __init__(self, title: str) -> None:
        from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

        self.font, self.out = _register(find_font()), io.BytesIO()
        self.canvas: Any = Canvas(self.out, pagesize=(_WIDTH, _HEIGHT), invariant=True)
        self.canvas.setTitle(title)
        self.canvas.setAuthor("TrueSeat")
        self.y = _HEIGHT - _MARGIN

    def line(self, text: str, size: float = 11, *, align: str = "left", gap: float = 1.7, indent: float = 0) -> None:
        """Write a text, broken where the line ends, and go on below it."""
        for part in self._broken(text, size, indent):
            if self.y < _MARGIN:
                self.canvas.showPage()
                self.y = _HEIGHT - _MARGIN
            self.canvas.setFont(self.font, size)
            x = {"left": _MARGIN + indent, "centre": _WIDTH / 2, "right": _WIDTH - _MARGIN}[align]
            write = {"left": self.canvas.drawString, "centre": self.canvas.drawCentredString,
                     "right": self.canvas.drawRightString}[align]  # fmt: skip
            write(x, self.y, part)
            self.y -= size * gap

    def _broken(self, text: str, size: float, indent: float) -> Sequence[str]:
        """Chinese breaks anywhere; a word of Latin letters is kept whole where it fits a line."""
        room = _WIDTH - 2 * _MARGIN - indent
        lines, line = [], ""
        for piece in _pieces(text):
            if line and self.canvas.stringWidth(line + piece, self.font, size) > room:
                lines.append(line)
                line = piece.lstrip()
            else:
                line += piece
            while self.canvas.stringWidth(line, self.font, size) > room:
                cut = len(line) - 1
                while self.canvas.stringWidth(line[:cut], self.font, size) > room:
                    cut -= 1
                lines.append(line[:cut])
                line = line[cut:]
        return [*lines, line]

    def rule(self) -> None:
        """A thin line across."""
        self.canvas.setLineWidth(0.7)
        self.canvas.line(_MARGIN, self.y, _WIDTH - _MARGIN, self.y)
        self.y -= 12

    def done(self) -> bytes:
        """The file."""
        self.canvas.showPage()
        self.canvas.save()
        return self.out.getvalue()


def _pieces(text: str) -> list[str]:
    """Single wide characters, and runs of ASCII as they stand."""
    found: list[str] = []
    for letter in text:
        if letter.isascii() and letter != " " and found and found[-1].isascii() and found[-1] != " ":
            found[-1] += letter
        else:
            found.append(letter)
    return found


def notice(said: Notice) -> bytes:
    """A notice as PDF."""
    page = _Page(said.title)
    page.line(said.title, 20, align="centre", gap=1.6)
    page.line(said.number, 10, align="centre", gap=2.4)
    page.rule()
    page.y -= 10
    page.line(f"{said.to}：", 12, gap=2.2)
    for paragraph in said.paragraphs:
        page.line("　　" + paragraph, 11.5, gap=1.8)
        page.y -= 4
    page.y -= 28
    page.line(said.by, 12, align="right")
    page.line(said.day, 12, align="right", gap=3)
    for text in said.foot:
        page.line(text, 8.5, gap=1.5)
    return page.done()


def certificate(title: str, rows: Sequence[tuple[str, str]], qr: bytes, foot: Sequence[str]) -> bytes:
    """A completion proof as PDF: its fields, and the signed note as a QR code."""
    page = _Page(title)
    page.y -= 10
    page.line(title, 26, align="centre", gap=2.2)
    page.rule()
    page.y -= 8
    for name, value in rows:
        page.canvas.setFont(page.font, 10)
        page.canvas.drawString(_MARGIN, page.y, name)
        page.line(value, 12, gap=2.05, indent=38 * _MM)
    page.y -= 10
    _draw_qr(page, qr, 62 * _MM)
    for text in foot:
        page.line(text, 8.5, gap=1.5)
    return page.done()


def _draw_qr(page: _Page, data: bytes, side: float) -> None:
    """The code, centred, four modules of quiet around it."""
    import segno

    rows = [list(row) for row in segno.make(data, error="l", micro=False, mode="byte", boost_error=True).matrix]
    module = side / (len(rows) + 8)
    left, top = (_WIDTH - side) / 2 + 4 * module, page.y - 4 * module
    page.canvas.setFillColorRGB(0, 0, 0)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                page.canvas.rect(left + x * module, top - (y + 1) * module, module, module, stroke=0, fill=1)
    page.y -= side + 12
