"""Reference pictures of the screens, kept as thumbnails: `python -m tests.client.player.pictures --write` after a
change that is meant; look at every picture that differs (.work/pictures) before it is committed.

A thumbnail has 16 levels of grey for tiles of about 32 px: fonts and drivers may differ by a hair, a part that moved,
vanished or changed its colour does not pass. Words belong to a font: another font than the reference's is said, and
nothing is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from client.player.gallery import DESKTOP, PHONE, Run

KEPT = Path(__file__).with_name("pictures.json")
DIFFERENT = Path(".work/pictures")
TILE = 32  # px
MOST_TILE = 5  # levels of 16 that one tile may differ
MOST_MEAN = 0.12  # levels, over all tiles
LIGHT = ("notice-filled", "enrol", "today", "today-empty", "timeline", "rights", "settings", "lesson", "lesson-check",
         "lesson-code", "lesson-help", "result", "problem")  # fmt: skip
DARK = ("today", "timeline", "rights", "settings", "lesson", "lesson-check", "lesson-paused-focus", "result")
RUNS = {"phone": Run(PHONE, only=LIGHT), "desktop-en-dark": Run(DESKTOP, "en", dark=True, only=DARK)}


def thumbnail(path: Path) -> str:
    """A picture as hex digits, a tile each, row by row."""
    from PIL import Image

    with Image.open(path) as picture:
        size = (max(picture.width // TILE, 1), max(picture.height // TILE, 1))
        small = picture.convert("L").resize(size, Image.Resampling.BOX)
    return "".join(f"{value >> 4:x}" for value in small.tobytes())


def distance(one: str, other: str) -> tuple[int, float]:
    """How far two thumbnails are apart: the worst tile, the mean."""
    if len(one) != len(other):
        return 16, 16.0
    steps = [abs(int(a, 16) - int(b, 16)) for a, b in zip(one, other, strict=True)]
    return max(steps), sum(steps) / len(steps)


def same(one: str, other: str) -> bool:
    """Whether they show the same."""
    worst, mean = distance(one, other)
    return worst <= MOST_TILE and mean <= MOST_MEAN


def taken(name: str, folder: Path) -> dict[str, str]:
    """Take every picture of a run into `folder`, in a process of its own: screen → thumbnail, and the font."""
    command = [sys.executable, "-m", "tests.client.player.pictures", "--take", name, "--into", str(folder)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=900, env={**os.environ, "TZ": "UTC"}
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr[-2000:])
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _take(name: str, folder: Path) -> dict[str, str]:
    from client.player.gallery import render

    time.tzset()
    found = {}
    for screen, root in render(RUNS[name]):
        path = folder / f"{screen}.png"
        root.export_to_png(str(path))
        found[screen] = thumbnail(path)
    from client.player.widgets.fonts import find_font

    return {**found, "font": find_font().name}


def reference() -> dict[str, dict[str, str]]:
    """What is kept: run → screen → thumbnail."""
    kept: dict[str, dict[str, str]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return kept


def differing(name: str, folder: Path) -> list[str]:
    """The screens of a run that do not look as they did; their pictures are put into `.work/pictures`."""
    kept, now = reference()[name], taken(name, folder)
    if now.pop("font") != kept["font"]:
        return ["font"]
    screens = sorted({*now, *kept} - {"font"})
    wrong = [screen for screen in screens if not same(now.get(screen, ""), kept.get(screen, ""))]
    for screen in wrong:
        DIFFERENT.mkdir(parents=True, exist_ok=True)
        if (folder / f"{screen}.png").exists():
            (folder / f"{screen}.png").replace(DIFFERENT / f"{screen}-{name}.png")
    return wrong


def main() -> None:
    """Take one run (in a process of its own), or keep all of them as the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--take", choices=sorted(RUNS))
    parser.add_argument("--into", type=Path)
    parser.add_argument("--write", action="store_true")
    args: Any = parser.parse_args()
    if args.take:
        print(json.dumps(_take(args.take, args.into)))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = {name: taken(name, Path(folder)) for name in RUNS}
        if args.write:
            KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        else:
            print({name: differing(name, Path(folder)) for name in RUNS})


if __name__ == "__main__":
    main()
