"""The policy: strict bytes, one frozen value; what contradicts itself or a learner's rights is refused at birth."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import policy
from ledger.errors import PolicyError
from tests.ledger.story import rules

STANDARD = policy.preset("standard")
DEMO = policy.preset("demo")


def changed(data: bytes, field: str, value: str) -> bytes:
    """The file with one line's value replaced."""
    found, n = re.subn(rf"(?m)^{field} = .*$", f"{field} = {value}", data.decode())
    assert n >= 1, field
    return found.encode()


def test_presets_say_what_the_regulations_say() -> None:
    """60 s a check, at most 9 of 48 missed, three mismatches, a look every 15 minutes, 80 % attendance, three years."""
    rules_ = policy.parse(STANDARD)
    assert rules_.deadlines_ms["match"] == rules_.deadlines_ms["liveness"] == 60_000
    assert (rules_.max_misses, rules_.misses_of, rules_.max_mismatches) == (9, 48, 3)
    assert rules_.max_gap_ms == 15 * 60_000
    assert rules_.attendance_permille == 800
    assert rules_.retention_years == 3
    assert rules_.pad == "gate"
    assert not rules_.demo


def test_the_demo_preset_shows_every_kind_within_a_minute() -> None:
    """Liveness opens, match closes, gaps of 3 to 30 s, segments of 10 s, gestures that a portrait can make."""
    rules_ = policy.parse(DEMO)
    assert (rules_.opening_kind, rules_.closing_kind, rules_.pad) == ("liveness", "match", "record")
    assert (rules_.min_gap_ms, rules_.max_gap_ms, rules_.segment_ms) == (3_000, 30_000, 10_000)
    assert rules_.gestures == ("turn_left", "turn_right", "look_up")
    assert rules_.evidence_permille == 1000
    assert rules_.demo


def test_the_identity_of_a_policy_is_that_of_its_bytes() -> None:
    """One comment more is another policy: the hash is over the file, not over what it means."""
    assert policy.parse(STANDARD).sha256 == hashlib.sha256(STANDARD).hexdigest()
    assert policy.parse(STANDARD + b"# x\n").sha256 != policy.parse(STANDARD).sha256


@pytest.mark.parametrize(("data", "people"), [(DEMO, 1), (STANDARD, 2)])
def test_rules_of_before_the_field_keep_their_meaning(data: bytes, people: int) -> None:
    """A policy without `decision_people` means two people (in a demo class one), and nothing else changes."""
    older = re.sub(rb"(?m)^decision_people.*\n", b"", data)
    assert b"decision_people" not in older
    read = policy.parse(older)
    assert read.decision_people == people
    assert dataclasses.replace(policy.parse(data), sha256=read.sha256) == read
    with pytest.raises(PolicyError, match="seek"):
        policy.parse(re.sub(rb"(?m)^seek.*\n", b"", older))


