"""The sound before a check: two soft notes, made here, on a sound device of its own."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from client.player.sound import RATE, Sink, open_sink

NOTES = ((659.25, 0.0), (880.0, 0.16))  # E5, A5: rising, friendly
LENGTH_S = 0.9
LOUD = 0.16


def samples() -> bytes:
    """The chime as s16 stereo 48 kHz."""
    out = bytearray()
    for n in range(int(LENGTH_S * RATE)):
        t = n / RATE
        level = sum(_note(pitch, t - start) for pitch, start in NOTES)
        value = round(LOUD * 32767 * max(-1.0, min(1.0, level)))
        out += struct.pack("<hh", value, value)
    return bytes(out)


def _note(pitch: float, t: float) -> float:
    if t < 0:
        return 0.0
    return (
        min(t / 0.012, 1.0)
        * math.exp(-5.5 * t)
        * (math.sin(math.tau * pitch * t) + 0.2 * math.sin(2 * math.tau * pitch * t))
    )


class Chime:
    """Plays whenever it is asked to; silent where there is no device."""

    def __init__(self, sink: Callable[[], Sink] = open_sink) -> None:
        self._open, self._sink, self._samples = sink, None, b""
        self._count = 0

    _sink: Sink | None

    def follow(self, count: int) -> None:
        """`View.chimes`: play when it has risen."""
        if count > self._count:
            self.play()
        self._count = count

    def play(self) -> None:
        """Once, from its beginning."""
        if self._sink is None:
            self._sink, self._samples = self._open(), samples()
        self._sink.clear()
        self._sink.write(self._samples)
        self._sink.pause(False)

    def close(self) -> None:
        """Give the device back."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None
