"""Several learners on one computer: everybody's records arrive, and nobody sees another's."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from client.errors import SealError
from client.profile import Profile, learners
from client.sync.carry import Carrier, carry
from client.sync.outbox import Outbox
from client.sync.standing import Standing, sentences, standing
from tests.client.world import MachineSide, World
from tests.simulator import Simulator

MINUTE = 60_000


@pytest.fixture
def shared_pc(make_world) -> tuple[World, MachineSide, MachineSide]:
    """One data folder, two learners; the first one's records of an offline lesson were never sent."""
    world = make_world(units=(("pass", 600_000),))
    first = world.machine("pc", "learner")
    study = first.study()
    first.run(study, 20_000, until="playing")
    first.net.down = True
    first.run(study, MINUTE)
    first.outbox.close()
    return world, first, world.machine("pc", "other")


@pytest.mark.slow
def test_what_another_learner_left_is_sent_without_a_sign_in(shared_pc):
    """The carrier sends it while somebody else is here: closed as recovered, receipted, settled."""
    world, first, second = shared_pc
    carrier = Carrier(first.folder, lambda: Simulator(world.net.http), world.clock.wall)
    carrier.leave(second.enrolment.profile.learner)
    carrier.round()
    assert carrier.others.sessions == 0
    with closing(Outbox(first.profile.outbox)) as outbox:
        assert [kept.state for kept in outbox.sessions()] == ["sent"]
    assert world.verified().exit_code == 0


@pytest.mark.slow
def test_offline_it_waits_and_only_the_number_is_shown(shared_pc):
    """Without a network the next learner is told that sessions wait, and nothing of whose they are."""
    world, first, second = shared_pc
    line = Simulator(world.net.http, down=True)
    carrier = Carrier(first.folder, lambda: line, world.clock.wall)
    carrier.leave(second.enrolment.profile.learner)
    carrier.round()
    assert carrier.others.sessions == 1
    assert first.profile.learner not in repr(carrier.others)
    line.down = False
    carrier.round()
    assert carrier.others.sessions == 0


@pytest.mark.slow
def test_the_learner_who_is_here_is_left_alone(shared_pc):
    """A lesson that runs is never closed by the carrier: it is that of the learner who is here."""
    world, _first, second = shared_pc
    study = second.study()
    second.run(study, 30_000)
    carrier = Carrier(second.folder, lambda: Simulator(world.net.http), world.clock.wall)
    carrier.leave(second.enrolment.profile.learner)
    carrier.round()
    assert second.kept(study.sid).state == "open"
    second.run(study, 10_000)
    assert study.problem is None


def test_profiles_are_apart(shared_pc):
    """Own folders 0700, own files 0600, own keys; one profile's database names none of the other's sessions."""
    _world, first, second = shared_pc
    assert sorted(learners(first.folder)) == sorted({first.profile.learner, second.profile.learner})
    for machine in (first, second):
        for path in [machine.profile.folder, *machine.profile.folder.rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, path
    mine, theirs = first.profile.folder, second.profile.folder
    assert mine not in [theirs, *theirs.parents]
    secrets = [{path.read_bytes() for path in (folder / "secrets").iterdir()} for folder in (mine, theirs)]
    assert not secrets[0] & secrets[1] - {b"1"}
    with closing(Outbox(first.profile.outbox)) as outbox:
        names = {kept.sid for kept in outbox.sessions()}
    data = b"".join(path.read_bytes() for path in theirs.rglob("*") if path.is_file())
    assert names
    assert not any(sid.encode() in data for sid in names)


def test_one_profiles_key_opens_nothing_of_another(shared_pc):
    """A template that is copied into another profile's folder cannot be read there."""
    _world, first, second = shared_pc
    registration = first.registration.registration
    name = f"template-{registration}"
    os.link(first.profile.folder / name, second.profile.folder / name)
    assert second.profile.template(registration) is None, "no key of it lies here"
    second.profile.seal.put(name, b"k" * 32)
    with pytest.raises(SealError):
        second.profile.template(registration)


def test_a_token_asks_for_its_own_learner_only(shared_pc):
    """The server, too: with one's token nothing of the other's is listed, and sessions of the other are not there."""
    world, first, second = shared_pc
    carry(first.profile, Simulator(world.net.http), world.clock.wall, lambda: False)
    mine = second.enrolment.me()
    assert first.registration.registration not in {item.registration for item in mine.registrations}
    with closing(Outbox(first.profile.outbox)) as outbox:
        sid = outbox.sessions()[0].sid
    bearer = {"Authorization": f"Bearer {second.who.token}"}
    reply = second.net.send("GET", f"/v1/sessions/{sid}/credit", headers=bearer)
    assert reply.status in (403, 404)


def test_the_state_is_said_in_words(shared_pc):
    """Last sent when, and what waits: minutes, hours, days; a clock that is behind says just now."""
    world, first, _second = shared_pc
    with closing(Outbox(first.profile.outbox)) as outbox:
        found = standing(outbox)
    assert found.waits
    assert found.sessions == 1
    keys = [said.key for said in sentences(found, world.clock.wall_ms)]
    assert keys == ["sync.sent_minutes", "sync.waiting"]
    ages = {30_000: "sync.sent_now", 12 * MINUTE: "sync.sent_minutes", 5 * 60 * MINUTE: "sync.sent_hours",
            72 * 60 * MINUTE: "sync.sent_days", -MINUTE: "sync.sent_now"}  # fmt: skip
    for ago, key in ages.items():
        assert sentences(Standing(sent_at=10**12), 10**12 + ago)[0].key == key
    assert [said.key for said in sentences(Standing(), 0)] == ["sync.never", "sync.all_sent"]
    assert sentences(Standing(sent_at=10**12), 10**12 + 12 * MINUTE)[0].values == {"count": 12}


def test_a_profile_in_use_elsewhere_is_left_alone(tmp_path):
    """A folder without records, and a learner that never studied: nothing happens."""
    Profile(tmp_path, "ab" * 16)
    carrier = Carrier(tmp_path, lambda: Simulator(None), lambda: 0)
    carrier.round()
    assert carrier.others.sessions == 0
