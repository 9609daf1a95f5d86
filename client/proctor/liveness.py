"""A challenge as a pure state machine: calm first, each gesture after its prompt, in order, in time, by one person.

Nothing counts that was visible before it was asked for. The last step is calm again, so that the face that ends the
challenge is compared with the one that began it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from client.proctor.counting import Wave, lids, lips
from client.proctor.limits import Limits
from client.proctor.seen import Pose, permille

Phase = Literal["calm", "gesture", "hold", "passed", "failed"]

FRAMES: Final = 2  # a turn is seen in two frames in a row: one may be a mistake of the model
STRANGERS: Final = 3  # looks in a row that are not this person
STRAY: Final = 2  # a turn to the wrong side is seen as soon as a right one, any other gesture takes twice as long
REST: Final = Wave()
WIDE: Final = 500  # per mille of jawOpen: no mouth at rest, and none that talks for long


@dataclass(frozen=True, slots=True)
class Measure:
    """One frame: when (ms), the pose if one face was there to read, and how it compares with the person (per mille)."""

    t: int
    pose: Pose | None
    good: bool = True  # no hint: light, size and sharpness allow a judgement
    same: int | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """Where a challenge stands. `index` gestures are done; `level` is the progress within the present one."""

    gestures: tuple[str, ...]
    waits: tuple[int, ...] = ()  # ms of calm that each prompt waits for beyond the least
    phase: Phase = "calm"
    index: int = 0
    since: int = 0
    calm_since: int | None = None
    level: int = 0
    wave: Wave = REST
    wrong: int = 0
    slips: int = 0
    lost_since: int | None = None
    strangers: int = 0
    base: Pose | None = None
    rested: bool = False  # calm was seen since the last gesture: what moves now was not asked for
    reason: str = ""

    @property
    def prompt(self) -> str:
        """What the learner is asked to do now."""
        return {"calm": "neutral", "gesture": self.gesture, "hold": "hold"}.get(self.phase, "hold")

    @property
    def gesture(self) -> str:
        """The gesture that is asked for or comes next, "" after the last."""
        return self.gestures[self.index] if self.index < len(self.gestures) else ""

    @property
    def over(self) -> bool:
        """Tell whether nothing more can change."""
        return self.phase in ("passed", "failed")


def begin(gestures: Sequence[str], t: int, waits: Sequence[int] = ()) -> Challenge:
    """A new challenge at `t` ms; gestures that no model reads are a `ValueError`.

    `waits`: how much longer than the least calm each prompt waits, in ms; drawn of the nonce, so that no film knows it.
    """
    unknown = set(gestures) - set(GESTURES)
    if unknown:
        raise ValueError(f"no such gesture: {sorted(unknown)[0]}")
    return Challenge(tuple(gestures), tuple(waits), since=t)


def step(now: Challenge, seen: Measure, limits: Limits) -> Challenge:
    """The challenge after one more frame."""
    if now.over:
        return now
    now = _same_person(now, seen, limits)
    if now.over:
        return now
    if seen.pose is None:
        return _lost(now, seen.t, limits)
    now = replace(now, lost_since=None)
    match now.phase:
        case "gesture":
            return _gesture(now, seen.t, seen.pose, limits)
        case "calm":
            return _calm(now, seen, seen.pose, limits)
        case "hold":
            return _hold(now, seen, seen.pose, limits)
    return now


def _same_person(now: Challenge, seen: Measure, limits: Limits) -> Challenge:
    if seen.same is None:
        return now
    strangers = now.strangers + 1 if seen.same < limits.other else 0
    if strangers >= STRANGERS:
        return replace(now, phase="failed", reason="other_person")
    return replace(now, strangers=strangers)


def _lost(now: Challenge, t: int, limits: Limits) -> Challenge:
    """A turned head is lost now and then; one that is gone for longer begins this gesture anew, from calm."""
    since = now.lost_since if now.lost_since is not None else t
    if now.phase == "gesture" and t - since > limits.gap_ms:
        return replace(now, phase="calm", since=t, calm_since=None, level=0, wrong=0, lost_since=since)
    return replace(now, calm_since=None, lost_since=since)


def calm(pose: Pose, limits: Limits, before: str = "") -> bool:
    """Tell whether a head looks at the screen at rest, with nothing of the gesture `before` to be seen."""
    still = abs(pose.yaw) <= limits.calm_yaw and abs(pose.pitch) <= limits.calm_pitch
    jaw = limits.mouth_shut if before == "open_mouth" else limits.mouth_open - 1  # lips stand open at rest, too
    shut = permille(pose.jaw) <= jaw and permille(pose.blink) < limits.blink_calm
    return still and shut and (before != "smile" or permille(pose.smile) <= limits.smile_none)


def _calm(now: Challenge, seen: Measure, pose: Pose, limits: Limits) -> Challenge:
    if not (seen.good and calm(pose, limits, now.gesture)):
        return _moved(now, seen.t, pose, limits)
    now = replace(now, rested=True, wrong=0)
    since = now.calm_since if now.calm_since is not None else seen.t
    if seen.t - since < limits.calm_ms + _wait(now):
        return replace(now, calm_since=since)
    following: Phase = "gesture" if now.gesture else "hold"
    wave = Wave(rest=float(permille(pose.jaw if now.gesture == "open_mouth" else pose.blink)), last=seen.t)
    return replace(now, phase=following, since=seen.t, calm_since=None, level=0, wave=wave, wrong=0, base=pose)


def _wait(now: Challenge) -> int:
    return now.waits[now.index] if now.index < len(now.waits) else 0


def _moved(now: Challenge, t: int, pose: Pose, limits: Limits) -> Challenge:
    """Not calm. Once something was asked, a gesture between two prompts is one that nobody asked for."""
    now = replace(now, calm_since=None)
    if not now.rested or now.base is None:
        return now
    stray = STRAY if abs(pose.yaw) >= limits.turn else int(_unasked(now, pose, limits))
    wrong = now.wrong + stray if stray else 0
    return _slip(now, t, limits) if wrong >= FRAMES * STRAY else replace(now, wrong=wrong)


def _hold(now: Challenge, seen: Measure, pose: Pose, limits: Limits) -> Challenge:
    """The face that ends it: calm, and by the recogniser the same person in one look of `limits.looks`."""
    if not (seen.good and calm(pose, limits)) or seen.same is None:
        return now
    if seen.same >= limits.match:
        return replace(now, phase="passed", reason="ok")
    if now.level + 1 >= limits.looks:
        return replace(now, phase="failed", reason="other_person")
    return replace(now, level=now.level + 1)


def _gesture(now: Challenge, t: int, pose: Pose, limits: Limits) -> Challenge:
    level, wave = GESTURES[now.gesture](now, t, pose, limits)
    if level < 0:
        early = t - now.since < limits.reaction_ms
        return _slip(now, t, limits) if early else _next(now, t)
    stray = STRAY if _wrong_way(now.gesture, pose, limits) else int(_unasked(now, pose, limits))
    wrong = now.wrong + stray if stray else 0
    if wrong >= FRAMES * STRAY:
        return _slip(now, t, limits)
    if t - now.since > limits.gesture_ms:
        return replace(now, phase="failed", reason="gesture")
    return replace(now, level=level, wave=wave, wrong=wrong)


def _next(now: Challenge, t: int) -> Challenge:
    index = now.index + 1
    return replace(now, phase="calm", index=index, since=t, calm_since=None, level=0, wrong=0, rested=False)


def _slip(now: Challenge, t: int, limits: Limits) -> Challenge:
    """Left for right, or an answer before a person could give one: forgiven `slips` times, the gesture starts anew."""
    if now.slips >= limits.slips:
        return replace(now, phase="failed", reason="gesture")
    slips = now.slips + 1
    return replace(now, phase="calm", since=t, calm_since=None, level=0, wrong=0, slips=slips, rested=False)


def _wrong_way(gesture: str, pose: Pose, limits: Limits) -> bool:
    left, right = pose.yaw >= limits.turn, pose.yaw <= -limits.turn
    return (left and gesture != "turn_left") or (right and gesture != "turn_right")


def _unasked(now: Challenge, pose: Pose, limits: Limits) -> bool:
    """Another gesture than the one that is asked for: a film that plays them all in a row does this, people seldom.

    Blinks and smiles come by themselves. A head thrown back opens the mouth, and whoever opens it wide throws the head
    back: of these two the other alone is one that nobody asked for.
    """
    base = now.base
    if base is None or abs(pose.yaw) >= limits.turn / 2:
        return False
    opened, raised = permille(pose.jaw - base.jaw), pose.pitch - base.pitch
    match now.gesture:
        case "look_up":
            return opened >= WIDE and raised < limits.up / 2
        case "open_mouth":
            return raised >= limits.up and opened < limits.mouth_rise
        case "smile":
            return raised >= limits.up
    return opened >= WIDE or raised >= limits.up


# --- the gestures: each returns the level after this frame (−1 = complete) and the wave of lids or lips ---------------


def _held(now: Challenge, there: bool) -> tuple[int, Wave]:
    level = now.level + 1 if there else 0
    return (-1 if level >= FRAMES else level), now.wave


def _turn_left(now: Challenge, _t: int, pose: Pose, limits: Limits) -> tuple[int, Wave]:
    return _held(now, pose.yaw >= limits.turn)


def _turn_right(now: Challenge, _t: int, pose: Pose, limits: Limits) -> tuple[int, Wave]:
    return _held(now, pose.yaw <= -limits.turn)


def _look_up(now: Challenge, _t: int, pose: Pose, limits: Limits) -> tuple[int, Wave]:
    base = now.base.pitch if now.base else 0.0
    return _held(now, pose.pitch - base >= limits.up)


def _smile(now: Challenge, _t: int, pose: Pose, limits: Limits) -> tuple[int, Wave]:
    return _held(now, permille(pose.smile) >= limits.smile)


def _open_mouth(now: Challenge, t: int, pose: Pose, limits: Limits) -> tuple[int, Wave]:
    """Open, then shut again; a head thrown back or down reads as an open mouth and does not count."""
    if abs(pose.pitch) > limits.calm_pitch:
        return now.level, now.wave
    wave = now.wave.follow(t, permille(pose.jaw), lips(limits))
    return (-1 if wave.count else 0), wave


def _blink_twice(now: Challenge, t: int, pose: Pose, limits: Limits) -> tuple[int, Wave]:
    """Closed, open, closed, open. Eyes that stay shut longer than a blink count as none."""
    wave = now.wave.follow(t, permille(pose.blink), lids(limits))
    return (-1 if wave.count >= 2 else 0), wave


GESTURES: Final[Mapping[str, Callable[[Challenge, int, Pose, Limits], tuple[int, Wave]]]] = {
    "turn_left": _turn_left,
    "turn_right": _turn_right,
    "look_up": _look_up,
    "open_mouth": _open_mouth,
    "blink_twice": _blink_twice,
    "smile": _smile,
}
