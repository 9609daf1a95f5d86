"""From the start of the program to its first frame: the frozen client beside the source, in turns, on one machine.

    build/freeze/first_frame.py [dist/trueseat/trueseat] [--turns 5]

A virtual display is looked at until the window's ground is there. Prints one line of JSON; exit 1 above the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
LIMIT: Final = 1.5
PATIENCE_S: Final = 60.0
BRIGHT: Final = 200  # of 255, each of red, green, blue: an empty display is black, our ground is #F5F7FA


def main() -> int:
    """Measure in turns and compare the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", type=Path, nargs="?", default=ROOT / "dist/trueseat/trueseat")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    source, frozen = [sys.executable, "-m", "client"], [str(options.client.absolute())]
    found: dict[str, list[float]] = {"source": [], "frozen": []}
    display = Display()
    try:
        display.first_frame(source), display.first_frame(frozen)  # both from memory, not from the disk
        for _ in range(options.turns):
            found["source"].append(display.first_frame(source))
            found["frozen"].append(display.first_frame(frozen))
    finally:
        display.close()
    middle = {name: statistics.median(times) for name, times in found.items()}
    ratio = middle["frozen"] / middle["source"]
    figures = {"name": "first-frame", **{f"{name}_s": round(value, 2) for name, value in middle.items()}}
    print(json.dumps(figures | {"turns": options.turns, "ratio": round(ratio, 2), "limit": LIMIT}))
    return 1 if ratio > LIMIT else 0


class Display:
    """A display of our own, and what stands in the middle of it."""

    def __init__(self) -> None:
        import xcffib
        import xcffib.xproto  # registers the core protocol

        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
        self._server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            self._name = ":" + pipe.readline().strip()
        connect: Any = xcffib.connect
        self._x: Any = connect(display=self._name)
        self._root = self._x.get_setup().roots[0].root

    def first_frame(self, command: list[str]) -> float:
        """Seconds until `command` has drawn; it is ended then."""
        with tempfile.TemporaryDirectory(prefix="trueseat-frame-") as data:
            env = {**os.environ, "DISPLAY": self._name}
            env.pop("WAYLAND_DISPLAY", None)
            started = time.monotonic()
            process = subprocess.Popen(
                [*command, "run", "--data", data, "--server", "http://127.0.0.1:9"],
                cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                while not self._drawn():
                    if process.poll() is not None or time.monotonic() - started > PATIENCE_S:
                        sys.exit(f"no frame: {' '.join(command)} ended with {process.poll()}")
                    time.sleep(0.01)
                return time.monotonic() - started
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait(20)
                while self._drawn():
                    time.sleep(0.05)

    def _drawn(self) -> bool:
        """Whether the middle and a corner of the page are bright."""
        return all(self._bright(x, y) for x, y in ((300, 30), (60, 700)))

    def _bright(self, x: int, y: int) -> bool:
        data = self._x.core.GetImage(2, self._root, x, y, 1, 1, 0xFFFFFFFF).reply().data
        return min(data.buf()[:3]) > BRIGHT

    def close(self) -> None:
        """End the display."""
        self._x.disconnect()
        self._server.terminate()
        self._server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
