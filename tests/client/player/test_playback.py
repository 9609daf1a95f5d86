"""Real H.264 to the frame: nothing shown is lost, nothing not shown is claimed, and bad files are our errors."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from client.player.decode import Picture
from client.player.media import Reel
from client.player.playback import Playback
from client.player.sound import BYTES_PER_MS, Silence, Sink
from client.ports import UnitMedia

LESSON_MS = 60_000


class Wall:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class ScriptedSink:
    """A sound card on the test's clock: it hears what was written while it is not paused."""

    def __init__(self, wall: Wall) -> None:
        self.wall, self.written, self.heard_bytes = wall, bytearray(), 0.0
        self.since: float | None = None
        self.stuck = False
        self.lock = threading.Lock()  # the decoder writes while the test looks

    def _pass(self) -> None:
        if self.since is not None:
            if not self.stuck:
                self.heard_bytes = min(
                    len(self.written), self.heard_bytes + (self.wall() - self.since) * 1000 * BYTES_PER_MS
                )
            self.since = self.wall()

    def write(self, samples: bytes) -> None:
        with self.lock:
            self._pass()
            self.written += samples

    def queued_ms(self) -> float | None:
        with self.lock:
            self._pass()
            return (len(self.written) - self.heard_bytes) / BYTES_PER_MS

    def pause(self, paused: bool) -> None:
        with self.lock:
            self._pass()
            self.since = None if paused else self.wall()

    def clear(self) -> None:
        with self.lock:
            self.written, self.heard_bytes = bytearray(), 0.0

    def close(self) -> None:
        pass


class Theatre:
    """A playback on a scripted clock. `step` lets the decoder catch up first: the test has no hurry."""

    def __init__(self, sink: Callable[[Wall], Sink]) -> None:
        self.wall = Wall()
        self.sink = sink(self.wall)
        self.playback = Playback(lambda: self.sink, self.wall)

    def settle(self) -> None:
        """Wait for the decoder thread (not for the clock)."""
        reel = self.playback._reel
        assert reel is not None
        for _ in range(60_000):  # two minutes: only a broken test waits so long
            if reel.fault is not None or (reel.ready and (reel.end_ms is not None or self._plenty())):
                return
            time.sleep(0.002)
        raise AssertionError("the decoder did not come")

    def _plenty(self) -> bool:
        reel = self.playback._reel
        assert reel is not None
        queued = self.sink.queued_ms()
        sound = queued is None or queued > 100 or reel._finished
        return sound and (bool(reel._pictures) or reel._finished)

    def step(self, ms: float = 20) -> Picture | None:
        """Let `ms` pass, then look at the screen."""
        self.settle()
        self.wall.seconds += ms / 1000
        return self.playback.picture()


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    """A silent one."""
    made = Theatre(lambda _: Silence())
    yield made
    made.playback.close()


def lesson(demo_course: Path) -> UnitMedia:
    """The committed demo lesson."""
    return UnitMedia("pass", "Demo", demo_course / "lesson.mp4", LESSON_MS)


def fingerprint(picture: Picture) -> str:
    """A hash of the luminance plane."""
    return hashlib.sha256(bytes(picture.planes[0])).hexdigest()


@pytest.mark.slow
def test_every_picture_of_the_lesson_is_shown_once(theatre: Theatre, demo_course: Path) -> None:
    """1500 pictures at 25 a second: all shown in order, and the position ends exactly at the unit's length."""
    play = theatre.playback
    play.load(lesson(demo_course), 0)
    play.play()
    seen: list[float] = []
    for _ in range(3200):
        picture = theatre.step()
        if picture is not None:
            seen.append(picture.at_ms)
        if play.progress().ended:
            break
    assert [round(at) for at in seen] == list(range(0, LESSON_MS, 40))
    end = play.progress()
    assert (end.position_ms, end.shown, end.playing) == (LESSON_MS, 1500, False)
    assert play.poll() == []


