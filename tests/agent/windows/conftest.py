"""What the Windows tests share: the tools that were built for them, started and ended by number."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

Thing = TypeVar("Thing")


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of fake tools; whoever runs these tests under Wine has built it (test_wine.py)."""
    folder = os.environ.get("TRUESEAT_TOOLS", "")
    if sys.platform != "win32" or not folder:
        pytest.skip("left out: Windows calls run under Wine (make test-wine)")
    return Path(folder)


@contextlib.contextmanager
def running(program: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A tool and, in the end, none of it."""
    process = subprocess.Popen([str(program), *words])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(look: Callable[[], Thing], fine: Callable[[Thing], Any], pause: float = 0.1) -> Thing:
    """Look until what is seen is fine; the bound only ends a broken test."""
    seen = look()
    for _ in range(1_200):
        if fine(seen):
            return seen
        time.sleep(pause)
        seen = look()
    raise AssertionError(f"never came; last seen {seen}")
