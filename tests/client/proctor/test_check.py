"""One attempt, one result: another face fails it, light and cameras only make it inconclusive."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from client.events import Judged
from client.ports import CheckRequest
from client.proctor import check
from client.proctor.check import Attempt, Person
from client.proctor.enrolment import Enrolment, Maker
from client.proctor.limits import Limits
from client.proctor.seen import Seen
from client.proctor.template import decode
from tests.client.proctor.scenes import ANNA, BERTA, face, pose, seen

FRAME_MS = 70
MODELS = {"sface": "ab" * 32}


def request(kind: str = "match", pad: str = "record", *gestures: str) -> CheckRequest:
    """An order."""
    return CheckRequest(3, 1, kind, gestures, 20_000, "00" * 16, pad)


def person(pad: bool = True) -> Person:
    """Anna has enrolled."""
    return Person(ANNA, MODELS, {"opencv": 5_000_000}, pad)


def play(attempt: Attempt, frames: Iterable[Seen]) -> Judged:
    """Feed frames, then let the time run out."""
    now = 0
    for one in frames:
        attempt.feed(one)
        attempt.tick(one.t)
        now = one.t
        if attempt.result is not None:
            return attempt.result
    while attempt.result is None:
        now += 500
        attempt.tick(now)
    return attempt.result


def lasting(make: Callable[[int], Seen], ms: int = 25_000) -> Iterable[Seen]:
    """The same scene for so long."""
    return (make(t) for t in range(FRAME_MS, ms, FRAME_MS))


def test_the_learner_passes_a_glance(shipped: Limits) -> None:
    """With the score, the threshold and the models in the result."""
    result = play(check.attempt(request(), person(), shipped, 0), lasting(seen))
    assert (result.check, result.attempt, result.result, result.reason) == (3, 1, "passed", "ok")
    assert result.scores["match"] == 1000
    assert result.scores["match_threshold"] == shipped.match
    assert result.models == MODELS
    assert result.scores["ms"] < 2_000


def test_another_person_fails_it(shipped: Limits) -> None:
    """The one thing that a glance can say against somebody."""
    result = play(check.attempt(request(), person(), shipped, 0), lasting(lambda t: seen(t, vector=BERTA)))
    assert (result.result, result.reason) == ("failed", "other_person")


@pytest.mark.parametrize("kind", ["match", "liveness"])
@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("dark", {"face_light": 20.0}),
        ("far", {"faces": (face(height=50),)}),
        ("blurred", {"sharp": 1.0}),
        ("covered", {"faces": (), "light": 3.0, "contrast": 1.0}),
        ("nobody", {"faces": ()}),
        ("two_faces", {"faces": (face(60), face(400))}),
        ("hidden", {"vector": BERTA, "lower": 0.1}),
    ],
)
def test_what_the_room_spoils_is_inconclusive(
    kind: str, reason: str, changes: dict[str, object], shipped: Limits
) -> None:
    """And says what to change; it is never held against anybody."""
    ordered = request(kind, "record", *(["turn_left"] if kind == "liveness" else []))
    result = play(check.attempt(ordered, person(), shipped, 0), lasting(lambda t: seen(t, **changes)))
    assert (result.result, result.reason) == ("inconclusive", reason)


def test_a_camera_that_stops_is_inconclusive_before_the_deadline(shipped: Limits) -> None:
    """Nobody waits a minute before a dead camera."""
    result = play(check.attempt(request(), person(), shipped, 0), lasting(seen, 200))
    assert (result.result, result.reason) == ("inconclusive", "camera_lost")
    assert result.scores["ms"] < 10_000


def test_a_moment_of_blur_does_not_matter(shipped: Limits) -> None:
    """Good frames are waited for."""
    frames = lasting(lambda t: seen(t, sharp=1.0 if t < 3_000 else 12.0))
    assert play(check.attempt(request(), person(), shipped, 0), frames).result == "passed"


def test_without_a_template_nothing_is_compared(shipped: Limits) -> None:
    """A device that lost the template says so at once."""
    nobody = Person(None, MODELS, {}, True)
    result = play(check.attempt(request(), nobody, shipped, 0), lasting(seen))
    assert (result.result, result.reason) == ("inconclusive", "no_template")


@pytest.mark.parametrize(("pad", "result"), [("gate", "inconclusive"), ("record", "passed"), ("absent", "passed")])
def test_a_flat_face_is_a_signal_and_never_a_verdict(pad: str, result: str, shipped: Limits) -> None:
    """As a gate it asks again; in a demo class it is recorded and stops nothing."""
    judged = play(check.attempt(request("match", pad), person(), shipped, 0), lasting(lambda t: seen(t, live=0.02)))
    assert judged.result == result
    assert judged.scores["pad"] == 20


def test_an_absent_pad_model_is_said_in_the_result(shipped: Limits) -> None:
    """No frames were looked at, and a gate does not open by itself."""
    frames = lasting(lambda t: seen(t, live=None))
    judged = play(check.attempt(request("match", "absent"), person(pad=False), shipped, 0), frames)
    assert (judged.result, judged.scores["pad_frames"]) == ("passed", 0)
    frames = lasting(lambda t: seen(t, live=None))
    gated = play(check.attempt(request("match", "gate"), person(pad=False), shipped, 0), frames)
    assert (gated.result, gated.reason) == ("inconclusive", "not_clear")


def challenge(t: int) -> Seen:
    """Calm, a turn to the left from 2 to 4 s, calm again."""
    return seen(t, pose=pose(yaw=30)) if 2_000 < t < 4_000 else seen(t)


def test_a_challenge_passes_with_its_figures(shipped: Limits) -> None:
    """Gestures done, sides turned to, and the comparison through all of it."""
    ordered = request("liveness", "record", "turn_left")
    judged = play(check.attempt(ordered, person(), shipped, 0), lasting(challenge))
    assert judged.result == "passed"
    assert (judged.scores["gestures"], judged.scores["of"], judged.scores["yaw_left"]) == (1, 1, 30)
    assert judged.scores["looks"] >= 3


def test_a_challenge_is_compared_with_the_template(shipped: Limits) -> None:
    """Berta turns when she is asked to, and is still not Anna."""
    ordered = request("liveness", "record", "turn_left")
    judged = play(
        check.attempt(ordered, person(), shipped, 0),
        (seen(one.t, pose=one.pose, vector=BERTA) for one in lasting(challenge)),
    )
    assert (judged.result, judged.reason) == ("failed", "other_person")


def test_only_the_cameras_own_kinds_are_judged_here(shipped: Limits) -> None:
    """Attention and identification are not the proctor's."""
    with pytest.raises(ValueError, match="attention"):
        check.attempt(request("attention"), person(), shipped, 0)


