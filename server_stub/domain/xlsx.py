"""The first sheet of an .xlsx workbook (ECMA-376) as rows of texts: a small reader that trusts nothing in the file.

Numbers come as the file spells them, so that a number which a spreadsheet rounded can be named and not repaired.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree  # expat refuses entity bombs since 2.4.1; documents with a DTD are refused below

from server_stub.domain.errors import SheetError

MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 200
MAX_CELL: Final = 2_000
_MAX_PART: Final = 128 << 20  # unpacked; a sheet of 100,000 people has 40 MB
_MAX_STRINGS: Final = 1_000_000
_PIECE: Final = 64 * 1024  # bytes parsed at once
_MAX_SILENT: Final = 16  # pieces within one tag or text: expat 2.5 begins a tag again with every piece
_MAX_DEPTH: Final = 32
_MAX_LOOSE: Final = 200_000  # elements that are neither in a row nor in a text: widths of columns, merged cells, links
_MAX_HELD: Final = 50_000  # elements of one row, or of one text with its runs
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_REF: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Rows = tuple[tuple[int, tuple[str, ...]], ...]


def read_xlsx(data: bytes) -> Rows:
    """(row number, cells) of the rows with anything in them, or `SheetError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            names = {info.filename: info for info in book.infolist()}
            strings = list(_strings(book, names))
            sheet = min((name for name in names if re.fullmatch(r"xl/worksheets/sheet[0-9]*\.xml", name)), key=_order)
            return tuple(_rows(_part(book, names[sheet]), strings))
    except SheetError:
        raise
    except ValueError as error:  # also: no sheet at all
        raise SheetError("the workbook has no sheet that can be read") from error
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, NotImplementedError, RuntimeError, OSError,
            EOFError, LookupError, RecursionError, OverflowError) as error:  # fmt: skip
        raise SheetError(f"the workbook cannot be read: {type(error).__name__}") from error


def _order(name: str) -> tuple[int, str]:
    return len(name), name


def _part(book: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One part, unpacked no further than it may be: what the directory says of its size is not believed."""
    with book.open(info) as packed:
        data = packed.read(_MAX_PART + 1)
    if len(data) > _MAX_PART:
        raise SheetError("the workbook is too large unpacked")
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data or b"\0" in data:  # UTF-16 would hide the words
        raise SheetError("the workbook declares entities")
    return data


def _each(part: bytes, wanted: str) -> Iterator[ElementTree.Element]:
    """Every element of that name, one after the other; nothing else is held, however often or deeply it stands there.

    A part of 128 MiB takes a few KB in a .zip: as a tree it would take gigabytes, as one endless tag hours.
    """
    parser: Any = ElementTree.XMLPullParser(("start", "end"))
    open_: list[ElementTree.Element] = []
    held = loose = inside = silent = 0
    for at in range(0, len(part), _PIECE):
        parser.feed(part[at : at + _PIECE])
        silent += 1
        for event, element in parser.read_events():
            silent, is_wanted = 0, _tag(element) == wanted
            if event == "start":
                open_.append(element)
                held, inside = held + 1, inside + is_wanted
                loose += not inside
                if len(open_) > _MAX_DEPTH or held > _MAX_HELD or loose > _MAX_LOOSE:
                    raise SheetError("the workbook nests or repeats more than a list does")
                continue
            open_.pop()
            inside -= is_wanted
            if is_wanted:
                yield element
            if not inside:
                element.clear()
                if open_:
                    open_[-1].remove(element)
                held = len(open_)
        if silent > _MAX_SILENT:
            raise SheetError("the workbook holds a text or a tag that no list has")
    parser.close()


def _tag(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(_MAIN).removeprefix(_STRICT)


def _strings(book: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> Iterator[str]:
    """The shared strings; phonetic hints (`rPh`) are no part of a name."""
    info = names.get("xl/sharedStrings.xml")
    if info is None:
        return
    for count, element in enumerate(_each(_part(book, info), "si"), 1):
        if count > _MAX_STRINGS:
            raise SheetError("the workbook has too many texts")
        yield _text(element)


def _text(element: ElementTree.Element) -> str:
    parts = []
    for child in element:
        if _tag(child) == "t":
            parts.append(child.text or "")
        elif _tag(child) == "r":
            parts.extend(part.text or "" for part in child if _tag(part) == "t")
    return "".join(parts)[: MAX_CELL + 1]


def _rows(sheet: bytes, strings: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    number = 0
    for element in _each(sheet, "row"):
        said = element.get("r", "")
        number = int(said) if said.isascii() and said.isdigit() and len(said) < 8 else number + 1
        if number > MAX_ROWS:
            raise SheetError(f"the list has more than {MAX_ROWS} rows")
        cells = _cells(element, strings)
        if any(cells):
            yield number, cells


def _cells(row: ElementTree.Element, strings: list[str]) -> tuple[str, ...]:
    found: dict[int, str] = {}
    at = -1
    for cell in row:
        if _tag(cell) != "c":
            continue
        place = _REF.fullmatch(cell.get("r", ""))
        at = _column(place[1]) if place else at + 1
        if at >= MAX_COLUMNS:
            raise SheetError(f"the list has more than {MAX_COLUMNS} columns")
        text = _value(cell, strings).strip()
        if len(text) > MAX_CELL:
            raise SheetError("a cell is too long")
        found[at] = text
    return tuple(found.get(column, "") for column in range(max(found, default=-1) + 1))


def _column(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _value(cell: ElementTree.Element, strings: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(_text(child) for child in cell if _tag(child) == "is")
    value = next((child.text or "" for child in cell if _tag(child) == "v"), "")
    if kind != "s":
        return value
    if not (value.isascii() and value.isdigit() and int(value) < len(strings)):
        raise SheetError("a cell names a text that is not there")
    return strings[int(value)]
