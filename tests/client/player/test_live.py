"""A live lesson in programme time to the frame: over holes and scratches, with sound or without, of both kinds."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.events import Progress
from client.player.playback import Playback
from client.player.sound import Silence, Sink
from client.ports import Portion, UnitMedia
from tests.client.player.test_playback import ScriptedSink, Wall
from tests.live_stream import made, second_of

pytestmark = pytest.mark.slow
LONG = 600_000
OFFSET = 100_000  # programme ms of the stream's first picture


class Script:
    """`LiveSource`: the pieces that a test puts there."""

    def __init__(self) -> None:
        self.pieces: deque[Portion] = deque()
        self.over, self.state, self.edge_ms, self.lag_ms = False, "", 0, 20_000
        self.joined: list[int] = []
        self.waits = False

    @property
    def ended(self) -> bool:
        return self.over and not self.pieces

    def join(self, from_ms: int) -> None:
        self.joined.append(from_ms)

    def leave(self) -> None:
        """Nothing more is wanted."""
        self.pieces.clear()

    def take(self, wait_s: float) -> Portion | None:
        self.waits = not self.pieces
        if self.waits:
            time.sleep(min(wait_s, 0.005))
            return None
        return self.pieces.popleft()


class Show:
    """A playback on the test's clock, and everything that it showed."""

    def __init__(self, source: Script, sink: Callable[[Wall], Sink] = lambda _wall: Silence()) -> None:
        self.wall, self.source = Wall(), source
        self.player = Playback(lambda: sink(self.wall), now=self.wall)
        self.player.load(UnitMedia("hall", "Live", Path("."), LONG, live=source), 0)
        self.seen: list[tuple[float, int]] = []  # programme ms, the second that the picture tells
        self.progress = Progress("hall", 0, 0, False, False)
        self.player.play()

    def run(self, seconds: float, step: float = 0.05) -> None:
        """Let time pass; at each step wait until what there is was decoded."""
        end = self.wall.seconds + seconds
        while self.wall.seconds < end:
            self._settle()
            self.wall.seconds += step
            self.progress = self.player.progress()

    def _settle(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            picture = self.player.picture()
            if picture is not None:
                luma = memoryview(picture.planes[0])[picture.strides[0] * (picture.height // 2) + picture.width // 2]
                self.seen.append((picture.at_ms, second_of(luma)))
                continue
            reel = self.player._reel
            assert reel is not None
            ready = reel.next_ms() is not None or reel.end_ms is not None or reel.fault is not None
            queued = self.player._sink.queued_ms()
            fed = queued is None or queued >= 200  # the thread gives it sound in real time, the test's runs faster
            dry = self.source.waits and not self.source.pieces and not self.source.over  # its end is yet to come
            if (ready and fed) or dry:
                return
            time.sleep(0.001)
        raise AssertionError("not settled")


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Portion]]:
    """Pieces of a made stream: `stream(first, last, kind)`, each a second long."""
    folder = tmp_path_factory.mktemp("live")

    def pieces(first: int, last: int, kind: str = "mpegts", **options: bool) -> list[Portion]:
        place = folder / f"{kind}-{'-'.join(options)}"
        parts = made(place, kind, **options).parts
        found = []
        for number in range(first, last + 1):
            init = (place / parts[number].init).read_bytes() if parts[number].init else b""
            at = OFFSET + parts[number].at_ms - parts[0].at_ms
            data = (place / parts[number].name).read_bytes()
            found.append(Portion(at, parts[number].duration_ms, data, init, apart=number == first))
        return found

    return pieces


@pytest.fixture
def source() -> Script:
    return Script()


@pytest.fixture
def show(source: Script) -> Iterator[Callable[..., Show]]:
    shows: list[Show] = []

    def make(sink: Callable[[Wall], Sink] = lambda _wall: Silence()) -> Show:
        shows.append(Show(source, sink))
        return shows[-1]

    yield make
    for one in shows:
        one.player.close()


def right(show: Show) -> bool:
    """Whether every picture was shown at its own second of the programme."""
    return all(-100 <= at - OFFSET - second * 1000 < 1_100 for at, second in show.seen)


@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
def test_pieces_are_one_picture_in_programme_time(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]], kind: str
) -> None:
    """From the middle of a stream: every second at its place, all of its pictures, nothing before the first piece."""
    source.pieces.extend(stream(20, 27, kind))
    watched = show()
    watched.run(6.0)
    assert right(watched)
    assert watched.seen[0][0] == pytest.approx(OFFSET + 20_000, abs=100)
    assert len(watched.seen) >= 50, "ten a second"
    assert watched.progress.position_ms == pytest.approx(OFFSET + 26_000, abs=250)
    assert watched.player.poll() == []


