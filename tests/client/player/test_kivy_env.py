"""Kivy's settings are ours on every system, whatever its defaults are there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WINDOWS = """
import sys
from pathlib import Path
from client.player import kivy_env
kivy_env.prepare(Path(sys.argv[1]), offscreen=True)
from kivy.config import Config
for name in ("wm_touch", "wm_pen"):  # what Kivy adds by itself on Windows
    Config.set("input", name, name)
kivy_env.configure()
print(*Config.options("input"))
"""


def test_no_input_of_kivys_own_takes_hold_of_the_system(tmp_path: Path) -> None:
    """Neither /dev/input nor Windows' pen hook, which ends the client with a traceback where no window was active."""
    done = subprocess.run([sys.executable, "-c", WINDOWS, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mouse"]
