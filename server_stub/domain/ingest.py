"""One thread takes all segments that wait, and one commit answers them: no thread a request, no queue for a lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Final

from server_stub.domain.errors import ServerError
from server_stub.domain.segments import Segments, Upload

MOST: Final = 64  # of one commit
_Waiting = tuple[Upload, "asyncio.Future[bytes]", asyncio.AbstractEventLoop]


class Ingest:
    """Brings segments from event loops to `Segments` and answers back."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._settling = ThreadPoolExecutor(2, "settle")  # who closes a session waits for its figure, nobody else
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    async def accept(self, sid: str, body: bytes, seen: str) -> bytes:
        """What `Segments.accept` answers, or its error."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        if self._thread is None:
            self._start()
        self._queue.put((Upload(sid, body, seen), future, loop))
        return await future

    def close(self) -> None:
        """Answer what waits, then end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        self._settling.shutdown()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, more = [first], True
            while more and len(group) < MOST:
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
                if item is None:
                    self._queue.put(None)
                    more = False
                else:
                    group.append(item)
            self._take(group)

    def _take(self, group: list[_Waiting]) -> None:
        uploads = [item[0] for item in group]
        try:
            self._segments.accept_all(uploads)
        except BaseException as error:
            for upload in uploads:
                upload.outcome = error
        for item in group:
            if item[0].ended:
                self._settling.submit(self._finish, item)
        _answer(item for item in group if not item[0].ended)

    def _finish(self, item: _Waiting) -> None:
        try:
            self._segments.settle(item[0])
        finally:
            _answer([item])


def _answer(group: Iterable[_Waiting]) -> None:
    """Wake each loop once for all of its own."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for item in group:
        by_loop.setdefault(item[2], []).append(item)
    for loop, items in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver, items)
        except RuntimeError:  # that loop has ended: whoever asked is gone, what was taken stays taken
            continue


def _deliver(items: list[_Waiting]) -> None:
    for upload, future, _ in items:
        if future.done():  # whoever asked went away
            continue
        if isinstance(upload.outcome, bytes):
            future.set_result(upload.outcome)
        else:
            future.set_exception(upload.outcome or ServerError("the segment was not taken"))
