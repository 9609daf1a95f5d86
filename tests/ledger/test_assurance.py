"""docs/assurance.md is held to the tests: each claim names one at least, and every one that is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SECTION = (ROOT / "docs" / "assurance.md").read_text("utf-8").split("## What is protected", 1)[1].split("\n## ", 1)[0]
CLAIMS = [line.strip("|").split("|") for line in SECTION.splitlines() if line.startswith("| ")][1:]


def known() -> set[str]:
    """Names of all test functions and files."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        found |= {path.name, str(path.relative_to(ROOT))}
        found |= set(re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE))
    return found


def test_there_are_claims() -> None:
    """The table is found; a test that reads nothing proves nothing."""
    assert len(CLAIMS) >= 20


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim[0].strip())
def test_a_claim_names_tests_that_exist(claim: list[str]) -> None:
    """Whoever renames or drops a test hears which claim rested on it."""
    assert len(claim) == 4, claim
    named = [name for name in re.findall(r"`([^`]+)`", claim[3]) if "test" in name]
    assert named
    for name in named:
        assert name in known() or (ROOT / name).is_dir(), name
