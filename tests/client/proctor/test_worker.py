"""The real process on real frames: presence, match and liveness by the real models; it may die, the lesson not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client import manifest
from client.events import CameraState, Enrolled, Judged, Look, ProctorRestarted, Prompt, Signal
from client.manifest import WrongModelError
from client.ports import CheckRequest
from client.proctor import template
from client.proctor.handle import HANG_S, RESTARTED, Proctor
from client.proctor.scripted import UnsafeScriptedCamera
from client.proctor.setup import CameraChoice, Engine, ProctorSetup, ScriptedCameraRefusedError, choose
from client.proctor.template import Template, TemplateError
from tests.client.proctor.scenes import ANNA

PATIENCE = 15_000  # polls of 20 ms: a bound for a broken worker, not a measure of a good one
TRIES = 10  # a worker that gets no core sees too few pictures of a gesture: as a learner does, it is tried again
STARVED = ("camera_lost", RESTARTED)  # what one that got none for seconds says of an attempt
LONG = 600_000  # ms: each gesture has ten times as long, and no check ends while a test is at work on it


class Clock:
    """The handle's clock: real, plus what a test puts on top."""

    def __init__(self) -> None:
        self.more = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.more


class Window:
    """The session's side: polls, and keeps what it heard."""

    engine: Engine = "mediapipe"

    def __init__(self, camera: str, models: Path) -> None:
        self.clock = Clock()
        setup = ProctorSetup("test", camera, models, presence_ms=300, engine=self.engine)
        self.proctor = Proctor(setup, self.clock)
        self.heard: list[Signal] = []
        self.waiting: list[Signal] = []
        self.proctor.start()

    def until(self, wanted: Callable[[Signal], bool]) -> Any:
        """Poll until a wanted signal comes; everything before it is kept in `heard`."""
        for _ in range(PATIENCE):
            self.waiting += self.proctor.poll()
            while self.waiting:
                news = self.waiting.pop(0)
                self.heard.append(news)
                if wanted(news):
                    return news
            time.sleep(0.02)
        raise AssertionError(f"never came; heard {self.heard[-5:]}")

    def next(self, kind: type[Any]) -> Any:
        """The next signal of one kind."""
        return self.until(lambda news: isinstance(news, kind))

    def enrol(self, *gestures: str) -> bytes:
        """Enrol whoever the camera shows, and compare with them from now on."""
        made = self.enrolled(gestures, "gesture")
        assert made.result == "passed", made
        data = self.proctor.take_template()
        assert template.reference(data) == made.reference
        self.proctor.set_reference(data)
        return data

    def enrolled(self, gestures: tuple[str, ...], *again: str, deadline_ms: int = 60_000) -> Enrolled:
        """Enrol and wait for the result; for these reasons, and where the worker got no core, try again."""
        for _ in range(TRIES):
            self.proctor.enrol(gestures, deadline_ms)
            made: Enrolled = self.next(Enrolled)
            if made.reason not in (*STARVED, *again):
                break
        return made

    def check(self, kind: str, *gestures: str, deadline_ms: int = 60_000, pad: str = "record", **more: Any) -> Judged:
        """Order a check and wait for its result."""
        return self.judged(CheckRequest(1, 0, kind, gestures, deadline_ms, "00" * 16, pad, **more))

    def judged(self, request: CheckRequest) -> Judged:
        """Order this check and wait for its result; where the worker got no core, order it again."""
        for _ in range(TRIES):
            self.proctor.begin(request)
            judged: Judged = self.next(Judged)
            if judged.reason not in STARVED:
                break
        return judged

    def obeyed(self, *gestures: str) -> Judged:
        """A challenge before somebody who does as asked, again until there were pictures enough to see it."""
        for _ in range(TRIES):
            judged = self.check("liveness", *gestures, deadline_ms=180_000)
            if judged.result == "passed" and not judged.scores["slips"]:
                break
        return judged

    def seen(self) -> tuple[int, int, bytes]:
        """The picture for the screen; none is there for a moment after each start."""
        for _ in range(PATIENCE):
            picture = self.proctor.preview()
            if picture is not None:
                return picture
            self.waiting += self.proctor.poll()
            time.sleep(0.02)
        raise AssertionError("no picture came")

    def pid(self) -> int:
        """The worker's process."""
        assert self.proctor._process is not None
        assert self.proctor._process.pid is not None
        return self.proctor._process.pid


def opened(camera: str, models: Path) -> Iterator[Window]:
    """A window with a running worker, closed after the test."""
    window = Window(camera, models)
    try:
        window.next(Look)
        yield window
    finally:
        window.proctor.close()


