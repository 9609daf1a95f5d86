"""Does the picture come from a sensor, or from a file that a program feeds in? Signs for a person, never a score.

A sensor has noise: two frames are never the same, no strip of them is without any, and hardly a patch of skin or wall
stays as it was to the last bit. A file that is played at another pace repeats whole frames; one of another shape has
bars; one that a codec squeezed leaves resting patches untouched. Cameras that polish their own picture may do the last
as well, so it counts beside another sign only. Nothing of this looks at who is there, and no lesson stops for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from client.proctor.face import Image

RUN: Final = 6  # pairs in a row: a whole beat of 25 pictures a second shown as 30
REST_MS: Final = 1_800  # between two such runs: a pair costs a millisecond
KEPT: Final = 100  # pairs: half a minute
LEAST: Final = 60
BLOCK: Final = 8  # pixels: what a codec leaves alone, it leaves alone in blocks
DOUBLED: Final = 0.05  # of the pairs: 25 pictures a second shown as 30 double one in six, 29 of 30 hardly any
BARS: Final = 0.04  # of the frame's width or height on one side: a box, not the lens's dark rim
FLAT: Final = 4  # grey levels within a row or column of a bar
SAME: Final = 0.12  # of the lit blocks; simulated cameras leave 0.00 to 0.08 alone, files 0.07 to 0.58
LIT: Final = (30, 225)  # darker and brighter, a sensor shows no noise either


@dataclass(frozen=True, slots=True)
class Fed:
    """What half a minute of a picture's frames shows, as shares of 1."""

    doubled: float  # pairs without any difference, though the picture moves
    same: float  # resting blocks without any difference, in the middle pair
    bars: float  # the widest edge without any structure

    @property
    def signs(self) -> tuple[str, ...]:
        """The words for what no sensor does; () says nothing at all."""
        found = [name for name, there in (("doubled", self.doubled >= DOUBLED), ("bars", self.bars >= BARS)) if there]
        return (*found, "same") if found and self.same >= SAME else tuple(found)


class Feed:
    """Fed with every frame of one camera; looks at a few in a row, then rests."""

    def __init__(self) -> None:
        self._pairs: deque[tuple[bool, float, float]] = deque(maxlen=KEPT)
        self._before: tuple[int, Image] | None = None
        self._left, self._due = RUN, 0

    def see(self, number: int, bgr: Image, t: int) -> None:
        """Take in frame `number` at `t` ms; pairs are frames that follow one another."""
        if t < self._due:
            return
        before, self._before = self._before, (number, bgr)
        if before is None or number != before[0] + 1 or bgr.shape != before[1].shape:
            return
        self._pairs.append(compare(before[1], bgr))
        self._left -= 1
        if not self._left:
            self._left, self._due, self._before = RUN, t + REST_MS, None

    def fed(self) -> Fed | None:
        """The figures of the last half minute; None before there are enough pairs."""
        if len(self._pairs) < LEAST:
            return None
        return of(list(self._pairs))


def of(pairs: list[tuple[bool, float, float]]) -> Fed:
    """The figures of some pairs (`compare`). A picture that never changes at all is a still, not a doubled one."""
    doubled, same, bars = np.array(pairs, float).T
    share = float(doubled.mean()) if not doubled.all() else 0.0
    moving = same[doubled == 0] if not doubled.all() else same
    return Fed(share, float(np.median(moving)), float(np.median(bars)))


def compare(first: Image, then: Image) -> tuple[bool, float, float]:
    """Of two frames in a row: whether nothing differs, the share of lit blocks that stay, the widest bar."""
    before, now = cv2.cvtColor(first, cv2.COLOR_BGR2GRAY), cv2.cvtColor(then, cv2.COLOR_BGR2GRAY)
    changed = np.where(cv2.absdiff(before, now) > 0, np.uint8(255), np.uint8(0))
    whole = (now.shape[0] // BLOCK * BLOCK, now.shape[1] // BLOCK * BLOCK)
    small = (whole[1] // BLOCK, whole[0] // BLOCK)
    stays = cv2.resize(changed[: whole[0], : whole[1]], small, interpolation=cv2.INTER_AREA) == 0
    level = cv2.resize(now[: whole[0], : whole[1]], small, interpolation=cv2.INTER_AREA)
    lit = (level >= LIT[0]) & (level <= LIT[1])
    same = float((stays & lit).sum() / lit.sum()) if lit.any() else 0.0
    return not changed.any(), same, max(_bar(now, changed, 0), _bar(now, changed, 1))


def _bar(grey: NDArray[Any], changed: NDArray[Any], axis: int) -> float:
    """The wider of two opposite edges whose rows (axis 1: columns) have no structure and do not change, as a share."""
    lines = (np.ptp(grey, axis=1 - axis) <= FLAT) & ~changed.any(axis=1 - axis)
    if lines.all():
        return 0.0  # a covered lens shows nothing, and no bar
    return float(max(np.argmin(lines), np.argmin(lines[::-1])) / len(lines))
