"""Faces change: glasses, a beard, years. After a strong match a second vector follows the face, on a short leash.

The enrolled template stays as it is, for its digest is signed. The follower moves a little after each challenge that
was passed clearly, and never further from the enrolled face than `drift_least`: no chain of small steps leads from one
person to another. It is kept on this device alone, sealed like the template, and every result says how far it went.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from client.proctor import template
from client.proctor.limits import Limits
from client.proctor.seen import Vector, cosine, permille
from client.proctor.template import Template, TemplateError

STEP: Final = 0.1  # of the way to what was seen: one odd evening moves it little
LOOKS: Final = 9_999  # what the file can count


def follow(enrolled: Template, now: Vector | None, looks: Sequence[Vector], score: int, limits: Limits) -> bytes:
    """The follower's file after a passed challenge that scored `score` (per mille); b"" where it stays as it was."""
    if score < limits.drift_from or not looks:
        return b""
    before = now or enrolled.vector
    seen = template.mean(looks, [1.0] * len(looks))
    moved = template.mean([before, seen], [1 - STEP, STEP])
    if not within(moved, enrolled, limits):
        return b""
    return template.encode(replace(enrolled, vector=moved, looks=min(LOOKS, enrolled.looks + 1)))


def within(vector: Vector, enrolled: Template, limits: Limits) -> bool:
    """Tell whether a vector is near enough to the enrolled face to stand for it."""
    return permille(cosine(vector, enrolled.vector)) >= limits.drift_least


def read(data: bytes, enrolled: Template, limits: Limits) -> Vector | None:
    """The follower in `data`, or None where there is none, it belongs to another template, or has gone too far."""
    try:
        found = template.decode(data)
    except TemplateError:
        return None
    mine = (found.model, found.engine) == (enrolled.model, enrolled.engine)
    return found.vector if mine and within(found.vector, enrolled, limits) else None
