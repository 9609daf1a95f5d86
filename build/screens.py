"""Draw every screen again: `python build/screens.py docs/screens` (see client/player/gallery.py)."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
runpy.run_module("client.player.gallery", run_name="__main__", alter_sys=True)
