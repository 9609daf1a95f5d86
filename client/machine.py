"""The machine around the lesson: window, camera, person, agent; what each last said, and which one says no now.

Pure: `hear` takes one signal into a `Machine`, `blockers` reads it. A camera fault, a dark room or a sleeping agent is
a fact about a machine and never about a person; the words here keep to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from client.events import (
    AgentLost,
    Beat,
    CameraState,
    FindingCleared,
    FoundByAgent,
    Look,
    Observation,
    ProctorRestarted,
    Signal,
)
from client.view import Button, Sentence, Words

SEEN_LATELY_MS: Final = 3_000  # to start or go on, somebody must have been in the picture within this time
LOOK_SILENCE_MS: Final = 10_000  # looks come about once a second; ten missing ones mean that the detectors hang
GRAVITY: Final = ("inform", "report", "pause", "block")  # what a finding may cause, mildest first
COVERED_MS: Final = 3_000  # a black picture this long is a covered lens, shorter is a hand passing by
SEVERAL_HINT_MS: Final = 3_000  # study-session.md: a hint after 3 s


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the programme asks of the machine."""

    face: bool  # False: the agreed non-face route, no camera is needed
    agent_silence_ms: int  # the oldest beat that still counts as a living agent; 0: a demonstration without one
    absence_grace_ms: int
    others_for_ms: int
    covered_limit: int = 50  # per mille of our window; a tray icon or a caption bar is less
    foreground_unknown: str = "credit_flagged"  # credit | credit_flagged | pause


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason why the lesson stands still: the word for the log, the sentence and the button for the learner."""

    because: str
    sentence: Sentence
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What every part of the machine last said; `None` where it has not spoken yet. Moments are the session's mono."""

    window: Observation | None = None
    camera: CameraState | None = None
    look: Look | None = None
    look_at: int = 0
    seen_at: int | None = None
    covered_since: int | None = None
    several_since: int | None = None
    near_since: int | None = None
    beat: Beat | None = None
    beat_at: int | None = None  # None: the agent does not live
    findings: tuple[FoundByAgent, ...] = ()


def hear(machine: Machine, signal: Signal, now: int) -> Machine:
    """The machine after `signal` at mono `now`; signals about other things change nothing."""
    match signal:
        case Observation():
            return replace(machine, window=signal)
        case CameraState():
            return replace(machine, camera=signal, look_at=now)
        case ProctorRestarted():
            return replace(machine, look_at=now)
        case Look():
            return _look(machine, signal, now)
        case Beat():
            return replace(machine, beat=signal, beat_at=now)
        case AgentLost():
            return replace(machine, beat_at=None)
        case FoundByAgent():
            others = tuple(found for found in machine.findings if found.rule != signal.rule)
            return replace(machine, findings=(*others, signal))
        case FindingCleared(rule):
            return replace(machine, findings=tuple(found for found in machine.findings if found.rule != rule))
    return machine


def _look(machine: Machine, look: Look, now: int) -> Machine:
    return replace(
        machine,
        look=look,
        look_at=now,
        seen_at=now if look.faces > 0 else machine.seen_at,
        covered_since=_since(machine.covered_since, look.covered, now),
        several_since=_since(machine.several_since, look.faces > 1, now),
        near_since=_since(machine.near_since, look.near > 1, now),
    )


def _since(before: int | None, holds: bool, now: int) -> int | None:
    if not holds:
        return None
    return now if before is None else before


def window_fault(window: Observation | None, conditions: Conditions) -> str:
    """The word for what is wrong with the foreground, "" when nothing is; the OS's "cannot tell" follows the policy."""
    must_know = conditions.foreground_unknown == "pause"
    if window is None:
        return "unknown" if must_know else ""
    for holds, word in (
        (window.locked, "locked"),
        (window.other_desktop, "desktop"),
        (window.minimised, "minimised"),
        (window.focused is False, "focus"),
        (window.covered is not None and window.covered > conditions.covered_limit, "covered"),
    ):
        if holds:
            return word
    return "unknown" if must_know and (window.focused is None or window.covered is None) else ""


def camera_fault(machine: Machine, now: int) -> str:
    """The key of what is wrong with the camera, "" when nothing is."""
    if machine.camera is None:
        return "pause.camera_starting"
    if not machine.camera.available:
        known = machine.camera.detail in ("missing", "permission", "busy")
        return f"pause.camera_{machine.camera.detail}" if known else "pause.camera"
    if machine.look is None and now - machine.look_at <= LOOK_SILENCE_MS:
        return "pause.camera_starting"
    if now - machine.look_at > LOOK_SILENCE_MS:
        return "pause.camera"
    if machine.covered_since is not None and now - machine.covered_since > COVERED_MS:
        return "pause.camera_covered"
    if machine.look is not None and machine.look.picture:
        return f"pause.camera_{machine.look.picture}"
    return ""


def present(machine: Machine, grace_ms: int, now: int) -> bool:
    """Whether somebody was in the picture within the last `grace_ms`."""
    return machine.seen_at is not None and now - machine.seen_at <= grace_ms


def agent_lives(machine: Machine, conditions: Conditions, now: int) -> bool:
    """Whether the agent's last beat is young and its pipe is whole, or the class does without one."""
    silence = conditions.agent_silence_ms
    return silence == 0 or (machine.beat_at is not None and now - machine.beat_at <= silence)


def pausing(machine: Machine) -> Iterator[FoundByAgent]:
    """The open findings that stop the lesson."""
    return (found for found in machine.findings if found.response in ("pause", "block"))


def blockers(machine: Machine, conditions: Conditions, now: int, *, running: bool) -> Iterator[Blocker]:
    """Everything that keeps the lesson from playing now, the most pressing first.

    While it runs, an empty picture is forgiven for the grace (one looks down to write); to start or go on somebody must
    be there.
    """
    fault = window_fault(machine.window, conditions)
    if fault:
        yield _window_blocker(fault, machine.window)
    if not agent_lives(machine, conditions, now):
        yield Blocker("agent", Sentence("pause.agent"))
    for found in pausing(machine):
        words = {"title": Words(found.title_zh, found.title_en), "remedy": Words(found.remedy_zh, found.remedy_en)}
        yield Blocker("finding", Sentence("pause.finding", words), Button("recheck", "button.recheck"))
    if not conditions.face:
        return
    camera = camera_fault(machine, now)
    if camera:
        yield Blocker("camera", Sentence(camera))
    elif not present(machine, conditions.absence_grace_ms if running else SEEN_LATELY_MS, now):
        yield Blocker("absent", Sentence("pause.absent"))


def _window_blocker(fault: str, window: Observation | None) -> Blocker:
    if fault == "covered" and window is not None and window.active_app:
        return Blocker("covered", Sentence("pause.covered", {"app": window.active_app}))
    key = {"covered": "pause.covered_unknown", "unknown": "pause.foreground_unknown"}.get(fault, f"pause.{fault}")
    return Blocker("focus" if fault == "unknown" else fault, Sentence(key))


def rebased(machine: Machine, by: int) -> Machine:
    """The same machine with its moments counted from `by` ms later: from a clock's start to a session's."""

    def moved(moment: int | None) -> int | None:
        return None if moment is None else moment - by

    return replace(
        machine,
        look_at=machine.look_at - by,
        seen_at=moved(machine.seen_at),
        covered_since=moved(machine.covered_since),
        several_since=moved(machine.several_since),
        near_since=moved(machine.near_since),
        beat_at=moved(machine.beat_at),
    )
