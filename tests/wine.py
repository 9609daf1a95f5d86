"""Turns at Wine: its prefix is one for all checkouts of this machine, with one desktop and one server."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def turn(wine: Mapping[str, str]) -> Iterator[None]:
    """While it lasts nobody else's programs are in the prefix that `wine` (build/wine.sh env) names: what somebody who
    was killed left behind would type and click here, and a desktop of before would be on a display that is gone."""
    env = {**os.environ, **wine}
    with (Path(wine["TRUESEAT_WINE"]) / ".turn").open("w") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        subprocess.run(["wineserver", "-k"], env=env, check=False)
        try:
            yield
        finally:
            subprocess.run(["wineserver", "-k"], env=env, check=False)
