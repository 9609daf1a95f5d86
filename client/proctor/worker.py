"""The detectors' own process: one camera, one loop, the latest frame only. It may crash; the lesson may not.

The window starts it (`handle.py`) and speaks JSON with it (`wire.py`). Nothing here decides anything about the session:
glances, prompts and results go out, orders come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Final

import cv2
import numpy as np

from client import manifest
from client.errors import ClientError
from client.events import CameraState, Enrolled, Judged, Prompt
from client.proctor import check, models, presence, wire
from client.proctor.camera import Camera, DeviceCamera, Shot
from client.proctor.check import Attempt
from client.proctor.clock import boot_ms
from client.proctor.devices import NO_FRAMES
from client.proctor.enrolment import Enrolment, Maker
from client.proctor.face import Image
from client.proctor.feed import Feed
from client.proctor.learner import Learner
from client.proctor.limits import Limits, limits
from client.proctor.look import Eyes, engine
from client.proctor.photo import PhotoError, Photographer
from client.proctor.preview import Preview
from client.proctor.process import settle
from client.proctor.puppet import Puppet
from client.proctor.repeats import Repeats
from client.proctor.scripted import UnsafeScriptedCamera
from client.proctor.seen import Seen
from client.proctor.setup import ProctorSetup

BEAT_MS: Final = 500
PROMPT_MS: Final = 250  # the time that remains is told so often
PREVIEW_MS: Final = 60
FROZEN_MS: Final = 5_000  # a camera that gives no frame for so long is gone, whatever it says
TURN_S: Final = 0.02  # one turn of the loop
MAX_MISTAKES: Final = 20  # frames in a row that a model could not stand


def run(pipe: Connection, preview_name: str, setup: ProctorSetup) -> None:
    """Serve until the window says stop or goes away."""
    settle(setup.log)
    worker = None
    try:
        worker = Worker(pipe, Preview.attach(preview_name), setup)
        worker.serve()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the window is gone: so are we
    except ClientError as error:
        _last_word(pipe, f"{error.code} {error}")
    except Exception as error:
        _last_word(pipe, f"{type(error).__name__}: {error}")
        raise
    finally:
        if worker is not None:
            worker.close()


def _last_word(pipe: Connection, detail: str) -> None:
    try:
        pipe.send_bytes(wire.encode(wire.Broken(detail[:900])))
    except OSError:
        return


class Worker:
    """Camera, models and the one attempt that may run."""

    def __init__(self, pipe: Connection, preview: Preview, setup: ProctorSetup) -> None:
        self._pipe, self._preview, self._setup = pipe, preview, setup
        self._manifest = manifest.load()
        choice = setup.choice()
        puppet = choice.kind == "puppet"
        self._limits = limits(self._manifest, engine=setup.engine)
        self._camera: Camera = (
            UnsafeScriptedCamera(choice, setup.mode, self._make_puppet if puppet else None)
            if choice.scripted
            else DeviceCamera(choice.number)
        )
        if not puppet:  # that one is drawn by our own models
            self._camera.start()  # it opens while the models load
        self._eyes = Eyes(models.load_set(self._manifest, setup.models, demo=puppet), setup.engine)
        if puppet:
            self._camera.start()
        self._learner = Learner(self._eyes.models, setup.engine, self._limits)
        self._task: Attempt | Enrolment | None = None
        self._photographer: Photographer | None = None
        self._stop = False
        self._frozen = False
        self._mistakes = 0
        self._last = Shot(0, boot_ms(), np.zeros((1, 1, 3), np.uint8))
        self._due = {"beat": 0, "look": 0, "check": 0, "preview": 0, "prompt": 0}
        self._told: Prompt | None = None
        self._state: CameraState | None = None
        self._repeats, self._feed = Repeats(), Feed()
        self._lives = choice.scripted and setup.mode == "demo"  # the portrait is marked, and sways by a formula

    def serve(self) -> None:
        """The loop: orders, camera, frame, time."""
        self._send(wire.Loaded(self._eyes.models.hashes(), engine()))
        while not self._stop:
            self._orders()
            now = boot_ms()
            self._camera_news(now)
            shot = self._camera.latest()
            if shot is not None and shot.number != self._last.number:
                self._last = shot
                self._show(shot, now)
                if not self._lives:
                    self._repeats.see(shot.bgr, shot.t)
                if not self._camera.scripted:
                    self._feed.see(shot.number, shot.bgr, shot.t)
            self._see(self._last, now)
            self._tick(boot_ms())

    def close(self) -> None:
        """Let go of the camera, then of the models: an open landmarker raises while Python ends."""
        self._camera.close()
        self._eyes.close()
        self._preview.close()

    # --- orders ---------------------------------------------------------------------------------------------------

    def _orders(self) -> None:
        wait = TURN_S
        while not self._stop and self._pipe.poll(wait):
            self._obey(wire.decode(self._pipe.recv_bytes(wire.MAX_MESSAGE)))
            wait = 0

    def _obey(self, order: wire.Message) -> None:
        match order:
            case wire.SetReference(text, follower):
                self._learner.expect(wire.raw(text), wire.raw(follower))
            case wire.Begin():
                self._begin(order)
            case wire.Enrol(gestures, deadline_ms):
                self._enrol(gestures, deadline_ms)
            case wire.Cancel():
                self._finish()
            case wire.Stop():
                self._stop = True

    def _begin(self, order: wire.Begin) -> None:
        try:
            task = check.attempt(order.request(), self._learner.person(), self._policy(order.thresholds), boot_ms())
        except ValueError:
            self._send(Judged(order.check, order.attempt, order.kind, "inconclusive", "not_offered"))
            return
        self._task, self._told = task, None
        photo = order.request().photo
        self._photographer = Photographer(order.request(), photo, self._policy(order.thresholds)) if photo else None
        if order.kind == "liveness":
            _ = self._eyes.landmarker  # load it before the first prompt, not while a gesture waits

    def _enrol(self, gestures: tuple[str, ...], deadline_ms: int) -> None:
        maker = Maker(self._eyes.models.recogniser.sha256, engine())
        _ = self._eyes.landmarker
        try:
            self._task, self._told = Enrolment(gestures, deadline_ms, self._limits, maker, boot_ms()), None
            self._photographer = None
        except ValueError:
            self._send(Enrolled("inconclusive", "not_offered", "none"))

    def _policy(self, thresholds: Mapping[str, int]) -> Limits:
        return limits(self._manifest, thresholds, self._setup.engine) if thresholds else self._limits

    def _finish(self) -> None:
        self._task = self._photographer = None
        self._camera.follow("")
        if self._setup.sparing:
            self._eyes.rest()

    # --- the camera -----------------------------------------------------------------------------------------------

    def _camera_news(self, now: int) -> None:
        for state in self._camera.states():
            self._state, self._frozen, self._repeats, self._feed = state, False, Repeats(), Feed()
            self._last = replace(self._last, t=now)
            if not state.available:
                self._preview.clear()
            self._send(state)
        if self._state is None or not self._state.available:
            return
        frozen = now - self._last.t > FROZEN_MS
        if frozen != self._frozen:
            self._frozen = frozen
            detail = NO_FRAMES if frozen else self._state.detail
            self._send(replace(self._state, available=not frozen, detail=detail))

    def _show(self, shot: Shot, now: int) -> None:
        if now >= self._due["preview"]:
            self._due["preview"] = now + PREVIEW_MS
            height, width = shot.bgr.shape[:2]
            self._preview.write(width, height, cv2.cvtColor(shot.bgr, cv2.COLOR_BGR2RGB).tobytes())

    def _make_puppet(self) -> Puppet:
        portrait = self._eyes.models.portrait
        if portrait is None:
            raise manifest.ModelMissingError("the portrait of the demonstration")
        detector, landmarker = self._eyes.of_its_own()
        try:
            return Puppet(portrait.data, detector, landmarker)
        finally:
            landmarker.close()

    # --- looking --------------------------------------------------------------------------------------------------

    def _see(self, shot: Shot, now: int) -> None:
        """Look at `shot` if somebody waits for it: an attempt some times a second, presence about once."""
        if shot.number == 0 or self._state is None or not self._state.available:
            return
        if self._task is not None and shot.number != self._due.get("seen") and now >= self._due["check"]:
            self._due["check"] = now + 1000 // self._setup.checks_per_s
            self._due["seen"] = shot.number
            self._look(shot)
        elif self._task is None and now >= self._due["look"] and not self._frozen:
            self._glance(shot.bgr, now)

    def _look(self, shot: Shot) -> None:
        task = self._task
        if task is None:
            return
        wants = task.wants(shot.t)
        seen = self._safely(shot, wants)
        if seen is None:
            return
        task.feed(seen)
        if self._photographer is not None:
            self._photographer.look(shot.bgr, seen)
        if shot.t >= self._due["look"]:
            self._due["look"] = shot.t + self._setup.presence_ms
            self._present(seen)

    def _safely(self, shot: Shot, wants: check.Wants) -> Seen | None:
        try:
            seen = self._eyes.look(shot.bgr, shot.t, pose=wants.pose, vector=wants.vector, fine=wants.fine)
        except (cv2.error, ValueError, RuntimeError):
            self._mistakes += 1
            if self._mistakes > MAX_MISTAKES:
                raise
            return None
        self._mistakes = 0
        return seen

    def _glance(self, bgr: Image, now: int) -> None:
        self._due["look"] = now + self._setup.presence_ms
        self._present(self._eyes.glance(bgr, now))

    def _present(self, seen: Seen) -> None:
        self._repeats.look(seen.faces[0] if seen.faces else None)
        self._send(presence.look(seen, self._limits, self._repeats, self._feed.fed()))

    # --- time -----------------------------------------------------------------------------------------------------

    def _tick(self, now: int) -> None:
        if now >= self._due["beat"]:
            self._due["beat"] = now + BEAT_MS
            self._send(wire.Alive(now))
        task = self._task
        if task is None:
            return
        task.tick(now)
        if task.result is not None:
            if isinstance(task, Enrolment) and task.template:
                self._send(wire.Made(wire.text(task.template)))
            if not isinstance(task, Enrolment):
                followed = self._learner.follow(task)
                if followed:
                    self._send(wire.Followed(wire.text(followed)))
            self._send(self._photographed(task.result))
            self._finish()
            return
        self._prompt(task.prompt(now), now)

    def _photographed(self, result: Judged | Enrolled) -> Judged | Enrolled:
        """The result with the name of its photo, which is sent sealed ahead of it; without one it says nothing more."""
        if self._photographer is None or not isinstance(result, Judged):
            return result
        try:
            photo = self._photographer.seal(result)
        except PhotoError:  # the verifier says what a missing photo means; the lesson goes on
            photo = None
        if photo is None:
            return result
        self._send(wire.Photo.of(photo))
        return replace(result, evidence=photo.named.to_json())

    def _prompt(self, prompt: Prompt, now: int) -> None:
        told = self._told
        same = told is not None and (told.gesture, told.hint, told.step) == (prompt.gesture, prompt.hint, prompt.step)
        if same and now < self._due["prompt"]:
            return
        self._due["prompt"] = now + PROMPT_MS
        self._told = prompt
        self._camera.follow(prompt.gesture)
        self._send(prompt)

    def _send(self, message: wire.Message) -> None:
        self._pipe.send_bytes(wire.encode(message))
