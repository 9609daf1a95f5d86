"""The pack of early warnings: data that proves itself, and a parser that refuses everything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain.errors import SetupError
from server_stub.domain.warnings import rule
from server_stub.domain.warnings.rows import TABLES, Ref, Row
from tests.server_stub.cohort_kinds import MEANT

FOLDER = Path(rule.__file__).resolve().parents[2] / "warnings"
FILES = {path.name: path.read_bytes() for path in FOLDER.glob("*.toml")}
ONE = """
[[rule]]
id = "some.rule"
version = 3
table = "learner"
requirements = ["R2.2"]
score = 40
more = { missed = 5 }
[[rule.any]]
missed = { min = 4 }
[[rule.none]]
checks = { min = 100 }
[rule.zh]
title = "标题"
shown = "错过 {missed} 次"
ordinary = "听不到提示音"
[rule.en]
title = "Title"
shown = "{missed} missed"
ordinary = "a chime that is not heard"
[[rule.example]]
match = true
row = { missed = 4, checks = 10 }
[[rule.example]]
match = false
row = { missed = 4, checks = 200 }
"""


def pack(text: str = ONE) -> rule.Pack:
    return rule.parse({"measures.toml": FILES["measures.toml"], "one.toml": text.encode()})


def test_the_pack_that_comes_with_the_server_proves_its_own_examples() -> None:
    """R0.5, R0.10, R0.14, R2.2, R2.7: each has a rule, and every rule does with its own rows what it says."""
    found = rule.load(FOLDER)
    served = {requirement for one in found.rules for requirement in one.requirements}
    assert {"R0.5", "R0.10", "R0.14", "R2.2", "R2.7"} <= served
    assert {one.table for one in found.rules} == set(TABLES)
    assert set(MEANT) <= {one.id for one in found.rules}


def test_a_change_of_any_byte_is_another_pack() -> None:
    """R0.10: a warning names the rules it was made by."""
    files = {**FILES, "measures.toml": FILES["measures.toml"] + b"\n"}
    assert rule.parse(FILES).digest != rule.parse(files).digest


def test_the_score_grows_with_what_was_seen_and_ends_at_100() -> None:
    refs = (Ref("c", 1, "ab", 7),)
    row = Row(
        "learner", "c", "x", ("x",), {"missed": 6, "checks": 9}, {"missed": refs, "checks": (Ref("c", 1, "ab", 9),)}
    )
    match = pack().judge(row)[0]
    assert (match.score, match.refs) == (50, refs)
    assert pack().judge(Row("learner", "c", "x", ("x",), {"missed": 60, "checks": 9}))[0].score == 100
    assert pack().judge(Row("address", "c", "x", ("x",), {"missed": 60, "checks": 9})) == []


def test_no_rule_can_ask_for_the_route_or_an_accommodation() -> None:
    """The choice of route and accommodations are no figures of any table, so a rule that names them does not load."""
    for name in ("route", "kind", "reference", "accommodations", "accommodated", "deadline_ms", "faceless"):
        assert all(name not in fields for fields in TABLES.values())
        with pytest.raises(SetupError):
            pack(ONE.replace("missed = { min = 4 }", name + " = { min = 1 }"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version = 3", "version = 0"), ('"some.rule"', '"Some Rule"'), ('table = "learner"', 'table = "people"'),
        ('["R2.2"]', "[]"), ('["R2.2"]', '["R9.1"]'), ("score = 40", "score = 101"), ("{ min = 4 }", "{ about = 4 }"),
        ("{ min = 4 }", "{ }"), ("{ min = 4 }", '{ min = "4" }'), ("match = true", "match = 1"),
        ("missed = 4, checks = 10", "missed = 3, checks = 10"), ("标题", "可疑学员"), ("Title", "A cheater"),
        ("{missed} missed", "{name} missed"), ("[[rule.none]]\nchecks = { min = 100 }", ""),
        ("[[rule.any]]\nmissed = { min = 4 }", "any = []"), ("score = 40", "score = 40\nhidden = 1"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_of_its_form_is_refused(old: str, new: str) -> None:
    assert old in ONE
    with pytest.raises(SetupError):
        pack(ONE.replace(old, new, 1))


def test_a_pack_needs_measures_and_no_rule_twice() -> None:
    with pytest.raises(SetupError):
        rule.parse({"one.toml": ONE.encode()})
    with pytest.raises(SetupError):
        pack(ONE + ONE)
    with pytest.raises(SetupError):
        rule.parse({**FILES, "measures.toml": b"window_ms = 1"})
    with pytest.raises(SetupError):
        rule.parse({**FILES, "measures.toml": FILES["measures.toml"].replace(b"20_000", b"-1")})


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused_with_our_own_error(data: bytes) -> None:
    with pytest.raises(SetupError):
        rule.parse({"measures.toml": FILES["measures.toml"], "one.toml": data})


@given(st.integers(0, len(ONE) - 1), st.text(max_size=3))
def test_a_damaged_rule_is_refused_or_still_proves_itself(at: int, text: str) -> None:
    try:
        found = pack(ONE[:at] + text + ONE[at + 1 :])
    except SetupError:
        return
    assert found.rules[0].match(Row("learner", "", "", (), {"missed": 4, "checks": 10})) is not None or text or at
