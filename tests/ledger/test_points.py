"""R1.8: credit points are repeated by the verifier from the table that the class log names; a changed one shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import bodies, points, words
from ledger.archive import open_source
from ledger.errors import ArchiveError, BodyError
from ledger.findings import Status
from ledger.leaves import PolicyLeaf
from ledger.page.render import page
from ledger.points import Rules
from ledger.report import Report
from ledger.steps.points import check_stated
from ledger.summary import PointLine
from ledger.summary import fields as summary_fields
from ledger.verify import verify
from tests.ledger.builder import Classroom, Device, small
from tests.ledger.memory import Memory
from tests.tries import tries

FIELDS = ("version", "hour_tenths", "unit_tenths", "unit_complete_permille", "course_tenths", "check_tenths")


def table(
    version: int = 1, hour: int = 0, unit: int = 0, complete: int = 1000, course: int = 0, check: int = 0
) -> bytes:
    values = (version, hour, unit, complete, course, check)
    return "".join(f"{name} = {value}\n" for name, value in zip(FIELDS, values, strict=True)).encode()


def publish(room: Classroom, data: bytes, serial: int) -> None:
    room.append(PolicyLeaf(room.now, "points", serial, room.keep_plain(data)))


def studied(room: Classroom, device: Device, ms: int, unit: str = "u1") -> None:
    session = room.session(device)
    session.unit = unit
    session.study(ms).close().settle(ms)


def report(room: Classroom, folder: Path) -> Report:
    room.export(folder)
    return verify(open_source(folder), room.trust(), room.options())


def refused(room: Classroom, folder: Path) -> Report:
    """What a verifier says of an archive that the operator could not make whole."""
    with pytest.raises(ArchiveError):
        room.export(folder)
    return verify(open_source(folder), room.trust(), room.options())


def test_the_verifier_counts_by_the_table_and_says_so_in_both_languages(tmp_path: Path) -> None:
    """Text, page and JSON name hours, points, the table's version and the exam."""
    room, path = small(tmp_path / "archive")
    publish(room, table(2, check=15), 2)
    device = room.device(room.learner("李娜"))
    studied(room, device, 30_000)
    found = report(room, tmp_path / "later")
    assert not found.refused, words.text(found)
    first, second = found.points
    assert (first.table, first.points_tenths) == (1, 0)  # 70 s are no class hour
    checks = sum(check.outcome == "passed" for row in found.sessions if row.registration == device.registration
                 for check in row.checks)  # fmt: skip
    assert (second.registration, second.table, second.points_tenths) == (device.registration, 2, 15 * checks)
    assert f"{15 * checks / 10:g} credit points (table 2)" in words.text(found)
    assert "final exam 86, passed" in words.text(found)
    assert f"学分 {15 * checks / 10:g}（第 2 版学分规则）" in page(found, "zh").decode()
    assert "结业考试 86 分，合格" in page(found, "zh").decode()
    assert found.to_json()["exams"][0]["score_tenths"] == 860
    assert path.exists()


def test_a_later_table_changes_nobodys_points(tmp_path: Path) -> None:
    """What was shown before the first lesson holds: the table in force at the first grant."""
    room = Classroom()
    early, late = (room.device(room.learner(name)) for name in ("早", "晚"))
    studied(room, early, 20_000)
    publish(room, table(2, check=50), 2)
    studied(room, early, 20_000, "u2")
    studied(room, late, 20_000)
    found = report(room, tmp_path / "archive")
    assert {line.registration: line.table for line in found.points} == {early.registration: 1, late.registration: 2}