def enrol(frames: Iterable[Seen], shipped: Limits, *gestures: str) -> Enrolment:
    """Play an enrolment to its end."""
    one = Enrolment(gestures, 20_000, shipped, Maker("ab" * 32, "opencv 5.0.0"), 0)
    for frame in frames:
        if one.result is None:
            one.feed(frame)
            one.tick(frame.t)
    return one


def test_an_enrolment_makes_the_template_that_its_reference_names(shipped: Limits) -> None:
    """Of as many looks as the manifest asks for."""
    one = enrol(lasting(challenge), shipped, "turn_left")
    assert one.result is not None
    assert one.result.result == "passed"
    made = decode(one.template)
    assert made.vector == pytest.approx(ANNA)
    assert made.looks >= shipped.enrol_looks


def test_two_people_cannot_enrol_as_one(shipped: Limits) -> None:
    """The face that ends the challenge must be the one that began it."""
    frames = (seen(one.t, pose=one.pose, vector=ANNA if one.t < 3_000 else BERTA) for one in lasting(challenge))
    one = enrol(frames, shipped, "turn_left")
    assert one.result is not None
    assert (one.result.result, one.result.reference, one.template) == ("failed", "none", b"")


def test_an_enrolment_in_the_dark_keeps_nothing(shipped: Limits) -> None:
    """Inconclusive, with the word that says what to change."""
    one = enrol(lasting(lambda t: seen(t, face_light=20.0)), shipped)
    assert one.result is not None
    assert (one.result.result, one.result.reason, one.template) == ("inconclusive", "dark", b"")


def test_a_face_under_a_dust_mask_that_still_matches_passes(shipped: Limits) -> None:
    """What is worn at work is no reason to be asked again."""
    result = play(check.attempt(request(), person(), shipped, 0), lasting(lambda t: seen(t, lower=0.1)))
    assert result.result == "passed"
    assert (result.scores["lower"], result.scores["lower_threshold"]) == (100, shipped.hidden)


def test_a_head_turned_aside_is_asked_to_look_at_the_screen(shipped: Limits) -> None:
    """A glance compares faces that look at the screen; the screen says so meanwhile."""
    attempt = check.attempt(request(), person(), shipped, 0)
    aside = lasting(lambda t: seen(t, faces=(face(turned=0.8),)))
    for one in list(aside)[:20]:
        attempt.feed(one)
    assert attempt.prompt(1_500).hint == "turned"
    result = play(attempt, lasting(lambda t: seen(t, faces=(face(turned=0.8),))))
    assert (result.result, result.reason) == ("inconclusive", "turned")
