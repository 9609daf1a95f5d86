"""Whatever happens, in whatever order: the session never writes a log that the verifier would doubt."""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.events import (
    AgentLost,
    AgentNote,
    CameraState,
    FindingCleared,
    FoundByAgent,
    Judged,
    Look,
    MediaFault,
    Order,
    Pressed,
    ProctorRestarted,
    Progress,
    Prompt,
    SeekAsked,
    SyncState,
    Tick,
)
from client.session import Metered
from client.state import Announced, Attempting
from client.view import TEXT
from tests.client.bench import FRONT, Bench, check_log, policy
from tests.tries import tries

RULES = {
    "demo": policy(),
    "one attempt": policy(max_attempts=1, max_mismatches=2),
    "long segments": policy(segment_ms=30_000, foreground_unknown="pause"),
    "short session": policy(session_ms=120_000, offline_ms=30_000),
}
NONCES = ("00" * 16, "5a" * 16, "ff" * 16)
CHECKS = st.one_of(st.integers(0, 6), st.sampled_from(["close", "spot-1"]))
ORDERS = st.builds(Order, CHECKS, st.integers(0, 3), st.sampled_from(NONCES), st.sampled_from([5_000, 60_000]))
RESULTS = st.sampled_from(
    [("passed", "ok"), ("failed", "other_person"), ("inconclusive", "dark"), ("failed", "no word at all!")]
)
WINDOWS = st.sampled_from(
    [
        FRONT,
        replace(FRONT, focused=False),
        replace(FRONT, covered=900, active_app="calc"),
        replace(FRONT, minimised=True),
        replace(FRONT, focused=None, covered=None, source="wayland"),
        replace(FRONT, locked=True),
    ]
)
MEND = st.tuples(st.just("mend"), st.sampled_from([500, 3_000, 15_000]))
OPS = st.one_of(
    MEND,
    MEND,
    MEND,
    st.tuples(st.just("play"), st.sampled_from([100, 900, 3_000, 12_000])),
    st.tuples(st.just("play alone"), st.sampled_from([3_000, 12_000, 40_000])),
    st.tuples(st.just("nobody"), st.sampled_from([2_000, 20_000, 35_000])),
    st.tuples(st.just("tick"), st.sampled_from([0, 1, 100, 5_000, 14_000, 20_000, 600_000])),
    st.tuples(st.just("wall"), st.sampled_from([-86_400_000, 4_000, 86_400_000])),
    st.tuples(st.just("place"), st.sampled_from([-50_000, -300, -100, 90, 240, 400, 2_000, 90_000])),
    st.tuples(st.just("stall"), st.just(0)),
    st.tuples(st.just("rate"), st.sampled_from([750, 1000, 2000])),
    st.tuples(st.just("end"), st.just(0)),
    st.tuples(st.just("look"), st.integers(0, 4)),
    st.tuples(st.just("window"), WINDOWS),
    st.tuples(st.just("camera"), st.booleans()),
    st.tuples(st.just("beat"), st.just(0)),
    st.tuples(st.just("agent lost"), st.just(0)),
    st.tuples(st.just("finding"), st.sampled_from(["inform", "report", "pause", "block"])),
    st.tuples(st.just("cleared"), st.just(0)),
    st.tuples(st.just("answer"), st.none() | ORDERS),
    st.tuples(st.just("late answer"), ORDERS),
    st.tuples(st.just("metered"), st.none() | ORDERS),
    st.tuples(st.just("judge"), RESULTS),
    st.tuples(st.just("press"), st.sampled_from(["play", "rest", "recheck", "ready", "play", "nonsense"])),
    st.tuples(st.just("seek"), st.sampled_from([-5, 0, 3_000, 30_000, 10**9])),
    st.tuples(st.just("sync"), st.booleans()),
    st.tuples(st.just("media"), st.just(0)),
    st.tuples(st.just("proctor"), st.just(0)),
)


