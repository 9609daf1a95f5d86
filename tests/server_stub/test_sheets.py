"""Lists as people have them: pasted, CSV in either encoding, workbooks; hostile ones are refused in our words."""

from __future__ import annotations

import contextlib
import datetime
import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain import citizen, sheets
from server_stub.domain.citizen import Damaged
from server_stub.domain.errors import SheetError

TEXT = "姓名,身份证号,手机号\n张伟,11010519491231002X,13800138000\n\n李娜,,13900139000\n"
ROWS = (
    (1, ("姓名", "身份证号", "手机号")), (2, ("张伟", "11010519491231002X", "13800138000")),
    (4, ("李娜", "", "13900139000")),
)  # fmt: skip
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_is_found(encoding: str) -> None:
    """Excel in China saves CSV as GB18030; others as UTF-8, with or without a mark."""
    sheet = sheets.read(TEXT.encode(encoding))
    assert sheet.rows == ROWS
    assert sheet.how == encoding.removesuffix("-sig")


@pytest.mark.parametrize("delimiter", ["\t", ";", "，", "|"])
def test_what_is_pasted_from_a_table_is_read(delimiter: str) -> None:
    """A paste has tabs; the first line tells."""
    assert sheets.read(TEXT.replace(",", delimiter).encode()).rows == ROWS


def workbook(rows: list[list[Any]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl", reason="left out: openpyxl writes the workbooks")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_as_it_is_spelled() -> None:
    """Texts stay texts; a number keeps the file's digits, so that one which lost some can be named."""
    data = workbook([["姓名", "身份证号"], ["张伟", "11010519491231002X"], [None, None], ["李娜", 1.10105194912310e17]])
    sheet = sheets.read(data)
    assert sheet.how == "xlsx"
    assert sheet.rows[1] == (2, ("张伟", "11010519491231002X"))
    assert sheet.rows[2][0] == 4
    with pytest.raises(Damaged, match="id_scientific"):
        citizen.identity(sheet.rows[2][1][1], datetime.date(2026, 11, 22))


PARTS = {"sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml"}


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(PARTS.get(name, name), data)
    return out.getvalue()


def sheet_xml(cells: str) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{cells}</row></sheetData></worksheet>'.encode()


def test_rich_text_and_phonetic_hints() -> None:
    """Runs are one text; the reading aid of a name is no part of it."""
    text = "<si><r><t>张</t></r><r><t>伟</t></r><rPh sb='0' eb='1'><t>zhang</t></rPh></si>"
    strings = f'<sst xmlns="{MAIN}">{text}</sst>'
    data = zipped(strings=strings.encode(), sheet=sheet_xml('<c r="B1" t="s"><v>0</v></c>'))
    assert sheets.read(data).rows == ((1, ("", "张伟")),)


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'


@pytest.mark.parametrize(
    "attack",
    [
        zipped(sheet=ENTITIES.encode()),
        zipped(sheet=ENTITIES.encode("utf-16")),
        zipped(sheet=sheet_xml('<c r="ZZZ1"><v>1</v></c>')),
        zipped(sheet=sheet_xml('<c r="A1" t="s"><v>7</v></c>')),
        zipped(sheet=b"<worksheet"),
        zipped(other=b""),
        b"PK\x03\x04" + b"\x00" * 40,
        b"\xd0\xcf\x11\xe0 an old workbook",
        b"\x00\x01\x02",
        b"",
        b"a" * (sheets.MAX_FILE + 1),
        b"name,phone\n" + b"x," * 300,
    ],
    ids=["entity_bomb", "entity_bomb_utf16", "far_column", "missing_text", "cut_xml", "no_sheet", "no_zip", "xls",
         "binary", "empty", "too_large", "too_wide"],
)  # fmt: skip
def test_a_hostile_file_is_refused(attack: bytes) -> None:
    with pytest.raises(SheetError):
        sheets.read(attack)


def test_a_part_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip bomb: what the directory says of the size is not believed, only so much is unpacked."""
    monkeypatch.setattr("server_stub.domain.xlsx._MAX_PART", 1 << 20)
    with pytest.raises(SheetError, match="too large"):
        sheets.read(zipped(sheet=bytes(2 << 20)))


LARGE = {
    "nothing, over and over": "<x/>" * 201_000,
    "deeper than any list": "<x>" * 100 + "</x>" * 100,
    "a row of other things": "<row>" + "<x/>" * 60_000 + "</row>",
    "an endless tag": f'<x a="{"y" * (2 << 20)}"/>',
    "an endless text": "<row><c><v>" + "1" * (2 << 20) + "</v></c></row>",
}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["sheet", "strings"])
@pytest.mark.parametrize("inside", LARGE.values(), ids=LARGE)
def test_attack_a_part_that_is_gigabytes_as_a_tree(inside: str, where: str) -> None:
    """A few KB as a .zip, and never as a whole in memory: refused while it is read."""
    good = sheet_xml('<c t="inlineStr"><is><t>x</t></is></c>')
    bent = sheet_xml("").replace(b"<row", inside.encode() + b"<row", 1)
    strings = b"<sst>" + inside.replace("row>", "si>").encode() + b"</sst>"
    with pytest.raises(SheetError, match=r"nests or repeats|no list has"):
        sheets.read(zipped(sheet=bent) if where == "sheet" else zipped(sheet=good, strings=strings))


def test_what_a_large_list_has_beside_its_rows_is_no_attack() -> None:
    """Widths of columns, thousands of merged cells and of links: the list is read."""
    around = "<cols>" + "<col/>" * 200 + "</cols>", "<mergeCells>" + "<mergeCell/>" * 60_000 + "</mergeCells>"
    data = sheet_xml('<c t="inlineStr"><is><t>x</t></is></c>')
    data = data.replace(b"<sheetData", around[0].encode() + b"<sheetData").replace(
        b"</sheetData>", b"</sheetData>" + around[1].encode()
    )
    assert sheets.read(zipped(sheet=data)).rows == ((1, ("x",)),)


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_refused(data: bytes) -> None:
    """Nothing but our own error leaves the parser."""
    try:
        for number, cells in sheets.read(data).rows:
            assert number > 0
            assert any(cells)
    except SheetError:
        pass


@given(at=st.integers(0, 4000), byte=st.integers(0, 255))
def test_a_bent_workbook_is_rows_or_refused(at: int, byte: int) -> None:
    data = bytearray(zipped(sheet=sheet_xml('<c r="A1" t="inlineStr"><is><t>姓名</t></is></c>')))
    data[at % len(data)] = byte
    with contextlib.suppress(SheetError):
        sheets.read(bytes(data))


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8),
                         min_size=2, max_size=5), min_size=1, max_size=8))  # fmt: skip
def test_what_is_written_as_csv_comes_back(rows: list[list[str]]) -> None:
    """Round trip, in both encodings."""
    text = "\n".join(",".join(row) for row in rows)
    want = tuple((number, tuple(row)) for number, row in enumerate(rows, 1))
    assert sheets.read(text.encode()).rows == want
