"""One font that holds Latin and Chinese, registered under the toolkit's default name before any widget is made."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from client.player.errors import FontError

# In order of preference: complete for people's names (赟 翀 喆 龑), one file, free licence first.
_LINUX = (
    "truetype/wqy/wqy-microhei.ttc",
    "opentype/noto/NotoSansCJK-Regular.ttc",
    "opentype/noto/NotoSansCJKsc-Regular.otf",
    "google-noto-cjk/NotoSansCJK-Regular.ttc",
    "noto-cjk/NotoSansCJK-Regular.ttc",
    "truetype/wqy/wqy-zenhei.ttc",
    "truetype/droid/DroidSansFallbackFull.ttf",
)
_WINDOWS = ("msyh.ttc", "msyh.ttf", "simhei.ttf")
_DARWIN = ("/System/Library/Fonts/PingFang.ttc", "/System/Library/Fonts/STHeiti Light.ttc")


def candidates() -> Iterator[Path]:
    """Where a Chinese font may be: our own folder first, then the system's."""
    yield from sorted(Path(__file__).with_name("fonts").glob("*.[ot]t[fc]"))
    if sys.platform == "win32":
        yield from (Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts" / name for name in _WINDOWS)
    elif sys.platform == "darwin":
        yield from map(Path, _DARWIN)
    for folder in ("/usr/share/fonts", "/usr/local/share/fonts"):
        yield from (Path(folder) / name for name in _LINUX)


def find_font() -> Path:
    """The first font there is, or `FontError`."""
    for path in candidates():
        if path.is_file():
            return path
    raise FontError("no Chinese font in the usual places")


def register() -> Path:
    """Make it the font of every widget."""
    from kivy.core.text import LabelBase

    path = find_font()
    LabelBase.register("Roboto", str(path))
    return path
