"""Who is expected before the camera: the template as enrolled, and what followed it since."""

from __future__ import annotations

from client.proctor import drift, template
from client.proctor.check import Attempt, Person
from client.proctor.limits import Limits
from client.proctor.look import engine, versions
from client.proctor.models import ModelSet
from client.proctor.seen import Vector
from client.proctor.setup import Engine
from client.proctor.template import Template


class Learner:
    """Nobody at first; one template at a time, and the follower that belongs to it."""

    def __init__(self, known: ModelSet, landmarks: Engine, limits: Limits) -> None:
        self._known, self._landmarks, self._limits = known, landmarks, limits
        self._enrolled: Template | None = None
        self._follower: Vector | None = None

    def expect(self, reference: bytes, follower: bytes) -> None:
        """From now on this template; `TemplateError` where it is damaged or of another recogniser."""
        self._enrolled = template.of_model(reference, self._known.recogniser.sha256)
        self._follower = drift.read(follower, self._enrolled, self._limits)

    def person(self) -> Person:
        """Whom an attempt compares with; a template of another engine compares with nothing that this one computes."""
        hashes, engines, pad = self._known.hashes(), versions(self._landmarks), self._known.pad is not None
        mine = self._enrolled
        if mine is None:
            return Person(None, hashes, engines, pad)
        if mine.engine != engine():
            return Person(None, hashes, engines, pad, why="other_engine")
        return Person(mine.vector, hashes, engines, pad, self._follower)

    def follow(self, task: Attempt) -> bytes:
        """The face that passed a challenge clearly is followed a little: the follower's file, b"" where it stays."""
        done = task.result
        if self._enrolled is None or done is None or (done.kind, done.result) != ("liveness", "passed"):
            return b""
        score = done.scores["match"]
        data = drift.follow(self._enrolled, self._follower, task.tally.looks, score, self._limits)
        if data:
            self._follower = template.decode(data).vector
        return data
