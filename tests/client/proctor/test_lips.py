"""Lips go on moving from one look to the next; the mouth of a print, a mask or a bent portrait only trembles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from client import manifest
from client.proctor import lips, movement, rigid
from client.proctor.limits import limits
from client.proctor.lips import LIDS, LIPS
from client.proctor.rigid import Posed
from client.proctor.seen import Pose, Seen
from client.proctor.tally import Tally

FILM_MS, EVERY_MS = 3_015, 67


def head() -> NDArray[np.float64]:
    """468 points of a shape in space, some 240 pixels high."""
    points = np.random.default_rng(5).normal(0, 60, (rigid.POINTS, 3))
    points[:, 2] *= 0.5
    return points


def film(
    lips_: float = 0.0, lids: float = 0.0, turn: float = 12.0, bent: float = 0.0, every: int = EVERY_MS
) -> list[Posed]:
    """A head that turns; its lips open and shut by so many pixels, its lids blink, its shape bends as it turns."""
    draw, looks = np.random.default_rng(7), []
    for t in range(0, FILM_MS, every):
        sway = np.sin(t / 500)
        yaw, moved = np.radians(turn * sway), head()
        moved[list(LIPS), 1] += lips_ * np.sin(t / 250)
        moved[list(LIDS), 1] += lids * (940 <= t <= 1_080)
        moved[:, 0] += bent * sway * np.sin(np.arange(rigid.POINTS))  # no affine picture of anything
        spin = np.array([(np.cos(yaw), 0, np.sin(yaw)), (0, 1, 0), (-np.sin(yaw), 0, np.cos(yaw))])
        seen = moved @ spin.T + draw.normal(0, 0.5, moved.shape) + (320, 240, 0)
        looks.append(Posed(t, seen.astype(np.float32), float(turn * sway), 0.0))
    return looks


def test_lips_that_move_are_told_from_a_mouth_of_paper() -> None:
    """Speech is far above the border; a print that is waved, and a mask whose wearer blinks, are below it."""
    for still in (film(), film(turn=0.5), film(turn=25.0), film(lids=12.0)):
        found = lips.lasting(still)
        assert found is not None
        assert found < -0.3
    speaks = lips.lasting(film(lips_=2.0))
    assert speaks is not None
    assert speaks > 0.5


def test_the_eyes_behind_a_mask_count_for_the_face_and_not_for_the_mouth() -> None:
    """Why there are two figures: the blink alone makes the whole face move by itself."""
    found = movement.of(film(lids=40.0))
    assert found.own is not None
    assert found.lips is not None
    assert found.own > 0 > found.lips


def test_what_goes_with_the_turn_is_no_movement_of_its_own() -> None:
    """A portrait that a program bends as it turns it: its mouth moves with the head, and with nothing else."""
    found = movement.of(film(bent=6.0))
    assert found.own is not None
    assert found.lips is not None
    assert found.own > 0 > found.lips


@pytest.mark.parametrize("every", [8, 16, 33, 40])
def test_the_pace_of_a_film_changes_little(every: int) -> None:
    """60 pictures a second or 12: of what is nearer than a look of a lesson every second one is skipped."""
    speaks, still = lips.lasting(film(2.0, every=every)), lips.lasting(film(every=every))
    assert speaks is not None
    assert still is not None
    assert speaks > 0.5 > -0.3 > still


def test_too_few_looks_or_looks_too_far_apart_say_nothing() -> None:
    """A camera in the dark gives ten pictures a second: a word is over before the next, so nothing is said of lips."""
    looks = film(lips_=2.0)
    assert lips.lasting([]) is None
    assert lips.lasting(looks[: lips.LEAST - 1]) is None
    assert lips.lasting(film(lips_=2.0, every=100)) is None
    assert lips.lasting([replace(one, t=one.t * 10) for one in looks]) is None
    broken = [replace(one, shape=np.full_like(one.shape, np.nan)) for one in looks]
    assert lips.lasting(broken) is None


def test_a_gap_ends_a_row() -> None:
    """A face that was lost for a while comes back elsewhere: the jump between is no movement of the lips."""
    first, then = film(), [replace(one, t=one.t + 9_000, shape=one.shape * 1.2) for one in film(turn=3.0)]
    found = lips.lasting([*first, *then])
    assert found is not None
    assert found < -0.3


def test_an_engine_whose_landmarks_lean_on_those_before_is_not_asked_for_lips() -> None:
    """OpenCV's: what trembles lasts there, too, so the whole face's movement counts alone, as much as it did before."""
    listed = manifest.load()
    assert (limits(listed).pad_lips, limits(listed, engine="dnn").pad_lips) == (1, 0)
    for engine, known in (("", True), ("dnn", False)):
        tally = Tally(limits(listed, engine=engine), 0, 60_000)
        tally.posed = film(lips_=2.0)
        assert (tally.moved().lips is not None) == known
        assert tally.moved().own is not None


def test_a_look_without_landmarks_is_left_out() -> None:
    """Where they were not asked for, or not found, there is nothing to be posed."""
    bare = Seen(0, 640, 480, 100.0, 30.0)
    assert movement.posed(bare) is None
    assert movement.posed(replace(bare, pose=Pose(1.0, 2.0, 0.0, 0.0, 0.0))) is None
    whole = movement.posed(replace(bare, t=7, pose=Pose(1.0, 2.0, 0.0, 0.0, 0.0), shape=film()[0].shape))
    assert whole is not None
    assert (whole.t, whole.yaw, whole.pitch) == (7, 1.0, 2.0)


@given(st.lists(st.integers(0, 20_000), max_size=80), st.floats(allow_nan=True, width=32), st.floats(allow_nan=True))
def test_any_times_and_any_numbers_give_a_figure_or_none(times: list[int], value: float, angle: float) -> None:
    """Times that stand still or fall, landmarks that are no numbers: never an error."""
    shape = np.full((rigid.POINTS, 3), value, np.float32)
    with np.errstate(all="ignore"):
        found = lips.lasting([Posed(t, shape, angle, angle) for t in times])
    assert found is None or np.isfinite(found)
