"""To whom photos are sealed is not the operator's word: an authority of the client's settings vouches for each key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from client.errors import NetworkError, UnvouchedKeyError
from client.ports import Reply
from client.sync.opening import open_session
from ledger import bodies, note
from ledger.keys import ED25519, Signer, Vkey, generate, generate_evidence
from ledger.leaves import BodyLeaf, KeyLeaf
from server_stub.setup import ClassMaker
from tests.client.test_journey import Client
from tests.client.world import CLASS, SERVER, MachineSide, World

Make = Callable[..., World]
UNIT = (("pass", 60_000),)


def authority(world: World) -> tuple[Vkey, ...]:
    """The authority that vouched for the reviewers of this world."""
    found = world.server.keyring.authority
    assert found is not None
    return (found.vkey,)


def trusting(world: World, *keys: Vkey) -> MachineSide:
    """A learner's machine whose settings name these authorities."""
    pc = world.machine(photos=True)
    pc.enrolment.authority = keys
    return pc


def swap_in(world: World) -> str:
    """The operator vouches for a key of its own, by an authority of its own; the key that photos would be sealed to."""
    own = generate(f"development.{SERVER}/a", ED25519)  # even under the authority's name
    maker = world.server.class_maker
    rogue = ClassMaker(
        world.server.people, world.server.records, maker._logs, replace(world.server.keyring, authority=own),
        world.server.packages,
    )  # fmt: skip
    vkey, _ = generate_evidence("school0.example/e")  # and under the reviewers' name
    rogue.add_reviewer(CLASS, str(vkey), world.clock.wall)
    return str(vkey)


def photographed(pc: MachineSide) -> bool:
    """Whether any picture was taken or any session kept on this machine."""
    return bool(pc.proctor.photos or pc.outbox.photos_waiting() or pc.outbox.sessions())


@pytest.mark.slow
def test_a_vouched_reviewer_gets_the_photos(make_world: Make) -> None:
    """With the authority in the settings a lesson runs as ever, and its photos come to the reviewer."""
    world = make_world(units=UNIT, reviewers=2)
    pc = trusting(world, *authority(world), generate("other.example/a", ED25519).vkey)
    granted = open_session(pc.enrolment, pc.outbox, pc.registration)
    assert set(granted.grant.recipients) == {str(key.vkey) for key in world.reviewer}


def test_the_operators_own_key_among_the_reviewers_is_refused(make_world: Make) -> None:
    """A sealing key for which only the operator vouches: no session, no key, no photo stays behind, and the error says
    what to do in both languages."""
    world = make_world(units=UNIT, reviewers=1)
    pc = trusting(world, *authority(world))
    swap_in(world)
    with pytest.raises(UnvouchedKeyError, match="no authority vouches") as caught:
        open_session(pc.enrolment, pc.outbox, pc.registration)
    assert (caught.value.code, photographed(pc)) == ("TS-C-033", False)
    assert not list((pc.profile.folder / "secrets").glob("session-*"))
    assert caught.value.remedy
    assert caught.value.zh


def test_without_an_authority_the_class_log_is_believed(make_world: Make) -> None:
    """Where the settings name nobody the log's word is taken: what the setting changes, and why it should be set."""
    world = make_world(units=UNIT, reviewers=1)
    pc = trusting(world)
    swapped = swap_in(world)
    assert swapped in open_session(pc.enrolment, pc.outbox, pc.registration).grant.recipients


@pytest.mark.parametrize("attack", ["withheld", "anothers", "flipped", "unsigned", "empty"])
def test_a_voucher_that_is_not_the_one_is_refused(make_world: Make, attack: str) -> None:
    """Withheld, of another key, with a bent signature, without one, or no note at all: nothing is sealed."""
    world = make_world(units=UNIT, reviewers=2)
    pc = trusting(world, *authority(world))
    log = pc.enrolment.follower(pc.registration).update()
    vouched = [str(record.leaf.vouched) for record in log.records("evidence")]
    other = pc.enrolment.api.raw("GET", f"/v1/bodies/{vouched[1]}").body
    bent = {
        "withheld": lambda reply: Reply(404, b'{"code": "TS-S-404", "message": "no", "remedy": "", "zh": ""}'),
        "anothers": lambda reply: Reply(200, other),
        "flipped": lambda reply: Reply(200, reply.body[:-8] + b"AAAA" + reply.body[-4:]),
        "unsigned": lambda reply: Reply(200, reply.body.split(b"\n\n")[0] + b"\n"),
        "empty": lambda reply: Reply(200, b""),
    }
    pc.net.hits = lambda _method, path: path == f"/v1/bodies/{vouched[0]}"
    pc.net.change = bent[attack]
    with pytest.raises(UnvouchedKeyError):
        open_session(pc.enrolment, pc.outbox, pc.registration)
    assert not photographed(pc)