@pytest.fixture(scope="module")
def clip(faces: Path, model_folder: Path) -> Iterator[Window]:
    """Before the camera: a real person in a real clip, who hears nothing."""
    yield from opened(f"file:{faces / 'videos' / 'lp_d9.mp4'}", model_folder)


@pytest.fixture(scope="module")
def puppet(model_folder: Path) -> Iterator[Window]:
    """Before the camera: the animated portrait, which does what it is asked."""
    yield from opened("puppet", model_folder)


# --- a person who does not listen -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_person_is_present_and_the_camera_says_that_it_is_scripted(clip: Window) -> None:
    """About as often as was set up, with the picture for the screen beside it."""
    look: Look = clip.next(Look)
    assert (look.faces, look.near, look.covered, look.hint) == (1, 1, False, "")
    state = next(news for news in clip.heard if isinstance(news, CameraState))
    assert state.available
    assert state.scripted
    width, height, rgb = clip.seen()
    assert (width, height, len(rgb)) == (512, 480, 512 * 480 * 3)


@pytest.mark.slow
def test_the_person_of_a_clip_enrols_by_looking_and_passes_a_glance(clip: Window) -> None:
    """Vouched for by an officer: no gestures, several looks, a template, a match with its models by hash."""
    clip.enrol()
    judged = clip.check("match")
    assert (judged.result, judged.reason) == ("passed", "ok")
    assert judged.scores["match"] > 700
    assert judged.models == clip.proctor.models()
    assert set(judged.models) == {"yunet", "sface", "landmarker", "minifasnet_export", "pad_weights"}


@pytest.mark.slow
@pytest.mark.parametrize("gestures", [("turn_right", "look_up"), ("look_up", "turn_left")])
def test_a_clip_of_the_right_person_does_not_pass_a_challenge(clip: Window, gestures: tuple[str, ...]) -> None:
    """A film plays on whatever is asked: failed or inconclusive, and never passed."""
    clip.enrol()
    judged = clip.check("liveness", *gestures, thresholds={"gesture_ms": 2_500})
    assert judged.result in ("failed", "inconclusive")
    assert judged.scores["gestures"] < judged.scores["of"]
    assert judged.scores["match"] > 700


@pytest.mark.slow
def test_presence_goes_on_through_a_check(clip: Window) -> None:
    """The session never loses sight of the learner, and is told what to ask."""
    clip.enrol()
    before = len(clip.heard)
    clip.check("liveness", "turn_right", thresholds={"gesture_ms": 2_500})
    kinds = [type(news) for news in clip.heard[before:]]
    assert kinds.count(Look) >= 2
    prompts = [news.gesture for news in clip.heard[before:] if isinstance(news, Prompt)]
    assert prompts[0] == "neutral"
    assert "turn_right" in prompts


@pytest.mark.slow
def test_another_persons_template_fails_the_glance(clip: Window) -> None:
    """A stored face that is not the one in the picture."""
    model = clip.proctor.models()["sface"]
    clip.proctor.set_reference(template.encode(Template(model, "opencv 5.0.0", 8, ANNA)))
    judged = clip.check("match")
    assert (judged.result, judged.reason) == ("failed", "other_person")


@pytest.mark.slow
def test_a_template_of_another_model_is_refused_before_it_is_used(clip: Window) -> None:
    """And a template that was taken is not there twice."""
    with pytest.raises(TemplateError):
        clip.proctor.set_reference(template.encode(Template("cd" * 32, "opencv 5.0.0", 8, ANNA)))
    clip.enrol()
    with pytest.raises(TemplateError):
        clip.proctor.take_template()


@pytest.mark.slow
def test_a_cancelled_check_has_no_result(clip: Window) -> None:
    """The next one's result is the next one's."""
    clip.enrol()
    clip.proctor.begin(CheckRequest(7, 0, "liveness", ("turn_left",), LONG, "00" * 16, "record"))
    clip.next(Prompt)
    clip.proctor.cancel()
    assert clip.check("match").check == 1
    assert not [news for news in clip.heard if isinstance(news, Judged) and news.check == 7]


@pytest.mark.slow
def test_a_kind_or_gesture_that_is_not_ours_is_answered_and_not_a_crash(clip: Window) -> None:
    """The order is inconclusive and the worker lives."""
    assert clip.check("liveness", "stand_on_your_head").reason == "not_offered"
    assert clip.check("attention").reason == "not_offered"
    assert clip.next(Look)


