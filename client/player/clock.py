"""The lesson's clock: media time that follows the sound where there is any, and else the machine's clock.

Time that the learner is credited for hangs on it, so it never runs ahead of the wall: corrections forward are slow.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SLEW = 0.05  # of the error a correction; the sound card reports in steps of ~20 ms, which this smooths away
FORWARD_MS = 4.0  # a correction forward at most: ten a second stay far below the 250 ms that a span may be ahead
SNAP_MS = 150.0  # further behind than this is heard: go back at once


class MediaClock:
    """Position in media ms. `now` gives seconds that never fall."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._base = 0.0
        self._since: float | None = None
        self._rate = 1000
        self._told = 0.0

    @property
    def running(self) -> bool:
        """Whether time passes."""
        return self._since is not None

    @property
    def rate(self) -> int:
        """Per mille of normal speed."""
        return self._rate

    def start(self) -> None:
        """Let time pass from the present position."""
        if self._since is None:
            self._since = self._now()

    def stop(self) -> None:
        """Stand still; what was told stays true."""
        self._base, self._since = self.position(), None

    def jump(self, position_ms: float) -> None:
        """Stand at another place of the lesson."""
        self._base = self._told = position_ms
        if self._since is not None:
            self._since = self._now()

    def set_rate(self, rate: int) -> None:
        """Pass at `rate` per mille from now on."""
        at = self.position()
        self._base, self._rate = at, rate
        if self._since is not None:
            self._since = self._now()

    def position(self) -> float:
        """Where the lesson stands, in media ms; it never falls while it runs."""
        self._told = max(self._told, self._raw())
        return self._told

    def _raw(self) -> float:
        if self._since is None:
            return self._base
        return self._base + (self._now() - self._since) * self._rate

    def follow(self, heard_ms: float) -> None:
        """Move towards the position that the sound card says it is at."""
        error = heard_ms - self._raw()
        self._base += error if error < -SNAP_MS else min(error * SLEW, FORWARD_MS)