def test_a_hole_is_jumped_over_and_never_claimed(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]]
) -> None:
    """The session hears that the picture stood before it hears of the new place."""
    source.pieces.extend(stream(0, 3))
    source.pieces.extend(stream(30, 36))
    watched = show()
    heard: list[Progress] = []
    for _ in range(200):
        watched.run(0.05)
        heard.append(watched.progress)
    assert right(watched)
    jumps = [(a, b) for a, b in itertools.pairwise(heard) if b.position_ms - a.position_ms > 500]
    assert [(b.position_ms - OFFSET) // 1000 for a, b in jumps if a.position_ms >= OFFSET] == [30]
    assert not any(a.playing for a, _ in jumps), "it stood, and said so"


def test_a_piece_that_cannot_be_read_costs_itself_alone(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]]
) -> None:
    """Rubbish in the middle, then a stream that is whole again; rubbish alone is a fault of ours."""
    rubbish = Portion(OFFSET + 3_000, 1_000, bytes(range(256)) * 40, apart=True)
    source.pieces.extend([*stream(0, 2), rubbish, *stream(4, 10)])
    watched = show()
    watched.run(9.0)
    assert right(watched)
    assert max(second for _, second in watched.seen) >= 8
    assert watched.player.poll() == []
    spoilt = Script()
    spoilt.pieces.extend([rubbish] * 8)
    broken = Show(spoilt)
    broken.run(0.5)
    assert len(broken.player.poll()) == 1
    broken.player.close()


def test_after_a_pause_it_goes_on_at_the_edge(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]]
) -> None:
    """What was decoded before the pause is not shown after it; what was seen is not shown again."""
    source.pieces.extend(stream(0, 5))
    watched = show()
    watched.run(2.0)
    stood = watched.progress.position_ms
    watched.player.pause()
    watched.player.picture()  # the one that was due
    watched.wall.seconds += 10
    assert watched.player.picture() is None
    watched.player.play()
    assert source.joined[-1] == pytest.approx(stood, abs=100)
    before = len(watched.seen)
    source.pieces.extend(stream(12, 16))
    watched.run(3.0)
    assert {second for _, second in watched.seen[before:]} <= {12, 13, 14, 15, 16}
    assert right(watched)
    watched.player.pause()
    source.pieces.clear()
    watched.player.play()
    at = watched.progress.position_ms
    source.pieces.extend(stream(13, 18))
    seen = len(watched.seen)
    watched.run(2.0)
    assert min(place for place, _ in watched.seen[seen:]) >= at - 150


def test_a_picture_that_falls_behind_goes_on_at_the_edge(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]]
) -> None:
    """A slow line may lag so far and no further: then it is no live picture any more."""
    source.pieces.extend(stream(0, 5))
    watched = show()
    watched.run(2.0)
    source.edge_ms = OFFSET + 40_000
    source.pieces.clear()
    source.pieces.extend(stream(37, 40))
    watched.run(2.0)
    assert len(source.joined) == 2
    assert right(watched)
    assert watched.progress.position_ms >= OFFSET + 37_000


def test_sound_alone_and_sound_with_the_picture_are_heard_in_place(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]]
) -> None:
    """The position follows what is heard; where there is no picture it never goes beyond what was given out."""
    source.pieces.extend(stream(10, 17, picture=False))
    alone = show(ScriptedSink)
    alone.run(4.0)
    assert alone.progress.playing
    assert alone.progress.position_ms == pytest.approx(OFFSET + 14_000, abs=400)
    both = Script()
    both.pieces.extend(stream(10, 17))
    watched = Show(both, ScriptedSink)
    watched.run(4.0)
    assert right(watched)
    assert watched.progress.position_ms == pytest.approx(OFFSET + 14_000, abs=400)
    watched.player.close()


def test_the_end_is_told_where_it_is(
    source: Script, show: Callable[..., Show], stream: Callable[..., list[Portion]]
) -> None:
    """A lesson that ends before its planned end has ended there, and that is no fault."""
    source.pieces.extend(stream(0, 3))
    watched = show()
    watched.run(2.0)
    source.over = True
    watched.run(4.0)
    assert watched.progress.ended
    assert watched.progress.position_ms == pytest.approx(OFFSET + 4_000, abs=250)
    assert watched.player.poll() == []


def test_while_nothing_comes_it_says_why(source: Script, show: Callable[..., Show]) -> None:
    """The word of the source goes out with the progress; a lesson that never came ends without a picture."""
    source.state = "waiting"
    watched = show()
    watched.run(0.2)
    assert (watched.progress.live, watched.progress.playing) == ("waiting", False)
    source.over = True
    end = time.monotonic() + 120
    while not watched.player.progress().ended and time.monotonic() < end:
        watched.player.picture()
        time.sleep(0.002)
    ended = watched.player.progress()
    assert (ended.ended, ended.position_ms) == (True, 0)
