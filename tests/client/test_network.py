"""What a network, a forger or a second device can do: nothing signed is lost, nothing unsigned is believed."""

from __future__ import annotations

import json
import random
import re
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest

from client.errors import (
    ForgedAnswerError,
    ForkedLogError,
    GrantRefusedError,
    NetworkError,
    OtherSessionOpenError,
    ServerRefusedError,
    SessionOverError,
    SignedOutError,
    StaleAnswerError,
    UnsentRecordsError,
)
from client.ports import Reply
from client.sync.enrol import finish_sign_in, start_sign_in
from client.sync.opening import open_session
from ledger import checkpoint, grant, note, segment
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError
from ledger.events import Answered, Cosigned, Fault, Ordered, Paused
from ledger.keys import COSIGNATURE, ED25519, generate
from tests.client.world import SERVER, MachineSide, World

MINUTE = 60_000


def finished(pc: MachineSide, study, ms: int = 60 * MINUTE):
    pc.run(study, ms, until="done")
    result = study.result()
    assert result is not None
    return result


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["drop request", "drop answer", "twice", "500", "corrupt"])
def test_whatever_befalls_an_upload_nothing_is_lost(make_world, fault):
    """Requests and answers lost, doubled, refused or garbled: the same bytes go again, all of it is credited."""
    world = make_world(units=(("pass", 60_000),))
    pc = world.machine()
    study = pc.study()
    pc.net.faults = deque([fault, "", fault, fault, "", "", fault] * 3)
    result = finished(pc, study)
    assert (result.credited_ms, result.parts, result.sent) == (60_000, (), True)
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, 60_000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_all_lesson_long(make_world, seed):
    """A third of all exchanges goes wrong in some way: the archive verifies, and device and verifier agree."""
    chance = random.Random(seed)
    world = make_world(units=(("pass", 120_000),))
    pc = world.machine()
    study = pc.study()
    faults = ["", "", "", "", "drop request", "drop answer", "500", "corrupt"]
    pc.net.faults = deque(chance.choices(faults, k=2_000))
    finished(pc, study)
    pc.net.faults.clear()
    pc.run(study, 120_000)
    result = study.result()
    assert result is not None
    assert result.sent
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == result.credited_ms


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [("/reveal", 200, {"issued": 2**63}), ("/reveal", 200, {"issued": -(2**70)}), ("/segments", 409, {"size": -1})],
)
def test_attack_a_number_that_no_record_holds(make_world, where, status, said):
    """A number that no log and no database has: that answer is no answer, and the records go up as soon as one is."""
    pc = make_world(units=(("pass", 60_000),)).machine()

    def bent(reply: Reply) -> Reply:
        known = json.loads(reply.body) if where == "/reveal" else {}
        return Reply(status, json.dumps(known | said).encode())

    pc.net.hits, pc.net.change = lambda _method, path: path.endswith(where), bent
    study = pc.study()
    pc.run(study, 5_000)
    pc.finish(study) if where == "/reveal" else pc.run(study, 20_000)
    (kept,) = pc.outbox.sessions()
    assert (kept.problem, kept.seed) == ("", b"")
    pc.net.change = None
    pc.finish(study) if where == "/segments" else None
    pc.send_all()
    (kept,) = pc.outbox.sessions()
    assert (kept.state, len(kept.seed)) == ("sent", 32)


@pytest.mark.slow
def test_a_lost_answer_brings_its_order_later_and_late_is_nobodys_fault(world, pc):
    """An order that arrives more than net_slack late is answered inconclusive (network); the next attempt passes."""
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    orders = iter(["drop answer"] * 6)

    def lose(method: str, path: str) -> bool:
        return path.endswith("/segments")

    pc.net.hits = lose
    pc.net.faults = deque(orders)
    pc.run(study, 5 * MINUTE)
    pc.finish(study)
    report = world.verified()
    assert report.exit_code == 0
    result = study.result()
    assert result is not None
    assert report.credited_ms == result.credited_ms > 0


