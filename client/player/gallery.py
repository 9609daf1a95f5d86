"""Pictures of every screen: `python -m client.player.gallery OUT`, at 1280×800 and 390×844, some in English and dark.

No display is needed (SDL's offscreen driver) and no server, camera or model: the values shown are samples.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.player import kivy_env

ENGLISH = ("notice", "enrol-running", "today", "timeline", "rights", "lesson", "lesson-help", "result", "settings")
NIGHT = ("signin", "today", "timeline", "rights", "lesson", "lesson-check", "lesson-paused-focus", "result", "settings")
LARGE = ("today", "lesson", "timeline")
DESKTOP, PHONE = "1280x800", "390x844"


@dataclass(frozen=True, slots=True)
class Run:
    """One process: a size, a language, the dark table, the size of the text; `only` screens of these names."""

    size: str
    language: str = "zh"
    dark: bool = False
    scale: float = 1.0
    only: Sequence[str] = ()

    @property
    def suffix(self) -> str:
        """What tells this run's pictures from the others."""
        marks = ("en" if self.language == "en" else "", "dark" if self.dark else "", _per_cent(self.scale))
        return "".join(f"-{mark}" for mark in (self.size, *marks) if mark)


RUNS = (
    Run(DESKTOP), Run(PHONE), Run(DESKTOP, "en", only=ENGLISH), Run(DESKTOP, dark=True, only=NIGHT),
    Run(PHONE, "en", dark=True, only=NIGHT), Run(PHONE, scale=2.0, only=LARGE),
)  # fmt: skip


def _per_cent(scale: float) -> str:
    return "" if scale == 1.0 else f"{round(scale * 100)}"


def main() -> None:
    """Render all, one process a run (one app a process), or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", help="only WIDTHxHEIGHT, in this process")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--scale", type=float, default=1.0, help="of the text, 1 to 2")
    parser.add_argument("--only", nargs="*", default=(), help="only the screens of these names")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.size:
        run = Run(args.size, args.language, args.dark, args.scale, args.only)
        for name, root in render(run):
            save(root, args.out / f"{name}{run.suffix}.png")
        return
    for run in RUNS:
        command = [sys.executable, "-m", "client.player.gallery", str(args.out), "--size", run.size]
        command += ["--language", run.language, "--scale", str(run.scale), *(["--dark"] if run.dark else [])]
        subprocess.run([*command, "--only", *(args.only or run.only)], check=True)


def render(run: Run) -> Iterator[tuple[str, Any]]:
    """Put every screen of one run on the stage: its name, and the window's root that shows it now."""
    width, height = (int(n) for n in run.size.split("x"))
    with tempfile.TemporaryDirectory() as home:
        kivy_env.prepare(Path(home), offscreen=True)
        kivy_env.configure(width, height)
        from kivy.app import App
        from kivy.base import EventLoop

        from client.player.album import screens
        from client.player.samples import preview
        from client.player.screens import Shell, look, tongue

        class Gallery(App):
            def build(self) -> Any:
                return Shell()

        tongue.language, look.dark, look.scale = run.language, run.dark, run.scale
        app = Gallery()
        app._run_prepare()
        for name, title, make in _chosen(screens(), run.only):
            screen = make()
            app.root.show(screen, title)
            for _ in range(8):
                EventLoop.idle()
            _feed(screen, preview())
            for _ in range(4):
                EventLoop.idle()
            yield name, app.root
            if hasattr(screen, "close"):
                screen.close()


def save(widget: Any, path: Path) -> None:
    """What the widget shows now, as a small PNG of 256 colours."""
    from PIL import Image

    widget.export_to_png(str(path))
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def _chosen(all_screens: Any, only: Sequence[str]) -> Iterator[tuple[str, Callable[[], str] | None, Callable[[], Any]]]:
    return (entry for entry in all_screens if not only or entry[0] in only)


def _feed(screen: Any, picture: tuple[int, int, bytes]) -> None:
    """A camera picture where the screen wants one."""
    if hasattr(screen, "show_preview"):
        screen.show_preview(picture)
    elif hasattr(screen, "mirror"):
        screen.mirror.show(picture)


if __name__ == "__main__":
    main()
