"""The real client without its window, as a program of its own that a test may kill: `python -m tests.e2e.runner …`.

Everything but the screen is what the product runs: decoder and player, detectors in their process, the agent in its
process, the outbox, HTTP. The window is scripted to stand in front (a test of its own has real windows). What happens
is printed as JSON lines.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from client import facing
from client.app import Background, SystemClock, uploader_of
from client.config import Config
from client.events import Observation
from client.guard import AgentGuard
from client.journey import Journey, Kit
from client.player.playback import Playback
from client.player.shown import Choices
from client.player.sound import Silence
from client.proctor.handle import Proctor
from client.proctor.setup import ProctorSetup
from client.sync.transport import HttpTransport
from client.view import ResultView, View, Words

CODE = re.compile(r"development code for (\S+): ([0-9]{6})")


class Front:
    """A window that stands in front."""

    def observe(self) -> Observation:
        """In front, nothing covers it."""
        return Observation(True, False, 0, locked=False, other_desktop=False, source="test")


def say(**facts: Any) -> None:
    """One line for the test."""
    print(json.dumps(facts, ensure_ascii=False), flush=True)


def main() -> None:
    """Study until the result, printing the way there."""
    parser = argparse.ArgumentParser()
    for name in ("server", "data", "trust", "account", "codes", "camera"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--challenge", type=int, default=0, help="gestures of the enrolment; 0: an officer vouches")
    options = parser.parse_args()
    facing.ENROL_GESTURES = options.challenge  # type: ignore[misc]
    data = Path(options.data)
    config = Config(data=data, server=options.server, trust=Path(options.trust))
    player, proctor = Playback(sink=Silence), Proctor(ProctorSetup(mode="test", camera=options.camera))
    agent, background, transport = AgentGuard(), Background(), HttpTransport(options.server)
    kit = Kit(
        clock=SystemClock(), transport=transport, player=player, foreground=Front(), proctor=proctor, agent=agent,
        uploader=uploader_of(config), about="trueseat/test", agent_about="trueseat agent",
    )  # fmt: skip
    journey = Journey(config, kit, background)
    try:
        for _ in Learner(journey, options.account, Path(options.codes)).go():
            until = time.monotonic() + 0.1
            journey.tick()
            while time.monotonic() < until:
                player.picture()
                time.sleep(0.02)
    finally:
        journey.close()
        for part in (background, player, proctor, agent, transport):
            part.close()


class Learner:
    """Presses what a learner presses; each step of `go` is one tick."""

    def __init__(self, journey: Journey, account: str, codes: Path) -> None:
        self.journey, self.account, self.codes = journey, account, codes
        self._said: dict[str, Any] = {}

    def go(self) -> Iterator[None]:
        """From wherever the client starts to the result."""
        journey = self.journey
        if journey.page == "notice":
            journey.choose(Choices(notice=True, commitment=True, face=True, photos=False))
            journey.ask_code(self.account)
            yield from self._until(lambda: self._shows("step") == "code")
            journey.enter_code([code for who, code in CODE.findall(self.codes.read_text()) if who == self.account][-1])
            yield from self._until(lambda: journey.page == "real_name" and not journey.busy)
            journey.confirm_name()
            yield from self._until(lambda: self._shows("state") == "development")
            journey.leave_name()
            journey.start_enrol()
            yield from self._until(lambda: self._shows("step") in ("passed", "unclear") and not journey.busy)
            say(enrolled=self._shows("step"), why=self._shows("advice"))
            journey.to_today()
        yield from self._until(lambda: journey.page == "today" and not journey.busy and bool(self._shows("courses")))
        journey.open_course(self._shows("courses")[0].registration)
        yield from self._until(lambda: journey.page == "lesson")
        yield from self._lesson()

    def _lesson(self) -> Iterator[None]:
        journey = self.journey
        while journey.page == "lesson":
            view = journey.shown
            assert isinstance(view, View)
            self._tell(view)
            if view.button is not None and view.button.what in ("play", "ready") and view.phase in ("ready", "paused"):
                journey.study.press(view.button.what)  # type: ignore[union-attr]
            yield
        result = journey.shown
        assert isinstance(result, ResultView)
        say(result=result.how, credited_ms=result.credited_ms, all_ms=result.credited_all_ms, sent=result.sent,
            parts=[[part.unit, part.from_ms, part.to_ms, part.reason.key] for part in result.parts])  # fmt: skip

    def _tell(self, view: View) -> None:
        study = self.journey.study
        facts = {
            "phase": view.phase, "sentence": view.sentence.key, "sid": study.sid if study else "",
            "credited_ms": view.credited_unit_ms, "at": view.unit.position_ms // 1000 if view.unit else 0,
            "check": study.state.outcome.result if study and study.state.outcome else "",
            "named": [value.en for value in view.sentence.values.values() if isinstance(value, Words)],
        }  # fmt: skip
        if facts != self._said:
            self._said = facts
            say(**facts)

    def _shows(self, name: str) -> Any:
        return getattr(self.journey.shown, name, None)

    def _until(self, ready: Any) -> Iterator[None]:
        while not ready():
            trouble = self._shows("trouble")
            if trouble is not None:
                say(trouble=trouble.code)
                sys.exit(3)
            yield


if __name__ == "__main__":
    main()
