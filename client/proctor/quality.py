"""Can this frame be judged at all? One word says what to change; an empty word says that all is well."""

from __future__ import annotations

from client.proctor.limits import Limits
from client.proctor.seen import Face, Seen

HINTS = ("dark", "bright", "far", "close", "blurred", "covered", "nobody", "several")
GONE = ("covered", "nobody", "several")  # with these there is no single face to follow, not even through a gesture
BESIDE = 0.65  # of the tallest face's height; people at the next desk in webcam frames have 0.52 to 0.58
REASON_OF = {"several": "two_faces"}  # the word of a hint in a result, where it is another


def near(face: Face, seen: Seen, limits: Limits) -> bool:
    """Tell whether a face is as near as somebody who sits at this screen, or leans in beside them, and is turned to it.

    Whoever sits at the next desk is half as tall in the picture: ordinary life.
    """
    tallest = max((one.h for one in seen.faces), default=0.0)
    large = face.h * 1000 >= limits.far * max(seen.width, seen.height)
    return large and face.h >= BESIDE * tallest and abs(face.turn) < 1.0


def covered(seen: Seen, limits: Limits) -> bool:
    """Tell whether the picture shows nothing: black, or without any structure."""
    return not seen.faces and (seen.light < limits.black or seen.contrast * 10 < limits.flat)


def hint(seen: Seen, limits: Limits) -> str:
    """The first thing that keeps this frame from being judged, gravest first, or "" when it can be judged."""
    if covered(seen, limits):
        return "covered"
    if not seen.faces:
        return "dark" if seen.light < limits.dark / 2 else "nobody"
    if sum(near(face, seen, limits) for face in seen.faces) > 1:
        return "several"
    return _of_face(seen, limits)


def _of_face(seen: Seen, limits: Limits) -> str:
    first = seen.faces[0]
    if first.h * 1000 < limits.far * max(seen.width, seen.height):
        return "far"
    if first.h * 1000 > limits.close * seen.height:
        return "close"
    if seen.face_light < limits.dark:
        return "dark"
    if seen.face_light > limits.bright:
        return "bright"
    return "blurred" if seen.sharp * 10 < limits.sharp else ""


def weight(seen: Seen) -> float:
    """How much a look counts in a template, 0…1: large, sharp, well lit and frontal faces count most."""
    if not seen.faces:
        return 0.0
    first = seen.faces[0]
    size = min(1.0, first.h / (0.35 * max(seen.width, seen.height)))
    lit = max(0.1, 1 - abs(seen.face_light - 135) / 135)
    return size * min(1.0, seen.sharp / 12) * lit * max(0.1, 1 - 2 * abs(first.turn))
