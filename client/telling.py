"""What the machine says, told to the log when it is news: window, presence, camera, agent, findings, clock, sleep.

Moves on a `Turn`. A fault is a fact about a machine; a finding is a matched rule; neither is a judgement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from client import checks
from client.effects import RestartAgent, RestartCamera
from client.events import (
    AgentLost,
    AgentNote,
    Beat,
    CameraState,
    FoundByAgent,
    Look,
    MediaFault,
    Observation,
    ProctorRestarted,
    Signal,
    Tick,
)
from client.machine import GRAVITY, LOOK_SILENCE_MS, Machine, agent_lives, hear, window_fault
from client.motion import Still
from client.state import State
from client.turn import Turn
from ledger.events import Fault, Finding, Focus, Heartbeat, Presence

ASLEEP_MS: Final = 15_000  # ticks come ten times a second; a hole this long is a suspended machine
CLOCK_JUMP_MS: Final = 3_000  # the wall clock moved against the monotonic one by more than any slack forgives
NETWORK_SILENCE_MS: Final = 20_000  # a Wi-Fi that changes its cell is back sooner


def tick(turn: Turn, moment: Tick) -> None:
    """Time passed. A hole in it, or a wall clock that jumps, is logged; spans end where we last looked."""
    before = turn.state
    passed = moment.mono - before.now
    if passed < 0:
        return  # CLOCK_BOOTTIME cannot fall; the log's own time never does
    slept = passed > ASLEEP_MS
    if slept:
        turn.end_span()
        turn.set(machine=replace(before.machine, look_at=moment.mono, beat_at=None))  # the next beat says it woke, too
    turn.set(now=moment.mono, wall=moment.wall)
    if not before.size:
        return
    moved = moment.wall - before.wall - passed
    if slept:
        turn.log(Fault("suspend", f"{passed} ms without a tick"))
        if not isinstance(before.motion, Still):
            turn.set(hold="suspended")
            turn.stop("suspended")
    elif abs(moved) > CLOCK_JUMP_MS:
        turn.log(Fault("clock", f"the wall clock moved by {moved} ms"))
    _silence(turn)
    _network(turn)
    _others(turn)


def _silence(turn: Turn) -> None:
    """Belt to the ports' braces: whoever should speak and does not is restarted, once for each silence."""
    state = turn.state
    machine = state.machine
    if machine.beat_at is not None and not agent_lives(machine, state.rules.conditions, state.now):
        news(turn, state, AgentLost(f"no beat for {state.now - machine.beat_at} ms"))
    silent = state.now - machine.look_at > LOOK_SILENCE_MS
    if silent and state.rules.face and not state.told_silent and machine.camera and machine.camera.available:
        turn.log(Fault("camera", f"no picture for {state.now - machine.look_at} ms"))
        turn.do(RestartCamera())
    turn.set(told_silent=silent)


def _network(turn: Turn) -> None:
    """The server is silent for long: the log says so, and the offline schedule takes over."""
    state = turn.state
    since = None if state.sync.online else state.silent_since or state.now
    turn.set(silent_since=since, offline=state.offline and since is not None)
    if since is not None and not state.offline and state.now - since > NETWORK_SILENCE_MS:
        turn.log(Fault("network", f"no answer for {state.now - since} ms {state.sync.problem}".strip()))
        turn.set(offline=True)
        turn.cut()


def _others(turn: Turn) -> None:
    """Someone else near and facing the screen for long: a finding that is only reported, once each time."""
    state = turn.state
    since, look = state.machine.near_since, state.machine.look
    long = since is not None and look is not None and state.now - since > state.rules.policy.others_for_ms
    if long and not state.told_others and look is not None and since is not None:
        row = {"faces": look.faces, "near": look.near, "for_ms": state.now - since}
        turn.log(Finding("presence.others", 1, "low", "report", row))
    turn.set(told_others=long)


def news(turn: Turn, before: State, signal: Signal) -> None:
    """Take one signal of the machine; before event 0 nothing is logged (`first` tells it then)."""
    signal = clamped(turn.state, signal)
    turn.set(machine=hear(turn.state.machine, signal, turn.state.now))
    if before.size:
        _log(turn, before.machine, signal)
    elif isinstance(signal, AgentLost):
        turn.do(RestartAgent())


