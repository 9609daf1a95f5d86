"""Warnings on a running server: from real signed sessions to a page, a reason, a case, and back again."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ledger.events import Finding, Paused, Resumed
from server_stub.domain.warnings import judge
from server_stub.domain.warnings.inspector import EVERY_MS
from server_stub.storage.forgetting import SqlForgetting
from tests.server_stub.cohorts import networks
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Learner
from tests.server_stub.scene import populate
from tests.server_stub.staff import Browser, Browsers, hire

DAY = 86_400_000


def tool(room: Room, learner: Learner) -> str:
    """A session in which the agent held study up because of a tool; its name."""
    device = learner.open()
    device.send()
    device.play(40_000)
    device.add(Finding("macro.recorder", 1, "high", "pause", {"name": "x"}))
    device.add(Paused("pass", device.position, "finding"))
    room.clock.now += 5_000
    device.add(Resumed("pass", device.position))
    device.play(20_000)
    device.send()
    device.close()
    return device.sid


def inspect(room: Room) -> int:
    """Time passes until the next inspection."""
    room.clock.now += EVERY_MS
    return room.server.services.warnings.inspector.sweep()


def scene(room: Room) -> tuple[Browsers, Learner]:
    """Staff, and a learner whose second session brings a warning."""
    browsers = hire(room)
    learner = room.learner().ready()
    tool(room, learner)
    inspect(room)
    assert "/warnings/" not in browsers["supervisor"].get("/warnings").text.replace("/warnings/inspect", "")
    tool(room, learner)
    assert inspect(room) == 1
    return browsers, learner


def only(browser: Browser, state: str = "open") -> str:
    """The one warning's address."""
    found = set(re.findall(r"/warnings/[0-9a-f]{32}", browser.get(f"/warnings?state={state}").text))
    assert len(found) == 1
    return found.pop()


def test_two_sessions_with_a_tool_are_a_warning_with_its_evidence(room: Room) -> None:
    """R0.10, R2.2: what, whom, the signed events, the rule's version and pack, and the ordinary explanation."""
    browsers, learner = scene(room)
    page = browsers["supervisor"].get(only(browsers["supervisor"]) + "?lang=zh").text
    assert "学习助手多次报告第三方软件" in page
    assert f"/people/{learner.learner}" in page
    assert "便利措施" in page
    sessions = room.server.records.read(lambda tx: tx.events.sessions(learner=learner.learner))
    assert all(sid in page for sid in sessions)
    assert "software.foreign" in page
    assert room.server.services.warnings.inspector.pack.digest[:16] in page


def test_an_inspection_that_finds_nothing_new_says_nothing_new(room: Room) -> None:
    scene(room)
    assert inspect(room) == 0
    room.restart()  # what memory held is lost, what was found is not
    assert inspect(room) == 0


def test_a_warning_is_set_aside_for_a_reason_and_the_class_log_knows(room: Room) -> None:
    """R0.9: a person decides; the reason is an audited leaf; new events open it again."""
    browsers, learner = scene(room)
    supervisor, path = browsers["supervisor"], only(browsers["supervisor"])
    assert supervisor.post(f"{path}/aside", {"reason": "no"}).status_code == 400
    before = room.server.records.read(lambda tx: tx.log.size(CLASS))
    assert supervisor.post(f"{path}/aside", {"reason": "called: a macro for work, closed now"}).status_code == 303
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) == before + 1
    assert "set a warning aside" in supervisor.get("/journal").text
    assert "a macro for work" in supervisor.get(path).text
    assert supervisor.post(f"{path}/aside", {"reason": "once more, please"}).status_code == 409
    inspect(room)
    assert only(supervisor, "aside") == path
    tool(room, learner)
    assert inspect(room) == 1
    assert only(supervisor) == path
    assert "搁置后又有新记录" in supervisor.get(path + "?lang=zh").text


