"""A unit as a line: what counts, what was played and does not count (yet) and why, what was never seen. Pure.

Every figure is `ledger.credit`'s: this module only lays its parts side by side, so that each ms of a unit stands in
exactly one stretch. `legs` are the stretches that studying again can earn: the way of a make-up (补学).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from client.view import Words
from ledger.course import Course
from ledger.credit import Credit, SessionCredit
from ledger.reasons import reason

Kind = Literal["credited", "waiting", "unproven", "unseen"]
NOWHERE: Final = ("rate", "unit", "range", "overlap", "faster")  # spans that showed nothing that counts as seen
WAITING: Final = ("pending", "offline_unconfirmed")  # earned once the network says so; not to be studied again


@dataclass(frozen=True, slots=True)
class Stretch:
    """Media ms [from_ms, to_ms) of a unit. `code` and `why`: the ledger's reason; "" and None where there is none."""

    kind: Kind
    from_ms: int
    to_ms: int
    code: str = ""
    why: Words | None = None

    @property
    def ms(self) -> int:
        """Its length."""
        return self.to_ms - self.from_ms


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit, whole: its stretches follow one another from 0 to `duration_ms`."""

    unit: str
    title: Words
    duration_ms: int
    stretches: tuple[Stretch, ...]
    live: bool = False  # what of it was missed cannot be made up until it is there as a recording

    def sum(self, kind: Kind) -> int:
        """Ms of all stretches of a kind."""
        return sum(stretch.ms for stretch in self.stretches if stretch.kind == kind)

    @property
    def seen_ms(self) -> int:
        """Up to where it was shown."""
        return max((stretch.to_ms for stretch in self.stretches if stretch.kind != "unseen"), default=0)


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of a make-up: media ms [from_ms, to_ms) of the course's unit number `index` (from 0)."""

    index: int
    from_ms: int
    to_ms: int


def timeline(credit: Credit, course: Course) -> tuple[UnitLine, ...]:
    """Every unit of the course, in its order. Where several sessions played the same ms, the last one's reason stands,
    except that what is credited anywhere is credited."""
    titles = {unit.id: Words(unit.title.zh, unit.title.en) for unit in course.units}
    live = {unit.id for unit in course.units if unit.live is not None}
    played: dict[str, list[Stretch]] = {}
    for session in credit.sessions:
        for unit, stretch in _played(session):
            played.setdefault(unit, []).append(stretch)
    return tuple(
        UnitLine(
            unit.unit,
            titles.get(unit.unit, Words(unit.unit, unit.unit)),
            unit.duration_ms,
            tuple(_laid(unit.duration_ms, [*played.get(unit.unit, []), *_credited(unit.intervals)])),
            unit.unit in live,
        )
        for unit in credit.units
    )


def _credited(intervals: Iterable[tuple[int, int]]) -> Iterator[Stretch]:
    return (Stretch("credited", begin, end) for begin, end in intervals)


def _played(session: SessionCredit) -> Iterator[tuple[str, Stretch]]:
    """What the session played and did not earn. A wait that no check can end any more is no wait."""
    last = max((check.place for check in session.checks), default=(-1, 0))
    for part in session.not_credited:
        if part.reason == "replay" or part.reason in NOWHERE:
            continue
        waits = part.reason in WAITING and (part.first, 0) < last
        words = Words(reason(part.reason).zh, reason(part.reason).en)
        yield part.unit, Stretch("waiting" if waits else "unproven", part.from_, part.to, part.reason, words)


def _laid(duration_ms: int, stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """[0, duration_ms) without gap or overlap: at each ms the last of `stretches` that holds it, else unseen."""
    edges = sorted({0, duration_ms, *(e for s in stretches for e in (s.from_ms, s.to_ms) if 0 < e < duration_ms)})
    open_: Stretch | None = None
    for begin, end in itertools.pairwise(edges):
        top = next((s for s in reversed(stretches) if s.from_ms <= begin < s.to_ms), Stretch("unseen", 0, 0))
        if open_ is not None and (open_.kind, open_.code) == (top.kind, top.code):
            open_ = Stretch(open_.kind, open_.from_ms, end, open_.code, open_.why)
            continue
        if open_ is not None:
            yield open_
        open_ = Stretch(top.kind, begin, end, top.code, top.why)
    if open_ is not None:
        yield open_


def legs(lines: Sequence[UnitLine], unit: str = "") -> tuple[Leg, ...]:
    """What can be made up, of one unit or of all: everything below the furthest place seen that neither counts nor
    waits. Nothing beyond it: a make-up is no way to jump ahead."""
    found: list[Leg] = []
    for index, line in enumerate(lines):
        if line.live or (unit and line.unit != unit):
            continue
        for stretch in line.stretches:
            end = min(stretch.to_ms, line.seen_ms)
            if stretch.kind not in ("unproven", "unseen") or stretch.from_ms >= end:
                continue
            last = found[-1] if found else None
            if last is not None and (last.index, last.to_ms) == (index, stretch.from_ms):
                found[-1] = Leg(index, last.from_ms, end)
            else:
                found.append(Leg(index, stretch.from_ms, end))
    return tuple(found)


def length(way: Iterable[Leg]) -> int:
    """Media ms of a make-up."""
    return sum(leg.to_ms - leg.from_ms for leg in way)
