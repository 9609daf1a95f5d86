"""The screens, each scene in a window and a process of its own, on a desktop and on a phone."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
SIZES = ("1280x800", "390x844")
SCENES = ("notice", "signin", "enrol", "today", "lesson", "chapters", "question", "rate", "language", "doctor")


def play(name: str, size: str) -> None:
    """Run one scene; its own assertion is the message."""
    command = [sys.executable, "-m", "tests.client.player.scenes", name, size]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str, size: str) -> None:
    """As the scene's own docstring says (tests/client/player/scenes.py)."""
    play(name, size)


def test_every_screen_measured_by_a_ruler() -> None:
    """Sizes, sizes of text and languages go through one window; TRUESEAT_LONG=1 measures all of them."""
    play("layout", "1280x800")


def test_what_is_empty_leaves_no_gap() -> None:
    """An empty slot takes back the gap that its column really has, also where that is none."""
    play("gaps", "390x844")


def test_the_lesson_plays_in_the_window() -> None:
    """Decoder, shader and widget together: real pictures of the demo lesson, in their colours."""
    play("plays", "1280x800")


def test_pages_are_turned_in_the_window() -> None:
    """A PDF, its buttons, and no page before the one before it had its time."""
    play("pages", "1280x800")


def test_what_does_not_change_is_not_drawn_again() -> None:
    """The panel beside the lesson costs one rectangle a picture."""
    play("kept", "1280x800")


def test_the_keyboard_alone_suffices() -> None:
    """Tab and Enter reach and press buttons, on every screen, round and back."""
    play("keyboard", "1280x800")
    play("tabs", "390x844")


def test_the_learners_own_pages_in_the_real_window() -> None:
    """Window, journey, server: each tap leads where it says, and the arrow back."""
    command = [sys.executable, "-m", "tests.client.player.own_pages"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]


def test_only_screens_import_the_toolkit() -> None:
    """Kivy has one home: a core that imports it would open a window where there is none."""
    for path in sorted((ROOT / "client/player").glob("*.py")):
        if path.name in ("drive.py", "gallery.py"):
            continue
        top = [
            node
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        names = [getattr(node, "module", None) or node.names[0].name for node in top]
        assert not [n for n in names if n.startswith("kivy")], path.name