def test_thresholds_stand_under_the_model_they_belong_to() -> None:
    """[thresholds.<model>] gives a name a value; the client asks by name alone."""
    rules_ = policy.parse(STANDARD + b"[thresholds.sface]\nmatch = 430\n[thresholds.minifasnet]\nlive = 500\n")
    assert rules_.flat_thresholds() == {"match": 430, "live": 500}
    assert rules_.threshold("match", 420) == 430
    assert rules_.threshold("yaw", 20) == 20
    with pytest.raises(PolicyError, match="two models"):
        policy.parse(STANDARD + b"[thresholds.a]\nmatch = 1\n[thresholds.b]\nmatch = 2\n")


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("min_gap_ms", "90_001", "free window"),
        ("notice_ms", "5_001", "notice_ms"),
        ("segment_ms", "30_001", "segment_ms"),
        ("segment_events", "51", "segment_events"),
        ("clock_slack_ms", "2_999", "clock_slack_ms"),
        ("absence_grace_ms", "29_999", "presence"),
        ("agent_hole_ms", "0", "agent"),
        ("pad", '"record"', "demo classes only"),
        ("routes", "[]", "routes"),
        ("rates", "[1000, 1500]", "rates"),
        ("rates", "[750]", "normal speed"),
        ("kinds", "[]", "kinds"),
        ("kinds", '["retina"]', "kinds"),
        ("gestures", '["smile", "smile"]', "gestures"),
        ("gestures", '["smile"]', "gestures_max"),
        ("max_misses", "49", "max_misses"),
        ("class_hour_minutes", "50", "class_hour_minutes"),
        ("study_window", '["23:00", "06:00"]', "study_window"),
        ("study_window", '["6:00", "23:00"]', "study_window"),
        ("retention_years", "2", "retention"),
        ("decision_people", "1", "decision_people"),
        ("decision_people", "3", "decision_people"),
        ("consents", '["face"]', "notice"),
        ("offline_ms", "14_400_001", "offline_ms"),
        ("serial", "true", "serial"),
        ("serial", "1.0", "serial"),
        ("id", '"../x"', "id"),
        ("high", '"kill"', "responses"),
        ("match", "4_999", "deadlines_ms"),
    ],
)
def test_nonsense_is_refused_and_named(field: str, value: str, word: str) -> None:
    """Each limit that protects a learner or the proof has a name in the refusal."""
    with pytest.raises(PolicyError, match=re.escape(word)):
        policy.parse(changed(STANDARD, field, value))


def test_a_missing_and_an_unknown_field_are_refused() -> None:
    """Nothing is assumed and nothing is ignored."""
    with pytest.raises(PolicyError, match="missing field 'seek'"):
        policy.parse(re.sub(rb"(?m)^seek = .*\n", b"", STANDARD))
    with pytest.raises(PolicyError, match="unknown field 'grace'"):
        policy.parse(b"grace = 1\n" + STANDARD)
    with pytest.raises(PolicyError, match="deadlines_ms"):
        policy.parse(STANDARD.replace(b"identify = 120_000", b""))


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 50_000, b"v = 1\nv = 1", b"#" * 70_000, b"v = " + b"9" * 5_000])
def test_bytes_that_are_no_policy_are_refused(data: bytes) -> None:
    """Not UTF-8, not TOML, too deep, too long, a number without end: one error type leaves."""
    with pytest.raises(PolicyError):
        policy.parse(data)


@given(at=st.integers(0, len(STANDARD) - 1), put=st.binary(max_size=8), cut=st.integers(0, 8))
def test_a_damaged_policy_is_parsed_or_refused_but_never_crashes(at: int, put: bytes, cut: int) -> None:
    """Bytes changed anywhere: a valid policy or `PolicyError`, nothing else."""
    with contextlib.suppress(PolicyError):
        found = policy.parse(STANDARD[:at] + put + STANDARD[at + cut :])
        assert found.min_gap_ms * 10 <= found.max_gap_ms


def test_an_accommodation_changes_only_what_it_may() -> None:
    """Gestures, kinds and longer deadlines; never gaps, misses or evidence, and never a shorter deadline."""
    rules_ = rules()
    assert rules_.accommodated({"flash": False, "text_scale": 2}) == rules_
    longer = rules_.accommodated({"deadline_ms": 90_000})
    assert longer.deadlines_ms == {"match": 90_000, "liveness": 90_000, "attention": 90_000, "identify": 120_000}
    assert rules_.accommodated({"deadline_ms": 1}).deadlines_ms == rules_.deadlines_ms
    for changes in (
        {"min_gap_ms": 1},
        {"max_attempts": 10},
        {"gestures": []},
        {"gestures_max": 9},
        {"deadline_ms": "x"},
    ):
        with pytest.raises(PolicyError):
            rules_.accommodated(changes)


def test_there_is_no_other_preset() -> None:
    """A preset is asked for by name, not by path."""
    with pytest.raises(PolicyError, match="demo, standard"):
        policy.preset("../../etc/passwd")
