"""A live lesson, decoded as its pieces come: the same pictures and sound as a file's, placed in programme time.

Pieces that follow one another are one stretch, read by FFmpeg like one file that is still being written; a piece that
stands apart begins a new one. Where the picture was given up (a pause, a stall that was too long) it goes on at the
live edge: what passed meanwhile is not decoded, and nobody can have seen it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, Final

import av

from client.player.decode import Sight, Voice, describe, frames
from client.player.errors import MediaError
from client.player.media import UNREADABLE, Reel
from client.player.sound import Sink
from client.ports import LiveSource, Portion

WAIT_S: Final = 0.2  # between two looks whether the lesson was left
SPOILT: Final = 5  # stretches in a row of which nothing can be read: then it is no scratch
PROBE: Final = {"analyzeduration": "1500000", "probesize": "2000000"}  # µs and bytes: nobody waits for more


class LiveReel(Reel):
    """The reel of a live unit, as the playback uses `Reel`. It has no seek: `rejoin` is the only way on."""

    def __init__(self, source: LiveSource, sink: Sink, start_ms: int, box: tuple[int, int] | None) -> None:
        """Begin to decode from the live edge, but nothing before `start_ms`."""
        self._source = source
        self._next: Portion | None = None
        self._turns = 0
        self.left = False  # it stands, and goes on only after `rejoin`
        source.join(start_ms)
        super().__init__(None, sink, start_ms, 1000, box)

    # --- for the playback -------------------------------------------------------------------------------------------

    @property
    def why(self) -> str:
        """Why no picture comes, as a word of `LiveSource.state`."""
        return self._source.state

    def rejoin(self, position_ms: float) -> None:
        """Drop what was decoded and go on at the live edge; what was seen already (before this place) is not shown."""
        with self._lock:
            self._target = self._last_end = position_ms
            self._turns += 1
            self.left = False
            self._next = None
            self._forget()
            self._source.join(int(position_ms))
            self._lock.notify()

    def close(self) -> None:
        """Stop the thread, and the fetching."""
        self._source.leave()
        super().close()

    def next_ms(self) -> float | None:
        """When the next picture begins; of sound alone, what would be heard next."""
        return self.heard_ms() if self._no_picture() else super().next_ms()

    def leave(self) -> None:
        """The picture stands: nothing is fetched until it goes on."""
        self.left = True
        self._source.leave()

    def seek(self, position_ms: float) -> None:
        """There is no other place to go to."""

    def set_rate(self, rate: int, position_ms: float) -> None:
        """What happens now happens at its own speed."""

    def behind(self, position_ms: float) -> bool:
        """Whether the picture is so late that it is no live picture any more."""
        return self._source.edge_ms - position_ms > self._source.lag_ms

    # --- the thread -------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        spoilt = 0
        while (turn := self._await_turn()) is not None:
            first = self._piece(partial(self._goes_on, turn))
            if first is None:
                with self._lock:
                    if turn == self._turns and self._source.ended:
                        self._finished, self._target = True, None
                continue
            self._drain(turn)
            try:
                self._open(first, turn)
                spoilt = 0
            except (MediaError, *UNREADABLE):
                spoilt += 1
                if spoilt > SPOILT:
                    raise

    def _drain(self, turn: int) -> None:
        """A new stretch begins once the one before was seen and heard to its end: their times need not fit together."""
        with self._lock:
            while not self._closing and turn == self._turns and (self._pictures or self._sounds or self._sounding_on()):
                self._feed()
                self._lock.wait(0.04)
            if turn == self._turns:
                self._sound_end = None

    def _sounding_on(self) -> bool:
        return self._sound_end is not None and bool(self._sink.queued_ms())

    def _open(self, first: Portion, turn: int) -> None:
        tape = _Tape(first, partial(self._following, turn))
        with tape, av.open(tape, metadata_errors="replace", options=PROBE) as box:
            self._stretch(box, first, turn)

    def _goes_on(self, turn: int) -> bool:
        return not self._closing and turn == self._turns and not self._source.ended

    def _await_turn(self) -> int | None:
        """Until there is something to decode; None when it is time to stop."""
        with self._lock:
            while not self._closing and self._finished:
                self._feed()
                self._lock.wait(0.04 if self._sounds else WAIT_S)
            return None if self._closing else self._turns

    def _piece(self, goes_on: Callable[[], bool]) -> Portion | None:
        """The next piece, waited for as long as `goes_on`."""
        held, self._next = self._next, None
        while held is None and goes_on():
            with self._lock:
                self._feed()
            held = self._source.take(WAIT_S)
        return held

    def _following(self, turn: int) -> bytes:
        """The bytes that go on the stretch; b"" where it ends."""
        piece = self._piece(partial(self._goes_on, turn))
        if piece is not None and piece.apart:
            self._next, piece = piece, None
        return b"" if piece is None or turn != self._turns else piece.data

    def _stretch(self, box: Any, first: Portion, turn: int) -> None:
        """Decode one stretch; its first sample belongs to the beginning of its first piece (RFC 8216, 4.3.2.6)."""
        self.info = info = describe(box)
        zero = info.zero_ms - first.at_ms
        audible = self._sink.queued_ms() is not None
        with self._lock:
            if turn != self._turns:
                return
            self._sounding = info.sound and (audible or not info.picture)
            target = self._last_end if self._target is None else self._target
            self._target = None
        streams = [box.streams.video[0]] if info.picture else []
        streams += [box.streams.audio[0]] if self._sounding else []
        voice, sight = Voice(1000, zero), Sight(zero)
        for frame in frames(box, streams):
            if isinstance(frame, av.VideoFrame):
                self._keep_picture(sight, frame, target)
            else:
                for at_ms, samples in voice.speak(frame):
                    self._keep_sound(at_ms, samples, target)
            if not self._pace() or turn != self._turns:
                return


class _Tape(io.RawIOBase, BinaryIO):
    """The pieces of one stretch as a file without end; `more` waits for the next piece, b"" is the end."""

    def __init__(self, first: Portion, more: Callable[[], bytes]) -> None:
        self._held = memoryview(first.init + first.data)
        self._more = more
        self._over = False
        self._one = threading.Lock()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """What was read is gone."""
        return False

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, as soon as there are any."""
        with self._one:
            while not self._held and not self._over:
                self._held = memoryview(self._more())
                self._over = not self._held
            size = len(self._held) if size is None or size < 0 else size
            found, self._held = bytes(self._held[:size]), self._held[size:]
            return found
