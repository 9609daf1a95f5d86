"""One attempt → one `Judged`. Kind `match` is a glance, kind `liveness` a challenge; both end with the same figures.

Only the numbers of `Seen` are read here, so any result can be computed again from what was seen. What the light or the
camera spoiled is inconclusive and says what to change; only another face, or a gesture that never came, is failed. What
PAD doubts is asked for one gesture more; what stays doubtful then is never failed, but carries its `doubts`: a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from client.events import Judged, Prompt
from client.ports import CheckRequest
from client.proctor import doubt, liveness
from client.proctor.limits import Limits
from client.proctor.liveness import Challenge, Measure
from client.proctor.quality import GONE
from client.proctor.seen import Seen, Vector, cosine, median, permille
from client.proctor.tally import STALE_MS, Tally
from ledger import schedule

USUAL_MS: Final = 60_000  # a deadline beyond this is an accommodation: each gesture has longer, too
WAIT_DRAW: Final = 16  # the numbers before it are what the schedule draws of a nonce
ASK_DRAW: Final = 24  # after the waits: which gesture an uncertain attempt asks for
ASKABLE: Final = ("turn_left", "turn_right")  # seen by every engine, and by glasses and low lids alike
ASK_MS: Final = 12_000  # less time than that left is none to ask for anything
VECTOR_EVERY_MS: Final = 250  # of a challenge: often enough for continuity, and a third of the cost of every frame


@dataclass(frozen=True, slots=True)
class Wants:
    """Which models the next frame is for."""

    pose: bool = False
    vector: bool = False
    fine: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an attempt is compared with, and what the log says of the models: name → sha256, versions as numbers."""

    vector: Vector | None
    models: Mapping[str, str]
    versions: Mapping[str, int]
    pad: bool  # is there a model that tells a face from a picture?
    follower: Vector | None = None  # of the template, where one moved with the face
    why: str = "no_template"  # the reason where there is no vector


class Attempt(Protocol):
    """What the worker drives, frame by frame, until `result` is there."""

    result: Judged | None

    @property
    def tally(self) -> Tally:
        """What was seen so far."""

    def wants(self, now: int, /) -> Wants:
        """What the models should look for in the frame of `now` (ms)."""

    def feed(self, seen: Seen) -> None:
        """Take in what they saw; `result` may be there afterwards."""

    def tick(self, now: int) -> None:
        """Time passed, with or without a frame: deadlines and lost cameras are noticed here."""

    def prompt(self, now: int) -> Prompt:
        """What the screen shows at `now` (ms)."""


def attempt(request: CheckRequest, person: Person, limits: Limits, now: int) -> Attempt:
    """Begin the attempt that `request` orders; a kind or gesture that is not the camera's is a `ValueError`."""
    return Asking(request, person, limits, now)


def _part(request: CheckRequest, person: Person, limits: Limits, now: int) -> MatchAttempt | LivenessAttempt:
    match request.kind:
        case "match":
            return MatchAttempt(request, person, limits, now)
        case "liveness":
            return LivenessAttempt(request, person, limits, now)
    raise ValueError(f"no check of the camera: {request.kind}")


def waits(request: CheckRequest, limits: Limits) -> tuple[int, ...]:
    """How much longer each prompt waits for calm, in ms, as the nonce draws it: anybody can compute it afterwards."""
    nonce = bytes.fromhex(request.nonce)
    return tuple(schedule.draw(nonce, WAIT_DRAW + j, limits.wait_ms + 1) for j in range(len(request.gestures)))


class _Judge:
    """Turns a tally into a `Judged`."""

    def __init__(self, request: CheckRequest, person: Person, limits: Limits, now: int) -> None:
        self.request = request
        self.person = person
        self.limits = limits
        self.tally = Tally(limits, now, request.deadline_ms, asked=request.kind == "liveness")
        self.result: Judged | None = None

    def compare(self, vector: Vector | None) -> int | None:
        """Per mille against the learner's template; None without a probe or a template."""
        if vector is None or self.person.vector is None:
            return None
        best = cosine(vector, self.person.vector)
        if self.person.follower is not None:
            best = max(best, cosine(vector, self.person.follower))
        return permille(best)

    def tick(self, now: int) -> None:
        """End the attempt when its time is over, or the camera is."""
        if self.result is not None:
            return
        if self.person.vector is None:
            self.end("inconclusive", self.person.why, now)
            return
        lost = now - max(self.tally.last_frame, self.tally.started) > 2 * STALE_MS
        if lost or self.tally.remaining(now) == 0:
            self.end("inconclusive", self.tally.why_not(now), now)

    def judge(self, now: int, **more: int) -> None:
        """Everything was seen: is it this person, and is it alive?"""
        if median(self.tally.matches) < self.limits.match:
            self.end("failed", "other_person", now, **more)
        elif self.request.pad == "gate" and not self._alive():
            self.end("inconclusive", "not_clear", now, **more)  # one model is a signal and never a verdict
        else:
            self.end("passed", "ok", now, **more)

    def _alive(self) -> bool:
        live = self.tally.live()
        return live is not None and permille(live) >= self.limits.pad

    def end(self, result: str, reason: str, now: int, **more: int) -> None:
        """Write the result down once. A face half under a mask is not another person's: it could not be seen."""
        if reason == "other_person" and self.tally.hidden:
            result, reason = "inconclusive", "hidden"
        if self.person.follower is not None and self.person.vector is not None:
            more["follower"] = permille(cosine(self.person.follower, self.person.vector))
        scores = self.tally.scores(now, **self.person.versions, **more)
        request = self.request
        self.result = Judged(
            request.check, request.attempt, request.kind, result, reason, scores, dict(self.person.models)
        )

    def prompting(self, gesture: str, step: int, steps: int, now: int) -> Prompt:
        """What the screen shows now."""
        return Prompt(self.request.check, gesture, step, steps, self.tally.remaining(now), self.tally.hint)


