"""Follows one face from frame to frame by its landmarks, so that the detector need not run on every one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from client.proctor.landmarks import Points
from client.proctor.seen import Face

DETECT_MS: Final = 250  # so often the detector counts who is there, and says again where the learner's face is
FIVE: Final = (468, 473, 1, 61, 291)  # right eye, left eye, nose tip, right and left corner of the mouth
_Anchors = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Track:
    """Where the detector saw the learner (at `found_at`, ms) and whom else, and how its box lies on the landmarks."""

    found_at: int
    last_at: int
    face: Face
    others: tuple[Face, ...]
    offset: _Anchors  # in sizes of the face

    def fresh(self, t: int) -> bool:
        """Tell whether a frame at `t` may be followed without a new detection."""
        return self.last_at < t < self.found_at + DETECT_MS

    def moved(self, points: Points, t: int) -> Track:
        """The track after the landmarks of one more frame."""
        anchors, size = _anchors(points)
        rows = [(float(x), float(y)) for x, y in anchors + self.offset * size]
        (left, top), (right, low), five = rows[0], rows[1], tuple(rows[2:])
        face = Face(left, top, max(1.0, right - left), max(1.0, low - top), five, self.face.score)
        return Track(self.found_at, t, face, self.others, self.offset)


def begin(t: int, found: tuple[Face, ...], points: Points) -> Track:
    """A track of the first of `found`, whose landmarks are `points`."""
    first = found[0]
    anchors, size = _anchors(points)
    seen = np.array([(first.x, first.y), (first.x + first.w, first.y + first.h), *first.points])
    return Track(t, t, first, found[1:], (seen - anchors) / size)


def _anchors(points: Points) -> tuple[_Anchors, float]:
    """Corners of the landmarks' box and the five points that the detector gives, too; and the face's size."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return np.array([low, high, *points[list(FIVE), :2]]), max(1.0, float((high - low).max()))
