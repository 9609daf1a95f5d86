"""Pictures of every screen: `python -m client.player.gallery OUT`, at 1280×800 and 390×844, some in English.

No display is needed (SDL's offscreen driver) and no server, camera or model: the values shown are samples.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from client.player import kivy_env

RUNS = (
    ("1280x800", "zh", ()),
    ("390x844", "zh", ()),
    ("1280x800", "en", ("notice", "enrol-running", "today", "lesson", "lesson-help", "result")),
)


def main() -> None:
    """Render all, one process a size and language (one app a process), or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", help="only WIDTHxHEIGHT, in this process")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--only", nargs="*", default=(), help="only the screens of these names")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.size:
        width, height = (int(n) for n in args.size.split("x"))
        render(args.out, width, height, args.language, args.only)
        return
    for size, language, only in RUNS:
        command = [sys.executable, "-m", "client.player.gallery", str(args.out), "--size", size, "--language", language]
        subprocess.run([*command, "--only", *(args.only or only)], check=True)


def render(out: Path, width: int, height: int, language: str, only: Sequence[str]) -> None:
    """Every screen of one size and language into `out`."""
    with tempfile.TemporaryDirectory() as home:
        kivy_env.prepare(Path(home), offscreen=True)
        kivy_env.configure(width, height)
        from kivy.app import App
        from kivy.base import EventLoop

        from client.player.samples import preview, screens
        from client.player.screens import Shell, tongue

        class Gallery(App):
            def build(self) -> Any:
                return Shell()

        tongue.language = language
        app = Gallery()
        app._run_prepare()
        for name, title, make in _chosen(screens(), only):
            screen = make()
            app.root.show(screen, title)
            for _ in range(8):
                EventLoop.idle()
            _feed(screen, preview())
            for _ in range(4):
                EventLoop.idle()
            suffix = "" if language == "zh" else "-en"
            save(app.root, out / f"{name}-{width}x{height}{suffix}.png")
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