def _log(turn: Turn, before: Machine, signal: Signal) -> None:
    match signal:
        case Observation():
            _window(turn)
        case Look():
            _presence(turn, before, signal)
        case CameraState(available=False) if before.camera is None or before.camera.available:
            turn.log(Fault("camera", f"{signal.name}: {signal.detail}"[:1000]))
            turn.do(RestartCamera())
        case CameraState(available=True) if before.camera is None or before.camera.name != signal.name:
            turn.log(Fault("camera", f"another camera: {described(signal)}"[:1000]))
        case ProctorRestarted(detail):
            turn.log(Fault("proctor", detail[:1000]))
            checks.interrupted(turn, "proctor_restarted")
        case Beat():
            turn.log(_heartbeat(signal))
        case AgentLost(detail):
            if before.beat_at is not None:
                turn.log(Fault("agent", detail[:1000]))
            turn.do(RestartAgent())
        case AgentNote(detail):
            turn.log(Fault("agent", detail[:1000]))
        case FoundByAgent():
            if not any(_as_grave(found, signal) for found in before.findings):
                turn.log(_finding(signal))
        case MediaFault(detail):
            turn.log(Fault("media", detail[:1000]))
            turn.set(media_fault=detail, hold="media", reload=True)
        case _:
            pass


def first(turn: Turn) -> None:
    """What the machine said before event 0: window, agent, open findings."""
    machine = turn.state.machine
    _window(turn)
    if machine.beat is not None and machine.beat_at is not None:
        turn.log(_heartbeat(machine.beat))
    for found in machine.findings:
        turn.log(_finding(found))


def _window(turn: Turn) -> None:
    state = turn.state
    window = state.machine.window
    if window is None:
        return
    told = (not window_fault(window, state.rules.conditions), window.covered, window.source[:200])
    if told != state.told_window:
        turn.set(told_window=told)
        turn.log(Focus(*told))


def _presence(turn: Turn, before: Machine, look: Look) -> None:
    """The number of faces, when two looks agree on a new one: a single look flickers. Who is back is told at once."""
    _picture(turn, before, look)
    told = turn.state.told_faces
    agreed = before.look is not None and before.look.faces == look.faces
    if look.faces != told and (agreed or (told == 0 and look.faces > 0)):
        turn.log(Presence(look.faces))
        turn.set(told_faces=look.faces)


def _picture(turn: Turn, before: Machine, look: Look) -> None:
    """The picture stands still (a fault), or comes round again (a finding): once each time; the lesson stands.

    Signs of a file in the camera's place are a finding, too, and stop nothing.
    """
    signs = turn.state.told_fed | set(look.fed.split())
    if signs != turn.state.told_fed:
        turn.set(told_fed=signs)
        turn.log(Finding("presence.fed", 1, "medium", _at_most(turn, "report"), {"signs": look.fed}))
    if before.look is not None and before.look.picture == look.picture:
        return
    if look.picture == "still":
        turn.log(Fault("camera", "the picture does not change"))
    elif look.picture == "repeats":
        turn.log(Finding("presence.repeats", 1, "medium", _at_most(turn, "pause"), {"again_ms": look.again_ms}))


def _at_most(turn: Turn, response: str) -> str:
    """What a finding of middling severity may cause here, and never more than `response`."""
    return min(response, turn.state.rules.policy.responses.get("medium", "report"), key=GRAVITY.index)


def described(camera: CameraState) -> str:
    """One line about a camera, for the log: its name and backend as the OS tells them, and whether it is virtual."""
    words = [camera.name, camera.backend, "scripted" if camera.scripted else "", camera.detail]
    return ", ".join(word for word in words if word)


def _heartbeat(beat: Beat) -> Heartbeat:
    return Heartbeat(beat.beat, beat.agent_mono, beat.uptime, beat.rules, beat.agent_hash, beat.manifest)


def _finding(found: FoundByAgent) -> Finding:
    return Finding(found.rule, found.version, found.severity, found.response, dict(found.evidence))


def _as_grave(known: FoundByAgent, found: FoundByAgent) -> bool:
    """Whether `found` was told already: the same rule, no graver than before."""
    return known.rule == found.rule and GRAVITY.index(found.response) <= GRAVITY.index(known.response)


def clamped(state: State, signal: Signal) -> Signal:
    """A finding does no more than the policy lets its severity do."""
    if not isinstance(signal, FoundByAgent):
        return signal
    most = state.rules.policy.responses.get(signal.severity, "inform")
    return replace(signal, response=min(signal.response, most, key=GRAVITY.index))
