"""Does the picture live? A camera's picture is never twice the same; one that stands still, or comes round again, is no
look at anybody (a driver that hangs, a still, a film in a loop).

Two tests on small grey pictures. *Noise*: of a sensor, some pixel differs from frame to frame. *Repetition*: a head
that moves does not move the same way again for seconds on end; only the picture around the face is compared, for a fan
behind it does come round. Whoever sits quite still cannot be told from a loop, and is not called one.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from client.proctor.face import Image
from client.proctor.seen import Face

Grey = NDArray[Any]

STILL, REPEATS = "still", "repeats"
STILL_MS: Final = 5_000  # without any noise
NOISE: Final = 0.02  # mean difference of single pixels in grey levels; an empty room, recorded, has 0.05, a face 0.4
EVERY_MS: Final = 100  # between two small pictures that are kept
KEPT_MS: Final = 90_000  # the longest film that is recognised
WINDOW_MS: Final = 6_000  # that much must come again
LEAST_LAG_MS: Final = 2_500  # a nod comes again sooner than this
JUDGE_MS: Final = 2_000
MOVES: Final = 1.5  # grey levels by which a window varies about its mean: less is somebody who sits still
AGAIN: Final = (
    0.45  # of that: how near the same way must be; people on our clips stay above 0.97, loops of them below 0.37
)
TIMES: Final = 3  # judgements in a row
SIDE: Final = 16


class Repeats:
    """Fed with frames of one camera; `word` says what is wrong with its picture now, "" when it lives."""

    def __init__(self) -> None:
        self.word = ""
        self.lag_ms = 0
        self._dots: Grey | None = None
        self._part: tuple[float, float, float, float] | None = None
        self._noisy_at: int | None = None
        self._kept: deque[tuple[int, Grey]] = deque(maxlen=KEPT_MS // EVERY_MS)
        self._judged_at = 0
        self._times = 0

    def look(self, face: Face | None) -> None:
        """Where the learner is now: a head that leaves the part that is compared makes it larger, and begins anew."""
        if face is None:
            return
        box = (face.x - face.w / 4, face.y - face.h / 4, face.x + face.w * 5 / 4, face.y + face.h * 5 / 4)
        now = self._part
        x, y = face.x + face.w / 2, face.y + face.h / 2
        if now is not None and now[0] <= x <= now[2] and now[1] <= y <= now[3]:
            return
        if now is not None:
            box = (min(box[0], now[0]), min(box[1], now[1]), max(box[2], now[2]), max(box[3], now[3]))
        self._part = box
        self._kept.clear()

    def see(self, bgr: Image, t: int) -> None:
        """Take in one frame at `t` ms."""
        grey = cv2.cvtColor(bgr[::4, ::4], cv2.COLOR_BGR2GRAY)
        still = self._is_still(grey[::2, ::2], t)
        if self._kept and t - self._kept[-1][0] < EVERY_MS - 10:
            return
        self._kept.append((t, _small(grey, self._part)))
        if t - self._judged_at >= JUDGE_MS:
            self._judged_at = t
            self.lag_ms = self._lag()
            self._times = self._times + 1 if self.lag_ms else 0
        self.word = STILL if still else REPEATS if self._times >= TIMES else ""

    def _is_still(self, dots: Grey, t: int) -> bool:
        before, self._dots = self._dots, dots
        same = before is not None and before.shape == dots.shape and float(cv2.absdiff(before, dots).mean()) < NOISE
        if not same or self._noisy_at is None:
            self._noisy_at = t
        return t - self._noisy_at >= STILL_MS

    def _lag(self) -> int:
        """How long ago the last seconds were the same, in ms; 0 when they never were, or nothing moved."""
        times = np.array([t for t, _ in self._kept])
        window = np.flatnonzero(times > times[-1] - WINDOW_MS)[::3]
        last = times[window]
        if len(window) < WINDOW_MS // EVERY_MS // 6 or times[0] > last[0] - LEAST_LAG_MS:
            return 0
        pictures = np.stack([small for _, small in self._kept])
        now = pictures[window]
        moves = float(np.abs(now - now.mean(axis=0)).mean())
        if moves < MOVES:
            return 0
        best, lag = AGAIN * moves, 0
        for far in last[-1] - times[times <= last[-1] - LEAST_LAG_MS]:
            if last[0] - far < times[0]:
                continue
            then = np.searchsorted(times, last - far)
            then = np.where(last - far - times[then - 1] < times[then] - (last - far), then - 1, then)  # the nearer one
            apart = float(np.abs(now - pictures[then]).mean())
            if apart < best:
                best, lag = apart, int(far)
        return lag


def _small(grey: Grey, part: tuple[float, float, float, float] | None) -> Grey:
    """The part that is compared (measured in pixels of the frame, four of `grey`'s), without the light's own level."""
    height, width = grey.shape
    left, top, right, low = (round(edge / 4) for edge in part) if part else (0, 0, 0, 0)
    left, top, right, low = max(0, left), max(0, top), min(width, right), min(height, low)
    if right - left < SIDE or low - top < SIDE:
        left, top, right, low = 0, 0, width, height
    small = cv2.resize(grey[top:low, left:right], (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small - small.mean())
