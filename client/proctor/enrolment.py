"""Enrolment: a live challenge, and of its calm frames a template of the face that did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.events import Enrolled, Prompt
from client.proctor import liveness, template
from client.proctor.check import Wants
from client.proctor.limits import Limits
from client.proctor.liveness import Measure
from client.proctor.quality import GONE, weight
from client.proctor.seen import Seen, Vector, cosine, permille
from client.proctor.tally import STALE_MS, Tally
from client.proctor.template import Template

CHECK: Final = "enrol"  # stands in prompts where a check's number would
APART_MS: Final = 200  # between two looks that are kept: frames in a row are nearly the same look


@dataclass(frozen=True, slots=True)
class Maker:
    """Which recogniser and engine a template belongs to."""

    model: str
    engine: str


class Enrolment:
    """One attempt to enrol. Without gestures (an officer vouches for the person) it only looks, from several frames."""

    def __init__(self, gestures: Sequence[str], deadline_ms: int, limits: Limits, maker: Maker, now: int) -> None:
        self.limits = limits
        self.tally = Tally(limits, now, deadline_ms)
        self.challenge = liveness.begin(gestures, now)
        self.result: Enrolled | None = None
        self.template = b""
        self._maker = maker
        self._looks: list[Vector] = []
        self._weights: list[float] = []
        self._kept_at = 0

    def wants(self, _now: int) -> Wants:
        """Everything, at full size: this face will be compared for months."""
        return Wants(pose=True, vector=True, fine=True)

    def feed(self, seen: Seen) -> None:
        """Take one step of the challenge, and keep the look if it is a good one."""
        word = self.tally.add(seen)
        frontal = not word and seen.pose is not None and liveness.calm(seen.pose, self.limits)
        same = self._same(seen.vector) if frontal else None
        if frontal and seen.vector is not None and seen.t - self._kept_at >= APART_MS:
            self._looks.append(seen.vector)
            self._weights.append(weight(seen))
            self._kept_at = seen.t
        if len(self._looks) < self.limits.enrol_looks and self.challenge.phase == "hold":
            return  # all was done, but more looks are wanted
        pose = seen.pose if word not in GONE else None
        self.challenge = liveness.step(self.challenge, Measure(seen.t, pose, not word, same), self.limits)
        if self.challenge.phase == "failed":
            self.result = Enrolled("failed", self.challenge.reason, "none")
        elif self.challenge.phase == "passed":
            self._make()

    def _same(self, vector: Vector | None) -> int | None:
        """How this look compares with all before: one person from the first frame to the last."""
        if vector is None or not self._looks:
            return None
        return permille(cosine(vector, template.mean(self._looks, self._weights)))

    def _make(self) -> None:
        vector, looks = template.agreeing(self._looks, self._weights, self.limits.match / 1000)
        if looks < self.limits.enrol_looks:
            self.result = Enrolled("inconclusive", "unsteady", "none")
            return
        self.template = template.encode(Template(self._maker.model, self._maker.engine, looks, vector))
        self.result = Enrolled("passed", "ok", template.reference(self.template))

    def tick(self, now: int) -> None:
        """End the attempt when its time is over, or the camera is."""
        lost = now - max(self.tally.last_frame, self.tally.started) > 2 * STALE_MS
        if self.result is None and (lost or self.tally.remaining(now) == 0):
            self.result = Enrolled("inconclusive", self.tally.why_not(now), "none")

    def prompt(self, now: int) -> Prompt:
        """The gesture that is asked for now."""
        asked, steps = self.challenge.prompt, len(self.challenge.gestures)
        gesture = asked if steps else "look"
        return Prompt(CHECK, gesture, self.challenge.index, steps, self.tally.remaining(now), self.tally.hint)
