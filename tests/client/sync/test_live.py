"""The fetching of a live lesson: bounded, by our own server's numbers alone, with words for what keeps it away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from client.errors import NetworkError
from client.ports import Reply
from client.sync import live as lives
from client.sync.api import Api
from client.sync.live import LiveFeed
from ledger import playlist
from ledger.course import Live, Text, Unit
from ledger.playlist import Part, Playlist
from tests.scripted import FakeClock

STARTS = 1_795_000_000_000
UNIT = Unit("hall", Text("直播", "Live"), 600_000, "", "", {}, {}, (), live=Live("hall-1", STARTS))
SID = "ab" * 16


class Server:
    """`Transport` with a playlist of one's own; each segment says its number."""

    def __init__(self) -> None:
        self.playlist: Reply | Exception = Reply(404, b'{"code": "TS-S-093"}')
        self.piece = Reply(200, b"")
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.lock = threading.Lock()

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        with self.lock:
            self.asked.append(path)
            self.headers.append(dict(headers or {}))
            assert (method, body) == ("GET", b"")
            found = self.playlist if path.endswith("index.m3u8") else self.piece
            if isinstance(found, Exception):
                raise found
            return Reply(200, path.encode()) if found.status == 200 and not found.body else found

    def lists(self, first: int, last: int, *, ended: bool = False, **changes: Any) -> None:
        """The segments of 2 s with these numbers; segment 0 begins at the planned start."""
        parts = tuple(Part(f"{n}.ts", STARTS + n * 2_000, 2_000, **changes) for n in range(first, last + 1))
        self.says(playlist.write(Playlist(2_000, first, parts, ended)))

    def says(self, data: bytes, status: int = 200) -> None:
        with self.lock:
            self.playlist = Reply(status, data)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(wall_ms=STARTS + 20_000)


@pytest.fixture
def feed(server: Server, clock: FakeClock) -> Iterator[LiveFeed]:
    made = LiveFeed(Api(server, "token"), None, UNIT, clock)
    made.pace = 0.002
    made.begin(SID)
    yield made
    made.close()
    if made._thread is not None:
        made._thread.join(30)


def waited(ready: Any) -> None:
    """Until it is so; a bound that no machine reaches."""
    end = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.002)


