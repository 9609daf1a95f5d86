"""The window's side of the proctor: light, never waiting. The detectors live in a process that may die."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Final

from client import manifest
from client.events import CameraState, Enrolled, Judged, Look, ProctorRestarted, Prompt, Signal
from client.ports import CheckRequest
from client.proctor import models, template, wire
from client.proctor.preview import Preview
from client.proctor.setup import ProctorSetup
from client.proctor.template import TemplateError
from client.proctor.wire import WireError

if TYPE_CHECKING:  # see client/ports.py
    from ledger.evidence import Sealed

START_S: Final = 60.0  # until the models are loaded, on an old and busy machine
HANG_S: Final = 10.0  # the worker's loop turns 50 times a second and says so twice
CALM_S: Final = 60.0  # a worker that lived so long may be restarted at once
BACKOFF_S: Final = (0.0, 1.0, 2.0, 5.0, 15.0, 30.0)  # after the first death, the second, …
MANY: Final = 500  # messages that one poll takes at most

RESTARTED: Final = "proctor_restarted"


class Proctor:
    """`client.ports.ProctorPort` on a worker process. Nothing of OpenCV or MediaPipe is imported on this side."""

    def __init__(self, setup: ProctorSetup, clock: Callable[[], float] = time.monotonic) -> None:
        self._setup, self._clock = setup, clock
        self._preview: Preview | None = None
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._loaded = False
        self._spoke = self._born = 0.0
        self._deaths = 0
        self._again_at: float | None = None
        self._reference: bytes | None = None
        self._follower, self._moved = b"", False
        self._made: bytes | None = None
        self._photo: Sealed | None = None
        self._running: CheckRequest | None = None
        self._enrolling = False
        self._news: list[Signal] = []
        self._models: Mapping[str, str] = {}

    # --- the port ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, or begin anew: a worker that runs is replaced, and an attempt that ran in it is inconclusive.

        Raises `ModelMissingError` or `WrongModelError` before any process is started.
        """
        choice = self._setup.choice()
        found = models.load_set(manifest.load(), self._setup.models, demo=choice.kind == "puppet")
        self._models = found.hashes()
        if self._preview is None:
            self._preview = Preview.create()
        if self._process is not None:
            self._process.kill()
            self._end(wait=1.0)
            self._preview.clear()
        self._interrupt()
        self._deaths = 0
        self._spawn()

    def set_reference(self, template_bytes: bytes, follower: bytes = b"") -> None:
        """Compare with this template from now on; `TemplateError` when it belongs to another model or is damaged.

        `follower` is what `take_follower` gave for it once; one that does not fit is not used.
        """
        template.of_model(template_bytes, manifest.load().by_use("recogniser")[0].sha256)
        self._reference, self._follower, self._moved = template_bytes, follower, False
        self._tell(wire.SetReference(wire.text(template_bytes), wire.text(follower)))

    def take_follower(self) -> bytes:
        """What followed the template after strong matches, where it moved since the last call; b"" otherwise."""
        moved, self._moved = self._moved, False
        return self._follower if moved else b""

    def enrol(self, gestures: Sequence[str], deadline_ms: int) -> None:
        """Begin an enrolment; it takes the place of whatever ran."""
        self._running, self._enrolling, self._made = None, True, None
        if not self._tell(wire.Enrol(tuple(gestures), deadline_ms)):
            self._interrupt()

    def take_template(self) -> bytes:
        """The template of the last passed enrolment, once; `TemplateError` when there is none."""
        made, self._made = self._made, None
        if made is None:
            raise TemplateError("no enrolment has passed")
        return made

    def begin(self, request: CheckRequest) -> None:
        """Begin an attempt; it takes the place of whatever ran."""
        self._running, self._enrolling, self._photo = request, False, None
        if not self._tell(wire.Begin.of(request)):
            self._interrupt()

    def take_photo(self) -> Sealed | None:
        """The sealed photo that the last `Judged` names, once; None where it names none."""
        photo, self._photo = self._photo, None
        return photo

    def cancel(self) -> None:
        """Forget what runs; no result of it will come."""
        self._running, self._enrolling = None, False
        self._tell(wire.Cancel())

    def poll(self) -> Sequence[Signal]:
        """The news since the last call; a worker that died or hangs is started again here."""
        self._listen()
        self._watch()
        news, self._news = self._news, []
        return news

    def preview(self) -> tuple[int, int, bytes] | None:
        """Latest camera picture, unmirrored: width, height, RGB24 bytes; None when there is none."""
        return self._preview.read() if self._preview is not None else None

    def models(self) -> Mapping[str, str]:
        """Name → sha256 of what judges; empty before `start`."""
        return self._models

    def close(self) -> None:
        """End the worker, forget the learner, let the shared memory go; `start` may follow."""
        self._tell(wire.Stop())
        self._end(wait=1.0)
        if self._preview is not None:
            self._preview.close(unlink=True)
            self._preview = None
        self._follower, self._moved = b"", False
        self._again_at = self._reference = self._made = self._running = self._photo = None
        self._enrolling = False
        self._news.clear()

    # --- the worker -------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        if self._preview is None:
            return
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_child, args=(theirs, self._preview.name, self._setup), name="trueseat proctor", daemon=True
        )
        self._process.start()
        theirs.close()
        self._loaded, self._again_at = False, None
        self._born = self._spoke = self._clock()
        if self._reference is not None:
            self._tell(wire.SetReference(wire.text(self._reference), wire.text(self._follower)))

    def _end(self, wait: float) -> None:
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is not None:
            process.join(wait)
            if process.is_alive():
                process.kill()
                process.join(5.0)
            process.close()
        if pipe is not None:
            pipe.close()

    def _tell(self, message: wire.Message) -> bool:
        """Send; False when there is nobody to hear it."""
        if self._pipe is None:
            return False
        try:
            self._pipe.send_bytes(wire.encode(message))
        except OSError:
            return False
        return True

    def _listen(self) -> None:
        for _ in range(MANY):
            try:
                if self._pipe is None or not self._pipe.poll():
                    return
                data = self._pipe.recv_bytes(wire.MAX_MESSAGE)
                self._spoke = self._clock()
                self._hear(wire.decode(data))
            except (EOFError, OSError):
                self._died("the detectors' process ended")
                return
            except WireError as error:
                self._died(f"{error.code} {error}")
                return

    def _hear(self, message: wire.Message) -> None:
        match message:
            case wire.Loaded():
                self._loaded = True
            case wire.Made(text):
                self._made = wire.raw(text)
            case wire.Followed(text) if self._reference is not None:
                self._follower, self._moved = wire.raw(text), True
            case wire.Photo():
                self._photo = message.sealed()
            case wire.Broken(detail):
                self._died(detail)
            case Judged():
                if self._running and (message.check, message.attempt) == (self._running.check, self._running.attempt):
                    self._running = None
                    self._news.append(self._with_photo(message))
            case Enrolled():
                if self._enrolling:
                    self._enrolling = False
                    self._news.append(message)
            case Prompt():
                if self._running or self._enrolling:
                    self._news.append(message)
            case Look() | CameraState():
                self._news.append(message)

    def _with_photo(self, judged: Judged) -> Judged:
        """A result names the photo that came with it, or none: never one that is not here."""
        wanted = self._photo is not None and self._photo.named.to_json() == judged.evidence
        if not wanted:
            self._photo = None
        return judged if wanted or not judged.evidence else replace(judged, evidence={})

    def _watch(self) -> None:
        now = self._clock()
        if self._again_at is not None and now >= self._again_at:
            self._spawn()
        if self._process is None:
            return
        if self._process.exitcode is not None:
            self._died(f"the detectors' process ended with {self._process.exitcode}")
        elif now - self._spoke > (HANG_S if self._loaded else START_S):
            self._died("the detectors' process stood still")

    def _died(self, detail: str) -> None:
        """Say so, end what ran as inconclusive, and start anew, sooner or later."""
        if self._process is not None:
            self._process.kill()
        now = self._clock()
        self._end(wait=1.0)
        self._deaths = 0 if now - self._born > CALM_S else self._deaths
        self._again_at = now + BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        self._deaths += 1
        if self._preview is not None:
            self._preview.clear()
        self._news.append(ProctorRestarted(detail[:900]))
        self._interrupt()

    def _interrupt(self) -> None:
        """Whatever ran has no result, and that is nobody's fault."""
        if self._running is not None:
            run, self._running = self._running, None
            self._news.append(Judged(run.check, run.attempt, run.kind, "inconclusive", RESTARTED, {}, self._models))
        if self._enrolling:
            self._enrolling = False
            self._news.append(Enrolled("inconclusive", RESTARTED, "none"))


def _child(pipe: Connection, preview: str, setup: ProctorSetup) -> None:
    """The worker's first line; only here the heavy libraries are imported."""
    from client.proctor import worker

    worker.run(pipe, preview, setup)
