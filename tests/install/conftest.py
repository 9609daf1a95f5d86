"""Frozen bundles and packages as `make freeze deb` leaves them in dist/ (or $TRUESEAT_DIST)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.chroot import ROOT, Chroot, why_not


@pytest.fixture(scope="session")
def dist() -> Path:
    """Where the bundles lie."""
    return Path(os.environ.get("TRUESEAT_DIST", ROOT / "dist"))


@pytest.fixture(scope="module")
def chroot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroot]:
    """A clean Debian for one module's story."""
    if reason := why_not():
        pytest.skip(f"left out: {reason}")
    made = Chroot(Path("/var/tmp") / f"trueseat-install-{os.getpid()}")
    try:
        yield made
    finally:
        made.close()
