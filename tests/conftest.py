"""Fixtures that every room shares: the sample pack, and a clear word when it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# no limits by the wall clock; in CI the same examples every time, so that one commit has one result
settings.register_profile("trueseat", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("trueseat")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real faces and samples beside the checkout; tests that need it say so when it is absent."""
    if not SHARED.is_dir():
        pytest.skip("left out: needs the sample pack in ../shared, which is absent")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two at a time, a file at a time: what uses the screen or looks at the whole machine stays one after the other."""
    for item in items:
        room = item.path.relative_to(ROOT / "tests").parts[0]
        alone = room in ("agent", "e2e") or item.get_closest_marker("x11") is not None
        item.add_marker(pytest.mark.xdist_group("machine" if alone else str(item.path)))
