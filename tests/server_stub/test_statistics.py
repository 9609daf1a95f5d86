"""Figures that are computed, not reported, and what is made of them: R0.5, R1.6, R1.8, R3.8, R3.9."""

from __future__ import annotations

import csv
import datetime
import io
import re

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import points
from ledger.errors import PolicyError
from server_stub import charts
from server_stub.charts import Bar
from server_stub.domain.duties import Place
from server_stub.domain.houserules import HouseRules
from server_stub.domain.sheets import read
from server_stub.domain.statistics import masked_name
from server_stub.domain.tables_out import to_csv, to_xlsx
from server_stub.setup import add_learner
from tests.server_stub.classlife import approved, at, completion_of, identities, later
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.scene import number
from tests.server_stub.staff import hire
from tests.server_stub.test_archive import study

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.slow
def test_a_class_is_counted_from_signed_events(room: Room) -> None:
    """R1.6, R1.8: progress, played and credited time, class hours and points of one who studied and one who did not."""
    browsers = hire(room)
    learner = room.learner().ready()
    study(learner)
    work = room.server.services.supervision
    account = room.server.people.account("teacher")
    assert account is not None
    lines = {line.account: line for line in work.statistics.lines(account, CLASS)}
    mine, other = lines["learner"].progress, lines["other"].progress
    assert (mine.credited_ms, mine.played_ms, mine.whole_ms) == (60_000, 60_000, 3_600_000)
    assert (mine.permille, mine.checks["passed"] > 0, other.credited_ms) == (16, True, 0)
    assert not lines["learner"].selected
    page = browsers["teacher"].get(at("statistics")).text
    assert "1.6" in page
    assert page.count("<svg") == 2
    assert "style=" not in page  # the content-security policy allows none


def test_a_figure_is_computed_again_when_something_changed(room: Room) -> None:
    """What is kept in memory is as good as what is computed anew."""
    hire(room)
    learner = room.learner().ready()
    figures = room.server.services.supervision.figures
    registration = room.server.people.registrations(learner=learner.learner)[0]
    assert figures.of(registration).credited_ms == 0
    study(learner)
    assert figures.of(registration) is figures.of(registration)
    assert figures.of(registration).credited_ms == 60_000


def test_who_is_behind_the_plan_is_reminded_once_a_day(room: Room) -> None:
    """One button; by the plan as of yesterday; the journal says so; pressed twice, nobody is reminded twice."""
    browsers = approved(room)
    work = room.server.services.supervision.statistics
    learner = room.server.people.account("learner")
    assert learner is not None
    assert browsers["teacher"].post(at("reminders")).headers["location"].endswith("done=0")
    later(room, browsers, 15)  # two of the lessons of theory are over
    assert browsers["teacher"].post(at("reminders")).headers["location"].endswith("done=2")
    assert browsers["teacher"].post(at("reminders")).headers["location"].endswith("done=0")
    assert [paper.data["due"] for paper in work.reminders_of(learner.learner)] == [1000]
    assert "提醒落后学员" in browsers["supervisor"].get("/journal").text


def test_a_table_opens_in_a_spreadsheet_and_computes_nothing(room: Room) -> None:
    """CSV and .xlsx of a class whose learner is called like a formula."""
    browsers = hire(room)
    add_learner(room.server.people, CLASS, "eve", "=HYPERLINK(1)")
    answer = browsers["teacher"].get(at("statistics.csv"))
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "姓名"
    assert ["'=HYPERLINK(1)", "eve"] in [row[:2] for row in rows]
    sheet = openpyxl.load_workbook(io.BytesIO(browsers["teacher"].get(at("statistics.xlsx")).content)).active
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert cells["=HYPERLINK(1)"] == "s"


def test_an_institution_and_a_district_have_their_figures_and_their_table(room: Room) -> None:
    """Counted from the same classes: on the page beside each other, in a file with the district of each class; an
    institution called like a formula is a text, and a place of elsewhere is no part of it."""
    browsers = hire(room)
    study(room.learner().ready())
    room.server.registry.put_place(Place("institution/school", "=1+1", "district/north"))
    page = browsers["supervisor"].get("/statistics", headers={"Accept-Language": "zh"}).text
    for text in ("按区县和机构", "=1+1", "北区", "依据：服务器收到并验签的学习记录"):
        assert text in page
    assert "南区" not in page
    for place in ("", "?place=district/north", "?place=institution/school"):
        answer = browsers["supervisor"].get(f"/statistics.csv{place}", headers={"Accept-Language": "zh"})
        assert answer.content.startswith(b"\xef\xbb\xbf")
        head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        (line,) = [dict(zip(head, row, strict=True)) for row in rows]
        assert (line["班级编号"], line["有效学习时长（分钟）"]) == (CLASS, "1.0")
        assert (line["培训机构"], line["区县"]) == ("'=1+1", "北区")
    book = openpyxl.load_workbook(io.BytesIO(browsers["supervisor"].get("/statistics.xlsx").content)).active
    assert [cell.data_type for row in book.iter_rows() for cell in row if cell.value == "=1+1"] == ["s"]
    far = browsers["far"].get("/statistics.csv").content.decode("utf-8-sig")
    assert len(far.splitlines()) == 1
    assert browsers["far"].get("/statistics.csv?place=district/north").status_code == 404


