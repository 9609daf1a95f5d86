"""The client as text with the scripted camera: `python -m tests.e2e.text_client …`; what is typed comes from stdin."""

from __future__ import annotations

import argparse

from client import app, config
from client.demo import SCRIPTED


def main() -> None:
    """Tell the lesson until `q`."""
    parser = argparse.ArgumentParser()
    for name in ("server", "data", "trust"):
        parser.add_argument(f"--{name}", required=True)
    options = vars(parser.parse_args())
    app.run_text(config.load({**options, "camera": SCRIPTED, "language": "en"}), demo=True)


if __name__ == "__main__":
    main()
