"""A raised hand beside a lesson: asked for in the background, told in one sentence, and never in the lesson's way.

It is a wish, no event: nothing is signed, nothing waits for it, and without a network it is said and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from client.errors import ClientError, NetworkError
from client.slow import Slow, Work
from client.view import Button, Sentence

LASTS_MS: Final = 15 * 60_000  # as long as the server keeps it
RAISE: Final = Button("hand", "button.hand")
LOWER: Final = Button("hand_down", "button.hand_down")
PRESSES: Final = (RAISE.what, LOWER.what)


class Hand:
    """One learner's hand in one session. `ask(sid, up)` is slow and raises `ClientError`s."""

    def __init__(self, ask: Callable[[str, bool], None], work: Work) -> None:
        self._ask, self._slow = ask, Slow(work)
        self._since: int | None = None
        self._now = 0
        self._said = ""

    @property
    def button(self) -> Button:
        """What a press would do."""
        return RAISE if self._since is None else LOWER

    @property
    def said(self) -> Sentence | None:
        """How it stands; None where there is nothing to say."""
        return Sentence(self._said) if self._said else None

    def press(self, sid: str, what: str) -> None:
        """Raise or lower it; while an answer is on its way a press is none."""
        if self._slow:
            return
        up = what == RAISE.what
        self._said = "hand.waiting"
        self._slow.begin(lambda: self._ask(sid, up), lambda _: self._is(up), self._refused)

    def tick(self, now: int) -> None:
        """Hear the answer; after `LASTS_MS` the server has forgotten the hand, and so does this. `now`: mono ms."""
        self._now = now
        self._slow.finish()
        if self._since is not None and now - self._since >= LASTS_MS:
            self._is(False)

    def _is(self, up: bool) -> None:
        self._since, self._said = (self._now, "hand.up") if up else (None, "")

    def _refused(self, error: ClientError) -> None:
        self._said = "hand.offline" if isinstance(error, NetworkError) else "hand.refused"
