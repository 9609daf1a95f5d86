"""Duplicates, split courses and courses used twice (R0.2), and rejected ones that come back (R0.7): by fingerprints.

A fingerprint is a few hundred short hashes a lesson; nobody plays or rebuilds a course from it, so ban lists can be
handed around.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from client.player.errors import ReviewError
from client.player.review.probe import Probe

NEAR_BITS: Final = 6  # of 64: the same picture after another encoding
FEWEST: Final = 4  # pictures that must be alike before a share of them says anything
MAX_LINE: Final = 8 << 20
MAX_LOOKS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Print:
    """One lesson of one course, as it is compared."""

    course: str
    unit: str
    provider: str
    packets: frozenset[str]
    looks: tuple[int, ...]


def prints(course: str, provider: str, probes: Mapping[str, Probe]) -> list[Print]:
    """The fingerprints of a course's lessons."""
    return [Print(course, unit, provider, found.packets, found.looks) for unit, found in probes.items()]


def shared(one: Print, other: Print) -> int:
    """Per mille of the shorter lesson that stands in the longer one, too: the same bytes, or the same pictures."""
    least = min(len(one.packets), len(other.packets))
    same = len(one.packets & other.packets) * 1000 // least if least else 0
    return max(same, _alike(one.looks, other.looks))


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """Per mille of the different pictures of the shorter that have a near one in the longer."""
    short, long = sorted((set(one), set(other)), key=len)
    if len(short) < FEWEST:
        return 0
    return sum(any((a ^ b).bit_count() <= NEAR_BITS for b in long) for a in short) * 1000 // len(short)


def to_line(found: Print) -> str:
    """One line of a ban list."""
    return json.dumps({
        "course": found.course, "unit": found.unit, "provider": found.provider, "packets": sorted(found.packets),
        "looks": [f"{look:016x}" for look in found.looks],
    }, ensure_ascii=False, sort_keys=True)  # fmt: skip


def from_line(line: str) -> Print:
    """What a line of a ban list states, or `ReviewError`."""
    if len(line) > MAX_LINE:
        raise ReviewError("a line of the ban list is too long")
    try:
        table: Any = json.loads(line)
        course, unit, provider = table["course"], table["unit"], table["provider"]
        packets, looks = frozenset(table["packets"]), tuple(int(look, 16) for look in table["looks"])
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise ReviewError(f"a line of the ban list is none: {str(error)[:100]}") from error
    if not all(isinstance(name, str) for name in (course, unit, provider, *packets)) or len(looks) > MAX_LOOKS:
        raise ReviewError("a line of the ban list is not of its form")
    if not all(0 <= look < 2**64 for look in looks):
        raise ReviewError("a line of the ban list holds a look of more than 64 bits")
    return Print(course, unit, provider, packets, looks)
