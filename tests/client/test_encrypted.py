"""An encrypted course from the packer to the screen: packed, served, opened with a session, shown, forgotten."""

from __future__ import annotations

import os
import runpy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from client.courses import Opened, Shelf
from client.player.playback import Playback
from client.player.sound import Silence
from ledger import content
from tests.client import world as worlds
from tests.client.world import MachineSide, World
from tests.conftest import ROOT

DEMO = ROOT / "client/player/demo_course"
KEY = bytes(range(1, 33))

pytestmark = pytest.mark.slow


def packed(folder: Path, _units: Sequence[tuple[str, int]]) -> Path:
    """The demo course as its provider packs it, the key file beside it."""
    tool = runpy.run_path(str(ROOT / "build/pack_course.py"))
    tool["pack"](DEMO, folder, KEY)
    tool["write_key"](folder.with_name(folder.name + ".key"), KEY)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MachineSide]:
    """A learner's machine beside the real server of a class with the packed course."""
    monkeypatch.setattr(worlds, "_course", packed)
    world = World(tmp_path, units=(("pass", 60_000),))
    yield world.machine()
    world.close()


def first_picture(opened: Opened) -> str:
    """What the player says about the first unit: "" when a picture came, else its fault."""
    player = Playback(Silence)
    player.load(opened.lesson.media["pass"], 0)
    player.play()
    try:
        for _ in range(24_000):  # two minutes: only a broken test waits so long
            if player.picture() is not None:
                return ""
            if faults := player.poll():
                return faults[0].detail
            time.sleep(0.005)
        return "nothing came"
    finally:
        player.close()


def test_the_course_shows_with_a_session_and_only_then(machine: MachineSide) -> None:
    """Downloaded, it stays dark; the session that is granted brings the key; the lesson left, it is dark again."""
    shelf = Shelf(machine.enrolment, "client", "agent", machine.clock)
    shelf.prepare()
    opened = shelf.open(machine.registration.registration)
    assert "no key" in first_picture(opened)
    granted = opened.lesson.open(False)
    assert KEY.hex() not in granted.grant_note
    assert first_picture(opened) == ""
    opened.close()
    assert "no key" in first_picture(opened)


def test_nothing_on_the_disk_of_the_learner_holds_key_or_picture(machine: MachineSide) -> None:
    """All files of the client after a lesson: no key in any form, and no stretch of the plain video."""
    shelf = Shelf(machine.enrolment, "client", "agent", machine.clock)
    shelf.prepare()
    opened = shelf.open(machine.registration.registration)
    opened.lesson.open(False)
    assert first_picture(opened) == ""
    plain = (DEMO / "lesson.mp4").read_bytes()
    wanted = (KEY, KEY.hex().encode(), plain[500_000:500_064])
    for folder, _, names in os.walk(machine.folder):
        for name in names:
            data = (Path(folder) / name).read_bytes()
            assert not any(secret in data for secret in wanted), name
    assert content.key_id(KEY).encode() in (machine.folder.rglob("lesson.mp4").__next__()).read_bytes()[:200]
    opened.close()