@pytest.mark.slow
def test_a_line_that_breaks_on_the_way_is_the_networks_error(make_world: Make) -> None:
    """The voucher cannot be fetched: try again, as with any other document; nothing is sealed meanwhile."""
    world = make_world(units=UNIT, reviewers=1)
    pc = trusting(world, *authority(world))
    log = pc.enrolment.follower(pc.registration).update()
    (record,) = log.records("evidence")
    pc.net.hits = lambda _method, path: path == f"/v1/bodies/{record.leaf.vouched}"
    pc.net.faults.append("drop request")
    with pytest.raises(NetworkError):
        open_session(pc.enrolment, pc.outbox, pc.registration)
    assert not photographed(pc)
    open_session(pc.enrolment, pc.outbox, pc.registration)


def test_the_lesson_opens_once_the_authority_vouches(make_world: Make) -> None:
    """The lesson stays shut and takes no picture; once the settings name the authority that vouches, Start opens it."""
    world = make_world(units=UNIT, reviewers=1)
    pc = trusting(world, generate("school.example/a", ED25519).vkey)
    study = pc.study()
    pc.run(study, 2_000)
    assert isinstance(study.problem, UnvouchedKeyError)
    assert not photographed(pc)
    pc.enrolment.authority = authority(world)
    study.press("play")
    pc.run(study, 60_000, until="playing")
    assert pc.proctor.photos, "the opening check took its photo"


@pytest.mark.slow
def test_the_setting_reaches_the_lesson(tmp_path: Path) -> None:
    """From config.toml to the page: the window of such a client shows the trouble with its code."""
    world = World(tmp_path, units=UNIT, reviewers=1)
    keys = " ".join(map(str, authority(world)))
    swap_in(world)
    client = Client(world, tmp_path / "pc", authority=keys)
    journey = client.sign_in()
    journey.confirm_name()
    client.until("real_name")
    journey.leave_name()
    journey.start_enrol()
    for _ in range(30):
        client.clock.advance(100)
        journey.tick()
    journey.to_today()
    client.until("today")
    journey.open_course(client.registration())
    client.until("lesson", "ready")
    assert journey.study is not None
    journey.study.press("play")
    for _ in range(20):
        client.clock.advance(100)
        journey.tick()
    assert journey.problem is not None
    assert journey.problem.code == "TS-C-033"
    again = Client(world, tmp_path / "pc", authority=keys)  # a later start resumes with the same settings
    again.until("today")
    assert again.journey._signed is not None
    assert again.journey._signed.enrolment.authority == authority(world)
    world.close()


def test_an_accommodation_by_the_operators_own_supervisor_is_refused(make_world: Make) -> None:
    """A supervisor for whom only the operator vouches cannot change a lesson's rules: no verifier would count it."""
    world = make_world(units=UNIT)
    pc = trusting(world, *authority(world))
    rogue, person = generate("operator.example/a", ED25519), generate(f"operator.example/p/{'0' * 32}", ED25519)
    accommodate(world, pc, rogue, person)
    with pytest.raises(UnvouchedKeyError):
        open_session(pc.enrolment, pc.outbox, pc.registration)
    pc.enrolment.authority = (*authority(world), rogue.vkey)
    assert open_session(pc.enrolment, pc.outbox, pc.registration).grant.accommodations


def accommodate(world: World, pc: MachineSide, by: Signer, person: Signer) -> None:
    """Append a supervisor for whom `by` vouches, and that supervisor's accommodation for the learner."""
    logs, now = world.server.class_maker._logs, world.clock.wall()
    text = bodies.voucher_text("add", "supervisor", str(person.vkey))
    body = bodies.Accommodation(now, pc.registration.class_, pc.profile.learner, {"deadline_ms": 90_000}, now + 10**9)
    signed = bodies.sign(body, person)
    digest = note.parse(signed).digest

    def write(tx) -> None:  # type: ignore[no-untyped-def]
        tx.log.put_body(CLASS, note.digest(text), note.sign(text, by))
        logs.append(tx, CLASS, KeyLeaf(now, "add", "supervisor", str(person.vkey), vouched=note.digest(text)))
        leaf = logs.append(tx, CLASS, BodyLeaf(now, "accommodation", digest, None))
        tx.log.put_body(CLASS, digest, signed, leaf=leaf)

    world.server.records.write(write)
