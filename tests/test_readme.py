"""The front page says nothing that is not there: its commands, its tests, its files, in both languages alike."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PAGES = ("README.md", "README.zh-CN.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(name: str) -> list[list[str]]:
    """The rows of the table of platforms."""
    page = text(name)
    part = page[page.index("| Linux, X11" if name == "README.md" else "| Linux，X11") :].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()]


def targets() -> set[str]:
    """What `make` knows."""
    return set(re.findall(r"^([a-z][a-z0-9-]*):", text("Makefile"), re.M))


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_every_file_of_the_front_page_is_there(name: str) -> None:
    """`make` targets, test files, links: none of them dead."""
    page = text(name)
    assert set(re.findall(r"`?make ([a-z][a-z0-9-]*)", page)) <= targets()
    for path in re.findall(r"`(tests/[\w/.-]+)`", page) + re.findall(r"\]\(((?!http)[^)#]+)", page):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"python -m ([a-z_]+)", page):
        assert (ROOT / module / "__main__.py").exists(), module


def test_the_table_of_platforms_is_the_same_in_both_languages() -> None:
    """Row by row the same commands and tests in the same columns."""
    ours, theirs = (table(name) for name in PAGES)
    assert len(ours) == len(theirs) == 5
    for one, other in zip(ours, theirs, strict=True):
        assert [re.findall(r"`[^`]+`", cell) for cell in one] == [re.findall(r"`[^`]+`", cell) for cell in other]


def test_what_runs_by_fakes_runs_with_every_change() -> None:
    """CI's own list: `.ci/run` makes `test`, which runs all of `tests/`: every test that the table cites is in it."""
    assert re.search(r"^exec make .*\btest$", text(".ci/run"), re.M)
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", text("Makefile"), re.M)
    assert recipe is not None
    assert "pytest" in recipe[1]
    assert " tests/" not in recipe[1], "nothing is picked out"
    assert 'testpaths = ["tests"]' in text("pyproject.toml")
    cited = [path for row in table("README.md") for path in re.findall(r"`(tests/[\w/.-]+)`", row[3])]
    assert len(cited) >= 4
    for path in cited:
        assert "def test_" in text(path), path


def test_what_needs_wine_or_an_installation_is_named_by_its_own_command() -> None:
    """The columns are not mixed up: Wine's commands under Wine, real ones under real; every row owns up to a gap."""
    for row in table("README.md"):
        _, real, wine, _, never = row
        assert not {"test-wine", "windows"} & set(re.findall(r"make ([a-z0-9-]+)", real))
        assert set(re.findall(r"make ([a-z0-9-]+)", wine)) <= {"test-wine", "windows", "test-install"}
        assert never not in ("", "–")
