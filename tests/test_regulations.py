"""docs/regulations.md is complete and honest: every number of the regulations has one row, every test named exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "regulations.md"
LAST = {0: 15, 1: 13, 2: 8, 3: 9, 4: 8}  # how many numbers each text has
STATES = {"done", "part", "open"}
_ROW = re.compile(r"\| (R[0-4]\.[0-9]+) \| (.+?) \| (.+?) \| (.+?) \| (\w+) \|")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, ...]]:
    """(number, asks, done by, test, state) of every line of the table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [found.groups() for line in lines if (found := _ROW.fullmatch(line))]


@cache
def functions_of(path: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(item.name for item in ast.walk(tree) if isinstance(item, ast.FunctionDef))


def test_every_number_has_one_row_in_order() -> None:
    """None is left out, none stands twice; no line of the table is of another form."""
    numbers = [row[0] for row in rows()]
    assert numbers == [f"R{part}.{n}" for part, last in LAST.items() for n in range(1, last + 1)]
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| R")]
    assert len(lines) == len(numbers)


def test_every_test_that_is_named_exists() -> None:
    """A renamed test is renamed on the page, too."""
    for number, _, _, named, _ in rows():
        for path, name in _TEST.findall(named):
            assert name in functions_of(path), (number, path, name)


def test_a_row_that_is_done_names_its_test_and_an_open_one_claims_nothing() -> None:
    """`part` says in words what is missing; `open` names neither a feature nor a test."""
    for number, _, feature, named, state in rows():
        assert state in STATES, number
        if state == "done":
            assert _TEST.search(named), number
        if state == "open":
            assert (feature, named) == ("–", "–"), number
        if state == "part":
            assert re.search(r"missing|not repeat|not in it|only", feature), number


def test_files_that_are_named_exist() -> None:
    """What the page points at is there."""
    for path in re.findall(r"`((?:ledger|server_stub|client|agent|tests)/[\w./]+)`", PAGE.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path
