"""The class's rules pack, from its publication to the agent's hands: by hash, rising, never another one."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from agent.pack import load_class, load_folder
from client.ports import Reply
from tests.client.world import CLASS, MachineSide, World


def handed(pc: MachineSide) -> list[tuple[str, bytes, int, str]]:
    """What the agent was told of rules: hash, bytes of the file, the grant's time, the class's installed files."""
    told = [entry for entry in pc.agent.told if isinstance(entry, tuple)]
    return [(digest, path.read_bytes(), at, installation) for digest, path, at, installation in told]


def open_lesson(pc: MachineSide) -> str:
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    sid = study.sid
    pc.finish(study)
    pc.send_all()
    return sid


@pytest.mark.slow
def test_each_session_has_the_rules_that_its_grant_names(world: World, pc: MachineSide) -> None:
    """First none of its own; then a published pack, and with it the installed files that the class expects."""
    open_lesson(pc)
    ((digest, data, at, installation),) = handed(pc)
    assert (data, installation) == (b"# no rules\n", "")
    assert load_class(data, digest, at).sha256 == load_folder().sha256

    publish, pack, files = world.server.services.publisher.publish, load_folder().line, b"trueseat/installed/v1\n"
    assert publish(CLASS, "rules", pack) == 2
    publish(CLASS, "client", files)
    again = pc.restart()
    open_lesson(again)
    ((digest, data, at, installation),) = handed(again)
    assert (digest, data) == (sha256(pack).hexdigest(), pack)
    assert installation == sha256(files).hexdigest()
    assert load_class(data, digest, at).line == pack


def test_rules_that_were_changed_on_the_wire_open_no_session(world: World, pc: MachineSide) -> None:
    """The grant names another hash: the agent is never given them, and the screen says that nothing opened."""
    wanted = sha256(b"# no rules\n").hexdigest()
    pc.net.hits = lambda _method, path: path.endswith(wanted)
    pc.net.change = lambda reply: replace(reply, body=b"# other rules\n") if isinstance(reply, Reply) else reply
    study = pc.study()
    pc.run(study, 5_000)
    assert study.problem is not None
    assert study.sid == ""
    assert handed(pc) == []
