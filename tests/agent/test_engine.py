"""The engine weighs: signs count in pairs, the young do not pause, the exempt are never touched."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.engine import Engine, gravest
from agent.pack import Pack, load_line
from agent.tables import TABLES, HostRow, InputRow, ProcessRow, Row, kind_of
from ledger.kinds import ROW
from tests.tries import tries

from .test_pack import RULE, line


def engine_of(*rules: dict[str, Any]) -> Engine:
    return Engine(load_line(line(*rules)))


def rule(name: str, **fields: Any) -> dict[str, Any]:
    return {**RULE, "id": name, **fields}


def test_one_sign_informs_and_two_report(engine: Engine) -> None:
    """A maker's name alone is a coincidence; maker and model together are not."""
    assert gravest(engine.judge([HostRow(manufacturer="QEMU", model="NUC 11")])) == "inform"
    assert gravest(engine.judge([HostRow(manufacturer="QEMU", model="Standard PC (Q35 + ICH9, 2009)")])) == "report"


def test_the_same_sign_twice_is_one_sign(engine: Engine) -> None:
    """Two rows of one rule are not independent."""
    assert gravest(engine.judge([HostRow(manufacturer="QEMU")] * 3)) == "inform"


def test_a_finding_stands_once_and_counts_its_rows(engine: Engine) -> None:
    """Five drivers are one finding, with how many."""
    findings = engine.judge([ProcessRow(name="chromedriver", pid=number) for number in range(5)])
    assert [finding.rule for finding in findings] == ["driver.webdriver"]
    assert findings[0].evidence["rows"] == 5


def test_the_gravest_comes_first(engine: Engine) -> None:
    """The screen shows the first finding."""
    findings = engine.judge([ProcessRow(name="TeamViewer_Service.exe"), ProcessRow(name="AutoHotkey64.exe")])
    assert [finding.response for finding in findings] == ["pause", "inform"]


def test_a_deprecated_rule_is_silent() -> None:
    """Retired rules stay in the pack for old findings and match nothing."""
    engine = engine_of(rule("a.b", maturity="deprecated"), rule("a.c"))
    assert [finding.rule for finding in engine.judge([TABLES["files"](path="x")])] == ["a.c"]  # type: ignore[call-arg]


def test_rules_of_another_platform_are_silent(pack: Pack) -> None:
    """A Linux machine is not judged by rules for phones."""
    row = TABLES["androids"](packages=("com.hamibot.hamibot",))  # type: ignore[call-arg]
    assert Engine(pack, "android").judge([row])
    assert not Engine(pack, "linux").judge([row])


EXEMPT = [
    "nvda.exe", "onboard", "orca", "VoiceOver", "osk.exe", "Narrator.exe", "jfw.exe", "natspeak.exe", "fcitx5",
    "ibus-daemon", "ctfmon.exe", "SogouCloud.exe", "keepassxc", "1Password.exe", "Bitwarden.exe",
    "gnome-keyring-daemon", "争渡读屏.exe",
]  # fmt: skip


@pytest.mark.parametrize("name", EXEMPT)
def test_accessibility_input_methods_and_password_managers_are_never_touched(name: str) -> None:
    """Even a rule that matches everything finds none of them."""
    words = {"title": "t", "why": "w", "remedy": "r"}
    everything = rule(
        "a.b", table="processes", any=[{"name": {"re": ["."]}}], zh=words, en=words, response="pause",
        example=[{"match": True, "row": {"name": "x"}}, {"match": False, "row": {}}],
    )  # fmt: skip
    from agent.pack import load_folder

    exempt = json.loads(load_folder().line)["exempt"]
    engine = Engine(load_line(line(everything, exempt=exempt)))
    assert not engine.judge([ProcessRow(name=name)])
    assert engine.judge([ProcessRow(name="x" + name)])


def test_a_macro_tool_that_calls_itself_a_screen_reader_is_seen(engine: Engine) -> None:
    """The original file name betrays a renamed copy, and so does a temporary folder."""
    assert engine.judge([ProcessRow(name="nvda.exe", original_name="AutoHotkey.exe")])
    spoofed = ProcessRow(name="onboard", exe="/tmp/onboard", cmdline="onboard")
    assert engine.helper([spoofed]) == "none"
    assert engine.helper([ProcessRow(name="onboard", exe="/usr/bin/python3.11")]) == "assistive"


def test_known_senders_explain_uneven_input_only(engine: Engine) -> None:
    """With an on-screen keyboard nothing is said; a vendor's tool at an even beat is still reported."""
    even = InputRow(injected=12, acts=12, period_ms=1000, jitter=5, regular=True)
    for helper, action in (("none", "pause"), ("vendor", "report"), ("assistive", "none")):
        assert gravest(engine.judge([dataclasses.replace(even, helper=helper)])) == action


def test_input_for_another_window_is_nobodys_business(engine: Engine) -> None:
    """A loop that types into another program is not judged."""
    even = InputRow(injected=12, acts=12, period_ms=1000, jitter=5, regular=True)
    assert not engine.judge([dataclasses.replace(even, in_client=False)])


def test_only_what_matched_leaves_the_machine(engine: Engine) -> None:
    """Of a command line the evidence holds the matched words, not the password beside them."""
    private = "chrome --enable-automation --password=geheim https://private.example/"
    row = ProcessRow(name="chrome", cmdline=private, pid=7)
    finding = engine.judge([row])[0]
    assert "geheim" not in json.dumps(dict(finding.evidence))
    assert "private" not in json.dumps(dict(finding.evidence))
    assert finding.evidence["pid"] == 7


HOSTILE = st.text(max_size=80) | st.sampled_from(
    ["a\nb", "\x1b[31m", "\u202egpj.exe", "x" * 70_000, "\ud800", "chromedriver\n{name}", "{name}", "\u2028", "\x00"]
)


def rows(row_type: type[Row]) -> st.SearchStrategy[Row]:
    kinds: dict[str, st.SearchStrategy[Any]] = {"number": st.integers(-5, 10**7), "flag": st.booleans()}
    fields = {}
    for entry in dataclasses.fields(row_type):
        kind = kind_of(row_type, entry.name) or "text"
        texts = st.lists(HOSTILE, max_size=4).map(tuple) if isinstance(entry.default, tuple) else HOSTILE
        fields[entry.name] = kinds.get(kind, texts)
    return st.builds(row_type, **fields)


@settings(max_examples=tries(300))
@given(st.lists(st.one_of(*(rows(row_type) for row_type in TABLES.values())), max_size=4))
def test_hostile_rows_cannot_break_a_log_line_or_a_screen(engine: Engine, found: list[Row]) -> None:
    """Newlines, 64 KiB names, half surrogates, bidi marks: every finding is a valid evidence row of printable text."""
    for finding in engine.judge(found):
        assert ROW.accepts(finding.evidence)
        shown = [finding.zh.title, finding.en.remedy, *map(str, finding.evidence.values())]
        assert all(text.isprintable() for text in shown)
        assert all(len(text) < 1000 for text in shown)
