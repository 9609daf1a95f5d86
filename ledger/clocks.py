"""How much of each span the clocks allow: device against server, media against device, hours of the day."""

from __future__ import annotations

import dataclasses
from typing import Final

from ledger.facts import Facts
from ledger.policy import Policy
from ledger.spans import Span

LEAD_MS: Final = 1_000  # media may run ahead of the clock by a second in all: 250 ms a span must not add up to hours
MINUTE_MS: Final = 60_000
DAY_MS: Final = 24 * 60 * MINUTE_MS


@dataclasses.dataclass(frozen=True, slots=True)
class Allowed:
    """What is left of a span: media ms from its start to `to`; `why` names what took the rest, "" when nothing did.

    `time` is the server's time (ms) by which the span was over; 0 where no cosignature covers it.
    """

    to: int
    why: str
    time: int


class Clocks:
    """Two rules over the spans of one session, in order.

    *Device against server* (records.md, "Segments and receipt 1"): for a span and every `cosigned` before it, its end −
    mono(`cosigned`) <= T(first cosignature covering it) − T(`cosigned`) + clock_slack. That is the page's rule for
    consecutive cosignatures, drawn between all of them, so that no time can be put between a checkpoint and its
    `cosigned` event; the grant's time is the first reference. What exceeds it is not credited, once: from there on the
    device's clock is taken to stand that much lower, so a jump costs its own length and no more.

    *Media against device*: the media shown may lead the time that passed by `LEAD_MS` in all; pauses let the lead run
    off. Together they hold credited time below the time between cosignatures, whatever a device writes.
    """

    def __init__(self, facts: Facts, policy: Policy, granted: int) -> None:
        """`granted`: the grant's time, which is before mono 0."""
        self._facts, self._policy = facts, policy
        self._cut = 0  # ms of the device's clock that were not believed so far
        self._ahead = granted  # the greatest T − mono seen: mono m is not earlier than m + this
        self._next = 0  # index of the first cosignature not yet taken as a reference
        self._until = 0  # believed clock up to here was compared with media
        self._lead = 0

    def allow(self, span: Span) -> Allowed:
        """What of `span` is left; call for every span, in order of seq."""
        if span.invalid:
            return Allowed(span.from_, span.invalid, 0)
        cover = self._facts.cover(span.seq)
        if cover is None:
            return Allowed(span.from_, "pending", 0)
        media = span.to - span.from_
        believed = self._believed(span, cover.time)
        by_clock = media if believed == span.clock_ms else media * believed // span.clock_ms
        left = self._lead_by(by_clock, span)
        if not _in_window(cover.time, self._policy):
            return Allowed(span.from_, "outside_hours", cover.time)
        why = "clock" if by_clock < media else "faster" if left < media else ""
        return Allowed(span.from_ + left, why, cover.time)

    def _believed(self, span: Span, covered_at: int) -> int:
        """Clock ms of `span` that the server's time leaves room for."""
        cosignatures = self._facts.cosignatures
        while self._next < len(cosignatures) and cosignatures[self._next].seq < span.seq:
            reference = cosignatures[self._next]
            self._ahead = max(self._ahead, reference.time - (reference.mono - self._cut))
            self._next += 1
        excess = max(0, span.end - self._cut + self._ahead - covered_at - self._policy.clock_slack_ms)
        self._cut += excess
        return max(0, span.clock_ms - excess)

    def _lead_by(self, media: int, span: Span) -> int:
        """Media ms of `media` that the believed clock accounts for."""
        now = span.end - self._cut
        passed, self._until = max(0, now - self._until), max(now, self._until)
        self._lead = max(0, self._lead + -(-media * 1000 // span.rate) - passed)
        excess = max(0, self._lead - LEAD_MS)
        self._lead -= excess
        return max(0, media - -(-excess * span.rate // 1000))


def day(time: int, policy: Policy) -> int:
    """The number of the programme's local day at server time `time` (ms)."""
    return (time + policy.utc_offset_minutes * MINUTE_MS) // DAY_MS


def _in_window(time: int, policy: Policy) -> bool:
    minute = (time + policy.utc_offset_minutes * MINUTE_MS) % DAY_MS // MINUTE_MS
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in policy.study_window)
    return begin <= minute < end
