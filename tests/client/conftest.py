"""A world (server, class, machines, one clock) for each test that wants one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.world import MachineSide, World


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes worlds: `make_world(units=…, changes=…)`."""
    worlds: list[World] = []

    def make(**options: Any) -> World:
        folder = tmp_path / f"world{len(worlds)}"
        folder.mkdir()
        worlds.append(World(folder, **options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def pc(world: World) -> MachineSide:
    """A learner's PC: signed in, identified, consented, enrolled."""
    return world.machine()
