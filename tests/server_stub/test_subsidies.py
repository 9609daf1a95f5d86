"""R3.8: what other offices paid comes by list, is looked at before it is kept, and names nobody once it is."""

from __future__ import annotations

import contextlib
import datetime
import io

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain import citizen, sheets
from server_stub.domain.errors import SheetError
from server_stub.domain.subsidies import Row, read_row, rows
from server_stub.routes.words import WORDS
from tests.server_stub.classlife import identities, ok
from tests.server_stub.conftest import Room, kept
from tests.server_stub.learner import CLASS
from tests.server_stub.scene import number
from tests.server_stub.staff import Browser, hire
from tests.server_stub.test_import import audits

TODAY = datetime.date(2026, 11, 18)
TITLES = "身份证号\t工种\t等级\t年份\n"
PAID = f"{TITLES}{number(1)}\t消防设施操作员\t四级/中级工\t2025年\n{number(9)}\t养老护理员\t5\t2024\n"


def brought(browser: Browser, text: str, **more: str) -> str:
    """The list is looked at and confirmed; what the page says then."""
    made = ok(browser.post("/subsidies", {"text": text}))
    return ok(browser.post(made.headers["location"], more)).headers["location"]


def test_a_list_is_seen_before_it_is_kept_and_kept_once(room: Room) -> None:
    """The preview masks numbers; the same list again says nothing new; the class that it touches has a leaf."""
    browsers = hire(room)
    identities(browsers)
    before = len(audits(room))
    made = ok(browsers["supervisor"].post("/subsidies", {"text": PAID}))
    page = ok(browsers["supervisor"].get(made.headers["location"])).text
    assert number(1) not in page
    assert citizen.masked(number(1)) in page
    assert room.server.services.supervision.bench.papers.find("subsidy") == []
    ok(browsers["supervisor"].post(made.headers["location"]))
    leaf = audits(room)[before:]
    assert [(item.did, item.target[:7]) for item in leaf] == [("took in paid subsidies", "2 of 2;")]
    assert brought(browsers["supervisor"], PAID) == "/subsidies?done=kept"
    assert len(room.server.services.supervision.bench.papers.find("subsidy")) == 2
    for serial in (1, 9):
        assert number(serial).encode() not in kept(room)


def test_a_row_that_cannot_be_read_is_named_and_nothing_is_half_kept(room: Room) -> None:
    """Each damage in its own words; only whoever says so leaves such rows out."""
    browsers = hire(room)
    text = (
        f"{PAID}1.10105E+17\t焊工\t5\t2024\n{number(3)}\t\t5\t2024\n{number(4)}\t焊工\t9\t2024\n"
        f"{number(5)}\t焊工\t5\t2099\n"
    )
    made = ok(browsers["supervisor"].post("/subsidies", {"text": text}))
    page = ok(browsers["supervisor"].get(made.headers["location"] + "?lang=en")).text
    for said in ("scientific notation", "the trade is missing", "the level is none of", "the year is no year"):
        assert said in page
    assert browsers["supervisor"].post(made.headers["location"]).status_code == 400
    papers = room.server.services.supervision.bench.papers
    assert papers.find("subsidy") == []
    ok(browsers["supervisor"].post(made.headers["location"], {"leave_out": "yes"}))
    assert len(papers.find("subsidy")) == 2


def test_a_preview_that_is_stale_or_another_persons_keeps_nothing(room: Room) -> None:
    """Confirmed is what was seen; and no draft of learners opens as one of payments, nor the other way round."""
    browsers = hire(room)
    first = ok(browsers["supervisor"].post("/subsidies", {"text": PAID})).headers["location"]
    assert browsers["principal"].get(first).status_code == 404
    assert brought(browsers["principal"], PAID)
    assert browsers["supervisor"].post(first).status_code == 409
    mine = ok(browsers["principal"].post("/subsidies", {"text": PAID})).headers["location"].rpartition("/")[2]
    assert browsers["principal"].get(f"/import/{mine}").status_code == 404
    listed = {"class_id": CLASS, "text": "姓名,账号\n王芳,wang.fang\n"}
    learners = ok(browsers["principal"].post("/import", listed)).headers["location"].rpartition("/")[2]
    assert browsers["principal"].get(f"/subsidies/{learners}").status_code == 404


