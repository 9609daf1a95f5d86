"""The page with the mirror: enrolment, and a practice round that costs nothing and is kept nowhere.

Practice is an enrolment whose template is thrown away at once: every gesture that the class may ask for, one after the
other, and then one that is missed on purpose, to see that nothing happens. Neither is a check; no log knows of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

from client.events import CameraState, Enrolled, Prompt
from client.ports import ProctorPort

ENROL_GESTURES: Final = 2
MISS_MS: Final = 6_000  # long enough to read the sentence and to do nothing
Show = Callable[..., None]


class Facing:
    """Drives the camera for one page. `show` changes what the page shows, `keep` takes the template that was made."""

    def __init__(self, proctor: ProctorPort, show: Show, keep: Callable[[bytes], None]) -> None:
        self._proctor, self._show, self._keep = proctor, show, keep
        self._plan: list[tuple[tuple[str, ...], int]] = []  # what is asked for next: gestures, deadline in ms
        self._step = ""
        self._practice = False
        self.runs = False

    def enrol(self, known: Sequence[str], deadline_ms: int) -> None:
        """Open the camera if need be and begin, with some gestures of the class; `ClientError` when it cannot."""
        gestures = secrets.SystemRandom().sample(list(known), min(ENROL_GESTURES, len(known)))
        self._begin([(tuple(gestures), deadline_ms)], practice=False)

    def practise(self, known: Sequence[str], deadline_ms: int) -> None:
        """One of each gesture, in any order, then one to be missed."""
        gestures = secrets.SystemRandom().sample(list(known), len(known))
        self._begin([(tuple(gestures), 2 * deadline_ms), (tuple(gestures[:1]), MISS_MS)], practice=True)

    def _begin(self, plan: list[tuple[tuple[str, ...], int]], *, practice: bool) -> None:
        self._plan, self._practice = plan, practice
        self._show(practice=practice, missing=False)
        if self.runs:
            self._ask()
            return
        self._proctor.start()
        self.runs = True
        self._set("starting")

    def _ask(self) -> None:
        gestures, deadline_ms = self._plan.pop(0)
        self._proctor.enrol(gestures, deadline_ms)
        self._set("running", missing=self._practice and not self._plan)

    def _set(self, step: str, **more: Any) -> None:
        self._step = step
        self._show(step=step, prompt=None, trouble=None, **more)

    def hear(self) -> None:
        """Take the camera's news; called about ten times a second while it runs."""
        for signal in self._proctor.poll():
            match signal:
                case CameraState(available=False):
                    self._set("camera", scripted=signal.scripted)
                case CameraState():
                    self._show(scripted=signal.scripted)
                    if self._step in ("starting", "camera") and self._plan:
                        self._ask()
                case Prompt():
                    self._show(prompt=signal)
                case Enrolled():
                    self._heard(signal)

    def _heard(self, made: Enrolled) -> None:
        if made.result == "passed":
            template = self._proctor.take_template()
            if not self._practice:
                self._keep(template)
                return
        if not self._practice or (self._plan and made.result != "passed"):
            self._set("unclear", advice=made.reason)
        elif self._plan:
            self._ask()
        else:
            self.stop()
            self._set("practised", missing=False)

    def stop(self) -> None:
        """Let the camera go."""
        if self.runs:
            self._proctor.close()
            self.runs = False
