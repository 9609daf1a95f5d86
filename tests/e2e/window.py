"""The client's window with the scripted camera and nobody who drives it: `python -m tests.e2e.window …`."""

from __future__ import annotations

import argparse

from client import app, config
from client.demo import SCRIPTED


def main() -> None:
    """Open the window on $DISPLAY until it is closed."""
    parser = argparse.ArgumentParser()
    for name in ("server", "data", "trust", "account", "codes"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    named = {name: getattr(options, name) for name in ("server", "data", "trust")}
    app.run(config.load({**named, "camera": SCRIPTED, "language": "en"}), demo=True)


if __name__ == "__main__":
    main()