def test_one_looks_a_number_up_and_takes_a_wrong_entry_out(room: Room) -> None:
    """A person is named only to who may see that learner; what is taken out leaves its reason in the class's log."""
    browsers = hire(room)
    identities(browsers)
    brought(browsers["supervisor"], PAID)
    page = ok(browsers["supervisor"].post("/subsidies/find", {"number": number(1)})).text
    assert "张伟" in page
    assert "养老护理员" not in page
    far = ok(browsers["far"].get("/subsidies")).text
    assert "张伟" not in far
    assert room.server.services.supervision.bench.sealer.digest(number(1))[:12] in far
    paper = next(item for item in room.server.services.supervision.bench.papers.find("subsidy")
                 if item.data["trade"] == "消防设施操作员")  # fmt: skip
    why = {"reason": "原名单有误"}
    assert browsers["far"].post(f"/subsidies/{paper.paper}/remove", why).status_code == 403
    assert browsers["supervisor"].post(f"/subsidies/{paper.paper}/remove", {"reason": ""}).status_code == 400
    ok(browsers["supervisor"].post(f"/subsidies/{paper.paper}/remove", why))
    assert (audits(room)[-1].did, audits(room)[-1].reason) == ("took out a paid subsidy", "原名单有误")
    assert "没有查到" in ok(browsers["supervisor"].post("/subsidies/find", {"number": number(1)})).text


@pytest.mark.slow
def test_a_workbook_is_read_as_a_paste_is(room: Room) -> None:
    """.xlsx, CSV in GB18030 and a paste say the same."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in PAID.splitlines():
        book.active.append(line.split("\t"))
    out = io.BytesIO()
    book.save(out)
    text = PAID.replace("\t", ",")
    found = [rows(sheets.read(data)) for data in (PAID.encode(), out.getvalue(), text.encode("gb18030"))]
    assert found[0] == found[1] == found[2]
    browser = hire(room)["supervisor"]
    made = ok(browser.post("/subsidies", files={"file": ("paid.xlsx", out.getvalue())}))
    assert "四级" in ok(browser.get(made.headers["location"])).text


@pytest.mark.parametrize(
    ("written", "level"),
    [("1", 1), ("高级技师", 1), ("二级/技师", 2), ("高级工", 3), ("中级", 4), ("五级", 5)],
)
def test_levels_are_read_as_lists_write_them(written: str, level: int) -> None:
    """1 is the highest; what offices write is one of these."""
    assert read_row(Row(1, number(1), "焊工", written, "2024"), TODAY)[1].level == level


@pytest.mark.parametrize(
    "text", ["身份证号\n", "身份证号\t工种\t等级\n1\t2\t3\n", "姓名\t工种\n", "身份证号\t工种\t工种\t年份\nx\t\t\t\n"]
)
def test_a_sheet_without_its_columns_is_no_list(text: str) -> None:
    """Said once for the sheet, not for each of its rows."""
    with pytest.raises(SheetError):
        rows(sheets.read(text.encode()))


@given(st.lists(st.lists(st.text(max_size=24), max_size=6), min_size=1, max_size=6))
def test_whatever_is_pasted_is_read_or_refused_in_our_words(cells: list[list[str]]) -> None:
    """A fuzz of the reader: `SheetError` for a sheet, `Damaged` with a word of the pages for a row, nothing else."""
    with contextlib.suppress(SheetError):
        for row in rows(sheets.read(("身份证号\t工种\t等级\t年份\n" + "\n".join(map("\t".join, cells))).encode())):
            assert f"p_{_judged(row)}" in WORDS["zh"]


def _judged(row: Row) -> str:
    """The code of what is wrong; of a row that is right the code of one that is not."""
    try:
        number_, value = read_row(row, TODAY)
    except citizen.Damaged as damage:
        return damage.code
    return "sub_year" if (len(number_), value.level in range(1, 6)) == (18, True) else ""
