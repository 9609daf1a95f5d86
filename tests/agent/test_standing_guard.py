"""The whole guard: a real agent, the client's port on it, and the session that signs: no agent, no credited time."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

import psutil
import pytest

from agent.link import BACKOFF_MS, AgentLink
from client.events import AgentLost, Beat
from client.guard import AgentGuard
from ledger.events import Fault, Paused
from tests.agent.test_link import Clock
from tests.client.bench import Bench, check_log

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="left out: stops a process by signal")
STEP_MS = 100  # how often the client's loop asks


def hear(bench: Bench, said: Sequence[object]) -> int:
    """Life and death of the agent; what else runs on the tester's machine is not this test's. How many beats it was."""
    for entry in said:
        if isinstance(entry, Beat | AgentLost):
            bench.send(entry)
    return sum(isinstance(entry, Beat) for entry in said)


def pass_time(guard: AgentGuard, bench: Bench, clock: Clock) -> int:
    """One turn of the client's loop: session and pipe see the same time; a moment for the real process to speak."""
    clock.added += STEP_MS
    bench.play(STEP_MS, beats=False)
    beats = hear(bench, guard.poll())
    time.sleep(0.01)
    return beats


def first_beat(guard: AgentGuard) -> list[object]:
    """All that was said until a new agent is up: a real start takes real time; the bound only ends a broken test."""
    said: list[object] = []
    for _ in range(1_800):
        said += guard.poll()
        if any(isinstance(entry, Beat) for entry in said):
            return said
        time.sleep(0.1)
    raise AssertionError(f"no agent came; heard {said}")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_an_agent_that_is_gone_stops_credit_within_five_seconds(how: signal.Signals) -> None:
    """The lesson stands, the log says why, the time until it stood is bounded, and a new agent lets it go on."""
    clock = Clock()
    link = AgentLink(clock=clock)
    guard, bench = AgentGuard(link), Bench().study()
    guard.start()
    try:
        hear(bench, first_beat(guard))
        pass_time(guard, bench, clock)
        assert bench.playing
        pid, began = link.pid, bench.state.now
        assert pid is not None
        os.kill(pid, how)
        since, late = began, 0
        while bench.playing and bench.state.now - began < 60_000:
            if pass_time(guard, bench, clock):  # its last word was on its way: this time runs faster than the pipe
                since, late = bench.state.now, late + 1
        assert late <= 1
        assert bench.state.now - since <= 5_000
        assert bench.bodies(Fault)[-1].what == "agent"  # type: ignore[attr-defined]
        assert bench.bodies(Paused)[-1].because == "agent"  # type: ignore[attr-defined]
        assert not psutil.pid_exists(pid)
        guard.start()
        clock.added += BACKOFF_MS[1]
        hear(bench, first_beat(guard))
        for _ in range(600):
            pass_time(guard, bench, clock)
            if bench.playing:
                break
        assert bench.playing
        check_log(bench)
    finally:
        last = link.pid
        guard.close()
    assert last is None or not psutil.pid_exists(last)
