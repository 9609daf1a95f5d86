"""Kivy's settings are ours on every system, whatever its defaults are there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLANTED = """
import sys
from pathlib import Path
from client.player import kivy_env
kivy_env.prepare(Path(sys.argv[1]), offscreen=True)
kivy_env.configure()
from kivy import kivy_data_dir, kivy_modules_dir
from kivy.config import Config
from kivy.modules import Modules
Modules.activate_module("planted", None) if "planted" in Config.options("modules") else None
print(Config.options("modules"), Config.getint("graphics", "maxfps"), "elsewhere" in kivy_data_dir + kivy_modules_dir)
"""
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


def test_attack_a_variable_and_a_file_make_the_client_run_a_program(tmp_path: Path) -> None:
    """Kivy would load a module from its home, or from a folder of its own choice, that a variable names: not here."""
    (tmp_path / "mods").mkdir()
    (tmp_path / "mods/planted.py").write_text("print('a program of somebody else runs')\n")
    elsewhere = str(tmp_path / "elsewhere")
    planted = {"KCFG_MODULES_PLANTED": "1", "KCFG_GRAPHICS_MAXFPS": "1", "KIVY_MODULES_DIR": elsewhere,
               "KIVY_DATA_DIR": elsewhere}  # fmt: skip
    command = [sys.executable, "-c", PLANTED, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **planted})
    assert done.stdout.strip() == "[] 60 False"
