"""people.csv: pseudonym → person, the one file of an archive that names anybody; a masked export lacks it.

Line 1: 32 random hex digits, so that its hash reveals nothing. Then CSV (RFC 4180, `\\n` line ends): a line of column
names beginning `learner,name`, and one line a learner.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping

from ledger import names
from ledger.errors import FormatError

COLUMNS = ("learner", "name")
_SALT = re.compile(r"[0-9a-f]{32}")


class PeopleError(FormatError):
    """`people.csv` is not of its form."""

    code = "TS-L-065"
    zh = "人员名单文件格式不正确。请重新获取档案。"


def encode(salt: str, people: Mapping[str, str]) -> bytes:
    """The file: `salt` is 32 random hex digits, `people` maps a learner's pseudonym to the name."""
    if not _SALT.fullmatch(salt):
        raise PeopleError("the first line is 32 hex digits")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(people.items()))
    return f"{salt}\n{out.getvalue()}".encode()


def decode(data: bytes) -> dict[str, str]:
    """Pseudonym → name, or `PeopleError`; further columns are the operator's and ignored here."""
    try:
        salt, _, rest = data.decode().partition("\n")
        rows = list(csv.reader(io.StringIO(rest, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise PeopleError(f"people.csv: {error}") from error
    if not _SALT.fullmatch(salt) or not rows or tuple(rows[0][:2]) != COLUMNS:
        raise PeopleError("people.csv begins with 32 hex digits and the columns learner,name")
    return dict(_rows(rows))


def _rows(rows: list[list[str]]) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for row in rows[1:]:
        if len(row) != len(rows[0]) or not names.is_a("sid", row[0]) or row[0] in seen:
            raise PeopleError("people.csv: each learner stands once, with as many cells as there are columns")
        seen.add(row[0])
        yield row[0], row[1]
