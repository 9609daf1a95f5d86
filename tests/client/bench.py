"""A session without any port: signals in by hand, events and effects out; and what must hold for every log."""

from __future__ import annotations

import itertools
from dataclasses import replace

from client import effects, session
from client.effects import Cut, Effect, Log
from client.events import Beat, CameraState, Judged, Look, Observation, Order, Pressed, Progress, SegmentAnswered, Tick
from client.state import Attempting, Over, Rules, State, Unit
from client.view import Words
from ledger import course as courses
from ledger import events
from ledger import policy as policies
from ledger.events import (
    Answered,
    Body,
    Closed,
    Event,
    Opened,
    Ordered,
    Paused,
    Played,
    Resumed,
)
from ledger.policy import Policy, preset
from ledger.spans import Meter, Span

SID = "0123456789abcdef" * 2
HASH = "ab" * 32
WALL = 1_795_000_000_000
FRONT = Observation(focused=True, minimised=False, covered=0, source="bench")
COURSE = """id = "fire"
version = 1
[title]
zh = "火"
en = "Fire"
"""
UNIT = """[[unit]]
id = "{name}"
duration_ms = {duration}
media = "lesson.mp4"
media_sha256 = "{digest}"
[unit.title]
zh = "{name}"
en = "{name}"
"""


def policy(**changes: object) -> Policy:
    """The demo policy with every check a match, and `changes`."""
    base = policies.parse(preset("demo"))
    return replace(base, **{"opening_kind": "match", "kinds": ("match",), "session_ms": 4 * 3_600_000, **changes})


class Bench:
    """A session opened at mono 0 with everything in order, unless `ready` is False."""

    def __init__(
        self, *, rules: Policy | None = None, units: tuple[tuple[str, int], ...] = (("pass", 600_000),)
    ) -> None:
        self.policy = rules or policy()
        lessons = tuple(Unit(name, Words(name, name), duration) for name, duration in units)
        text = COURSE + "".join(UNIT.format(name=name, duration=duration, digest=HASH) for name, duration in units)
        self.course = courses.parse(text.encode())
        limits = Rules(SID, self.policy, lessons, self.policy.session_ms, self.policy.offline_ms)
        self.state = State(rules=limits, wall=WALL)
        self.log: list[Event] = []
        self.cuts: list[int] = []
        self.done: list[Effect] = []
        self.place = 0
        self.shown = 0
        self.beats = 0
        self.cosigned = 0

    # --- what happens -------------------------------------------------------------------------------------------------

    def open(self) -> Bench:
        """The machine is in order, event 0 is written."""
        for signal in (CameraState(True, "cam", "bench", False), FRONT):
            self.send(signal)
        self.look()
        self.beat()
        first = [Opened("grant", "cert", "client", "agent", "none", True)]
        self._take(session.begin(self.state, first))
        return self

    def study(self) -> Bench:
        """Open, answer the opening check, and let the picture move."""
        self.open().answer(order=Order(0, 0, "00" * 16, 60_000))
        self.pass_check()
        self.tick(100)
        self.progress()
        return self

    def send(self, *signals: session.Input) -> None:
        for signal in signals:
            self._take(session.step(self.state, signal))

    def press(self, what: str) -> None:
        self.send(Pressed(what))

    def tick(self, ms: int, *, wall: int = 0) -> None:
        state = self.state
        self.send(Tick(state.now + ms, state.wall + ms + wall))

    def look(self, faces: int = 1) -> None:
        self.send(Look(self.state.now, faces, faces, covered=False))

    def beat(self) -> None:
        self.beats += 1
        self.send(Beat(self.beats, self.state.now, self.state.now, HASH, HASH, "none"))

    def progress(self, *, playing: bool = True, ended: bool = False) -> None:
        unit = self.state.unit
        ended = ended or self.place >= unit.duration_ms
        self.send(Progress(unit.unit, self.place, self.shown, playing and not ended, ended))

    def answer(self, order: Order | None = None, *, late_ms: int = 0, commands: tuple[str, ...] = ()) -> None:
        """The server cosigns the last cut now (or `late_ms` ago)."""
        time = (WALL + self.state.now - late_ms) // 1000 * 1000
        self.cosigned = self.cuts[-1]
        self.send(SegmentAnswered(self.cosigned, "— server/w line", time, order, commands, "127.0.0.1"))

    def play(self, ms: int, *, step: int = 100, faces: int = 1, answers: bool = True, beats: bool = True) -> None:
        """Let the lesson run: looks each second, beats each five, segments answered at once."""
        for _ in range(0, ms, step):
            self.tick(step)
            if self.playing:
                self.place = min(self.place + step, self.state.unit.duration_ms)
                self.shown += 3
            if self.state.loaded:
                self.progress(playing=self.playing)
            if self.state.now % 1000 < step:
                self.look(faces)
            if beats and self.state.now % 5000 < step:
                self.beat()
            if answers and self.cuts[-1] > self.cosigned:
                self.answer()

    @property
    def playing(self) -> bool:
        """Whether the player was last told to play."""
        told = [e for e in self.done if isinstance(e, effects.Play | effects.Pause)]
        return bool(told) and isinstance(told[-1], effects.Play)

    def pass_check(self, result: str = "passed", reason: str = "ok") -> None:
        """Skip the notice and let the proctor judge."""
        self.press("ready")
        assert isinstance(self.state.check, Attempting), self.state.check
        order = self.state.check.task.order
        self.send(Judged(order.i, order.a, self.state.check.task.kind, result, reason, {"match": 500}, {"m": HASH}))

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _take(self, stepped: tuple[State, tuple[Effect, ...]]) -> None:
        self.state, wanted = stepped
        for effect in wanted:
            self.done.append(effect)
            if isinstance(effect, Log):
                self.log.append(Event(len(self.log), effect.wall, effect.mono, SID, "00" * 16, effect.body))
            elif isinstance(effect, Cut):
                self.cuts.append(len(self.log))
            elif isinstance(effect, effects.Load | effects.Seek):
                self.place = effect.position_ms
        assert self.state.size == len(self.log)

    @property
    def verbs(self) -> list[str]:
        return [event.body.verb for event in self.log]

    def bodies(self, kind: type[Body]) -> list[Body]:
        return [event.body for event in self.log if isinstance(event.body, kind)]

    def spans(self) -> list[Span]:
        return measured(self.log, self.policy, self.course)

    @property
    def over(self) -> bool:
        return isinstance(self.state.stage, Over)


