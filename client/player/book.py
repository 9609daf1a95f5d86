"""Units of pages (PDF): each page is shown for its minimum time, then waits until the learner turns it.

A unit of n pages and `duration_ms` gives every page duration_ms ÷ n of media time: the position runs while the page is
on the screen and stands at the page's last ms until it is turned, so that no span claims more than was shown. What was
seen may be turned to freely, forth and back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from client.player.decode import MediaInfo, Picture
from client.player.errors import MediaError
from client.player.geometry import fitted
from client.player.vault import NO_KEYS, open_media

MAX_PAGES: Final = 2_000
MAX_BYTES: Final = 256 << 20
LEAST_MS: Final = 3_000  # nobody reads a page in less
BOX: Final = (1600, 1200)  # px, until the screen says how large it is
_PDFIUM = threading.Lock()  # the library may be used by one thread at a time, whatever it reads
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a unit of pages stands: page `number` of `count` (from 1); `waits`: its time is over, it may be turned."""

    number: int
    count: int
    waits: bool


class Book:
    """An open PDF: pages as pictures. Every method is slow and belongs into one thread."""

    def __init__(self, data: bytes) -> None:
        """Raises `MediaError` for what is no readable PDF."""
        try:
            with _PDFIUM:
                self._pdf = pypdfium2.PdfDocument(data)
                self.count = len(self._pdf)
        except (pypdfium2.PdfiumError, ValueError, OverflowError) as error:
            raise MediaError(f"no readable PDF: {error}") from error
        if not 1 <= self.count <= MAX_PAGES:
            self.close()
            raise MediaError(f"a PDF of {self.count} pages")

    def render(self, number: int, box: tuple[int, int]) -> tuple[int, int, int, bytearray]:
        """Width, height, bytes a row and RGBA of a page (from 0), as large as fits `box`."""
        try:
            with _PDFIUM:
                picture = self._bitmap(number, box)
                pixels = bytearray(picture.buffer)
        except (pypdfium2.PdfiumError, ValueError, OverflowError, MemoryError) as error:
            raise MediaError(f"page {number + 1}: {error}") from error
        pixels[3::4] = b"\xff" * len(pixels[3::4])
        return picture.width, picture.height, picture.stride, pixels

    def _bitmap(self, number: int, box: tuple[int, int]) -> Any:
        page = self._pdf[number]
        wide, high = page.get_size()
        if not (0 < wide < 20_000 and 0 < high < 20_000):
            raise MediaError(f"page {number + 1}: {wide:.0f} by {high:.0f} points")
        width = fitted(max(round(wide), 1), max(round(high), 1), box)[0]
        return page.render(
            scale=width / wide, rev_byteorder=True, prefer_bgrx=True, fill_color=(255, 255, 255, 255),
            draw_annots=False, may_draw_forms=False, force_bitmap_format=pdfium.FPDFBitmap_BGRx,
        )  # fmt: skip

    def close(self) -> None:
        """Give the library's memory back."""
        with _PDFIUM:
            self._pdf.close()


