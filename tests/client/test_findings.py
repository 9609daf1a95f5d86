"""Findings that come while the lesson already stands: each is in the log, and the learner reads them in turn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client.events import FindingCleared, FoundByAgent
from client.screen import Figures, view
from client.view import Words
from ledger.events import Finding, Paused
from tests.client.bench import FRONT, Bench, check_log

TITLES = {"macro.key": ("宏", "A macro"), "remote.desktop": ("远程", "Remote control")}


def found(rule: str, response: str = "pause") -> FoundByAgent:
    zh, en = TITLES[rule]
    return FoundByAgent(rule, 1, "high", response, {"name": rule}, zh, en, "请关闭", "Close it")


def title(bench: Bench) -> object:
    now = view(bench.state, Figures({"pass": 60_000}, 90_000), wanted=True, opening=False, begun=True)
    return now.sentence.values["title"]


def test_a_second_finding_during_a_pause_is_signed_and_shown_in_its_turn():
    """Both stand in the log at once; the screen names what is still open until nothing is."""
    bench = Bench().study()
    bench.play(2_000)
    bench.send(found("macro.key"))
    assert not bench.playing
    size = len(bench.log)
    bench.send(found("remote.desktop"))
    assert [entry.rule for entry in bench.bodies(Finding)] == ["macro.key", "remote.desktop"]
    assert len(bench.log) == size + 1
    shown = {title(bench)}
    bench.send(FindingCleared("macro.key"))
    assert not bench.playing
    shown.add(title(bench))
    assert Words("远程", "Remote control") in shown
    bench.send(FindingCleared("remote.desktop"))
    assert bench.playing
    check_log(bench)


@pytest.mark.parametrize("before", ["rest", "window"])
def test_a_finding_holds_the_lesson_after_its_first_reason_is_gone(before: str):
    """Paused for a rest or for another window, then a finding: signed when it came, and it alone keeps the lesson."""
    bench = Bench().study()
    bench.play(2_000)
    if before == "rest":
        bench.press("rest")
    else:
        bench.send(replace(FRONT, focused=False))
    assert not bench.playing
    bench.send(found("macro.key"))
    assert [entry.rule for entry in bench.bodies(Finding)] == ["macro.key"]
    bench.press("play") if before == "rest" else bench.send(FRONT)
    assert not bench.playing
    assert title(bench) == Words("宏", "A macro")
    bench.send(FindingCleared("macro.key"))
    assert bench.playing
    assert len(bench.bodies(Paused)) >= 1
    check_log(bench)