def test_a_class_without_a_table_has_no_points_and_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives of before tables stay as they are, byte for byte of their summaries."""
    begin = Classroom._begin

    def without(room: Classroom) -> None:
        room.documents.pop("points")
        begin(room)

    monkeypatch.setattr(Classroom, "_begin", without)
    room = Classroom()
    studied(room, room.device(room.learner()), 20_000)
    found = report(room, tmp_path / "archive")
    assert (list(found.points), found.findings.steps["8 points"].findings) == ([], [])
    assert set(json.loads((tmp_path / "archive" / "summary.json").read_bytes())) == {
        "v", "class", "size", "root", "sessions", "units", "vouchers"
    }  # fmt: skip


def test_a_table_under_a_foreign_number_is_refused(tmp_path: Path) -> None:
    """An old table does not come back as a new one."""
    room = Classroom()
    publish(room, table(1, hour=90), 2)
    found = refused(room, tmp_path / "archive")
    assert [item.code for item in found.findings.steps["2 bodies"].findings] == ["TS-L-070"]


@pytest.mark.parametrize("data", [b"version = 2\n", b"= 1\n", table(2, hour=-1)])
def test_a_table_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    """By step 2, whose document it is; nothing is counted by it."""
    room = Classroom()
    publish(room, data, 2)
    found = refused(room, tmp_path / "archive")
    assert [item.code for item in found.findings.steps["2 bodies"].findings] == ["TS-L-070"]


def test_stated_points_that_differ_are_named(tmp_path: Path) -> None:
    """The refusal says whose points, what the file states and what the records give, in both languages."""
    room, path = small(tmp_path / "archive")
    files = Memory.of(path).files
    name = room.sessions[0].owner.registration
    stated = files["summary.json"].replace(b'"points_tenths":0', b'"points_tenths":45')
    found = verify(Memory({**files, "summary.json": stated}), room.trust(), room.options())
    said = f"summary.json: registration {name} is given 45 tenths of a point, its records give 0 tenths of a point"
    assert [item.message for item in found.findings.steps["8 summary"].findings] == [said]
    assert f"报名 {name} 写的是 45 个十分之一学分，按记录应为 0 个十分之一学分" in page(found, "zh").decode()


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["points", "registration", "points_tenths"]), inner, max_size=3), max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_a_summary_holds_is_compared_or_left(data: bytes) -> None:
    """A fuzz of the one place where a derived file is read: a sentence or None, never an error."""
    said = check_stated(data, [PointLine("2" * 32, 1, 0, 0)])
    assert said is None or said.startswith("summary.json")


def test_the_last_result_of_an_exam_counts_and_a_strangers_none(tmp_path: Path) -> None:
    """R1.11: the archive holds the exam as signed bodies, in leaf order; a device may not sign one."""
    room = Classroom()
    device = room.device(room.learner())
    studied(room, device, 20_000)
    for score in (540, 710):
        room.say(bodies.Exam(room.now, room.origin, device.learner, score, 600), room.grant_key)
    found = report(room, tmp_path / "archive")
    assert not found.refused
    assert (found.exams[device.learner].score_tenths, found.exams[device.learner].passed) == (710, True)
    room.say(bodies.Exam(room.now, room.origin, device.learner, 1000, 600), device.signer)
    forged = refused(room, tmp_path / "forged")
    assert forged.findings.steps["2 bodies"].status is Status.REFUSED
    assert forged.exams[device.learner].score_tenths == 710


@settings(max_examples=tries(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.builds(Rules, *[st.integers(0, 100_000)] * 6))
def test_a_table_reads_back(rules: Rules) -> None:
    """Every table that is stated is the one that is read."""
    data = table(rules.version, hour=rules.hour_tenths, unit=rules.unit_tenths, complete=rules.unit_complete_permille,
                 course=rules.course_tenths, check=rules.check_tenths)  # fmt: skip
    assert points.parse(data) == rules


def test_the_best_attempt_at_a_test_is_shown_and_a_device_signs_none(tmp_path: Path) -> None:
    """R1.4: each attempt is a signed body; text, page and JSON name the best of them; credit is what it is without."""
    room = Classroom()
    device = room.device(room.learner())
    session = room.session(device)
    session.study(20_000).close().settle(20_000)

    def sat(attempt: int, right: int) -> bodies.Test:
        return bodies.Test(room.now, room.origin, device.learner, session.sid, "u1", attempt, right, 5, 600)

    for attempt, right in ((1, 2), (2, 4), (3, 3)):
        room.say(sat(attempt, right), room.grant_key, sid=session.sid)
    found = report(room, tmp_path / "archive")
    assert not found.refused
    assert found.credited_ms == 20_000
    (line,) = found.tests.values()
    assert (line.unit, line.attempts, line.right, line.asked, line.passed) == ("u1", 3, 4, 5, True)
    assert "test of unit u1: 4 of 5 right, passed, best of 3" in words.text(found)
    assert "答对 4 / 5" in page(found, "zh").decode()
    assert found.to_json()["tests"] == [summary_fields(line)]
    room.say(sat(4, 5), device.signer, sid=session.sid)
    forged = refused(room, tmp_path / "forged")
    assert forged.findings.steps["2 bodies"].status is Status.REFUSED
    assert forged.tests[device.learner, "u1"].right == 4


def test_more_right_than_asked_is_no_result() -> None:
    """A body that contradicts itself is refused where it is read."""
    body = bodies.Test(1, "demo.trueseat.example/c/a", "0" * 32, "1" * 32, "u1", 1, 5, 5, 600)
    text = str(body)
    assert bodies.parse_text(text) == body
    with pytest.raises(BodyError, match="6 of 5"):
        bodies.parse_text(text.replace('"right":5', '"right":6'))