class PageReel:
    """The reel of a PDF, as the playback uses `client.player.media.Reel`; rendered in a thread of its own."""

    def __init__(
        self,
        path: Path,
        duration_ms: int,
        start_ms: int = 0,
        box: tuple[int, int] | None = None,
        keys: Mapping[str, bytes] = NO_KEYS,
    ) -> None:
        """Open at `start_ms`; `info` and `fault` tell later how it went."""
        self.info: MediaInfo | None = None
        self.fault: MediaError | None = None
        self._path, self._keys, self._duration = path, keys, duration_ms
        self._lock = threading.Condition()
        self._box = box
        self._count = 0
        self._page = 0  # the one that may be shown now
        self._at = float(start_ms)
        self._made: dict[tuple[int, tuple[int, int]], Picture] = {}
        self._given: tuple[int, tuple[int, int]] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)
        self._thread.start()

    # --- the learner ------------------------------------------------------------------------------------------------

    def leaf(self, position_ms: float) -> Leaf | None:
        """Where the learner is; None while the file is being opened."""
        with self._lock:
            if not self._count:
                return None
            last = self._page + 1 == self._count
            return Leaf(self._page + 1, self._count, not last and position_ms >= self._end(self._page))

    def turn(self, position_ms: float) -> bool:
        """Go on to the next page; False while this one's time is not over."""
        with self._lock:
            if not self._count or self._page + 1 >= self._count or position_ms < self._end(self._page):
                return False
            self._page += 1
            self._lock.notify()
            return True

    def start_of(self, number: int) -> int:
        """The media ms at which a page (from 1) begins."""
        return (number - 1) * self._duration // max(self._count, 1)

    # --- for the playback, as Reel ----------------------------------------------------------------------------------

    @property
    def box(self) -> tuple[int, int] | None:
        """Pixels to fit pages into; a page is drawn again when it changes."""
        return self._box

    @box.setter
    def box(self, box: tuple[int, int] | None) -> None:
        if box != self._box:
            with self._lock:
                self._box = box
                self._lock.notify()

    def seek(self, position_ms: float) -> None:
        """Show the page of this place."""
        with self._lock:
            self._at, self._given = position_ms, None
            self._page = self._page_at(position_ms)
            self._lock.notify()

    def set_rate(self, rate: int, position_ms: float) -> None:
        """Pages are read at the reader's own rate."""

    def take(self, _position_ms: float) -> Picture | None:
        """The page, when it is not on the screen yet in this size."""
        with self._lock:
            wanted = self._wanted()
            found = self._made.get(wanted)
            if found is None or wanted == self._given:
                return None
            self._given = wanted
            return found

    def next_ms(self) -> float | None:
        """Where the present page must end."""
        with self._lock:
            return self._end(self._page) if self._count else None

    def heard_ms(self) -> float | None:
        """Pages are silent."""
        return None

    def deafen(self) -> None:
        """Pages are silent."""

    @property
    def ready(self) -> bool:
        """Whether the page is drawn, and there is time left on it."""
        with self._lock:
            return bool(self._count) and any(page == self._page for page, _ in self._made) and not self._held

    @property
    def end_ms(self) -> float | None:
        """The end of the unit, on its last page."""
        with self._lock:
            return float(self._duration) if self._count and self._page + 1 == self._count else None

    def stands(self, position_ms: float) -> bool:
        """Whether the position has reached the end of its page, which waits to be turned."""
        with self._lock:
            self._at = position_ms
            return self._held

    def close(self) -> None:
        """Stop the thread."""
        with self._lock:
            self._closing = True
            self._lock.notify()
        self._thread.join(timeout=5)

    # --- where is what (the lock is held) -----------------------------------------------------------------------------

    @property
    def _held(self) -> bool:
        return self._page + 1 < self._count and self._at >= self._end(self._page)

    def _page_at(self, position_ms: float) -> int:
        if not self._count:
            return 0
        page = min(int(position_ms * self._count // max(self._duration, 1)), self._count - 1)
        return page + 1 if page + 1 < self._count and position_ms >= self._end(page) + 1 else page

    def _end(self, page: int) -> float:
        """The last ms of a page; of the last page, the unit's end."""
        end = (page + 1) * self._duration // self._count
        return float(end if page + 1 == self._count else end - 1)

    def _wanted(self) -> tuple[int, tuple[int, int]]:
        return self._page, self._box or BOX

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            book = Book(self._read())
            try:
                self._open(book)
                self._draw(book)
            finally:
                book.close()
        except MediaError as error:
            self.fault = error
        except OSError as error:
            self.fault = MediaError(f"{self._path.name}: {error.strerror or error}")
        except Exception as error:
            log.exception("pages")
            self.fault = MediaError(f"{self._path.name}: {type(error).__name__}")

    def _read(self) -> bytes:
        with open_media(self._path, self._keys) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise MediaError(f"{self._path.name}: more than {MAX_BYTES} bytes")
        return data

    def _open(self, book: Book) -> None:
        if self._duration < book.count * LEAST_MS:
            raise MediaError(f"{book.count} pages in {self._duration} ms: less than {LEAST_MS} ms a page")
        self.info = MediaInfo(*BOX, self._duration, True, False, 0.0)
        with self._lock:
            self._count = book.count
            self._page = self._page_at(self._at)

    def _draw(self, book: Book) -> None:
        """Draw what is wanted, then the page after it; keep these two."""
        while True:
            with self._lock:
                if self._closing:
                    return
                page, box = self._wanted()
                jobs = [(n, box) for n in (page, page + 1) if n < book.count]
                self._made = {key: made for key, made in self._made.items() if key in jobs}
                job = next((key for key in jobs if key not in self._made), None)
                if job is None:
                    self._lock.wait(0.5)
                    continue
            picture = self._picture(book, *job)
            with self._lock:
                self._made[job] = picture

    def _picture(self, book: Book, number: int, box: tuple[int, int]) -> Picture:
        width, height, stride, pixels = book.render(number, box)
        begin, end = self.start_of(number + 1), self._end(number)
        planes: tuple[Any, ...] = (pixels,)
        return Picture(float(begin), end, width, height, planes, (stride,), True, True)