def test_the_server_is_down_at_the_start(world, pc):
    """One sentence with a remedy and a code; nothing opens, nothing is lost; it opens when the server is back."""
    study = pc.study()
    pc.net.down = True
    pc.run(study, 3_000)
    assert isinstance(study.problem, NetworkError)
    assert study.problem.code == "TS-C-001"
    assert study.view().phase == "ready"
    assert pc.outbox.sessions() == []
    pc.net.down = False
    study.press("play")
    pc.run(study, 20_000, until="playing")


@pytest.mark.slow
def test_a_short_silence_in_mid_lesson_costs_nothing(make_world):
    """The server is away for a minute: the lesson goes on, the screen says so, all is credited."""
    world = make_world(units=(("pass", 3 * MINUTE),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    pc.net.down = True
    pc.run(study, MINUTE)
    assert study.view().sync.key == "sync.offline"
    pc.net.down = False
    result = finished(pc, study)
    assert (result.credited_ms, result.sent) == (3 * MINUTE, True)
    assert world.verified().credited_ms == 3 * MINUTE


@pytest.mark.slow
def test_five_minutes_offline_are_checked_by_the_device_and_credited_after_a_look_online(make_world):
    """Offline spans under offline checks, visible in the log, credited once a check is passed online."""
    world = make_world(units=(("pass", 8 * MINUTE),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    pc.run(study, 2_000)  # the opening check is receipted
    pc.net.down = True
    pc.run(study, 5 * MINUTE)
    offline = [event for event in pc.events(study.sid) if isinstance(event.body, Ordered)]
    assert len(offline) > 2, "the offline schedule ordered checks"
    assert "network" in [event.body.what for event in pc.events(study.sid) if isinstance(event.body, Fault)]
    pc.net.down = False
    result = finished(pc, study)
    assert result.credited_ms == 8 * MINUTE
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, 8 * MINUTE)


@pytest.mark.slow
def test_the_offline_limit_waits_for_the_network(make_world):
    """At limits.offline_ms the lesson stands and says why; back online it goes on, and all of it counts."""
    world = make_world(units=(("pass", 10 * MINUTE),), changes={b"offline_ms = 600_000": b"offline_ms = 120_000"})
    pc = world.machine()
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    pc.run(study, 2_000)
    pc.net.down = True
    pc.run(study, 8 * MINUTE)
    assert study.view().sentence.key == "pause.network"
    pauses = [event for event in pc.events(study.sid) if isinstance(event.body, Paused)]
    assert len(pauses) < 100, "it stands; it does not flap"
    pc.net.down = False
    result = finished(pc, study)
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == result.credited_ms == 10 * MINUTE


@pytest.mark.slow
def test_a_session_that_ends_offline_is_sent_later(world, pc):
    """Closed without a network: the screen says that the records are kept; they are receipted when it is back."""
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    pc.net.down = True
    pc.run(study, 2 * MINUTE)
    study.press("end")
    pc.run(study, 5 * MINUTE, until="done")
    assert study.view().sentence.key == "say.done_later"
    result = study.result()
    assert result is not None
    assert not result.sent
    pc.net.down = False
    pc.send_all()
    assert pc.kept(study.sid).state == "sent"
    assert world.verified().exit_code == 0


# --- forged and stale -------------------------------------------------------------------------------------------------


def test_a_forged_cosignature_is_not_believed(world, pc):
    """An answer by another key changes nothing: no `cosigned`, a code on the screen; the true one is taken."""
    forger = generate(f"{SERVER}/w", COSIGNATURE)
    study = pc.study()
    pc.run(study, 60_000, until="playing")

    def forge(reply: Reply) -> Reply:
        answer = segment.parse_answer(reply.body)
        line = checkpoint.cosign(Checkpoint(f"{SERVER}/s/{study.sid}", 1, bytes(32)), forger, 1_795_000_000)
        return Reply(reply.status, bytes(replace(answer, cosignature=line)), reply.headers)

    before = pc.verbs(study.sid).count("cosigned")
    pc.net.change = forge
    pc.run(study, 30_000)
    assert pc.verbs(study.sid).count("cosigned") <= before + 1
    assert study.view().sync.values == {"code": ForgedAnswerError.code}
    pc.net.change = None
    pc.finish(study)
    assert world.verified().exit_code == 0


def test_a_cosignature_from_the_past_is_refused(world, pc):
    """Signed time never falls: an answer older than one before it is stale, and the segment goes again."""
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    pc.run(study, 15_000)

    def age(reply: Reply) -> Reply:
        answer = segment.parse_answer(reply.body)
        signed = next(item for item in pc.outbox.signed(study.sid) if item.line is None)
        ours, _ = checkpoint.parse(signed.note)
        line = checkpoint.cosign(ours, world.server.keyring.cosigner, world.clock.wall_ms // 1000 - 3_600)
        return Reply(reply.status, bytes(replace(answer, cosignature=line)), reply.headers)

    pc.net.change = age
    pc.run(study, 30_000)
    assert study.view().sync.values == {"code": StaleAnswerError.code}
    pc.net.change = None
    pc.finish(study)
    lines = [event.body.line for event in pc.events(study.sid) if isinstance(event.body, Cosigned)]
    times = [note.parse_line(line).time for line in lines]
    assert times == sorted(times)
    assert world.verified().exit_code == 0


def test_a_forged_grant_opens_nothing(world, pc):
    """A grant by a key that the class log does not name is refused; no session, no key stays behind."""
    forger = generate(f"{SERVER}/g", ED25519)
    pc.net.hits = lambda _method, path: path == "/v1/sessions"
    pc.net.change = lambda reply: Reply(200, grant.sign(grant.parse(reply.body)[0], forger))
    with pytest.raises(GrantRefusedError):
        open_session(pc.enrolment, pc.outbox, pc.registration)
    assert pc.outbox.sessions() == []
    assert not list((pc.profile.folder / "secrets").glob("session-*"))


def test_a_grant_for_another_session_is_refused(world, pc):
    """A replayed grant, well signed, names another sid and another certificate."""
    first = open_session(pc.enrolment, pc.outbox, pc.registration)
    pc.net.hits = lambda _method, path: path == "/v1/sessions"
    pc.net.change = lambda _reply: Reply(200, first.grant_note.encode())
    pc.outbox.forget(first.sid)
    with pytest.raises(GrantRefusedError, match=r"cert|sid"):
        open_session(pc.enrolment, pc.outbox, pc.registration)


def test_a_swapped_reference_is_refused(world, pc):
    """The grant names the template that this device enrolled, or no session begins."""
    pc.profile.keep_template(pc.registration.registration, b"somebody else")
    with pytest.raises(GrantRefusedError, match="reference"):
        open_session(pc.enrolment, pc.outbox, pc.registration)


def test_a_shrunken_class_log_is_stale(world, pc):
    """Whoever shows an older class log than this device has seen is not followed."""
    pc.net.hits = lambda _method, path: path.endswith("/checkpoint")
    old: list[Reply] = []

    def keep(reply: Reply) -> Reply:
        old.append(reply)
        return old[0]

    pc.net.change = keep
    follower = pc.enrolment.follower(pc.registration)
    follower.update()
    pc.net.change = None
    open_session(pc.enrolment, pc.outbox, pc.registration)
    pc.net.change = keep
    with pytest.raises(StaleAnswerError):
        pc.enrolment.follower(pc.registration).update()


def test_a_changed_entry_of_the_class_log_is_noticed(world, pc):
    """Entries that do not hash to the signed checkpoint are refused, and nothing of them is remembered."""
    pc.net.hits = lambda _method, path: "/tile/entries/" in path
    pc.net.change = lambda reply: Reply(200, reply.body.replace(b'"serial":1', b'"serial":2', 1))
    with pytest.raises(ForgedAnswerError):
        pc.enrolment.follower(pc.registration).update()
    pc.net.change = None
    assert len(pc.enrolment.follower(pc.registration).update()) > 5


# --- people and devices -----------------------------------------------------------------------------------------------


def test_a_wrong_code_is_refused_with_the_servers_sentence(world):
    """The code is wrong: status, code, remedy and the Chinese sentence come from the server; the right one works."""
    challenge, _ = start_sign_in(world.net, "learner")
    right = world.codes.sent["learner"]
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    with pytest.raises(ServerRefusedError) as refused:
        finish_sign_in(world.net, challenge, wrong)
    assert (refused.value.status, refused.value.server_code) == (403, "TS-S-012")
    assert re.search("[一-鿿]", refused.value.server_zh)
    assert refused.value.server_remedy
    assert len(finish_sign_in(world.net, challenge, right).learner) == 32


def test_a_token_that_ended_is_said_plainly(world, pc):
    """After sign-out every request in the learner's name is refused as signed out; records are still sent."""
    study = pc.study()
    pc.run(study, 30_000)
    pc.enrolment.sign_out()
    pc.finish(study)
    assert pc.kept(study.sid).cosigned == pc.kept(study.sid).size
    with pytest.raises(SignedOutError):
        pc.enrolment.me()


@pytest.mark.slow
def test_one_session_at_a_time(make_world):
    """A second device is told of the first; going on there pauses the first, and what it earned stays."""
    world: World = make_world(units=(("pass", 2 * MINUTE),))
    first, second = world.machine("pc"), world.machine("phone")
    here = first.study()
    first.run(here, 60_000, until="playing")
    first.run(here, 40_000)
    there = second.study()
    second.run(there, 5_000)
    assert isinstance(there.problem, OtherSessionOpenError)
    assert there.problem.open == here.sid
    there.take_over()
    second.run(there, 60_000, until="playing")
    first.run(here, 15_000)
    assert here.view().sentence.key == "pause.command"
    assert "另一台设备" in here.view().message
    assert "command" in first.verbs(here.sid)
    here.press("ready")
    first.finish(here)
    there.tick()
    there.press("play")  # its ticks stood still while the first was ticked: for it the machine slept
    result = finished(second, there)
    report = world.verified()
    assert report.exit_code == 0
    earned = here.result()
    assert earned is not None
    assert earned.credited_ms > 0
    assert report.credited_ms == 2 * MINUTE
    assert result.credited_ms <= 2 * MINUTE


def test_a_copied_device_is_exposed_by_the_chain(world, pc, tmp_path):
    """A copy of the data folder that starts again where the original went on has records the server does not have."""
    import shutil

    study = pc.study()
    pc.run(study, 30_000)
    pc.finish(study)
    pc.send_all()
    clone: Path = tmp_path / "clone"
    shutil.copytree(pc.folder, clone)
    again = pc.restart()
    more = again.study()
    again.run(more, 40_000)
    again.finish(more)
    copied = pc.restart(clone)
    with pytest.raises(ForkedLogError):
        open_session(copied.enrolment, copied.outbox, copied.registration)


def test_unsent_records_go_first(world, pc):
    """A new session waits until the earlier one is receipted, and then opens by itself."""
    study = pc.study()
    pc.run(study, 40_000)
    again = pc.restart()
    again.net.hits, again.net.faults = (lambda _method, path: path.endswith("/segments")), deque(["500"] * 3)
    with pytest.raises(UnsentRecordsError):
        open_session(again.enrolment, again.outbox, again.registration)
    second = again.study()
    again.run(second, 120_000, until="playing")
    assert again.kept(study.sid).state == "sent"


def test_a_session_that_the_server_closed_ends_here_too(world, pc):
    """410: the seed is revealed. The session ends with a sentence; what was receipted stays."""
    study = pc.study()
    pc.run(study, 40_000)
    other = pc.restart()  # another start on the same data, as after a crash that was none
    other.send_all()
    pc.run(study, 30_000)
    assert other.kept(study.sid).state in ("sent", "stuck")
    assert world.verified().exit_code == 0
    assert SessionOverError.code == "TS-C-024"


@pytest.mark.slow
def test_every_answer_is_signed_within_its_deadline(world, pc):
    """From `ordered` to the cosignature over `answered` no more than the deadline passes, notice included."""
    study = pc.study()
    pc.run(study, 3 * MINUTE)
    pc.finish(study)
    opened: dict[object, int] = {}
    for event in pc.events(study.sid):
        if isinstance(event.body, Ordered):
            opened[(event.body.i, event.body.a)] = event.mono
        if isinstance(event.body, Answered):
            assert event.mono - opened[(event.body.i, event.body.a)] <= 60_000
    assert opened
    assert LedgerError