class MatchAttempt(_Judge):
    """A glance: the middle score of a few good frames, and P(live) beside it."""

    def wants(self, _now: int) -> Wants:
        """A probe of every frame until there are enough."""
        return Wants(vector=len(self.tally.matches) < self.limits.looks)

    def feed(self, seen: Seen) -> None:
        """Judge once enough frames were good."""
        word = self.tally.add(seen)
        same = self.compare(seen.vector)
        if not word and same is not None:
            if abs(seen.faces[0].turn) * 1000 <= self.limits.facing:
                self.tally.matches.append(same)
            else:
                self.tally.turned_away()
        if len(self.tally.matches) >= self.limits.looks and self._pad_done():
            self.judge(seen.t)

    def _pad_done(self) -> bool:
        return not self.person.pad or len(self.tally.lives) >= self.limits.pad_frames

    def prompt(self, now: int) -> Prompt:
        """Look at the screen."""
        return self.prompting("look", 0, 1, now)


class LivenessAttempt(_Judge):
    """A challenge of gestures, and the comparison through all of it."""

    def __init__(self, request: CheckRequest, person: Person, limits: Limits, now: int) -> None:
        patient = replace(limits, gesture_ms=limits.gesture_ms * max(request.deadline_ms, USUAL_MS) // USUAL_MS)
        super().__init__(request, person, patient, now)
        self.challenge: Challenge = liveness.begin(request.gestures, now, waits(request, limits))
        self._vector_at = 0

    def wants(self, now: int) -> Wants:
        """The pose of every frame, a probe a few times a second."""
        return Wants(pose=True, vector=now - self._vector_at >= VECTOR_EVERY_MS)

    def feed(self, seen: Seen) -> None:
        """Take one step of the challenge."""
        word = self.tally.add(seen)
        same = self._compared(seen, word)
        pose = seen.pose if word not in GONE else None
        self.challenge = liveness.step(self.challenge, Measure(seen.t, pose, not word, same), self.limits)
        figures = {"gestures": self.challenge.index, "of": len(self.challenge.gestures), "slips": self.challenge.slips}
        if self.challenge.phase == "failed":
            self.end("failed", self.challenge.reason, seen.t, **figures)
        elif self.challenge.phase == "passed":
            self.judge(seen.t, **figures)

    def _compared(self, seen: Seen, word: str) -> int | None:
        """The score of a face that looks at the screen; turned heads are compared when they come back."""
        if seen.vector is None:
            return None
        self._vector_at = seen.t
        if word or seen.pose is None or not liveness.calm(seen.pose, self.limits):
            return None
        same = self.compare(seen.vector)
        if same is not None:
            self.tally.matches.append(same)
            self.tally.looks.append(seen.vector)
        return same

    def prompt(self, now: int) -> Prompt:
        """The gesture that is asked for now."""
        return self.prompting(self.challenge.prompt, self.challenge.index, len(self.challenge.gestures), now)


class Asking:
    """An attempt, and what it leads to where PAD doubts that a living face is there.

    The nonce draws one turn of the head; it is asked for at once, in the time that is left, while PAD looks on. Passed:
    all is well. Not passed, though light and camera allowed a judgement: inconclusive with its `doubts`, for a person.
    """

    def __init__(self, request: CheckRequest, person: Person, limits: Limits, now: int) -> None:
        self.result: Judged | None = None
        self._request, self._person, self._limits = request, person, limits
        self._part = _part(request, person, limits, now)
        self._before: Judged | None = None  # what made us ask

    @property
    def tally(self) -> Tally:
        """Of what is looked at now."""
        return self._part.tally

    def wants(self, now: int) -> Wants:
        """As the part that runs."""
        return self._part.wants(now)

    def feed(self, seen: Seen) -> None:
        """One frame more."""
        self._part.feed(seen)
        self._settle(seen.t)

    def tick(self, now: int) -> None:
        """Time passed."""
        self._part.tick(now)
        self._settle(now)

    def prompt(self, now: int) -> Prompt:
        """As the part that runs."""
        return self._part.prompt(now)

    def _settle(self, now: int) -> None:
        done, left = self._part.result, self.tally.remaining(now)
        if done is None or self.result is not None:
            return
        if self._before is not None:
            self.result = self._answered(self._before, done)
        elif done.reason == doubt.REASON and self._person.pad and left >= ASK_MS:
            self._before = done
            gesture = ASKABLE[schedule.draw(bytes.fromhex(self._request.nonce), ASK_DRAW, len(ASKABLE))]
            asking = replace(self._request, kind="liveness", gestures=(gesture,), deadline_ms=left)
            self._part = LivenessAttempt(asking, self._person, self._limits, now)
        else:
            challenged = self._request.kind == "liveness"  # a glance alone is no challenge
            self.result = replace(done, doubts=self._doubts(done)) if challenged else done

    def _answered(self, before: Judged, done: Judged) -> Judged:
        """The turn's end is the attempt's; nobody fails a gesture that no order drew."""
        result = "inconclusive" if done.reason == "gesture" else done.result
        asked = {"asked": 1, "pad_before": before.scores["pad"]} if "pad" in before.scores else {"asked": 1}
        scores = {**done.scores, **asked}
        return replace(done, kind=self._request.kind, result=result, scores=scores, doubts=self._doubts(done))

    def _doubts(self, done: Judged) -> tuple[str, ...]:
        """What speaks for a picture before the camera, where a challenge ended without a pass; () without a gate."""
        if self._request.pad != "gate" or done.reason not in doubt.OPEN:
            return ()
        return doubt.reasons(self.tally, moved=done.reason != "gesture")
