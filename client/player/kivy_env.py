"""Kivy's surroundings, set before its first import: call `prepare` first, or Kivy eats arguments and writes to $HOME.

This module imports no kivy, so that `--version`, `doctor` and the agent run without a display.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from client.player.errors import DisplayError

ELSEWHERE = ("KIVY_MODULES_DIR", "KIVY_DATA_DIR", "KIVY_BINARY_DEPS")  # where Kivy would look for code and shaders
APP_CLASS = "TrueSeat"  # WM_CLASS: by this name window managers and our own foreground probe know the window


def prepare(home: Path, *, offscreen: bool = False) -> None:
    """Set the environment: `home` becomes Kivy's folder (0700), `offscreen` draws without any display (tests).

    RuntimeError if kivy was imported before; `DisplayError` if there is no display to open a window on.
    """
    if "kivy" in sys.modules:
        raise RuntimeError("prepare() comes before the first import of kivy")
    if sys.platform.startswith("linux") and not offscreen and not _display():
        raise DisplayError("neither DISPLAY nor WAYLAND_DISPLAY is set")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_NO_CONFIG="1",
        KIVY_NO_ENV_CONFIG="1",  # else KCFG_MODULES_… makes a program of whatever lies in `home`
        KIVY_NO_FILELOG="1",
        KIVY_LOG_MODE="PYTHON",
        KIVY_HOME=str(home),
        KIVY_WINDOW="sdl2",
        KIVY_TEXT="sdl2",
        KIVY_CLIPBOARD="sdl2",
        SDL_VIDEO_X11_WMCLASS=APP_CLASS,
        SDL_APP_NAME=APP_CLASS,
    )
    if not getattr(sys, "frozen", False):  # a frozen client has set them to its own folders already
        for name in ELSEWHERE:
            os.environ.pop(name, None)
    if offscreen:
        os.environ.update(SDL_VIDEODRIVER="offscreen", SDL_AUDIODRIVER="dummy")
    elif sys.platform.startswith("linux") and os.environ.get("DISPLAY"):
        os.environ.setdefault("SDL_VIDEODRIVER", "x11")  # also under Wayland: XWayland tells the focus


def configure(width: int = 1280, height: int = 800) -> None:
    """Kivy's settings, after `prepare` and before the window: no probing of input devices, Escape does not quit."""
    from kivy.config import Config

    for section, key, value in (
        ("graphics", "width", str(width)),
        ("graphics", "height", str(height)),
        ("graphics", "minimum_width", "360"),
        ("graphics", "minimum_height", "600"),
        ("graphics", "multisamples", "0"),  # our shapes are smooth by themselves; MSAA is dear without a GPU
        ("graphics", "maxfps", "60"),
        ("kivy", "exit_on_escape", "0"),
        ("kivy", "log_level", "warning"),
        ("input", "mouse", "mouse,disable_multitouch"),
    ):
        Config.set(section, key, value)
    for name in ("kivy", "kivy.core"):
        logging.getLogger(name).addFilter(lambda record: "Cutbuffer" not in record.getMessage())
    for name in set(Config.options("input")) - {"mouse"}:
        # SDL's window brings touch and pen itself. Kivy's own: /dev/input needs rights that nobody has, Windows' WM_PEN
        # takes hold of the window that is active at the start, and where that is none, ends the client with a traceback
        Config.remove_option("input", name)


def _display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
