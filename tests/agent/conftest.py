"""What the agent's tests share: the built-in rules, a private X server, and a scripted machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.engine import Engine
from agent.pack import Pack, load_folder
from tests.desktop import x_server

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
    with x_server("xdotool", size="640x480x24") as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", name)
        yield name
