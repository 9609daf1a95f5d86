"""What the agent's tests share: the built-in rules, a private X server, and a scripted machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.engine import Engine
from agent.pack import Pack, load_folder

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def pack() -> Pack:
    """The rules as they ship."""
    return load_folder()


@pytest.fixture(scope="session")
def engine(pack: Pack) -> Engine:
    """All rules, of every platform."""
    return Engine(pack)


@pytest.fixture(scope="session")
def own_samples() -> Path:
    """The room's own samples, in the format of the shared pack."""
    return HERE / "samples.jsonl"


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A private Xvfb for the module; its name, also set as DISPLAY while the module runs."""
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("left out: needs Xvfb and xdotool")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
        pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as pipe:  # to the line's end: a server that cannot write it whole dies of it
        name = ":" + pipe.readline().strip()
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = name
    try:
        yield name
    finally:
        if before is None:
            os.environ.pop("DISPLAY", None)
        else:
            os.environ["DISPLAY"] = before
        server.terminate()
        server.wait()