@given(st.lists(st.lists(TEXTS | st.integers(-(10**9), 10**9), min_size=1, max_size=5), min_size=1, max_size=6))
def test_what_is_written_is_read_back(rows: list[list[str | int]]) -> None:
    """Any text, in a file that our own reader and another one open; no cell of CSV begins like a formula."""
    book = to_xlsx(rows, "x")
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    clean = [[re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", c) if isinstance(c, str) else c for c in row]
             for row in rows]  # fmt: skip
    for ours, theirs in zip(clean, sheet.iter_rows(values_only=True), strict=False):
        for one, other in zip(ours, theirs, strict=False):
            if isinstance(one, int) or "\r" not in one:
                assert ("" if other is None else other) == one
    assert to_xlsx(rows, "x") == book
    for row in csv.reader(io.StringIO(to_csv(rows).decode("utf-8-sig"), newline="")):
        assert not any(cell[:1] in "=@\t\r＝＋－＠" and cell for cell in row)


def test_our_own_reader_takes_the_workbook() -> None:
    """What is exported can be imported."""
    assert read(to_xlsx([["姓名", "分数"], ["王芳", 86]])).rows == ((1, ("姓名", "分数")), (2, ("王芳", "86")))


def test_a_masked_list_is_open_for_three_working_days(room: Room) -> None:
    """R3.8: first character and four digits; over the weekend it stays open, then no name is left on the page."""
    browsers = hire(room)
    identities(browsers)
    learner = room.learner().sign_in()
    completion_of(room, learner.learner)
    room.clock.now += 2 * 86_400_000  # a Friday, 2026-11-20
    browsers.clear()
    answer = browsers["officer"].post(at("publication"))
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    room.http.cookies.clear()
    page = room.http.get(path).text
    assert "张*" in page
    assert "张伟" not in page
    assert number(1) not in page
    assert f"{number(1)[:2]}{'*' * 14}{number(1)[-2:]}" in page
    assert "2026-11-25" in page  # the Wednesday after
    room.clock.now += 5 * 86_400_000
    assert "张*" in room.http.get(path).text
    room.clock.now += 86_400_000
    assert "张*" not in room.http.get(path).text


def test_whole_numbers_leave_for_a_reason_that_is_kept(room: Room) -> None:
    """R3.8, matching between departments: the reason first, in the class log; a teacher gets none."""
    browsers = hire(room)
    identities(browsers)
    completion_of(room, room.learner().sign_in().learner)
    assert browsers["supervisor"].post(at("matching"), {"reason": "x"}).status_code == 400
    assert browsers["teacher"].post(at("matching"), {"reason": "比对参保信息"}).status_code == 403
    answer = browsers["supervisor"].post(at("matching"), {"reason": "比对参保信息"})
    assert (2, ("张伟", number(1), "TS2026-000001-ABCD")) in read(answer.content).rows
    assert "比对参保信息" in browsers["supervisor"].get("/journal").text


def test_working_days_know_holidays_and_worked_weekends() -> None:
    """A holiday is skipped, a Saturday that is worked counts."""
    day = datetime.date
    rules = HouseRules(holidays=(day(2026, 10, 1), day(2026, 10, 2)), worked=(day(2026, 10, 10),))
    assert rules.working_days(day(2026, 9, 30), 3) == day(2026, 10, 7)
    assert rules.working_days(day(2026, 10, 9), 1) == day(2026, 10, 10)


@pytest.mark.parametrize(("name", "shown"), [("张伟", "张*"), ("欧阳明月", "欧***"), ("王", "王*"), ("", "*")])
def test_a_name_is_masked_behind_its_first_character(name: str, shown: str) -> None:
    assert masked_name(name) == shown


def test_a_chart_escapes_what_people_are_called() -> None:
    """Labels are texts, never markup."""
    drawn = str(charts.bars("<t>", [Bar("<script>", ((5, charts.BLUE),), "a&b")], mark=3))
    assert "<script>" not in drawn
    assert "&lt;t&gt;" in drawn
    assert "a&amp;b" in drawn
    assert charts.columns("none", []) != charts.bars("none", [])


def test_points_are_a_versioned_table_and_refuse_another() -> None:
    """R1.8: the shipped table reads; an unknown field, a negative number or no TOML is our own error."""
    assert points.standard().version == 1
    for bad in (b"version = 1", b"\xff", b"hour_tenths = [", b"version = -1\n"):
        with pytest.raises(PolicyError):
            points.parse(bad)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_table_of_points(data: bytes) -> None:
    """Only our own error leaves the parser."""
    with pytest.raises(PolicyError):
        points.parse(data)
