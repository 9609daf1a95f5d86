"""Counts what a face does in a row of frames: lids that close, a mouth that opens, a head that turns.

Eyes differ: glasses and low lids read half closed at rest, and a mouth at rest is seldom quite shut. So what counts is
a rise above this face's own rest that comes back, not a fixed level alone. A challenge counts with the same `Wave`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from client.proctor.limits import Limits
from client.proctor.seen import Seen, permille

UP_MS: Final = 3_000  # how slowly rest follows a figure that rises: a smile stays, a blink does not move it
DOWN_MS: Final = 300  # and how quickly one that falls: the first frame may have been a blink
STAYS_MS: Final = 2_000  # what stays up for so long is the new rest (eyes that look down, a mouth held open)
ASIDE: Final = 30  # degrees of yaw; eyes seen from aside read as closed


@dataclass(frozen=True, slots=True)
class Rule:
    """When a figure (per mille) is up: at least `least`, and `rise` above rest. It is down when half the way back."""

    least: int
    rise: int
    within_ms: int  # up for longer is no blink; it still counts in `rises`


@dataclass(frozen=True, slots=True)
class Wave:
    """A figure over time: its `rest` (None before the first frame), how often it rose, and how often it came back."""

    rest: float | None = None
    last: int = 0
    up_since: int | None = None
    peak: int = 0
    rises: int = 0
    count: int = 0

    def follow(self, t: int, value: int, rule: Rule) -> Wave:
        """The wave after one more frame at `t` ms."""
        if self.rest is None:
            return replace(self, rest=float(value), last=t)
        now = replace(self, last=t)
        if self.up_since is None:
            if value >= max(rule.least, self.rest + rule.rise):
                return replace(now, up_since=t, peak=value, rises=self.rises + 1)
            slow = UP_MS if value > self.rest else DOWN_MS
            return replace(now, rest=self.rest + (value - self.rest) * min(1.0, (t - self.last) / slow))
        peak = max(self.peak, value)
        if value <= (self.rest + peak) / 2:
            in_time = t - self.up_since <= rule.within_ms
            return replace(now, up_since=None, peak=0, count=self.count + in_time)
        if t - self.up_since > max(STAYS_MS, rule.within_ms):
            return replace(now, up_since=None, peak=0, rest=float(value))
        return replace(now, peak=peak)

    def lost(self) -> Wave:
        """The wave after a frame that cannot be read: what was up is forgotten, rest is kept."""
        return replace(self, up_since=None, peak=0)


def lids(limits: Limits) -> Rule:
    """A blink: both eyes close and open again."""
    return Rule(limits.blink_closed, limits.blink_rise, limits.blink_ms)


def lips(limits: Limits) -> Rule:
    """The mouth opens and shuts; it may stay open as long as a gesture takes."""
    return Rule(limits.mouth_open, limits.mouth_rise, limits.gesture_ms)


def blinks_in(seen: Sequence[Seen], limits: Limits) -> int:
    """Closings of both eyes that open again within a blink's time."""
    wave, rule = Wave(), lids(limits)
    for one in seen:
        if one.pose is None:
            continue
        aside = abs(one.pose.yaw) > ASIDE
        wave = wave.lost() if aside else wave.follow(one.t, permille(one.pose.blink), rule)
    return wave.count


def mouth_opens_in(seen: Sequence[Seen], limits: Limits) -> int:
    """Openings of the mouth, with the head neither thrown back nor down; a clip may end before it shuts."""
    wave, rule = Wave(), lips(limits)
    for one in seen:
        if one.pose is not None and abs(one.pose.pitch) <= limits.calm_pitch:
            wave = wave.follow(one.t, permille(one.pose.jaw), rule)
    return wave.rises


def turned(yaws: Iterable[float]) -> tuple[float, float]:
    """How far the head was turned to the subject's own left and right, in degrees, held for two frames in a row."""
    read = list(yaws)
    held = list(pairwise(read)) if len(read) > 1 else [(yaw, yaw) for yaw in read]
    left = max((min(a, b) for a, b in held), default=0.0)
    right = max((min(-a, -b) for a, b in held), default=0.0)
    return max(0.0, left), max(0.0, right)
