"""The rhythm of input: a hand is uneven, a loop is not. Pure arithmetic on moments in ms."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

MOMENT_MS: Final = 150  # press, release and a tool's own follow-ups belong to one act
LONGEST: Final = 64  # acts that are looked at: the latest
QUIET_MS: Final = 10_000  # an act is over when nothing followed for this long, and for 2.5 periods
# (intervals needed, deviation in per mille of the period that nine of ten intervals stay within): the more acts, the
# more play a loop may have. A bot that draws its pause from 20–40 s stays within 300. Log-normal intervals, as hands
# make them (spread 0.4 and more), look so even at one act in a thousand (tests/agent/test_rhythm.py measures it).
STEADY: Final = ((16, 300), (11, 230), (8, 150), (7, 100), (4, 40))
FAST: Final = (20, 200)  # an auto-clicker quicker than a moment: that many clicks, that even
NINE_TENTHS: Final = 0.9


@dataclasses.dataclass(frozen=True, slots=True)
class Rhythm:
    """How even a series of acts is; `jitter` is the median deviation in per mille of the period."""

    acts: int
    period_ms: int
    jitter: int
    regular: bool

    def ongoing(self, quiet_ms: int) -> bool:
        """Tell whether the series still runs, `quiet_ms` after its last act."""
        return self.acts > 0 and quiet_ms <= max(QUIET_MS, self.period_ms * 5 // 2)


def rhythm(times_ms: Sequence[int], clicks_ms: Sequence[int] = ()) -> Rhythm:
    """Describe acts at `times_ms` (any order); `clicks_ms` are the pointer's alone, where a moment may hold many."""
    acts: list[int] = []
    previous: int | None = None
    for time in sorted(times_ms):
        if previous is None or time - previous > MOMENT_MS:
            acts.append(time)
        previous = time
    gaps = _gaps(acts)
    for needed, play in STEADY:
        for tail in (gaps, gaps[-needed:]):
            period, jitter = _evenness(tail)
            if len(tail) >= needed and jitter <= play:
                return Rhythm(len(acts), period, jitter, regular=True)
    fast = _gaps(sorted(clicks_ms))
    period, jitter = _evenness(fast)
    if len(fast) >= FAST[0] and period <= MOMENT_MS and jitter <= FAST[1]:
        return Rhythm(len(clicks_ms), period, jitter, regular=True)
    return Rhythm(len(acts), *_evenness(gaps), regular=False)


def _gaps(acts: Sequence[int]) -> list[int]:
    latest = acts[-LONGEST:]
    return [later - earlier for earlier, later in pairwise(latest)]


def _evenness(gaps: Sequence[int]) -> tuple[int, int]:
    """The median gap, and what nine of ten gaps deviate from it at most, per mille (1000: nothing to compare)."""
    if len(gaps) < 2:
        return (gaps[0] if gaps else 0), 1000
    middle = median(gaps)
    deviations = sorted(abs(gap - middle) for gap in gaps)
    deviation = deviations[min(len(gaps) - 1, int(NINE_TENTHS * len(gaps)))]
    return round(middle), round(1000 * deviation / max(middle, 1))
