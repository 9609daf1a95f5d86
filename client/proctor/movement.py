"""What a row of looks says of a face that moves by itself: all of it (`rigid.py`), and the lips alone (`lips.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.proctor import lips, rigid
from client.proctor.rigid import Posed
from client.proctor.seen import Seen


@dataclass(frozen=True, slots=True)
class Movement:
    """Logs, 0 where something stiff ends: `own` of the whole face, `lips` of these; None where it is not known."""

    own: float | None = None
    lips: float | None = None


def posed(seen: Seen) -> Posed | None:
    """The landmarks of one look, or None where it was not asked for them or found none."""
    if seen.pose is None or seen.shape is None:
        return None
    return Posed(seen.t, seen.shape, seen.pose.yaw, seen.pose.pitch)


def of(looks: Sequence[Posed], *, mouth: bool = True) -> Movement:
    """Own movement in looks at one face, oldest first; without the `mouth` where its landmarks are too rough."""
    return Movement(rigid.own(looks), lips.lasting(looks) if mouth else None)
