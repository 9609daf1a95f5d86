"""A stiff thing has no movement of its own, however it is waved; lids and lips have, and the score counts it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from client.proctor import models, pad, rigid
from client.proctor.movement import Movement
from client.proctor.rigid import Posed

FRAMES = 36
LIDS, LIPS = slice(0, 40), slice(40, 110)


def head(flat: float = 1.0) -> NDArray[np.float64]:
    """468 points of a shape in space; `flat` 0 presses it to a plane."""
    draw = np.random.default_rng(5)
    points = draw.normal(0, 60, (rigid.POINTS, 3))
    points[:, 2] *= 0.5 * flat
    return points


def film(
    shape: NDArray[np.float64], turn: float = 15.0, lids: float = 0.0, lips: float = 0.0, noise: float = 0.3
) -> list[Posed]:
    """The shape turned to and fro by `turn` degrees, nearer and further, with a blink and a mouth that opens."""
    draw = np.random.default_rng(7)
    looks = []
    for i in range(FRAMES):
        yaw = np.radians(turn * np.sin(i / 5))
        moved = shape.copy()
        moved[LIDS, 1] += lids * (14 <= i <= 17)
        moved[LIPS, 1] += lips * max(0.0, np.sin(i / 4))
        spin = np.array([(np.cos(yaw), 0, np.sin(yaw)), (0, 1, 0), (-np.sin(yaw), 0, np.cos(yaw))])
        seen = (moved @ spin.T) * (1 + 0.1 * np.sin(i / 9)) + (300 + i, 200, 0)
        shape_ = (seen + draw.normal(0, noise, seen.shape)).astype(np.float32)
        looks.append(Posed(i * 80, shape_, float(np.degrees(yaw))))
    return looks


@pytest.mark.parametrize("flat", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("turn", [0.5, 10.0, 25.0])
def test_a_print_a_bent_print_and_a_mask_are_stiff(flat: float, turn: float) -> None:
    """Flat, bent or shaped like a head, waved near and far: one affine picture of one shape explains every frame."""
    found = rigid.own(film(head(flat), turn))
    assert found is not None
    assert found < -0.3


@pytest.mark.parametrize(("lids", "lips"), [(0.0, 20.0), (40.0, 0.0), (25.0, 15.0)])
@pytest.mark.parametrize("turn", [0.5, 15.0])
def test_a_face_that_talks_or_blinks_moves_by_itself(lids: float, lips: float, turn: float) -> None:
    """At rest and while the head turns; a blink of four frames is enough."""
    found = rigid.own(film(head(), turn, lids, lips))
    assert found is not None
    assert found > 0


def test_too_few_frames_say_nothing() -> None:
    """Less than a second, nothing at all, and landmarks that are no numbers: None, never a guess."""
    looks = film(head())
    assert rigid.own(looks[: rigid.LEAST - 1]) is None
    assert rigid.own([]) is None
    broken = [replace(one, shape=np.full_like(one.shape, np.nan)) for one in looks]
    assert rigid.own(broken) is None


def test_one_mistake_of_the_model_is_no_movement() -> None:
    """A single frame whose landmarks jump does not make a print alive."""
    looks = film(head())
    jump = np.random.default_rng(3).normal(0, 2, looks[20].shape.shape).astype(np.float32)
    looks[20] = replace(looks[20], shape=looks[20].shape + jump)
    found = rigid.own(looks)
    assert found is not None
    assert found < 0


def test_the_place_and_size_in_the_frame_do_not_matter() -> None:
    """The same film, further away: the same figure."""
    looks = film(head(), lids=30, noise=0)
    small = [replace(one, shape=(one.shape * 0.4 + 50).astype(np.float32)) for one in looks]
    assert rigid.own(small) == pytest.approx(rigid.own(looks), abs=1e-3)


# --- what an attempt makes of it --------------------------------------------------------------------------------------


def test_who_was_asked_to_move_and_is_stiff_counts_as_a_picture() -> None:
    """The same frames: stiff in a challenge is doubted, stiff while nobody asked is not, moving is neither."""
    frames, unknown = [0.9] * 20, Movement()
    for stiff in (Movement(-0.9), Movement(-0.9, -0.4), Movement(0.2, -0.7)):
        assert pad.attempt(frames, stiff, asked=True) < 0.5 < pad.attempt(frames, stiff, asked=False)
    for moving in (Movement(0.5), Movement(0.5, 0.5)):
        assert pad.attempt(frames, moving, asked=True) > pad.attempt(frames, unknown, asked=True) > 0.5


def test_movement_alone_makes_no_life() -> None:
    """A film on a screen moves, too: what the networks reject stays rejected, however much it moves."""
    for moving in (Movement(5.0), Movement(5.0, 5.0)):
        assert pad.attempt([0.1] * 20, moving, asked=True) < 0.5
        assert pad.attempt([0.1] * 20, moving, asked=False) < 0.5


def test_no_single_frame_speaks_for_an_attempt() -> None:
    """A quarter of odd frames on either side changes nothing; no frame at all is no life."""
    assert pad.attempt([0.05] * 12 + [1.0] * 3, Movement(), asked=True) < 0.5
    assert pad.attempt([0.95] * 12 + [0.0] * 3, Movement(), asked=True) > 0.5
    assert pad.attempt([], Movement(3.0, 3.0), asked=False) < 0.5


def test_the_formula_of_the_file_is_the_one_that_runs() -> None:
    """Computed here again from pad.json alone."""
    now = json.loads(models.pad_weights())["attempt"]
    odds = np.log(0.8 / 0.2) + now["lift"] + now["own"] * -0.5 + now["lips"] * 0.1
    assert pad.attempt([0.8] * 9, Movement(-0.5, 0.1), asked=True) == pytest.approx(1 / (1 + np.exp(-odds)))
    odds = np.log(0.8 / 0.2) + now["unasked"] * (now["own"] * now["floor"] + now["lips"] * now["roof"])
    assert pad.attempt([0.8] * 9, Movement(-7.0, 7.0), asked=False) == pytest.approx(1 / (1 + np.exp(-odds)))
    odds = np.log(0.8 / 0.2) + now["lift"] + now["alone"] * -0.5
    assert pad.attempt([0.8] * 9, Movement(-0.5), asked=True) == pytest.approx(1 / (1 + np.exp(-odds)))