def measured(log: list[Event], rules: Policy, course: courses.Course) -> list[Span]:
    """The spans of a log, as the ledger measures them."""
    meter = Meter(rules, course)
    return [span for event in log if (span := meter.feed(event)) is not None]


def check_log(bench: Bench) -> None:
    """What holds for every log that the session writes, whatever happened."""
    mono = 0
    for seq, event in enumerate(bench.log):
        assert events.decode(events.encode(event)) == event
        assert event.seq == seq
        assert event.mono >= mono, f"event {seq} goes back from {mono} to {event.mono}"
        mono = event.mono
        assert isinstance(event.body, Opened) == (seq == 0)
        assert not isinstance(event.body, Closed) or seq == len(bench.log) - 1, "something follows `closed`"
    for span in bench.spans():
        assert not span.invalid, f"span {span.seq} is invalid: {span.invalid}"
        assert not span.doubt, f"the log speaks against span {span.seq}: {span.doubt}"
    _check_order(bench)
    ends = [0, *bench.cuts]
    assert all(b - a <= bench.policy.segment_events + 6 for a, b in itertools.pairwise(ends))


def _check_order(bench: Bench) -> None:
    """Checks are answered one by one; the picture moves only between `resumed` and `paused`, never under an order."""
    waiting: Ordered | None = None
    moving = False
    for seq, event in enumerate(bench.log):
        match event.body:
            case Ordered() as ordered:
                assert waiting is None, f"event {seq}: a second order while {waiting} is open"
                waiting = ordered
            case Answered() as answered:
                assert waiting is not None
                assert (answered.i, answered.a) == (waiting.i, waiting.a), f"event {seq} answers another order"
                assert seq + 1 in bench.cuts, f"the answer {seq} is not signed at once"
                waiting = None
            case Played():
                assert moving, f"event {seq}: a span while the lesson stands"
                assert waiting is None, f"event {seq}: a span under an open order"
            case Paused():
                assert moving or seq < 12 or isinstance(bench.log[seq - 1].body, Ordered), f"event {seq}: paused twice"
                moving = False
            case Resumed():
                assert not moving, f"event {seq}: resumed twice"
                assert waiting is None
                moving = True
            case Closed():
                assert waiting is None, f"closed while {waiting} is open"
                assert not moving
