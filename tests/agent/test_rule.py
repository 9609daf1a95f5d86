"""A rule is checked when it is loaded: what is wrong is named, with a remedy, and nothing else leaves the loader."""

from __future__ import annotations

import contextlib
import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ExampleError, PatternError, RuleError
from agent.pack import BUILT_IN, Pack
from agent.rule import parse_exempt, parse_rule, row_from
from agent.tables import ProcessRow

GOOD = tomllib.loads("""
id = "driver.webdriver"
version = 1
maturity = "stable"
severity = "high"
platforms = ["linux"]
table = "processes"
response = "report"
false_alarms = "Front-end developers."
any = [{ name = ["chromedriver"] }]
zh = { title = "{name} 正在运行", why = "原因。", remedy = "请关闭 {name}。" }
en = { title = "{name} runs", why = "Because.", remedy = "Close {name}." }
[[example]]
match = true
row = { name = "chromedriver", cmdline = "chromedriver --port=9515" }
[[example]]
match = false
row = { name = "chrome", cmdline = ["chrome", "--type=renderer"] }
""")


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **fields}


def test_a_good_rule_agrees_with_its_examples() -> None:
    """The rule of the design notes loads, matches its positive and leaves its negative alone."""
    parse_rule(GOOD, "rules.toml").prove()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"id": "Web Driver"}, "Web Driver"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"maturity": "great"}, "maturity"),
        ({"maturity": "sandbox"}, "sandbox"),
        ({"severity": "fatal"}, "severity"),
        ({"platforms": ["amiga"]}, "platforms"),
        ({"platforms": []}, "platforms"),
        ({"table": "secrets"}, "table"),
        ({"response": "kill"}, "response"),
        ({"response": "none"}, "response"),
        ({"response": "block", "sign_of": "vm.guest"}, "sign"),
        ({"any": []}, "any"),
        ({"any": [{}]}, "any"),
        ({"any": [{"colour": ["red"]}]}, "colour"),
        ({"any": [{"name": []}]}, "name"),
        ({"any": [{"name": [""]}]}, "name"),
        ({"any": [{"name": [1]}]}, "name"),
        ({"any": [{"name": "chromedriver"}]}, "name"),
        ({"any": [{"name": {"regex": ["x"]}}]}, "regex"),
        ({"any": [{"pid": {"re": ["1"]}}]}, "pid"),
        ({"any": [{"pid": {"min": "1"}}]}, "pid"),
        ({"any": [{"pid": {}}]}, "pid"),
        ({"none": [{}]}, "none"),
        ({"zh": {"title": "x", "why": "y"}}, "remedy"),
        ({"zh": {"title": "疑似作弊", "why": "y", "remedy": "z"}}, "作弊"),
        ({"en": {"title": "A suspicious program", "why": "y", "remedy": "z"}}, "suspicious"),
        ({"en": {"title": "{cmdline}", "why": "y", "remedy": "z"}}, "cmdline"),
        ({"example": []}, "example"),
        ({"example": GOOD["example"][:1]}, "example"),
        ({"example": [{"match": 1, "row": {}}]}, "match"),
        ({"example": [{"match": True, "row": {"colour": "x"}}]}, "colour"),
        ({"extra": 1}, "extra"),
        ({"false_alarms": " "}, "false_alarms"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], named: str) -> None:
    """Each malformed field raises `RuleError` whose message names file and field."""
    with pytest.raises(RuleError, match=named) as caught:
        parse_rule(changed(**fields), "rules.toml")
    assert "rules.toml" in str(caught.value)


@pytest.mark.parametrize("field", sorted(set(GOOD) - {"platforms"}))
def test_a_missing_field_is_named(field: str) -> None:
    """Nothing is filled in by guess."""
    rule = changed()
    del rule[field]
    with pytest.raises(RuleError, match=field):
        parse_rule(rule, "rules.toml")


def test_an_unbounded_pattern_is_named_with_its_rule() -> None:
    """The lint's refusal says which rule and field."""
    with pytest.raises(PatternError, match=r"driver\.webdriver.*cmdline"):
        parse_rule(changed(any=[{"cmdline": {"re": [".*evil"]}}]), "rules.toml")


def test_a_rule_that_contradicts_its_example_does_not_pass() -> None:
    """`prove` names the example."""
    rule = parse_rule(changed(any=[{"name": ["chrome"]}]), "rules.toml")
    with pytest.raises(ExampleError, match="example 1"):
        rule.prove()


def test_an_unknown_flag_matches_neither_way() -> None:
    """A field that a platform cannot tell is None, and None is neither true nor false nor a number."""
    fields = changed(table="displays", any=[{"remote": True}, {"remote": False}, {"local_devices": {"max": 99}}])
    fields["zh"] = fields["en"] = {"title": "t", "why": "w", "remedy": "r"}
    fields["example"] = [{"match": True, "row": {"remote": True}}, {"match": False, "row": {}}]
    parse_rule(fields, "x").prove()


def test_a_row_of_an_example_is_typed() -> None:
    """Text lists become one line where the table has one, and wrong types are refused."""
    row = row_from({"cmdline": ["a", "b"], "pid": 4}, ProcessRow, "x")
    assert row == ProcessRow(cmdline="a b", pid=4)
    for wrong in ({"pid": "4"}, {"pid": True}, {"name": 4}, {"listen": [1]}, [], {"births": None}):
        with pytest.raises(RuleError):
            row_from(wrong, ProcessRow, "x")


def test_every_built_in_rule_is_proven(pack: Pack) -> None:
    """Each shipped rule agrees with all of its examples, in both directions, and has words in both languages."""
    for rule in pack.rules:
        rule.prove()
        assert len(rule.examples) >= 2
        assert all(any("\u4e00" <= char <= "\u9fff" for char in text) for text in (rule.zh.title, rule.zh.remedy))


def test_only_tampering_with_ourselves_blocks(pack: Pack) -> None:
    """Block is for debugger, instrumentation, clock and interception of our TLS alone; signs never block."""
    blocking = {rule.row_type.table for rule in pack.rules if rule.response == "block"}
    assert blocking == {"ourselves", "clocks", "networks"}


def test_every_rule_file_is_read() -> None:
    """A rule file that is not TOML, or holds a foreign table, would stop the agent: all built-in ones load."""
    assert len(list(BUILT_IN.glob("*.toml"))) >= 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: Any) -> None:
    """Fuzz: only `RuleError` leaves `parse_rule`, whatever stands in a field."""
    with contextlib.suppress(RuleError):
        parse_rule(changed(**{field: value}), "fuzz").prove()


@given(JSON)
def test_any_value_as_a_rule_or_exemption_is_refused(value: Any) -> None:
    """Fuzz: whole rules of nonsense."""
    for parse in (parse_rule, parse_exempt):
        with pytest.raises(RuleError):
            parse(value, "fuzz")


def test_rules_of_a_folder_name_their_file(tmp_path: Path) -> None:
    """The error tells an administrator which file to open."""
    from agent.pack import load_folder

    (tmp_path / "mine.toml").write_text('[[rule]]\nid = "x.y"\n', "utf-8")
    with pytest.raises(RuleError, match=r"mine\.toml"):
        load_folder(tmp_path)
