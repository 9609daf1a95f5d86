"""Our small widget kit on Kivy, imported (after `kivy_env`) before any screen: it brings font and looks."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.lang.parser import global_idmap

from client.player import theme
from client.player.widgets import fonts, glyph, kept, kit, say, surface
from client.player.widgets.look import look
from client.player.widgets.tongue import tongue

fonts.register()
global_idmap.update(theme=look, rgba=theme.rgba, tongue=tongue)  # names that every .kv may use
Builder.load_file(str(Path(__file__).with_name("kit.kv")))

__all__ = ["glyph", "kept", "kit", "look", "say", "surface", "tongue"]
