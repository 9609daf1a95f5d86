"""The icon of the programs, as the window's mark: a white tick on blue. `icon.py FOLDER` writes .svg, .png and .ico."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

BLUE: Final = "#1D5FD1"
TICK: Final = ((76, 132), (112, 168), (182, 94))  # of 256
SVG: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">
<rect x="8" y="8" width="240" height="240" rx="56" fill="{blue}"/>
<polyline points="{points}" fill="none" stroke="#fff" stroke-width="26" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
"""


def svg() -> str:
    """The drawing."""
    return SVG.format(blue=BLUE, points=" ".join(f"{x},{y}" for x, y in TICK))


def main(folder: Path) -> None:
    """Write all three; pictures of fixed sizes are drawn four times as large and made small."""
    from PIL import Image, ImageDraw

    zoom = 4
    large = Image.new("RGBA", (256 * zoom, 256 * zoom))
    pen = ImageDraw.Draw(large)
    pen.rounded_rectangle([8 * zoom, 8 * zoom, 248 * zoom, 248 * zoom], 56 * zoom, BLUE)
    points = [(x * zoom, y * zoom) for x, y in TICK]
    pen.line(points, "#FFFFFF", 26 * zoom, joint="curve")
    for x, y in points:
        pen.ellipse([x - 13 * zoom, y - 13 * zoom, x + 13 * zoom, y + 13 * zoom], "#FFFFFF")
    whole = large.resize((256, 256), Image.Resampling.LANCZOS)
    (folder / "trueseat.svg").write_text(svg(), "utf-8")
    whole.save(folder / "trueseat.png", optimize=True)
    whole.save(folder / "trueseat.ico", sizes=[(side, side) for side in (16, 24, 32, 48, 64, 128, 256)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
