"""An employer's allow-list: it lowers and names, it never hides, it ends on its day, and names alone open nothing."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.allow import DAY_MS, day_end_ms, parse_allow
from agent.engine import Engine
from agent.errors import AgentError, RuleError
from agent.pack import Pack, load_folder, load_line
from agent.tables import NetworkRow, ProcessRow, Row, SelfRow

SUPPORT: dict[str, Any] = {
    "id": "allow.support", "employer": "City Hospital", "table": "processes", "rules": ["remote.session"],
    "any": [{"name": ["x11vnc"], "exe": {"re": ["^/opt/hospital/x11vnc$"]}}], "expires": "2027-06-30",
    "why": "The hospital's help desk keeps it running on all of its machines.",
}  # fmt: skip
EDR: dict[str, Any] = {
    "id": "allow.edr", "employer": "City Hospital", "table": "ourselves", "rules": ["self.instrumented"],
    "any": [{"maps": {"re": ["^/opt/edr/libinjection.so$"]}}],
    "expires": "2027-06-30", "why": "The endpoint sensor maps its module into every program.",
}  # fmt: skip
ROOT_CA: dict[str, Any] = {
    "id": "allow.inspection", "employer": "City Hospital", "table": "networks", "rules": ["tls.inspected"],
    "any": [{"issuer": {"re": ["^CN=Hospital Zscaler Root"]}}], "expires": "2027-06-30", "why": "Its own gateway.",
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
BEFORE, AFTER = day_end_ms("2027-06-30", "x") - 1, day_end_ms("2027-06-30", "x")


def rule_for(engine: Engine, row: Row) -> str:
    return engine.judge([row])[0].rule


def pack_with(pack: Pack, *entries: dict[str, Any], **more: Any) -> Pack:
    raw = json.loads(pack.line)
    raw["allow"] = sorted(entries, key=lambda entry: str(entry["id"]))
    return load_line(json.dumps({**raw, **more}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.fixture
def support_row() -> ProcessRow:
    return ProcessRow(name="x11vnc", exe="/opt/hospital/x11vnc", pid=7, cmdline="/opt/hospital/x11vnc -display :0")


def test_an_allowed_tool_is_lowered_and_named(pack: Pack, support_row: ProcessRow) -> None:
    """The finding stands in the session, as `inform`, with the entry and the employer; the lesson goes on."""
    rule = rule_for(Engine(pack), support_row)
    assert Engine(pack).judge([support_row])[0].response in ("report", "pause")
    engine = Engine(pack_with(pack, {**SUPPORT, "rules": [rule]}), at_ms=BEFORE)
    (finding,) = engine.judge([support_row])
    assert (finding.rule, finding.response) == (rule, "inform")
    assert (finding.evidence["allowed"], finding.evidence["employer"]) == ("allow.support", "City Hospital")


def test_it_ends_on_its_day(pack: Pack, support_row: ProcessRow) -> None:
    """The day after, seen at the grant's time, the same program is an ordinary finding again."""
    rule = rule_for(Engine(pack), support_row)
    engine = Engine(pack_with(pack, {**SUPPORT, "rules": [rule]}), at_ms=AFTER)
    (finding,) = engine.judge([support_row])
    assert finding.response in ("report", "pause")
    assert "allowed" not in finding.evidence


def test_a_copy_elsewhere_is_not_the_employer_s(pack: Pack, support_row: ProcessRow) -> None:
    """The same name from a download folder is not covered, and stands beside the one that is."""
    rule = rule_for(Engine(pack), support_row)
    engine = Engine(pack_with(pack, {**SUPPORT, "rules": [rule]}), at_ms=BEFORE)
    other = ProcessRow(name="x11vnc", exe="/home/li/x11vnc", pid=8, cmdline="/home/li/x11vnc -display :0")
    for rows in ([other], [support_row, other], [other, support_row]):
        (finding,) = engine.judge(rows)
        assert finding.response in ("report", "pause")
        assert finding.evidence["pid"] == 8


def test_an_allowed_module_does_not_cover_another_in_the_same_process(pack: Pack) -> None:
    """The endpoint sensor in our maps is expected; frida beside it blocks all the same."""
    sensor, frida = "/opt/edr/libinjection.so", "/memfd:frida-agent-64.so (deleted)"
    engine = Engine(pack_with(pack, EDR), at_ms=BEFORE)
    (alone,) = engine.judge([SelfRow(maps=("/usr/lib/libc.so.6", sensor))])
    assert (alone.rule, alone.response) == ("self.instrumented", "inform")
    for maps in ((sensor, frida), (frida, sensor)):
        (both,) = engine.judge([SelfRow(maps=maps)])
        assert both.response == "block"
        assert "allowed" not in both.evidence


def test_an_inspection_root_is_allowed_by_its_issuer(pack: Pack) -> None:
    """The employer's gateway, and no other."""
    engine = Engine(pack_with(pack, ROOT_CA), at_ms=BEFORE)
    (ours,) = engine.judge([NetworkRow(issuer="CN=Hospital Zscaler Root CA")])
    (other,) = engine.judge([NetworkRow(issuer="CN=Zscaler Root CA")])
    assert (ours.response, other.response) == ("inform", "report")


@pytest.mark.parametrize(
    "change",
    [
        {"any": [{"name": ["x11vnc"]}]},
        {"any": [{"name": ["x11vnc"], "exe": {"re": ["/x"]}}, {"name": ["x11vnc"]}]},
        {"expires": "never"}, {"expires": 20270630}, {"expires": "2027-13-01"}, {"expires": "2027-06-30\n"},
        {"employer": ""}, {"why": " "}, {"rules": []}, {"rules": ["*"]}, {"rules": "remote.session"},
        {"table": "inputs", "any": [{"sources": ["x"]}]}, {"table": "clocks", "any": [{"bent": True}]},
        {"extra": 1}, {"id": "Allow"},
    ],
)  # fmt: skip
def test_an_entry_that_opens_too_much_is_refused(change: dict[str, Any]) -> None:
    """By name alone, without an end, for input or clocks, for all rules: refused, with the place."""
    with pytest.raises(RuleError, match="test"):
        parse_allow({**SUPPORT, **change}, "test")


@given(st.sampled_from(sorted(SUPPORT)), ANYTHING)
def test_any_value_in_any_field_is_read_or_refused(field: str, value: Any) -> None:
    """Fuzz: only our own error leaves the parser."""
    with contextlib.suppress(AgentError):
        parse_allow({**SUPPORT, field: value}, "test")
    with contextlib.suppress(AgentError):
        parse_allow(value, "test")


def test_an_entry_for_a_rule_that_does_not_exist_is_refused(pack: Pack) -> None:
    """A typing error would allow nothing and be believed."""
    with pytest.raises(RuleError, match=r"no rule remote\.sesion"):
        pack_with(pack, {**SUPPORT, "rules": ["remote.sesion"]})


def test_the_built_in_pack_allows_nothing_and_does_not_end() -> None:
    """Exceptions are a class's own decision."""
    pack = load_folder()
    assert (pack.allow, pack.until_ms) == ((), None)


def test_a_day_is_over_at_its_end() -> None:
    """UTC, the whole day included."""
    assert day_end_ms("1970-01-01", "x") == DAY_MS
