"""Fixtures that every room shares: the sample pack, and a clear word when it is absent."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from tests.tries import QUICK, tries

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# no limits by the wall clock, neither for an example nor for drawing it; the same examples every time, so that one
# commit has one result: others are drawn by `TRUESEAT_LONG=1` and by `--hypothesis-seed=`
QUIET = [HealthCheck.too_slow]
settings.register_profile("trueseat", deadline=None, derandomize=True, suppress_health_check=QUIET)
settings.register_profile("drawn", deadline=None, derandomize=False, suppress_health_check=QUIET, print_blob=True)
settings.register_profile("quick", settings.get_profile("trueseat"), max_examples=tries(100))
settings.load_profile("quick" if QUICK else "trueseat")

WHOLE = {"make_room", "room", "make_world", "world"}  # what sets up a whole server: a test that asks for it is a story


def pytest_configure(config: pytest.Config) -> None:
    """Other examples for whoever asks for them."""
    if os.environ.get("TRUESEAT_LONG") or config.getoption("--hypothesis-seed", None) is not None:
        settings.load_profile("drawn")


def pytest_collection_finish() -> None:
    """Hypothesis also tries the constants of our modules. Which are loaded by the time of a test depends on the tests
    before it; which are loaded now is the same in every process, and with it what is drawn."""
    known = providers._get_local_constants()
    providers._get_local_constants = lambda: known


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real faces and samples beside the checkout; tests that need it say so when it is absent."""
    if not SHARED.is_dir():
        pytest.skip("left out: needs the sample pack in ../shared, which is absent")
    return SHARED


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--stories N`: of each file's stories on a whole server only the first and every N-th after it (`make quick`)."""
    parser.addoption("--stories", type=int, default=1, metavar="N", help="every N-th story on a whole server")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Some at a time, a file at a time: what uses the screen or looks at the machine stays one after the other."""
    _choose(config, items)
    for item in items:
        file = item.path.relative_to(ROOT / "tests")
        alone = file.parts[0] in ("agent", "e2e") or item.get_closest_marker("x11") is not None
        item.add_marker(pytest.mark.xdist_group("machine" if alone else file.with_suffix("").as_posix()))


def _choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the stories that `--stories` does not ask for, always the same ones; what is slow is not counted."""
    every, told, left = config.getoption("stories"), Counter[Path](), list[pytest.Item]()
    for item in items if every > 1 else ():
        whole = isinstance(item, pytest.Function) and not WHOLE.isdisjoint(item.fixturenames)
        if whole and item.get_closest_marker("slow") is None and item.get_closest_marker("x11") is None:
            if told[item.path] % every:
                left.append(item)
            told[item.path] += 1
    if left:
        config.hook.pytest_deselected(items=left)
        gone = set(map(id, left))
        items[:] = [item for item in items if id(item) not in gone]
