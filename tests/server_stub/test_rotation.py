"""A rotation that dies at any step leaves a server that starts, and the same command run again comes to its end."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.keys import Vkey
from server_stub import rotation
from server_stub.app import Server
from server_stub.domain.classlog import LATEST
from server_stub.settings import Settings
from server_stub.storage import keyfiles
from server_stub.storage.grouped import GroupedRecords
from tests.deaths import dies_at
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS

ROLES: dict[str, Callable[[Settings], str]] = {
    "grant": lambda settings: rotation.rotate(settings, "grant"),
    "cosign": lambda settings: rotation.rotate(settings, "cosign"),
    "log": lambda settings: rotation.rotate_log(settings, CLASS),
}


def known(settings: Settings, role: str) -> tuple[Vkey, tuple[Vkey, ...]]:
    """The key that a server would sign with, and those that count by its class log."""
    server = Server(settings)
    try:
        keys = server.keyring
        mine = {"grant": keys.grant, "cosign": keys.cosigner, "log": keys.log(CLASS)}[role]
        counting = server.records.read(lambda tx: server.services.logs.log(tx, CLASS).counting(role, LATEST))
        return mine.vkey, tuple(counting)
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_rotation_that_dies_at_any_step_ends_when_it_is_run_again(room: Room, tmp_path: Path, role: str) -> None:
    """Killed before every change on the disk: a server starts on what is there, and the next run leaves one key that
    signs, the one that the log counts; every earlier key of a class log is still named."""
    room.server.close()
    first, _ = known(room.settings, role)
    for step in itertools.count():
        folder = shutil.copytree(room.settings.directory, tmp_path / f"died-{step}")
        settings = replace(room.settings, directory=folder)
        with dies_at(step, (GroupedRecords, "write")) as life:
            ROLES[role](settings)
        between, counting = known(settings, role)
        if life.whole:
            assert counting == (between,)
            break
        last = ROLES[role](settings)
        mine, counting = known(settings, role)
        assert str(mine) == last
        assert counting == (mine,), f"died before step {step}"
        if role == "log":
            assert {first, between} - {mine} <= set(keyfiles.former(settings, CLASS))
    assert step > 5