def apply(bench: Bench, what: str, value: object) -> None:
    state = bench.state
    progress = Progress(state.unit.unit, bench.place, bench.shown, bench.playing, ended=False)
    match what, value:
        case "mend", int(ms):
            mend(bench, ms)
        case "play", int(ms):
            bench.play(ms)
        case "play alone", int(ms):
            bench.play(ms, answers=False)
        case "nobody", int(ms):
            bench.play(ms, faces=0)
        case "tick", int(ms):
            bench.tick(ms)
        case "wall", int(ms):
            bench.tick(100, wall=ms)
        case "place", int(ms):
            bench.place = max(0, min(bench.place + ms, state.unit.duration_ms))
            bench.progress(playing=bench.playing)
        case "stall", _:
            bench.send(replace(progress, playing=False))
        case "rate", int(rate):
            bench.send(replace(progress, rate=rate))
        case "end", _:
            bench.send(replace(progress, ended=True, playing=False))
        case "look", int(faces):
            bench.send(Look(state.now, faces, faces, covered=faces == 0))
        case "camera", bool(there):
            bench.send(CameraState(there, "cam", "bench", False))
        case "finding", str(response):
            bench.send(FoundByAgent("r", 1, "high", response, {"a": 1}, "z", "e", "z", "e"))
        case "answer", order:
            bench.answer(order=order)
        case "late answer", order:
            bench.answer(order=order, late_ms=90_000)
        case "metered", order:
            bench.send(Metered(state.tally.online_ms, state.tally.offline_ms + 5_000, order))
        case "judge", (result, reason):
            task = state.check.task if isinstance(state.check, Attempting) else None
            bench.send(Judged(task.order.i if task else 3, task.order.a if task else 0, "match", result, reason))
        case "sync", bool(online):
            bench.send(SyncState(online, bench.cosigned, 0, "" if online else "TS-C-001"))
        case _:
            simple(bench, what, value)


def mend(bench: Bench, ms: int) -> None:
    """Everything is in order again, an open check is passed, and the lesson plays for a while."""
    for signal in (FRONT, CameraState(True, "cam", "bench", False), FindingCleared("r"), SyncState(True, 0, 0)):
        bench.send(signal)
    bench.look()
    bench.beat()
    while isinstance(bench.state.check, Announced | Attempting):
        bench.press("ready")
        order = bench.state.check.task.order
        bench.send(Judged(order.i, order.a, "match", "passed", "ok"))
    if not bench.state.finished or bench.state.index == 0:
        bench.press("play")
    bench.play(ms)


def simple(bench: Bench, what: str, value: object) -> None:
    signals = {
        "window": value,
        "agent lost": AgentLost("gone"),
        "cleared": FindingCleared("r"),
        "media": MediaFault("broken"),
        "proctor": ProctorRestarted("crashed"),
        "press": Pressed(str(value)),
        "close": Pressed("end"),
        "seek": SeekAsked(value if isinstance(value, int) else 0),
    }
    if what == "beat":
        bench.beat()
    else:
        bench.send(signals[what])  # type: ignore[arg-type]


EXAMPLES = 3_000 if os.environ.get("TRUESEAT_LONG") else 120
TOLERANT = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=tries(EXAMPLES), deadline=None, suppress_health_check=TOLERANT)
@given(
    st.lists(OPS, max_size=60),
    st.lists(OPS, max_size=8),
    st.sampled_from(sorted(RULES)),
)
def test_no_sequence_of_signals_makes_an_invalid_log(ops, closing, rules):
    """Spans are valid and undoubted, orders answered one by one, nothing follows `closed`, every event encodes."""
    bench = Bench(rules=RULES[rules], units=(("one", 90_000), ("two", 600_000))).open()
    bench.answer(order=Order(0, 0, NONCES[0], 60_000))
    for what, value in ops:
        apply(bench, what, value)
    if closing:
        bench.press("end")
        for what, value in closing:
            apply(bench, what, value)
    if not bench.over:
        bench.press("end")
        bench.press("end")
        for _ in range(60):  # an open order keeps its deadline, one after the other
            bench.play(70_000, answers=False, step=1_000) if not bench.over else None
    assert bench.over, f"the session did not close: {bench.state.stage} {bench.state.check}"
    check_log(bench)


@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPS, max_size=40))
def test_the_screen_always_has_something_to_say(ops):
    """Whatever state the session is in, the screen has one sentence, and it is in the list."""
    from client.screen import Figures, view

    bench = Bench(units=(("one", 90_000), ("two", 600_000))).open()
    for what, value in ops:
        apply(bench, what, value)
        seen = view(bench.state, Figures(), wanted=True, opening=False, begun=True)
        said = [seen.sentence, seen.last_check, seen.sync, *(line.sentence for line in seen.panel)]
        assert all(sentence.key in TEXT for sentence in said), [sentence.key for sentence in said]
        for sentence in said:
            TEXT[sentence.key].format(**sentence.values)


def test_notes_and_prompts_outside_an_attempt_change_nothing_that_counts():
    """A prompt without an attempt is not shown; a note of the agent is a line in the log."""
    bench = Bench().study()
    bench.send(Prompt(1, "look", 1, 1, 5_000), AgentNote("slower"), Tick(bench.state.now - 5_000, 0))
    assert bench.state.prompt is None
    check_log(bench)
