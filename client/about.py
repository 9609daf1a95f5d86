"""What this client says of itself, in every session and at `--version`."""

from __future__ import annotations

import platform
from typing import Final

VERSION: Final = "0.1.0"  # that of pyproject.toml (a test compares them)


def describe(seal_mark: str, fit: str = "") -> str:
    """One line for `opened`: version, system, how this device keeps its keys, which engine and load were chosen."""
    line = f"trueseat/{VERSION} {platform.system().lower()} {platform.machine()} keys={seal_mark}"
    return f"{line} {fit}".strip()[:200]
