"""A live lesson in real time: an encoder's process, the server on a socket, the client's own connection and decoder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.courses import Shelf
from client.player.playback import Playback
from client.player.sound import Silence
from client.study import Study
from client.sync.transport import HttpTransport
from ledger.events import Played
from tests.client import world as worlds
from tests.client.world import World
from tests.conftest import ROOT
from tests.scripted import FakeClock, at_once
from tests.server_stub.browser import served

pytestmark = pytest.mark.slow
LESSON = ROOT / "client/player/demo_course/lesson.mp4"
LONG = 900_000
WANTED_MS = 3_000  # of the lesson, counted by the signed log
SELDOM = {b"max_gap_ms = 30_000": b"max_gap_ms = 28_800_000"}


def tell(clock: FakeClock) -> None:
    """The machine's own time, to a world that is told it."""
    clock.now, clock.wall_ms = time.monotonic_ns() // 1_000_000, time.time_ns() // 1_000_000


def live_course(folder: Path, _units: Sequence[tuple[str, int]], _questions: Sequence[int] = ()) -> Path:
    """A live unit that begins now."""
    folder.mkdir()
    starts = datetime.fromtimestamp(int(time.time()), UTC).isoformat()
    (folder / "course.toml").write_text(
        f'id = "fire"\nversion = 1\ntitle = {{ zh = "消防", en = "Fire" }}\n[[unit]]\nid = "hall"\n'
        f'duration_ms = {LONG}\ntitle = {{ zh = "直播", en = "Live" }}\n'
        f'live = {{ stream = "hall-1", starts = {starts} }}\n',
        encoding="utf-8",
    )
    return folder


def test_a_stream_is_studied_as_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo lesson streamed in real time by the tool of the documents: seconds of it are shown, signed and sent."""
    monkeypatch.setattr(worlds, "_course", live_course)
    clock = FakeClock()
    tell(clock)
    world = World(tmp_path, changes=SELDOM, clock=clock)
    folder = world.settings.streams / "hall-1"
    command = [sys.executable, str(ROOT / "build/stream_live.py"), str(LESSON), str(folder), "--again"]
    with served(world.app) as url, subprocess.Popen(command) as encoder:
        try:
            study, spans = watched(world, url)
        finally:
            encoder.terminate()
    assert sum(span.to - span.from_ for span in spans) >= WANTED_MS
    assert all(span.unit == "hall" and span.shown for span in spans if span.to - span.from_ > 500)
    assert study.view().unit is not None


def watched(world: World, url: str) -> tuple[Study, list[Played]]:
    """The lesson from Start until the signed log holds enough of it; however slow the machine is."""
    machine = world.machine()
    tell(world.clock)
    shelf = Shelf(machine.enrolment, "client", "agent", machine.clock, beside=lambda: HttpTransport(url))
    shelf.prepare()
    opened = shelf.open(machine.registration.registration)
    player = Playback(Silence)
    study = Study(replace(machine.ports, player=player), opened.lesson, at_once)
    study.press("play")
    spans: list[Played] = []
    try:
        end = time.monotonic() + 600  # only a broken one takes so long
        while sum(span.to - span.from_ for span in spans) < WANTED_MS:
            assert time.monotonic() < end, (study.view().sentence.key, study.state.machine, len(spans))
            for _ in range(10):
                player.picture()
                time.sleep(0.01)
            tell(world.clock)
            study.tick()
            kept = machine.events(study.sid) if study.sid else []
            spans = [event.body for event in kept if isinstance(event.body, Played)]
    finally:
        player.close()
        opened.close()
    return study, spans