def test_a_warning_becomes_a_case_once(room: Room) -> None:
    """R0.9, R0.11: taken up with the session and the rule in its title; the same warning opens no second case."""
    browsers, learner = scene(room)
    supervisor, path = browsers["supervisor"], only(browsers["supervisor"])
    assert supervisor.post(f"{path}/case", {"reason": "ask the learner what runs there"}).status_code == 303
    cases = room.server.services.supervision.cases.of_learner(learner.learner)
    assert [case.source for _, case in cases] == ["warning"]
    assert "software.foreign" in cases[0][1].title
    assert supervisor.post(f"{path}/case", {"reason": "ask the learner again"}).status_code == 409
    assert only(supervisor, "case") == path


def test_nobody_reads_warnings_of_classes_that_are_not_theirs(room: Room) -> None:
    """R1.7: the far district has none of it, and cannot tell that it is there."""
    browsers, _ = scene(room)
    path = only(browsers["supervisor"])
    assert browsers["far"].get("/warnings").status_code == 200
    assert path not in browsers["far"].get("/warnings").text
    assert browsers["far"].get(path).status_code == browsers["far"].get("/warnings/" + "0" * 32).status_code == 404
    assert browsers["far"].post(f"{path}/aside", {"reason": "not mine at all"}).status_code == 404
    assert browsers["teacher"].get(path).status_code in (403, 404)


def test_each_day_has_its_report_and_its_answers(room: Room) -> None:
    """R2.6: inspected by the clock, dated, with the abnormal classes, and feedback that is audited."""
    browsers, _ = scene(room)
    inspector = room.server.services.warnings.inspector
    first = inspector.bench.papers.find("self-inspection")
    room.clock.now += DAY
    inspect(room)
    both = inspector.bench.papers.find("self-inspection")
    assert (len(first), len(both)) == (1, 2)
    browsers.clear()  # a sign-in of the staff lasts for less than a day
    supervisor = browsers["supervisor"]
    path = f"/self-inspections/{both[0].paper}"
    assert path in supervisor.get("/self-inspections").text
    assert supervisor.post(path, {"class_id": CLASS, "text": "visited: two macros, both closed"}).status_code == 303
    assert "two macros" in supervisor.get(path).text
    assert "answered a self-inspection" in supervisor.get("/journal").text
    far = browsers["far"].get(path)
    assert "two macros" not in far.text
    assert browsers["far"].post(path, {"class_id": CLASS, "text": "not my class"}).status_code == 404


def test_an_inspection_by_hand_stands_in_the_journal(room: Room) -> None:
    browsers = hire(room)
    learner = room.learner().ready()
    tool(room, learner)
    tool(room, learner)
    assert browsers["admin"].post("/warnings/inspect").status_code == 303
    assert only(browsers["admin"])
    assert "inspected by hand" in browsers["admin"].get("/journal").text


def test_what_is_kept_of_a_learner_can_be_forgotten(room: Room) -> None:
    """Figures are derived: they go with the learner, and come again from records that still stand."""
    _, learner = scene(room)
    inspector = room.server.services.warnings.inspector
    assert len(list(inspector._traces.since(0))) == 2
    SqlForgetting(room.server.registry._engine).person(learner.learner)
    assert list(inspector._traces.since(0)) == []
    assert inspector._traces.forget(learner.learner) == 0


@pytest.mark.slow
def test_many_at_one_address_are_a_warning_until_it_is_listed(room: Room) -> None:
    """R2.2: five who begin within a minute at an address that is on no list; on the list of classrooms it is none."""
    browsers = populate(room)
    learners = [room.learner(f"138001380{at:02d}").ready() for at in range(5)]
    for learner in learners:
        device = learner.open()
        device.send()
    inspector = room.server.services.warnings.inspector
    inspect(room)
    page = browsers["supervisor"].get("/warnings?lang=zh").text
    assert "多名学员同时使用一个网络地址" in page
    assert "张伟" in browsers["supervisor"].get(only(browsers["supervisor"])).text
    kept = list(inspector._traces.since(0))
    assert {trace.address for trace in kept} == {"testclient"}
    for trace in kept:
        trace.address = "36.110.8.9"
    inspector.networks = networks()
    world = replace(inspector._world(), traces=kept)
    assert [match for match in judge.inspect(world, inspector.pack) if match.row.table == "address"] == []