def taken(feed: LiveFeed, count: int) -> list[int]:
    """The programme time of the next pieces, in s."""
    found = []
    while len(found) < count:
        piece = feed.take(30)
        assert piece is not None
        found.append(piece.at_ms // 1000)
    return found


def test_who_joins_begins_three_segments_from_the_edge(server: Server, feed: LiveFeed) -> None:
    """RFC 8216, 6.3.3; then every new segment once, in order, in the name of the session and its token."""
    server.lists(0, 9)
    feed.join(0)
    assert taken(feed, 3) == [14, 16, 18]
    server.lists(2, 12)
    assert taken(feed, 3) == [20, 22, 24]
    assert feed.take(0.05) is None
    pieces = [path for path in server.asked if path.endswith(".ts")]
    assert pieces == [f"/v1/sessions/{SID}/live/hall/{number}.ts" for number in range(7, 13)]
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer token"}
    assert (feed.edge_ms, feed.state, feed.ended) == (26_000, "", False)


def test_who_comes_back_is_at_the_edge_and_sees_nothing_twice(server: Server, feed: LiveFeed) -> None:
    """Nothing is asked for while nobody wants it; what passed is not fetched; nothing before the own place is."""
    server.lists(0, 9)
    feed.join(0)
    taken(feed, 3)
    feed.leave()
    waited(lambda: feed._thread is not None)
    time.sleep(0.05)
    before = len(server.asked)
    server.lists(20, 39)
    time.sleep(0.05)
    assert len(server.asked) <= before + 2, "at most the round that was on its way"
    feed.join(20_000)
    assert taken(feed, 3) == [74, 76, 78]
    feed.leave()
    feed.join(77_000)
    assert taken(feed, 2) == [76, 78], "the piece that holds the own place, and on"


def test_nobody_is_asked_before_a_session_is_open(server: Server, clock: FakeClock) -> None:
    feed = LiveFeed(Api(server), None, UNIT, clock)
    server.lists(0, 9)
    feed.join(0)
    assert feed.take(0.05) is None
    assert not server.asked
    feed.close()


@pytest.mark.parametrize(
    ("status", "body", "wall", "word"),
    [
        (404, b'{"code": "TS-S-093"}', -60_000, "waiting"),
        (404, b'{"code": "TS-S-093"}', 60_000, "late"),
        (503, b'{"code": "TS-S-094"}', 0, "refused"),
        (410, b'{"code": "TS-S-038"}', 0, "refused"),
        (401, b"", 0, "refused"),
        (500, b"on fire", 0, "refused"),
        (200, b"<html>sign in to the hotel's network</html>", 0, "refused"),
        (200, b"#EXTM3U\n" + b"#" * lives.MAX_ANSWER, 0, "refused"),
    ],
)
def test_what_keeps_the_picture_away_is_said(
    server: Server, feed: LiveFeed, clock: FakeClock, status: int, body: bytes, wall: int, word: str
) -> None:
    """Each has its word; none of them stops the asking."""
    clock.wall_ms = STARTS + wall
    server.says(body, status)
    feed.join(0)
    waited(lambda: feed.state == word)
    asked = len(server.asked)
    waited(lambda: len(server.asked) > asked)
    assert not feed.ended


def test_a_line_that_is_down_and_an_encoder_that_is_silent(server: Server, feed: LiveFeed, clock: FakeClock) -> None:
    """Unreachable, late, stalled, and none of them once pieces come again."""
    server.playlist = NetworkError("down")
    feed.join(0)
    waited(lambda: feed.state == "unreachable")
    server.lists(0, 3)
    taken(feed, 3)
    assert feed.state == ""
    clock.advance(20_000)
    waited(lambda: feed.state == "stalled")
    server.lists(0, 4)
    assert taken(feed, 1) == [8]
    assert feed.state == ""


@pytest.mark.parametrize(
    "name",
    ["http://elsewhere.example/1.ts", "//elsewhere.example/1.ts", "../../content-key", "%2e%2e/x.ts", "hall.ts",
     "1.ts?x=http://elsewhere.example", "01.ts", "1.ts\r\nX: y", "x" * 300],
)  # fmt: skip
def test_a_name_that_is_no_number_of_the_server_is_never_asked_for(server: Server, feed: LiveFeed, name: str) -> None:
    """Another host, a path, a name: the whole playlist is refused, and nothing of it is asked for."""
    server.lists(0, 3)
    assert isinstance(server.playlist, Reply)
    honest = server.playlist.body
    for forged in (honest.replace(b"2.ts", name.encode()), honest.replace(b"#EXT-X-PROGRAM", b'#EXT-X-MAP:URI="'
                   + name.encode() + b'"\n#EXT-X-PROGRAM', 1).replace(b".ts", b".m4s")):  # fmt: skip
        server.says(forged)
        before = len(server.asked)
        feed.join(0)
        waited(lambda before=before: len(server.asked) > before + 2 and feed.state == "refused")  # this one was read
    assert {path.rpartition("/")[2] for path in server.asked} == {"index.m3u8"}


def test_memory_is_bounded(server: Server, feed: LiveFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment beyond the limit is refused; of pieces that nobody takes the oldest go, and the next stands apart."""
    monkeypatch.setattr(lives, "MAX_PIECE", 1_000)
    monkeypatch.setattr(lives, "KEPT_BYTES", 2_500)
    server.piece = Reply(200, b"x" * 1_001)
    server.lists(0, 3)
    feed.join(0)
    waited(lambda: feed.state == "refused")
    server.piece = Reply(200, b"x" * 1_000)
    for last in range(3, 9):
        server.lists(0, last)
        waited(lambda last=last: feed.edge_ms == (last + 1) * 2_000 and feed.state == "")
    waited(lambda: feed._pieces and feed._pieces[-1].at_ms == 16_000)
    assert sum(len(piece.data) for piece in feed._pieces) <= 2_500
    first = feed.take(1)
    assert first is not None
    assert first.apart


def test_the_lesson_is_over_when_the_server_says_so_or_the_plan_does(
    server: Server, feed: LiveFeed, clock: FakeClock
) -> None:
    """The last piece is handed out first; a lesson that never came is over a minute after its planned end."""
    server.lists(0, 3, ended=True)
    feed.join(0)
    assert taken(feed, 3) == [2, 4, 6]
    waited(lambda: feed.ended)
    never = LiveFeed(Api(Server()), None, UNIT, clock)
    never.pace = 0.002
    never.begin(SID)
    clock.wall_ms = STARTS + 600_000 + lives.TAIL_MS + 1
    never.join(0)
    waited(lambda: never.ended)
    never.close()


def test_a_hole_in_the_stream_begins_a_new_stretch(server: Server, feed: LiveFeed) -> None:
    """The encoder was restarted: what comes next does not go on from the one before."""
    server.lists(0, 3)
    feed.join(0)
    taken(feed, 3)
    server.lists(8, 9)
    first, second = feed.take(30), feed.take(30)
    assert first is not None
    assert second is not None
    assert (first.at_ms, first.apart, second.apart) == (16_000, True, False)
