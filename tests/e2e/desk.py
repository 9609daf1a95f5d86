"""The whole client with its real window, driven by taps inside the process: `python -m tests.e2e.desk …`.

Prints what the lesson screen shows as JSON lines. Input from outside ends nothing here: the test plays the intruder.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from pathlib import Path
from typing import Any

from client import app, config
from client.demo import SCRIPTED, Autopilot
from client.view import View, Words

RECHECK_S = 3.0


class Told(Autopilot):
    """The demonstration's learner, telling what it sees; says "I closed it" to whatever the agent names."""

    hands_off = staticmethod(contextlib.nullcontext)

    def run(self, window: Any, drive: Any) -> None:
        """As the demonstration; then print the result."""
        self._last: dict[str, Any] = {}
        self._rechecked = time.monotonic()
        super().run(window, drive)
        shown = window.journey.shown
        self._say(result=shown.how, credited_ms=shown.credited_ms, sent=shown.sent)

    def _at_result(self) -> bool:
        journey = self._window.journey
        view = journey.shown
        if isinstance(view, View):
            named = [value.en for value in view.sentence.values.values() if isinstance(value, Words)]
            facts = {"phase": view.phase, "sentence": view.sentence.key, "sid": journey.study.sid, "named": named}
            if facts != self._last:
                self._last = facts
                self._say(**facts, at=view.unit.position_ms if view.unit else 0)
            wants = view.button is not None and view.button.what == "recheck"
            if wants and time.monotonic() - self._rechecked > RECHECK_S:
                self._rechecked = time.monotonic()
                self._tap("button.recheck")
        return super()._at_result()

    @staticmethod
    def _say(**facts: Any) -> None:
        print(json.dumps(facts), flush=True)


def main() -> None:
    """Study the lesson in a window on $DISPLAY."""
    parser = argparse.ArgumentParser()
    for name in ("server", "data", "trust", "account", "codes"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    named = {name: getattr(options, name) for name in ("server", "data", "trust")}
    learner = Told(options.account, Path(options.codes), None)
    app.run(config.load({**named, "camera": SCRIPTED}), demo=True, script=learner.run)


if __name__ == "__main__":
    main()
