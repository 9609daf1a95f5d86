"""The demo lesson, and a course folder of its own for tests that change bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT

DEMO = ROOT / "client/player/demo_course"


@pytest.fixture(scope="session")
def demo_course() -> Path:
    """The committed demo lesson (read only)."""
    return DEMO


@pytest.fixture
def course_copy(tmp_path: Path) -> Path:
    """A copy of the demo lesson that a test may spoil."""
    return Path(shutil.copytree(DEMO, tmp_path / "course"))
