"""PAD weighs two networks and the beat of two grids; what it doubts is asked for a gesture, and a person decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from client import manifest
from client.events import Judged, Order
from client.ports import CheckRequest
from client.proctor import check, cues, models
from client.proctor.check import Attempt, Person
from client.proctor.face import Detector, frame
from client.proctor.limits import Limits
from client.proctor.pad import NOISY, PadModel
from client.proctor.seen import Cues, Face, Seen
from client.state import Attempting
from ledger.events import Answered, Fault, Finding
from tests.client.bench import Bench
from tests.client.proctor.scenes import ANNA, BERTA, pose, seen

WHOLE = Face(100, 60, 300, 360, ((180.0, 180.0), (300.0, 180.0), (240.0, 250.0), (190.0, 330.0), (290.0, 330.0)), 0.9)


UNSURE = Cues(1.0, 0.5, 3.2)


# --- the beat of two grids --------------------------------------------------------------------------------------------


def skin(seed: int = 0, noise: float = 3.0) -> Any:
    """Soft light and a sensor's noise, 640 × 480."""
    draw = np.random.default_rng(seed)
    soft = cv2.resize(draw.uniform(70, 190, (8, 8, 3)).astype(np.float32), (640, 480), interpolation=cv2.INTER_CUBIC)
    return np.clip(soft + draw.normal(0, noise, soft.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("degrees", [10, 30, 60, 80])
def test_a_screen_before_the_camera_beats(degrees: int) -> None:
    """A faint grid over the picture stands out of the spectrum wherever it points; skin and noise never do."""
    ys, xs = np.mgrid[0:480, 0:640]
    along = np.cos(np.radians(degrees)) * xs + np.sin(np.radians(degrees)) * ys
    grid = 6 * np.sin(2 * np.pi * along / 5.3)[..., None]
    for seed in range(3):
        plain = skin(seed)
        screen = np.clip(plain + grid, 0, 255).astype(np.uint8)
        assert cues.beat(plain, WHOLE) < 2.9 < cues.beat(screen, WHOLE)


@pytest.mark.parametrize("shape", [(16, 16), (480, 20), (40, 640), (480, 640)])
def test_a_face_at_any_edge_of_any_frame_has_a_beat(shape: tuple[int, int]) -> None:
    """The detector's boxes reach beyond the frame, and frames are smaller than the patch: a number all the same."""
    for x, y in ((-500.0, -500.0), (0.0, 0.0), (5_000.0, 5_000.0)):
        face = Face(x, y, 300, 300, WHOLE.points, 0.9)
        assert np.isfinite(cues.beat(skin()[: shape[0], : shape[1]], face))


# --- the networks and their weights -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def near(model_folder: Path) -> models.Model:
    """MiniFASNetV2 as the pack brings it."""
    asset = next(one for one in manifest.load().by_use("pad") if one.name == "minifasnet_export")
    return models.load(asset, (model_folder,))


@pytest.fixture(scope="module")
def box(model_folder: Path) -> Callable[[Any], Face]:
    """Where the face of a picture is."""
    detector = Detector(models.load(manifest.load().by_use("detector")[0], (model_folder,)))
    return lambda bgr: detector.find(bgr, 640)[0]


def test_every_cue_pulls_its_own_way(near: models.Model) -> None:
    """A network that is sure of life raises the score, a beat lowers it, and no cue alone makes a score of 1."""
    judge = PadModel(near)
    middle = judge.live(Cues(2.0, None, 2.5))
    assert judge.live(Cues(4.0, None, 2.5)) > middle > judge.live(Cues(0.0, None, 2.5))
    assert judge.live(Cues(2.0, None, 2.5)) > judge.live(Cues(2.0, None, 3.5)) > judge.live(Cues(2.0, None, 4.5))
    assert judge.live(Cues(8.0, None, 4.5)) < 0.5 < judge.live(Cues(8.0, None, 2.5))


def test_the_wide_look_holds_for_a_moment_only(near: models.Model) -> None:
    """A third of the cost in a row of frames; a later frame, an earlier one and the same moment are looked at anew."""
    judge, plain, other = PadModel(near, near), skin(1), skin(2, noise=20)
    first = judge.look(plain, WHOLE, 1_000)
    assert first.wide is not None
    assert judge.look(other, WHOLE, 1_100).beat == first.beat
    for t in (1_000, 900, 1_900):
        assert judge.look(other, WHOLE, t).beat != first.beat
        judge.look(plain, WHOLE, 1_000)


@pytest.mark.parametrize(("sigma", "noisy"), [(0.0, False), (1.5, False), (4.0, True), (8.0, True)])
def test_a_sensors_noise_is_measured_on_the_face(sigma: float, noisy: bool) -> None:
    """What was added comes out again, whatever soft light lies under it; from two grey levels on a picture is noisy."""
    found = cues.noise(skin(3, noise=0), WHOLE), cues.noise(skin(3, noise=sigma), WHOLE)
    assert found[0] < 0.5
    assert found[1] == pytest.approx(sigma * 0.67, abs=0.5)  # grey is a weighed mean of three noises
    assert (found[1] > NOISY) is noisy


def test_a_face_in_the_dark_is_no_print(near: models.Model, faces: Path, box: Callable[[Any], Face]) -> None:
    """A real face through a noisy sensor keeps its score better than by sampling alone; a real print gains nothing."""
    judges, draw = (PadModel(near), PadModel(near, noisy=99.0)), np.random.default_rng(2)
    middle = {}
    for kind in ("real", "spoof"):
        pictures = [frame(cv2.imread(str(path))) for path in sorted((faces / "nuaa" / kind).glob("*/*.jpg"))[::12]]
        found = [(np.clip(one + draw.normal(0, 9, one.shape), 0, 255).astype(np.uint8), box(one)) for one in pictures]
        middle[kind] = [float(np.median([judge.look(*one, 0).near for one in found])) for judge in judges]
    assert middle["real"][0] > middle["real"][1] + 0.5
    assert middle["spoof"][0] < -4


# --- what PAD doubts is asked -----------------------------------------------------------------------------------------


def glance(pad: str = "gate", deadline_ms: int = 40_000) -> CheckRequest:
    """An order to look at the screen."""
    return CheckRequest(3, 1, "match", (), deadline_ms, "00" * 16, pad)


def play(request: CheckRequest, shipped: Limits, scene: Any) -> tuple[Judged, list[str]]:
    """Play `scene(t, gesture)` to the end; return the result and the gestures that were asked for on the way."""
    attempt: Attempt = check.attempt(request, Person(ANNA, {"sface": "ab" * 32}, {}, True), shipped, 0)
    asked: list[str] = []
    for t in range(70, 60_000, 70):
        gesture = attempt.prompt(t).gesture
        asked += [gesture] if gesture not in asked else []
        attempt.feed(scene(t, gesture))
        attempt.tick(t)
        if attempt.result is not None:
            return attempt.result, asked
    raise AssertionError("no result")


def challenge(pad: str = "gate", deadline_ms: int = 60_000) -> CheckRequest:
    """An order to look up."""
    return CheckRequest(3, 1, "liveness", ("look_up",), deadline_ms, "00" * 16, pad)


def obedient(live: Any, vector: Any = ANNA, odds: Cues = UNSURE) -> Any:
    """Whoever moves as asked, as soon as a person can; `live(t, gesture)` is what PAD says."""

    since = {"": 0}

    def scene(t: int, gesture: str) -> Seen:
        if gesture not in since:
            since.clear()
            since[gesture] = t
        awake = t - since[gesture] > 400
        yaw = {"turn_left": 30.0, "turn_right": -30.0}.get(gesture, 0.0) * awake
        pitch = 25.0 if gesture == "look_up" and awake else 0.0
        return seen(t, pose=pose(yaw=yaw, pitch=pitch), live=live(t, gesture), cues=odds, vector=vector)

    return scene


def test_a_clear_glance_asks_for_nothing(shipped: Limits) -> None:
    """Nobody is troubled whom PAD does not doubt."""
    judged, asked = play(glance(), shipped, obedient(lambda t, _: 0.9))
    assert (judged.result, asked) == ("passed", ["look"])
    assert "asked" not in judged.scores


def test_a_doubtful_glance_is_asked_to_turn_and_passes(shipped: Limits) -> None:
    """Poor light at first; while the head turns, PAD sees it well: passed, and the result tells the whole story."""
    judged, asked = play(glance(), shipped, obedient(lambda t, gesture: 0.3 if gesture == "look" else 0.9))
    assert (judged.kind, judged.result, judged.reason) == ("match", "passed", "ok")
    assert set(asked) & {"turn_left", "turn_right"}
    assert (judged.scores["asked"], judged.scores["pad_before"], judged.scores["gestures"]) == (1, 300, 1)
    assert judged.scores["pad"] >= judged.scores["pad_threshold"]


def test_a_picture_that_turns_is_still_no_pass_and_no_fail(shipped: Limits) -> None:
    """A replay that happens to turn: inconclusive with every cue and what speaks against it, for a person."""
    judged, _ = play(glance(), shipped, obedient(lambda t, _: 0.1, odds=Cues(-1.0, 0.5, 3.2)))
    assert (judged.result, judged.reason) == ("inconclusive", "not_clear")
    assert judged.scores["pad"] < judged.scores["pad_threshold"]
    assert (judged.scores["pad_near"], judged.scores["pad_wide"], judged.scores["pad_beat"]) == (-1000, 500, 3200)
    assert judged.doubts == ("texture", "grid")


def test_a_print_does_not_turn(shipped: Limits) -> None:
    """The gesture never comes: inconclusive, for no order drew it; the reason and both scores stand in the event."""
    judged, asked = play(glance(), shipped, lambda t, _: seen(t, live=0.1, cues=Cues(-3.0, -1.0, 2.0)))
    assert (judged.result, judged.reason) == ("inconclusive", "gesture")
    assert (judged.scores["asked"], judged.scores["pad_before"]) == (1, 100)
    assert len(asked) > 1
    assert judged.doubts == ("texture", "surroundings", "no_gesture")


def test_a_doubtful_challenge_is_asked_once_more(shipped: Limits) -> None:
    """Its gestures came, its picture was not clear: one turn more is drawn, and PAD's word on that counts."""
    judged, asked = play(challenge(), shipped, obedient(lambda t, _: 0.3 if t < 2_000 else 0.9))
    assert (judged.kind, judged.result, judged.doubts) == ("liveness", "passed", ())
    assert judged.scores["asked"] == 1
    assert asked[:2] == ["neutral", "look_up"]
    assert set(asked) & {"turn_left", "turn_right"}
    still, _ = play(challenge(), shipped, obedient(lambda t, _: 0.3, odds=Cues(0.5, -2.0, 2.0)))
    assert (still.result, still.reason, still.doubts) == ("inconclusive", "not_clear", ("surroundings",))
    hurried, asked = play(challenge(deadline_ms=12_500), shipped, obedient(lambda t, _: 0.3, odds=Cues(0.5, -2.0, 2.0)))
    assert (hurried.result, hurried.doubts, "asked" in hurried.scores) == ("inconclusive", ("surroundings",), False)


def test_a_gesture_that_never_came_is_a_doubt_only_where_the_picture_is(shipped: Limits) -> None:
    """Somebody who will not turn is no picture; a picture that will not turn is both."""
    living, _ = play(challenge(), shipped, lambda t, _: seen(t, pose=pose(), live=0.9, cues=Cues(4.0, 2.0, 2.0)))
    assert (living.result, living.reason, living.doubts) == ("failed", "gesture", ())
    drawn, _ = play(challenge(), shipped, lambda t, _: seen(t, pose=pose(), live=0.1, cues=Cues(-4.0, 2.0, 2.0)))
    assert (drawn.result, drawn.reason, drawn.doubts) == ("failed", "gesture", ("texture", "no_gesture"))


@pytest.mark.parametrize("poor", [{"face_light": 20.0}, {"sharp": 1.0}])
def test_poor_light_is_no_evidence(poor: dict[str, float], shipped: Limits) -> None:
    """Most of the turn lies in the dark, or is blurred: nothing is decided, and nothing is held against anybody."""
    good = obedient(lambda t, _: 0.1)

    def scene(t: int, gesture: str) -> Seen:
        one = good(t, gesture)
        return replace(one, **poor) if gesture not in ("", "look") and t % 700 else one

    judged, _ = play(glance(), shipped, scene)
    assert (judged.result, judged.doubts) == ("inconclusive", ())


def test_another_face_is_not_asked(shipped: Limits) -> None:
    """Who is not the learner fails as before, whatever PAD says."""
    judged, asked = play(glance(), shipped, obedient(lambda t, _: 0.1, BERTA))
    assert (judged.result, judged.reason, asked) == ("failed", "other_person", ["look"])


@pytest.mark.parametrize(
    ("pad", "deadline_ms", "result"), [("record", 40_000, "passed"), ("gate", 9_000, "inconclusive")]
)
def test_nothing_is_asked_without_a_gate_or_without_time(
    pad: str, deadline_ms: int, result: str, shipped: Limits
) -> None:
    """A demo class records; a glance near its deadline waits for the next attempt. Neither is a finding."""
    judged, asked = play(glance(pad, deadline_ms), shipped, obedient(lambda t, _: 0.1))
    assert (judged.result, asked, judged.doubts) == (result, ["look"], ())


def test_a_demo_class_has_no_doubts(shipped: Limits) -> None:
    """Its portrait is no person, and everybody knows: scores are written down, and no finding."""
    judged, _ = play(challenge("record"), shipped, lambda t, _: seen(t, pose=pose(), live=0.1))
    assert (judged.result, judged.reason, judged.doubts) == ("failed", "gesture", ())
    assert judged.scores["pad"] == 100


def test_after_the_last_attempt_a_person_decides(shipped: Limits) -> None:
    """Three glances that PAD doubted and no turn cleared: the signed log holds each with its reason and its scores, a
    finding for each with what spoke against it, and the case for a person; the session counts no mismatch, and the
    lesson's words are kind."""
    doubted, _ = play(glance(), shipped, lambda t, _: seen(t, live=0.1, cues=Cues(-3.0, 1.0, 2.0)))
    bench = Bench().study()
    for a in range(3):
        bench.answer(order=Order(1, a, f"{a + 1:032x}", 20_000))
        bench.press("ready")
        assert isinstance(bench.state.check, Attempting)
        task = bench.state.check.task
        bench.send(replace(doubted, check=task.order.i, attempt=task.order.a, kind=task.kind))
    answered = [body for body in bench.bodies(Answered) if body.i == 1]
    assert [(one.result, one.reason) for one in answered] == [("inconclusive", "gesture")] * 3
    assert all(one.scores["pad"] < one.scores["pad_threshold"] for one in answered)
    assert [body.detail for body in bench.bodies(Fault)] == ["help case: check 1 stayed open after 3 attempts: gesture"]
    assert bench.state.tally.mismatches == 0
    found = bench.bodies(Finding)
    assert [(one.rule, one.severity, one.response) for one in found] == [("presence.not_clear", "medium", "report")] * 3
    assert [one.evidence["attempt"] for one in found] == [0, 1, 2]
    assert {one.evidence["reasons"] for one in found} == {"texture no_gesture"}
    assert {(one.evidence["pad"], one.evidence["pad_near"]) for one in found} == {(100, -3000)}


def test_a_clear_attempt_leaves_no_finding(shipped: Limits) -> None:
    """Passed at once, or after the turn that was asked for: nothing to clarify."""
    cleared, _ = play(glance(), shipped, obedient(lambda t, gesture: 0.3 if gesture == "look" else 0.9))
    bench = Bench().study()
    bench.answer(order=Order(1, 0, "01" * 16, 20_000))
    bench.press("ready")
    assert isinstance(bench.state.check, Attempting)
    bench.send(replace(cleared, check=1, attempt=0, kind=bench.state.check.task.kind))
    assert not bench.bodies(Finding)
