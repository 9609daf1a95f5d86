"""A program of its own: a Kivy window that prints what the foreground probe sees, one JSON line a look.

Started by test_x11.py. A line on standard input ends it.
"""

from __future__ import annotations

import dataclasses
import json
import select
import sys
import time
from pathlib import Path

from client.player import kivy_env
from client.player.focus import open_probe


def main() -> None:
    """Open the window, look ten times a second, print changes."""
    kivy_env.prepare(Path(sys.argv[1]))
    kivy_env.configure(800, 600)
    from kivy.app import App
    from kivy.base import EventLoop
    from kivy.core.window import Window
    from kivy.uix.label import Label

    class Probe(App):
        title = "TrueSeat probe"

        def build(self) -> Label:
            return Label(text="probe")

    Probe()._run_prepare()
    probe = open_probe()
    probe.watch(Window)
    last, before = "", 0.0
    while not select.select([sys.stdin], [], [], 0)[0]:
        EventLoop.idle()
        began = time.monotonic()
        seen = dataclasses.asdict(probe.observe())
        line = json.dumps(seen, sort_keys=True)
        if line != last:
            # `before`: when the last look that did not see this began; `told`: when it was known
            print(json.dumps({**seen, "before": before, "told": time.monotonic()}), flush=True)
            last = line
        before = began
        time.sleep(0.05)


if __name__ == "__main__":
    main()
