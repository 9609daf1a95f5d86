"""What the models say of one frame, as plain numbers: all that judges (presence, liveness, check) reads only this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Any, Final

Vector = tuple[float, ...]

VECTOR_SIZE: Final = 128  # SFace


@dataclass(frozen=True, slots=True)
class Face:
    """One face that the detector found: box and five points in pixels of the unmirrored frame.

    The points are the subject's right eye, left eye, nose tip, right and left corner of the mouth.
    """

    x: float
    y: float
    w: float
    h: float
    points: tuple[tuple[float, float], ...]
    score: float

    @property
    def turn(self) -> float:
        """How far the head is turned: the nose tip's way from the middle of the eyes, in eye distances; 0 = facing.

        Positive = to the subject's own left. In profile the eyes fall together and the figure grows: never an error.
        """
        (rx, ry), (lx, ly), (nx, ny) = self.points[0], self.points[1], self.points[2]
        dx, dy = lx - rx, ly - ry
        length = max(hypot(dx, dy), self.w / 10)
        return ((nx - (rx + lx) / 2) * dx + (ny - (ry + ly) / 2) * dy) / (length * max(hypot(dx, dy), 1e-6))


@dataclass(frozen=True, slots=True)
class Pose:
    """Head and face by the landmarks. Degrees: yaw positive to the subject's own left, pitch positive upwards.

    Blink (the less closed eye), jaw and smile (the lesser corner) are the model's blendshapes, 0…1.
    """

    yaw: float
    pitch: float
    blink: float
    jaw: float
    smile: float


@dataclass(frozen=True, slots=True)
class Cues:
    """What each cue of PAD says of one frame, not yet weighed: log odds by both networks, the beat of two grids."""

    near: float
    wide: float | None
    beat: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame: when (ms, boot clock), its faces (the learner's first), its light, what was asked about the first.

    `light` and `contrast` are the mean and the deviation of the picture's brightness (0…255), `face_light` the mean on
    the face, `sharp` the deviation of its edges. `pose`, `vector`, `live` are None unless asked for; `lower` (with a
    vector) is what is seen of the lower half of the face, beside the upper; `shape` (with a pose) are the landmarks.
    """

    t: int
    width: int
    height: int
    light: float
    contrast: float
    faces: tuple[Face, ...] = ()
    face_light: float = 0.0
    sharp: float = 0.0
    pose: Pose | None = None
    vector: Vector | None = None
    live: float | None = None
    cues: Cues | None = None
    lower: float = 1.0
    shape: Any = field(default=None, compare=False, repr=False)  # a row a point: x, y in pixels, depth


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Comparison score of two templates or probes, −1…1; 0 when either is empty of direction."""
    norm = sum(x * x for x in a) * sum(y * y for y in b)
    return float(sum(x * y for x, y in zip(a, b, strict=True)) / norm**0.5) if norm > 0 else 0.0


def permille(value: float) -> int:
    """A score as the signed events hold it."""
    return round(value * 1000)


def median(values: Sequence[float]) -> float:
    """The middle value; the mean of both middle ones when their number is even."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
