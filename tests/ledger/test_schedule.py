"""The schedule: nobody chooses the moment or the question, and anybody can compute both afterwards."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import policy as policies
from ledger import schedule
from ledger.errors import ScheduleError
from ledger.policy import Policy

SEED = bytes(range(32))
SID = "00112233445566778899aabbccddeeff"


@pytest.fixture
def policy() -> Policy:
    """The standard policy: gaps of 60,000 to 900,000 ms, as in the published vector."""
    return policies.parse(policies.preset("standard"))


def test_the_published_vector(policy: Policy) -> None:
    """Commitment, gaps, nonces and evidence draws are those of study-session.md, digit by digit."""
    assert schedule.commit(SEED, SID) == "36d01beb35cdda57a77156c3c21cf2ee065a76c654e0d65f99bdbb342d5fe4bc"
    assert [schedule.gap(SEED, SID, i, policy) for i in (1, 2, 3)] == [647589, 717524, 378145]
    nonces = [schedule.nonce(SEED, SID, i, 0) for i in range(4)]
    assert [item.hex() for item in nonces] == [
        "75292eecd06eea409de4639561e57a3f",
        "1eaa968229757fc29029ab293d90f311",
        "95ce9586e84c82e78fb0e79128c8b65a",
        "533e1e505f57b29597792fd35fa23d5d",
    ]
    assert [schedule.draw(item, 5, 1000) for item in nonces] == [210, 672, 825, 239]


def test_due_moments_are_the_running_sum_of_the_gaps(policy: Policy) -> None:
    """due_i = gap_1 + … + gap_i, in whatever order it is asked for; check 0 is due at once."""
    plan = schedule.Schedule(SEED, SID, policy)
    assert plan.due(3) == 647589 + 717524 + 378145
    assert [plan.due(i) for i in range(3)] == [0, 647589, 647589 + 717524]


def test_another_seed_than_the_promised_one_is_named() -> None:
    """A revealed seed that the grant did not commit to is the operator's failure and is refused as such."""
    promised = schedule.commit(SEED, SID)
    schedule.verify_commit(SEED, SID, promised)
    with pytest.raises(ScheduleError, match=SID):
        schedule.verify_commit(bytes(32), SID, promised)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int, policy: Policy) -> None:
    """A short seed could be guessed; nothing is computed from one."""
    with pytest.raises(ScheduleError):
        schedule.Schedule(bytes(length), SID, policy)


def test_the_first_and_the_last_check_are_of_the_policys_kind(policy: Policy) -> None:
    """Check 0 and the closing check take opening_kind and closing_kind whatever the nonce says."""
    rules = dataclasses.replace(policy, opening_kind="liveness", closing_kind="match", kinds=("attention",))
    attempt = bytes(16)
    assert schedule.drawn(attempt, 0, rules).kind == "liveness"
    assert schedule.drawn(attempt, schedule.CLOSE, rules).kind == "match"
    assert schedule.drawn(attempt, 7, rules).kind == "attention"


@given(attempt=st.binary(min_size=16, max_size=16))
def test_gestures_are_two_or_three_and_never_repeat(attempt: bytes) -> None:
    """A liveness check draws 2 + draw(1, 2) different gestures, each the drawn one of those left."""
    rules = policies.parse(policies.preset("standard"))
    asked = schedule.drawn(attempt, 1, dataclasses.replace(rules, kinds=("liveness",)))
    assert len(asked.gestures) == 2 + schedule.draw(attempt, 1, 2)
    assert len(set(asked.gestures)) == len(asked.gestures)
    assert asked.gestures[0] == rules.gestures[schedule.draw(attempt, 2, 6)]


@given(seed=st.binary(min_size=32, max_size=32), i=st.integers(2, 10_000))
def test_gaps_stay_within_the_policy(seed: bytes, i: int) -> None:
    """Every gap lies in [min_gap, max_gap]; only the first may be shorter."""
    rules = policies.parse(policies.preset("demo"))
    assert rules.min_gap_ms <= schedule.gap(seed, SID, i, rules) <= rules.max_gap_ms
    assert 0 <= schedule.gap(seed, SID, 1, rules) <= rules.max_gap_ms


@given(attempt=st.binary(min_size=16, max_size=16))
def test_only_a_look_of_the_camera_draws_a_photo(attempt: bytes) -> None:
    """match and liveness by draw 5 of the nonce; attention and identify see nobody and never ask for one."""
    rules = dataclasses.replace(policies.parse(policies.preset("standard")), evidence_permille=400)
    for kind in ("match", "liveness", "attention", "identify"):
        asked = schedule.drawn(attempt, "spot-1", rules, kind)
        assert asked.evidence == (kind in ("match", "liveness") and schedule.draw(attempt, 5, 1000) < 400)


def test_kinds_that_repeat_are_weights(policy: Policy) -> None:
    """match, match, liveness: two of three checks are a glance (n = 600, within four standard deviations)."""
    drawn = [schedule.drawn(schedule.nonce(SEED, SID, i, 0), i, policy).kind for i in range(1, 601)]
    assert 354 <= drawn.count("match") <= 446
    assert drawn.count("match") + drawn.count("liveness") == 600


def test_an_accommodation_changes_lists_numbers_and_deadlines_before_drawing(policy: Policy) -> None:
    """Fewer gestures, another list, a longer deadline: the same nonce then draws from those."""
    changes = {
        "gestures": ["look_up", "smile"],
        "gestures_min": 1,
        "gestures_max": 1,
        "deadline_ms": 180_000,
        "captions": True,
    }
    rules = dataclasses.replace(policy, kinds=("liveness",)).accommodated(changes)
    asked = schedule.drawn(schedule.nonce(SEED, SID, 1, 0), 1, rules)
    assert len(asked.gestures) == 1
    assert asked.gestures[0] in ("look_up", "smile")
    assert asked.deadline_ms == 180_000


def test_without_a_face_the_moments_are_the_same_and_the_question_is_another(policy: Policy) -> None:
    """The non-face route keeps every due moment and nonce; each check is an `identify`."""
    face, other = schedule.Schedule(SEED, SID, policy), schedule.Schedule(SEED, SID, policy.faceless())
    assert [face.due(i) for i in range(9)] == [other.due(i) for i in range(9)]
    assert face.order(4, 0).nonce == other.order(4, 0).nonce
    assert schedule.drawn(other.nonce(4, 0), 4, other.policy).kind == "identify"
    assert other.order(4, 0).deadline_ms == policy.deadlines_ms["identify"]