# --- a worker that dies -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_worker_killed_in_mid_check_is_inconclusive_and_comes_back(clip: Window) -> None:
    """The check ends without blame, the worker is started anew with the same template, and judges again."""
    clip.enrol()
    first = clip.pid()
    clip.proctor.begin(CheckRequest(4, 2, "liveness", ("turn_left",), LONG, "00" * 16, "record"))
    clip.next(Prompt)
    os.kill(first, signal.SIGKILL)
    assert "ended" in clip.next(ProctorRestarted).detail
    judged: Judged = clip.next(Judged)
    assert (judged.check, judged.attempt, judged.result, judged.reason) == (4, 2, "inconclusive", "proctor_restarted")
    clip.next(Look)
    assert clip.pid() != first
    assert clip.check("match").result == "passed"


@pytest.mark.slow
def test_a_worker_that_stands_still_is_replaced(clip: Window) -> None:
    """A hang is noticed by its silence; whoever enrols then begins again."""
    clip.next(Look)
    first = clip.pid()
    os.kill(first, signal.SIGSTOP)
    clip.proctor.poll()
    clip.proctor.enrol((), 60_000)
    clip.clock.more += HANG_S + 1
    clip.next(ProctorRestarted)
    made: Enrolled = clip.next(Enrolled)
    assert (made.result, made.reason, made.reference) == ("inconclusive", "proctor_restarted", "none")
    clip.clock.more += 60  # past the wait before a second restart
    clip.next(Look)
    assert clip.pid() != first


@pytest.mark.slow
def test_starting_again_replaces_the_worker_and_keeps_the_template(clip: Window) -> None:
    """As the session does when no look comes: the attempt that ran is inconclusive, the next one is judged."""
    clip.enrol()
    first = clip.pid()
    clip.proctor.begin(CheckRequest(5, 0, "match", (), 60_000, "00" * 16, "record"))
    clip.proctor.start()
    judged: Judged = clip.next(Judged)
    assert (judged.check, judged.result, judged.reason) == (5, "inconclusive", "proctor_restarted")
    clip.next(CameraState)
    assert clip.pid() != first
    assert clip.check("match").result == "passed"


@pytest.mark.slow
def test_after_closing_nothing_of_the_learner_is_left(clip: Window) -> None:
    """The next learner of this machine begins with an empty proctor."""
    clip.enrol()
    clip.proctor.close()
    assert clip.proctor.poll() == []
    assert clip.proctor.preview() is None
    clip.proctor.start()
    clip.waiting.clear()
    clip.next(Look)
    assert clip.check("match").reason == "no_template"


# --- the portrait that listens ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_animated_portrait_enrols_and_passes_the_challenge(puppet: Window) -> None:
    """The real models read its turns and its look upwards, and the same person throughout; PAD is recorded."""
    puppet.enrol("look_up", "turn_left")
    judged = puppet.obeyed("turn_right", "look_up", "turn_left")
    assert (judged.result, judged.reason) == ("passed", "ok"), judged
    assert (judged.scores["gestures"], judged.scores["slips"]) == (3, 0)
    assert judged.scores["yaw_left"] >= 20
    assert judged.scores["yaw_right"] >= 20
    assert judged.scores["pad_frames"] >= 10
    assert puppet.check("match").result == "passed"


@pytest.mark.slow
def test_the_portrait_does_not_pass_where_pad_is_a_gate(puppet: Window) -> None:
    """It is no person: it is asked to turn, and whether it does in time or not, a real class would ask again."""
    puppet.enrol()
    judged = puppet.check("match", pad="gate", thresholds={"pad": 990})
    assert judged.result == "inconclusive"
    assert judged.reason in ("not_clear", "gesture")
    assert (judged.scores["asked"], judged.scores["pad_threshold"]) == (1, 990)
    assert judged.scores["pad_before"] < 990


# --- rooms and cameras ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_empty_room_is_told(faces: Path, model_folder: Path) -> None:
    """Nobody is there, and an enrolment says so."""
    window = Window(f"file:{faces / 'videos' / 'nobody_room.mp4'}", model_folder)
    try:
        look: Look = window.next(Look)
        assert (look.faces, look.hint) == (0, "nobody")
        assert window.enrolled((), "late", deadline_ms=1_200).reason == "nobody"
    finally:
        window.proctor.close()


@pytest.mark.slow
def test_the_end_of_a_clip_is_a_camera_that_is_gone(faces: Path, model_folder: Path) -> None:
    """The camera says that it is gone; an enrolment says it, too, and no picture is left on the screen."""
    window = Window(f"once:{faces / 'videos' / 'nobody_room.mp4'}", model_folder)
    try:
        gone: CameraState = window.until(lambda news: isinstance(news, CameraState) and not news.available)
        assert gone.scripted
        window.proctor.enrol((), 60_000)
        assert window.next(Enrolled).reason == "camera_lost"
        assert window.proctor.preview() is None
    finally:
        window.proctor.close()


