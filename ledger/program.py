"""What a person types to run one of our programs: a module of the checkout, or the installed program of its own."""

from __future__ import annotations

import sys
from typing import Final, Literal

Room = Literal["ledger", "agent", "client"]
INSTALLED: Final[dict[Room, str]] = {"ledger": "trueseat-verify", "agent": "trueseat-agent", "client": "trueseat"}


def typed(room: Room) -> str:
    """`python -m client` from source, `trueseat` where it is installed: for usage and remedies (build/README.md)."""
    if not getattr(sys, "frozen", False):
        return f"python -m {room}"
    if room == "client" and sys.platform == "win32":
        return "trueseat-cli"  # the one that has a console
    return INSTALLED[room]
