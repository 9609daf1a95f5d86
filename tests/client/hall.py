"""A live lesson in one process: a real stream, the real server, the client's own way from the playlist to the screen.

The clock is the test's. At each tick the encoder publishes what is complete, and the harness waits (for that, never for
a fixed time) until the client has fetched and decoded what there is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from client.courses import Shelf
from client.player.live import LiveReel
from client.player.playback import Playback
from client.player.sound import Silence
from client.ports import Portion
from client.study import Study
from client.sync.live import LiveFeed
from client.view import View
from ledger.events import Event, Played
from tests.client.world import TICK, MachineSide, World
from tests.live_stream import Encoder, second_of
from tests.scripted import at_once

STARTS: Final = 1_795_000_100_000
LONG: Final = 50_000
SEEN_MS: Final = 350  # a span may claim 250 ms that its clock allows, and a tick


def course(folder: Path, _units: Sequence[tuple[str, int]], _questions: Sequence[int] = ()) -> Path:
    """A course of one live unit."""
    folder.mkdir()
    starts = datetime.fromtimestamp(STARTS / 1000, UTC).isoformat()
    (folder / "course.toml").write_text(
        f'id = "fire"\nversion = 1\ntitle = {{ zh = "消防", en = "Fire" }}\n[[unit]]\nid = "hall"\n'
        f'duration_ms = {LONG}\ntitle = {{ zh = "直播", en = "Live" }}\n'
        f'live = {{ stream = "hall-1", starts = {starts} }}\n',
        encoding="utf-8",
    )
    return folder


class Tap:
    """The feed, with an ear on it: whether the player waits for a piece that is not there."""

    def __init__(self, feed: LiveFeed) -> None:
        self.feed, self.waits = feed, False

    def take(self, wait_s: float) -> Portion | None:
        with self.feed._lock:  # a piece that is gone from there is in the player's hand
            found = self.feed.take(min(wait_s, 0.02))
            self.waits = found is None
        return found

    @property
    def dry(self) -> bool:
        """Whether the player has had everything, and waits for more."""
        with self.feed._lock:
            return self.waits and not self.feed._pieces

    def __getattr__(self, name: str) -> Any:
        return getattr(self.feed, name)


class Hall:
    """One learner before a live lesson."""

    def __init__(self, world: World, machine: MachineSide, source: Path) -> None:
        self.world, self.machine, self.clock = world, machine, world.clock
        self.encoder: Encoder | None = None
        self.source = source
        self.shown: list[tuple[float, float, int]] = []  # from, until (programme ms), the second that the picture tells
        shelf = Shelf(machine.enrolment, "client", "agent", machine.clock)
        shelf.prepare()
        self.opened = shelf.open(machine.registration.registration)
        feed = self.opened.lesson.media["hall"].live
        assert isinstance(feed, LiveFeed)
        feed.pace = 0.005
        self.feed, self.tap = feed, Tap(feed)
        self.begun = self.whole = 0  # the rounds of questions: the newest, and the last whole one
        ask_once = feed._once

        def once(*given: Any) -> float:
            self.begun += 1
            number, waits = self.begun, ask_once(*given)
            self.whole = number
            return waits

        feed._once = once  # type: ignore[method-assign]
        media = {"hall": replace(self.opened.lesson.media["hall"], live=self.tap)}
        self.player = Playback(Silence, now=lambda: self.clock.now / 1000)
        ports = replace(machine.ports, player=self.player)
        self.study = Study(ports, replace(self.opened.lesson, media=media), at_once)
        self.study.press("play")

    def close(self) -> None:
        self.player.close()
        self.opened.close()
        if self.feed._thread is not None:
            self.feed._thread.join(30)

    # --- time ---------------------------------------------------------------------------------------------------------

    def on_air(self, begins: int = STARTS, kind: str = "mpegts") -> Encoder:
        """The encoder starts: its first picture is of `begins` (epoch ms)."""
        folder = self.world.settings.streams / "hall-1"
        self.encoder = Encoder(folder, self.source / kind, begins, kind)
        return self.encoder

    def wait_until(self, programme_ms: int) -> None:
        """Let time pass up to a moment of the lesson."""
        self.run(STARTS + programme_ms - self.clock.wall_ms)

    def run(self, ms: int) -> None:
        """Let time pass in ticks."""
        for _ in range(0, ms, TICK):
            self.clock.advance(TICK)
            if self.encoder is not None:
                self.encoder.until(self.clock.wall_ms)
            self._settle()
            self.study.tick()

    def until(self, key: str, ms: int = 120_000) -> View:
        """Let time pass until the screen says this, as its sentence or its hint; the view then."""
        for _ in range(0, ms, TICK):
            view = self.study.view()
            if key in (view.sentence.key, view.hint.key if view.hint else ""):
                return view
            self.run(TICK)
        raise AssertionError(f"never {key}; now {self.said}")

    def _settle(self) -> None:
        end, before = time.monotonic() + 120, self.begun
        while time.monotonic() < end:
            picture = self.player.picture()
            if picture is not None:
                luma = memoryview(picture.planes[0])[picture.strides[0] * (picture.height // 2) + picture.width // 2]
                self.shown.append((picture.at_ms, picture.until_ms, second_of(luma)))
                continue
            if self._settled(before):
                return
            time.sleep(0.002)
        raise AssertionError(f"not settled at {self.clock.wall_ms - STARTS}: {self.feed.state!r}, {self.feed.edge_ms}")

    def _settled(self, before: int) -> bool:
        """Whether what there is was decoded. `before`: the newest round of questions when it was published."""
        reel = self.player._reel
        if not isinstance(reel, LiveReel) or reel.left or self.player._ended:
            return True
        if reel.fault is not None or reel.next_ms() is not None or reel.end_ms is not None:
            return True
        if self.feed._over:
            return False  # nothing more is asked for: the last pieces come, and then the reel's own end
        return (self.encoder is None or self.whole > before) and self.tap.dry

    # --- what came of it ----------------------------------------------------------------------------------------------

    @property
    def said(self) -> str:
        """The sentence on the screen."""
        return self.study.view().sentence.key

    def spans(self) -> list[Played]:
        """What the signed log claims of the lesson."""
        events: list[Event] = self.machine.events(self.study.sid)
        return [event.body for event in events if isinstance(event.body, Played)]

    def claims_only_what_was_shown(self) -> None:
        """Every 100 ms of every span lie at a picture that was on the screen, and each was of its own second."""
        for at, _, second in self.shown:
            assert -100 <= at - second * 1000 - self.shift < 1_100, (at, second)
        for span in self.spans():
            assert span.rate == 1000
            for place in range(span.from_, span.to, 100):
                assert any(at - SEEN_MS <= place <= until + SEEN_MS for at, until, _ in self.shown), (place, span)

    @property
    def shift(self) -> int:
        """The programme time of the stream's first picture."""
        assert self.encoder is not None
        return self.encoder.parts[0].at_ms - STARTS

    def claimed(self, from_ms: int, to_ms: int) -> int:
        """How many ms of a stretch the spans claim."""
        return sum(max(0, min(span.to, to_ms) - max(span.from_, from_ms)) for span in self.spans())

    def finish(self) -> int:
        """End the lesson as a learner does; what is credited of it, by this device, the server and a verifier alike."""
        if not self.study.over:
            self.machine.finish(self.study)
        self.machine.send_all()
        found, _ = self.opened.lesson.credit()
        report = self.world.verified()
        assert (report.exit_code, report.credited_ms) == (0, found.credited_ms)
        return found.credited_ms
