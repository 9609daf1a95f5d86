"""A list of people as it comes: pasted, CSV in UTF-8 or GB18030, or .xlsx; out come rows of texts.

Hostile until parsed: sizes, rows and columns are bounded before anything is kept; every refusal is `SheetError`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Final

from server_stub.domain.errors import SheetError
from server_stub.domain.xlsx import MAX_CELL, MAX_COLUMNS, MAX_ROWS, read_xlsx

MAX_FILE: Final = 16 << 20
_DELIMITERS: Final = "\t,;，；|"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows with anything in them, each with its number in the file (from 1); `how` it was read."""

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    how: str  # xlsx | utf-8 | utf-16 | gb18030


def read(data: bytes) -> Sheet:
    """Read a file by what it is, not by its name."""
    if not data.strip():
        raise SheetError("the list is empty")
    if len(data) > MAX_FILE:
        raise SheetError(f"the list is larger than {MAX_FILE >> 20} MiB")
    if data[:4] == b"PK\x03\x04":
        return Sheet(read_xlsx(data), "xlsx")
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise SheetError("this is an .xls file of before 2007: save it as .xlsx or CSV")
    text, how = decode(data)
    return Sheet(split(text), how)


def decode(data: bytes) -> tuple[str, str]:
    """Text and the encoding it was in: a byte-order mark, else UTF-8, else GB18030; `SheetError` for other bytes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as error:
            raise SheetError("the list is no text") from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text, encoding.removesuffix("-sig")
    raise SheetError("the list is neither UTF-8 nor GB18030 text, and no .xlsx file")


def split(text: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Rows of a text whose first line tells the delimiter."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    rows = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            if number > MAX_ROWS:
                raise SheetError(f"the list has more than {MAX_ROWS} rows")
            if len(cells) > MAX_COLUMNS or any(len(cell) > MAX_CELL for cell in cells):
                raise SheetError(f"row {number} has too many columns, or a cell that is too long")
            if any(cell.strip() for cell in cells):
                rows.append((number, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise SheetError(f"the list cannot be read as CSV: {error}") from error
    return tuple(rows)
