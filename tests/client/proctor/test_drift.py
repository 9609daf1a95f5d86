"""The template's follower moves a little with a face that is surely the learner's, and never to anybody else's."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.ports import CheckRequest
from client.proctor import check, drift, template
from client.proctor.check import Person
from client.proctor.limits import Limits
from client.proctor.seen import VECTOR_SIZE, Vector, cosine, permille
from client.proctor.template import Template
from tests.client.proctor.scenes import ANNA, BERTA, seen
from tests.client.proctor.test_check import lasting, play

ENROLLED = Template("ab" * 32, "opencv 5.0.0", 8, ANNA)


def between(degrees: float) -> Vector:
    """A face so far from Anna's towards Berta's."""
    a, b = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple(a * x + b * y for x, y in zip(ANNA, BERTA, strict=True))


def test_a_strong_match_moves_the_follower_a_little(shipped: Limits) -> None:
    """A tenth of the way, and the enrolled template stays as it is."""
    data = drift.follow(ENROLLED, None, [between(40)] * 5, 766, shipped)
    moved = template.decode(data)
    assert 3 < math.degrees(math.acos(cosine(moved.vector, ANNA))) < 5
    assert (moved.model, moved.engine, moved.looks) == (ENROLLED.model, ENROLLED.engine, 9)


def test_a_match_that_is_not_strong_moves_nothing(shipped: Limits) -> None:
    """Passed is not enough."""
    assert drift.follow(ENROLLED, None, [between(60)] * 5, shipped.drift_from - 1, shipped) == b""


def test_no_chain_of_small_steps_leads_to_another_person(shipped: Limits) -> None:
    """Whatever is shown, and however often: the leash is the enrolled face."""
    now: Vector | None = None
    for degrees in range(5, 90):
        for _ in range(10):
            data = drift.follow(ENROLLED, now, [between(degrees)] * 5, 999, shipped)
            now = template.decode(data).vector if data else now
    assert now is not None
    assert permille(cosine(now, ANNA)) >= shipped.drift_least
    assert permille(cosine(now, BERTA)) < 530


@given(st.integers(0, VECTOR_SIZE - 1), st.floats(-1, 1), st.integers(600, 1000))
def test_the_follower_is_always_within_its_leash(axis: int, share: float, score: int) -> None:
    """For any looks."""
    from client import manifest
    from client.proctor.limits import limits

    by = limits(manifest.load())
    look = tuple(1.0 if i == axis else share * x for i, x in enumerate(ANNA))
    data = drift.follow(ENROLLED, None, [look], score, by)
    assert not data or drift.read(data, ENROLLED, by) is not None


def test_a_follower_that_was_swapped_is_not_used(shipped: Limits) -> None:
    """Another person's vector, another engine's, or any other bytes: the enrolled template alone."""
    far = template.encode(replace(ENROLLED, vector=BERTA))
    other = template.encode(replace(ENROLLED, engine="opencv 4.12.0"))
    for data in (b"", b"nonsense", far, other):
        assert drift.read(data, ENROLLED, shipped) is None
    assert drift.read(template.encode(ENROLLED), ENROLLED, shipped) == pytest.approx(ANNA)


def test_a_check_compares_with_both_and_says_how_far_the_follower_is(shipped: Limits) -> None:
    """The better of the two counts."""
    follower = between(25)
    known = Person(ANNA, {}, {}, False, follower)
    ordered = CheckRequest(1, 0, "match", (), 20_000, "00" * 16, "record")
    judged = play(check.attempt(ordered, known, shipped, 0), lasting(lambda t: seen(t, vector=between(70))))
    assert judged.scores["match"] == permille(math.cos(math.radians(45)))
    assert judged.scores["follower"] == permille(math.cos(math.radians(25)))


def test_a_template_of_another_engine_asks_for_a_new_enrolment(shipped: Limits) -> None:
    """Version = model and engine: nothing is compared across them, and nobody is blamed."""
    known = Person(None, {}, {}, False, why="other_engine")
    ordered = CheckRequest(1, 0, "match", (), 20_000, "00" * 16, "record")
    judged = play(check.attempt(ordered, known, shipped, 0), lasting(seen))
    assert (judged.result, judged.reason) == ("inconclusive", "other_engine")