@pytest.mark.slow
def test_a_seek_lands_on_the_very_picture(theatre: Theatre, demo_course: Path) -> None:
    """The picture after a seek is, byte for byte, the one that plain decoding gives for that moment."""
    wanted = {0: "", 40: "", 13_370: "", 29_999: "", 30_000: "", 47_123: "", 59_990: ""}
    with av.open(str(demo_course / "lesson.mp4")) as box:
        for number, frame in enumerate(box.decode(video=0)):
            for at in wanted:
                if number == at // 40:
                    wanted[at] = hashlib.sha256(bytes(frame.planes[0])).hexdigest()
    play = theatre.playback
    play.load(lesson(demo_course), 0)
    for at in (59_990, 13_370, 0, 30_000, 29_999, 40, 47_123):
        play.seek(at)
        theatre.settle()
        picture = play.picture()
        assert picture is not None
        assert picture.at_ms <= at + 0.6 < picture.until_ms + 0.6
        assert fingerprint(picture) == wanted[at]
        assert play.progress().position_ms == at
        assert play.progress().shown == 0, "a still picture is not study"


def test_the_later_of_two_seeks_is_the_one_that_counts(
    theatre: Theatre, demo_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes while the file is on its way to the place of the first."""
    theatre.playback.load(lesson(demo_course), 0)
    theatre.settle()
    reel, begin, asked = theatre.playback._reel, Reel._begin, []
    assert isinstance(reel, Reel)

    def hasty(self: Reel, *target: float) -> object:
        if not asked:
            asked.append(target)
            self.seek(13_370)
        return begin(self, *target)

    monkeypatch.setattr(Reel, "_begin", hasty)
    reel.seek(47_123)
    theatre.settle()
    picture = reel.take(13_370)
    assert picture is not None
    assert picture.at_ms <= 13_370.6 < picture.until_ms + 0.6


def test_resume_begins_where_it_was_left(theatre: Theatre, demo_course: Path) -> None:
    """A unit loaded at a position starts there and not at the group of pictures before it."""
    play = theatre.playback
    play.load(lesson(demo_course), 31_415)
    play.play()
    first = theatre.step(0)
    assert first is not None
    assert round(first.at_ms) == 31_400
    for _ in range(50):
        theatre.step()
    assert 31_415 + 1000 <= play.progress().position_ms <= 31_415 + 1000 + 40


def test_a_pause_stands_still_at_once(theatre: Theatre, demo_course: Path) -> None:
    """However long the pause, the position and the count of pictures stay."""
    play = theatre.playback
    play.load(lesson(demo_course), 0)
    play.play()
    for _ in range(50):
        theatre.step()
    play.pause()
    before = play.progress()
    for _ in range(50):
        theatre.step(1000)
    assert play.progress() == before
    assert not before.playing


@pytest.mark.parametrize("rate", [500, 1000, 1250, 1500, 2000])
def test_the_rate_is_kept_with_sound(demo_course: Path, rate: int) -> None:
    """Five seconds of the wall are five times the rate of lesson; sound and picture stay within 80 ms."""
    theatre = Theatre(ScriptedSink)
    play = theatre.playback
    play.load(lesson(demo_course), 10_000)
    play.set_rate(rate)
    play.play()
    theatre.step(0)
    for _ in range(250):
        theatre.step()
        heard = play._reel.heard_ms() if play._reel else None
        assert heard is not None
        assert abs(heard - play._clock.position()) <= 80
    progress = play.progress()
    assert abs(progress.position_ms - 10_000 - 5 * rate) <= 60
    assert progress.rate == rate
    play.close()


def test_a_sound_card_that_dies_does_not_stop_the_lesson(demo_course: Path) -> None:
    """Its queue stands still: after a moment the lesson goes on by the machine's clock."""
    theatre = Theatre(ScriptedSink)
    play = theatre.playback
    play.load(lesson(demo_course), 0)
    play.play()
    theatre.step(0)
    assert isinstance(theatre.sink, ScriptedSink)
    theatre.sink.stuck = True
    for _ in range(300):
        theatre.step()
    assert play.progress().playing
    assert play.progress().position_ms > 3000
    play.close()


def test_the_position_never_runs_ahead_of_what_was_shown(theatre: Theatre, demo_course: Path) -> None:
    """The screen hangs for five seconds: what nobody saw is not claimed in the meantime."""
    play = theatre.playback
    play.load(lesson(demo_course), 0)
    play.play()
    for _ in range(10):
        theatre.step()
    before = play.progress().position_ms
    theatre.wall.seconds += 5
    assert play.progress().position_ms <= before + 80


@pytest.mark.parametrize(
    "name", ["lp_d0.mp4", "sad_WDA_KatieHill_000.mp4", "bloom_orlando_bloom.avi", "nobody_room.mp4"]
)
def test_other_peoples_files_play(theatre: Theatre, shared: Path, name: str) -> None:
    """Clips from many cameras: pictures come and the position follows."""
    path = shared / "faces/videos" / name
    play = theatre.playback
    play.load(UnitMedia("clip", name, path, 3_600_000), 0)
    play.play()
    pictures = [p for p in (theatre.step() for _ in range(60)) if p is not None]
    assert len(pictures) >= 10
    assert play.progress().position_ms > 500
    assert play.poll() == []
    for p in pictures:
        assert len(bytes(p.planes[0])) >= p.strides[0] * p.height


def broken(kind: str, whole: bytes) -> bytes:
    """The lesson's bytes, spoilt."""
    cut = len(whole) // 2
    match kind:
        case "empty":
            return b""
        case "text":
            return b"id = 'course'\n" * 100
        case "head only":
            return whole[:4096]
        case "no head":
            return whole[4096:]
        case "half":
            return whole[:cut]
        case _:
            return whole[:cut] + hashlib.shake_256(b"noise").digest(400_000) + whole[cut + 400_000 :]


@pytest.mark.parametrize("kind", ["empty", "text", "head only", "no head", "half", "noise inside"])
def test_a_broken_file_is_our_error_and_harms_nothing(
    theatre: Theatre, tmp_path: Path, demo_course: Path, kind: str
) -> None:
    """Played to its end or to its fault: no exception, no endless wait, and the player plays the next file."""
    path = tmp_path / "spoilt.mp4"
    path.write_bytes(broken(kind, (demo_course / "lesson.mp4").read_bytes()))
    play = theatre.playback
    play.load(UnitMedia("pass", "Spoilt", path, LESSON_MS), 20_000)
    play.play()
    faults = []
    for _ in range(2500):
        theatre.step()
        faults += play.poll()
        if faults or play.progress().ended:
            break
    progress = play.progress()
    assert not progress.playing
    assert faults or progress.ended
    if kind != "noise inside":
        assert faults, "a lesson that is not whole says so"
        assert "/" not in faults[0].detail, "no path of this machine on the screen"
    play.load(lesson(demo_course), 0)
    play.play()
    assert theatre.step(0) is not None


def test_a_file_that_comes_back_is_tried_again(theatre: Theatre, tmp_path: Path, demo_course: Path) -> None:
    """The disk was away: Continue opens the file again at the same place."""
    path = tmp_path / "lesson.mp4"
    play = theatre.playback
    play.load(UnitMedia("pass", "Demo", path, LESSON_MS), 20_000)
    play.play()
    theatre.step()
    assert len(play.poll()) == 1
    path.write_bytes((demo_course / "lesson.mp4").read_bytes())
    play.play()
    picture = theatre.step()
    assert picture is not None
    assert round(picture.at_ms) == 20_000
    assert play.progress().playing


def test_a_rate_that_nobody_understands_is_refused(theatre: Theatre) -> None:
    """Rates beyond half and double lose the words."""
    for rate in (0, 499, 2001, -1000):
        with pytest.raises(ValueError, match="rate"):
            theatre.playback.set_rate(rate)
