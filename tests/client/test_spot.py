"""A supervisor's spot check in a whole lesson: the learner's own screen counts it as server and verifier do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger import archive, bodies, note, trust
from ledger.keys import ED25519, generate
from ledger.verify import Options, verify
from server_stub.app import create_app
from tests.client.world import CLASS, SERVER, World
from tests.simulator import Simulator

MINUTE = 60_000


class Inspector:
    """A supervisor of the class, vouched for by an authority that the operator was told of before the class began."""

    def __init__(self, world: World) -> None:
        self.world, self.key = world, generate("school.example/p/" + "1" * 32, ED25519)
        self.authority = generate("school.example/a", ED25519)
        world.server.close()
        world.settings.authorities.write_text(f"{self.authority.vkey}\n")
        world.app = create_app(world.settings, world.clock.wall, sender=world.codes)
        world.net = Simulator(TestClient(world.app, raise_server_exceptions=False))
        self.take(note.sign(bodies.voucher_text("add", "supervisor", str(self.key.vkey)), self.authority))

    def take(self, data: bytes) -> None:
        self.world.server.services.decisions.take(CLASS, data)

    def spot(self, sid: str) -> None:
        body = bodies.Spot(self.world.clock.wall(), f"{SERVER}/c/{CLASS}", sid, 1, "ab" * 16, "match", MINUTE)
        self.take(bodies.sign(body, self.key))


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_a_spot_check_counts_alike_on_the_device_and_in_the_archive(tmp_path: Path, outcome: str) -> None:
    """Failed, what lies next to it is credited nowhere; passed, every minute is: by the device's own records, too."""
    world = World(tmp_path, units=(("pass", 5 * MINUTE),))
    inspector = Inspector(world)
    machine = world.machine()
    lesson = machine.study()
    machine.run(lesson, 40_000)
    inspector.spot(lesson.sid)
    told: Any = machine.proctor.begin

    def begin(request: Any) -> None:
        if str(request.check).startswith("spot-"):
            machine.proctor.verdicts.append((outcome, "ok" if outcome == "passed" else "other_person"))
        told(request)

    machine.proctor.begin = begin  # type: ignore[method-assign]
    machine.run(lesson, 30 * MINUTE, until="done")
    machine.send_all()
    result = lesson.result()
    assert result is not None
    assert "spot-1" in [request.check for request in machine.proctor.requests]
    source = archive.Directory(world.export(tmp_path / "out"))
    trusted = trust.parse(world.trust_file().read_bytes())
    report = verify(source, trusted, Options(authority=tuple(world.server.keyring.authorities)))
    assert report.exit_code == 0
    assert result.credited_ms == report.credited_ms
    assert (report.credited_ms == 5 * MINUTE) == (outcome == "passed")
    world.close()

