"""Units of sound alone: played, paused, resumed and ended like every other, with a sound card and without."""

from __future__ import annotations

import time
from pathlib import Path

import av
import pytest

from client.player.playback import Playback
from client.player.sound import Silence
from client.ports import UnitMedia
from tests.client.player.test_playback import ScriptedSink, Wall


@pytest.fixture(scope="module")
def talk(demo_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo lesson's sound alone."""
    out = tmp_path_factory.mktemp("talk") / "talk.m4a"
    with av.open(str(demo_course / "lesson.mp4")) as given, av.open(str(out), "w", format="mp4") as made:
        sound = given.streams.audio[0]
        stream = made.add_stream_from_template(sound)
        for packet in given.demux(sound):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    return out


class Room:
    """A playback of the talk on the test's clock."""

    def __init__(self, talk: Path, at: int = 0, *, card: bool = True) -> None:
        self.wall = Wall()
        self.sink = ScriptedSink(self.wall) if card else Silence()
        self.playback = Playback(lambda: self.sink, self.wall)
        self.playback.load(UnitMedia("talk", "Talk", talk, 60_000), at)

    def step(self, ms: int, times: int = 1) -> None:
        """Let the decoder catch up, then time pass."""
        for _ in range(times):
            self._settle()
            self.wall.seconds += ms / 1000
            self.playback.picture()

    def _settle(self) -> None:
        reel = self.playback._reel
        assert reel is not None
        for _ in range(100_000):  # minutes: only a broken test waits so long
            if reel.fault is not None or (reel.ready and self._filled()):
                return
            time.sleep(0.001)
        raise AssertionError("no sound came")

    def _filled(self) -> bool:
        reel = self.playback._reel
        assert reel is not None
        ahead = reel._last_end - self.playback._clock.position() > 200
        return (self.sink.queued_ms() or 0) > 100 or (self.sink.queued_ms() is None and ahead) or reel._finished

    @property
    def at(self) -> int:
        return self.playback.progress().position_ms


@pytest.mark.parametrize("card", [True, False], ids=["with a sound card", "without one"])
def test_a_talk_is_heard_to_its_end(talk: Path, card: bool) -> None:
    """The position follows what is heard (or the clock where nothing is), and ends at the unit's length."""
    room = Room(talk, 50_000, card=card)
    room.playback.play()
    room.step(0)
    room.step(50, 100)
    assert abs(room.at - 55_000) <= 100
    assert room.playback.progress().playing
    room.step(50, 110)
    end = room.playback.progress()
    assert (end.position_ms, end.ended, end.shown) == (60_000, True, 0)
    assert room.playback.poll() == []
    room.playback.close()


def test_nothing_is_claimed_that_was_not_decoded(talk: Path) -> None:
    """The disk stands still while the clock runs: the position ends where the sound ended."""
    room = Room(talk, card=False)
    room.playback.play()
    room.step(0)
    reel = room.playback._reel
    assert reel is not None
    with reel._lock:
        given = reel._last_end
        room.wall.seconds += 3_600
    assert room.at <= max(given, reel.given_ms()) <= 60_000
    room.playback.close()


def test_a_pause_and_a_resume_lose_no_word(talk: Path) -> None:
    """It stands while nobody listens, and begins exactly there again."""
    room = Room(talk)
    room.playback.play()
    room.step(0)
    room.step(20, 100)
    room.playback.pause()
    stood = room.at
    room.step(500, 10)
    assert room.at == stood
    again = Room(talk, stood)
    again.playback.play()
    again.step(0)
    assert abs(again.at - stood) <= 1
    again.step(20, 50)
    assert abs(again.at - stood - 1000) <= 60
    for one in (room, again):
        one.playback.close()


def test_a_slower_talk_keeps_its_pitch_and_its_place(talk: Path) -> None:
    """At 750 per mille four seconds of the clock are three of the talk."""
    room = Room(talk, 10_000)
    room.playback.set_rate(750)
    room.playback.play()
    room.step(0)
    room.step(20, 200)
    assert abs(room.at - 13_000) <= 80
    assert room.playback.progress().rate == 750
    room.playback.close()
