"""Frames as numbers, for the judges that never see a picture."""

from __future__ import annotations

from dataclasses import replace

from client.proctor.seen import VECTOR_SIZE, Face, Pose, Seen

CALM = Pose(yaw=0.0, pitch=0.0, blink=0.05, jaw=0.02, smile=0.05)
ANNA = tuple(1.0 if i == 0 else 0.0 for i in range(VECTOR_SIZE))
BERTA = tuple(1.0 if i == 1 else 0.0 for i in range(VECTOR_SIZE))


def face(x: float = 240, height: float = 180, turned: float = 0.0) -> Face:
    """A face with its left edge at `x`, turned by so many eye distances."""
    width = height * 0.75
    eyes = 0.4 * width
    middle = x + width / 2
    points = (
        (middle - eyes / 2, 200.0), (middle + eyes / 2, 200.0), (middle + turned * eyes, 230.0),
        (middle - eyes / 3, 260.0), (middle + eyes / 3, 260.0),
    )  # fmt: skip
    return Face(x, 150, width, height, points, 0.93)


def seen(t: int = 0, **changes: object) -> Seen:
    """A good frame of Anna, looking at the screen, with `changes`."""
    good = Seen(
        t,
        640,
        480,
        light=120,
        contrast=60,
        faces=(face(),),
        face_light=140,
        sharp=12,
        pose=CALM,
        vector=ANNA,
        live=0.95,
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def pose(**changes: float) -> Pose:
    """The calm pose with `changes`."""
    return replace(CALM, **changes)
