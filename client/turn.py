"""One step of the session in the making: the state so far, the effects so far, and the few moves that all steps share.

A `Turn` lives inside one call of `client.session.step` and never leaves it, so the reducer stays a pure function.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from client import effects, motion
from client.motion import Running, Starting, Still
from client.state import Over, State
from ledger.events import Body, Paused, Resumed


class Turn:
    """Collects what one signal brings about."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.effects: list[effects.Effect] = []

    def set(self, **changes: Any) -> None:
        """Replace fields of the state; one that stays the very same value costs nothing."""
        state = self.state
        if any(getattr(state, name) is not value for name, value in changes.items()):
            self.state = replace(state, **changes)

    def count(self, **changes: int) -> None:
        """Replace figures of the tally."""
        self.set(tally=replace(self.state.tally, **changes))

    def do(self, effect: effects.Effect) -> None:
        """Want this done, after what was wanted before."""
        self.effects.append(effect)

    def log(self, body: Body, mono: int | None = None, choice: int | None = None) -> None:
        """Append an event at `mono` (now), but never before the event ahead of it; nothing follows `closed`.

        `choice`: what is to be sealed into a `question`.
        """
        state = self.state
        if isinstance(state.stage, Over):
            return
        at = max(state.now if mono is None else mono, state.logged_at)
        self.do(effects.Log(body, at, state.wall, choice))
        self.set(size=state.size + 1, since_cut=state.since_cut + 1, logged_at=at)

    def cut(self) -> None:
        """End the segment, and with it the running span; nothing happens when nothing was logged."""
        self.split()
        if self.state.since_cut:
            self.do(effects.Cut(self.state.alone))
        self.set(since_cut=0, cut_at=self.state.now)

    # --- spans --------------------------------------------------------------------------------------------------------

    def split(self) -> None:
        """End the running span, if there is one, and begin the next where it ended."""
        before = self.state.motion
        if not isinstance(before, Running):
            return
        self.end_span()
        at = max(before.last_at, self.state.logged_at)
        self.set(motion=motion.begin(before.last, at, self.state.position_ms))

    def end_span(self) -> None:
        """End the running span: its event, its place in what was seen, its time in the sums."""
        state = self.state
        if not isinstance(state.motion, Running):
            return
        played, to = motion.end(state.motion, state.unit.duration_ms)
        self.set(motion=Still(), position_ms=to)
        if played is None:
            return
        self.log(played, state.motion.last_at)
        spent = self.state.logged_at - played.start
        tally = state.tally
        self.count(
            pending_ms=tally.pending_ms + spent,
            unsigned_ms=tally.unsigned_ms + spent,
            studied_ms=tally.studied_ms + spent,
        )
        self.set(seen={**state.seen, played.unit: max(state.seen_ms, to)})

    def start(self) -> None:
        """Tell the player to play from where the session stands."""
        state = self.state
        place = state.progress.position_ms if state.progress else None
        if not state.loaded or state.reload:
            self.do(effects.Load(state.unit.unit, state.position_ms))
            if state.rate != 1000 and not state.unit.live:
                self.do(effects.Rate(state.rate))
        elif place is not None and not state.unit.live and abs(place - state.position_ms) > motion.ALLOWANCE_MS:
            self.do(effects.Seek(state.position_ms))
        self.log(Resumed(state.unit.unit, state.position_ms))
        self.do(effects.Play())
        self.set(loaded=True, reload=False, motion=Starting(state.now, state.position_ms))

    def stop(self, because: str) -> None:
        """Stop the picture, say why in the log, and have it signed."""
        self.end_span()
        if isinstance(self.state.motion, Still) and self.state.motion.told:
            return
        self.log(Paused(self.state.unit.unit, self.state.position_ms, because))
        self.do(effects.Pause())
        self.set(motion=Still(because))
        self.cut()
