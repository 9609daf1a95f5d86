"""The class log as a device follows it when the school changes the log's key."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from client.errors import UnknownLogKeyError
from client.sync.enrol import Enrolment
from server_stub.app import create_app
from server_stub.rotation import rotate_log
from tests.client.world import CLASS, World
from tests.simulator import Simulator


def test_an_old_trust_file_after_the_logs_key_was_changed(tmp_path: Path) -> None:
    """Whoever has only the old key is told to ask for the new file, not to change the network; with it, all goes on."""
    world = World(tmp_path)
    machine = world.machine()
    old = world.trust_file().read_bytes()
    world.server.close()
    rotate_log(world.settings, CLASS)
    world.app = create_app(world.settings, world.clock.wall, sender=world.codes)
    world.net = Simulator(TestClient(world.app, raise_server_exceptions=False))
    for own, known in ((old, False), (world.trust_file().read_bytes(), True)):
        client = Enrolment(world.net, machine.profile, machine.who.token, own_trust=own)
        registration = client.me().registrations[0]
        if known:
            assert len(client.follower(registration).update()) > 0
        else:
            with pytest.raises(UnknownLogKeyError):
                client.follower(registration).update()
    world.close()
