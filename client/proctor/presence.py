"""Who sits before the screen, about once a second: a count and a hint, never a judgement about anybody."""

from __future__ import annotations

from client.events import Look
from client.proctor.feed import Fed
from client.proctor.limits import Limits
from client.proctor.quality import covered, hint, near
from client.proctor.repeats import REPEATS, Repeats
from client.proctor.seen import Seen


def look(seen: Seen, limits: Limits, repeats: Repeats | None = None, fed: Fed | None = None) -> Look:
    """One glance as the session wants it. Looking down or aside is presence: a face counts wherever it is turned.

    `near` counts the faces that are close and turned to the screen; the absence grace is the session's to keep.
    `repeats`, where frames are followed, says whether the picture lives at all, and `fed` whether a file may be in its
    place.
    """
    word = hint(seen, limits)
    calm = "" if word in ("blurred", "bright", "close") else word  # good enough to be present
    near_faces = sum(near(face, seen, limits) for face in seen.faces)
    return Look(
        seen.t,
        faces=len(seen.faces),
        near=near_faces,
        covered=covered(seen, limits),
        hint=calm,
        picture=repeats.word if repeats else "",
        again_ms=repeats.lag_ms if repeats and repeats.word == REPEATS else 0,
        fed=" ".join(fed.signs) if fed else "",
    )