@pytest.mark.slow
def test_a_missing_camera_is_told_and_waited_for(model_folder: Path) -> None:
    """No camera of this machine has the number 63: one sentence, no crash, no look."""
    proctor = Proctor(ProctorSetup("normal", "63", model_folder))
    proctor.start()
    try:
        for _ in range(PATIENCE):
            news = [one for one in proctor.poll() if isinstance(one, CameraState | ProctorRestarted)]
            if news:
                break
            time.sleep(0.02)
        assert isinstance(news[0], CameraState)
        assert (news[0].available, news[0].scripted) == (False, False)
    finally:
        proctor.close()


@pytest.mark.parametrize("camera", ["puppet", "file:clip.mp4", "once:clip.mp4"])
def test_no_real_session_has_a_scripted_camera(camera: str) -> None:
    """`UnsafeScriptedCamera` refuses to exist outside the demonstration and the tests."""
    with pytest.raises(ScriptedCameraRefusedError):
        Proctor(ProctorSetup("normal", camera)).start()
    with pytest.raises(ScriptedCameraRefusedError):
        UnsafeScriptedCamera(CameraChoice("file", path="clip.mp4"), "normal")


@pytest.mark.parametrize("camera", ["file:", "puppet:x", "-1", "/dev/video0", "", "0; rm", "１"])
def test_what_names_no_camera_is_refused(camera: str) -> None:
    """In every mode."""
    with pytest.raises(ScriptedCameraRefusedError):
        choose(camera, "test")


@pytest.mark.slow
def test_a_changed_model_starts_no_worker(model_folder: Path, tmp_path: Path) -> None:
    """Refused in the window's process, before anything is opened."""
    for path in model_folder.iterdir():
        (tmp_path / path.name).symlink_to(path.resolve())
    detector = manifest.load().by_use("detector")[0].file
    data = bytearray((model_folder / detector).read_bytes())
    data[1000] ^= 1
    (tmp_path / detector).unlink()
    (tmp_path / detector).write_bytes(data)
    proctor = Proctor(ProctorSetup("test", "puppet", tmp_path))
    with pytest.raises(WrongModelError):
        proctor.start()
    assert proctor._process is None


@pytest.mark.slow
def test_the_window_imports_no_heavy_library() -> None:
    """Models and pictures are the worker's: the window stays light and cannot be crashed by a picture."""
    heavy = "{'cv2', 'mediapipe', 'numpy', 'matplotlib'}"
    code = f"import sys, client.proctor.handle; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_worker_that_dies_again_and_again_is_started_less_and_less_often(
    faces: Path, model_folder: Path, tmp_path: Path
) -> None:
    """At once, after 1, 2, 5 s, later every half a minute at most: each death is told, and none keeps a core busy."""
    for path in model_folder.iterdir():
        (tmp_path / path.name).symlink_to(path.resolve())
    now = [0.0]
    camera = f"file:{faces / 'videos' / 'lp_d9.mp4'}"
    proctor = Proctor(ProctorSetup("test", camera, tmp_path), lambda: now[0])
    proctor.start()
    try:
        until(proctor, Look)  # it has its models; the next one finds none
        (tmp_path / "face_recognition_sface_2021dec_int8bq.onnx").unlink()
        assert proctor._process is not None
        proctor._process.kill()
        for pause, why in ((0.0, "ended"), (1.0, "TS-C-301"), (2.0, "TS-C-301")):
            assert why in until(proctor, ProctorRestarted).detail
            now[0] += max(0.0, pause - 0.1)
            assert not proctor.poll()
            assert (proctor._process is not None) == (pause == 0)
            now[0] += 0.2
    finally:
        proctor.close()


@pytest.mark.slow
def test_an_abort_of_a_detector_is_told_with_its_signal(clip: Window) -> None:
    """What a native library does when it gives up; the lesson hears of it, and somebody is seen again."""
    os.kill(clip.pid(), signal.SIGABRT)
    told = clip.next(ProctorRestarted)
    assert told.detail
    assert clip.next(Look).near == 1


def until(proctor: Proctor, kind: type[Any]) -> Any:
    """Poll until there is news of this kind."""
    for _ in range(PATIENCE):
        for news in proctor.poll():
            if isinstance(news, kind):
                return news
        time.sleep(0.02)
    raise AssertionError(f"no {kind.__name__} came")
