"""What looks at the whole machine runs in a row: pytest-xdist is told so, and hears it."""

from __future__ import annotations

import os

import pytest


def test_a_group_reaches_the_one_who_deals_out_the_tests(request: pytest.FixtureRequest) -> None:
    """A worker that was started with `--dist loadgroup` sends each test's group with its name; no group, no row."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("left out: runs among several workers only (`make test`)")
    assert request.node.nodeid.endswith("@test_order")
