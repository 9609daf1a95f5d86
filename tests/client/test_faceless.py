"""The non-face route, client and server together: codes, people who sign, and what a wrong word costs (nothing)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from client.events import Identified
from client.study import Study
from client.view import Question
from ledger import archive, bodies, note, trust
from ledger.events import Answered, Ordered
from ledger.verify import Options, verify
from server_stub.app import create_app
from server_stub.signing import new_key, read_key
from tests.client.world import CLASS, SERVER, MachineSide, World
from tests.scripted import at_once
from tests.simulator import Simulator

MINUTE = 60_000
Reply = Callable[[Question, str], tuple[int, str]]


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    world = World(tmp_path, units=(("pass", MINUTE),))
    yield world
    world.close()


def right(question: Question, code: str) -> tuple[int, str]:
    return question.words.index(question.asked), code


def wrong_code(question: Question, code: str) -> tuple[int, str]:
    return question.words.index(question.asked), f"{(int(code) + 1) % 10**6:06d}"


def wrong_word(question: Question, code: str) -> tuple[int, str]:
    return (question.words.index(question.asked) + 1) % len(question.words), code


def study(machine: MachineSide, study: Study, replies: list[Reply], ms: int = 400_000, until: str = "done") -> None:
    """Answer each question two seconds after it appears, by the next of `replies` (right when none is left)."""
    shown = 0
    for _ in range(0, ms, 100):
        machine.clock.advance(100)
        study.tick()
        view = study.view()
        if view.phase == until:
            return
        shown = shown + 1 if view.question is not None and view.question.words else 0
        if view.question is not None and shown == 20:
            reply = replies.pop(0) if replies else right
            study.reply(*reply(view.question, machine.world.codes.sent["learner"]))
    raise AssertionError(f"still {study.view().phase}: {study.view().sentence.key}")


def answers(machine: MachineSide, sid: str) -> list[Answered]:
    return [event.body for event in machine.events(sid) if isinstance(event.body, Answered)]


@pytest.mark.slow
def test_a_learner_without_a_camera_finishes_the_lesson_by_code_with_full_credit(world: World) -> None:
    """The same random moments, a code and a word each: device, server and verifier credit the whole minute."""
    machine = world.machine(face=False)
    lesson = machine.study()
    study(machine, lesson, [])
    result = lesson.result()
    assert result is not None
    machine.send_all()
    assert result.credited_ms == MINUTE
    given = answers(machine, lesson.sid)
    assert len(given) >= 4
    assert {(answer.kind, answer.result) for answer in given} == {("identify", "passed")}
    assert machine.proctor.starts == 0, "no camera is opened"
    assert machine.proctor.requests == []
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, MINUTE)


@pytest.mark.slow
def test_a_wrong_code_or_word_brings_another_attempt_and_costs_nothing(world: World) -> None:
    """Inconclusive, drawn anew, never failed: the check is passed by its next attempt and all of it counts."""
    machine = world.machine(face=False)
    lesson = machine.study()
    study(machine, lesson, [right, wrong_code, wrong_word, right])
    results = [(answer.a, answer.result, answer.reason) for answer in answers(machine, lesson.sid)][:4]
    assert results == [
        (0, "passed", "ok"), (0, "inconclusive", "code"), (1, "inconclusive", "choice"), (2, "passed", "ok"),
    ]  # fmt: skip
    assert lesson.result().credited_ms == MINUTE  # type: ignore[union-attr]


@pytest.mark.slow
def test_who_never_finds_the_code_is_helped_and_not_blamed(world: World) -> None:
    """Three attempts without the right code are a miss without blame: a help case, no mismatch, nothing failed."""
    machine = world.machine(face=False)
    lesson = machine.study()
    study(machine, lesson, [right, wrong_code, wrong_code, wrong_code])
    machine.send_all()
    figures = world.server.records.read(
        lambda tx: world.server.services.settler.compute(tx, machine.registration.registration)
    )
    checks = figures[0].earned.checks  # type: ignore[union-attr]
    missed = [check for check in checks if check.outcome != "passed"]
    assert [(check.outcome, check.why, check.help, check.mismatch) for check in missed] == [
        ("missed", "code", True, False)
    ]
    reasons = {part.reason.en for part in lesson.result().parts}  # type: ignore[union-attr]
    assert all("nobody is to blame" in reason for reason in reasons)


@pytest.mark.slow
def test_each_attempt_has_a_code_of_its_own_and_it_is_sent_once(world: World) -> None:
    """Asking again sends nothing: one code for one attempt, whoever asks how often."""
    sent: list[str] = []
    send = world.codes.send
    world.server.services.identifier._sender.send = lambda account, code: (sent.append(code), send(account, code))[1]  # type: ignore[method-assign]
    machine = world.machine(face=False)
    lesson = machine.study()
    study(machine, lesson, [])
    ordered = [event for event in machine.events(lesson.sid) if isinstance(event.body, Ordered)]
    assert len(sent) == len(ordered) + 1, "and the one of the sign-in"


def test_nobody_is_sent_a_code_for_a_check_that_was_not_ordered(world: World) -> None:
    """Without the nonce of an order the server sends nothing, signs nothing, and tells nothing."""
    machine = world.machine(face=False)
    lesson = machine.study()
    machine.run(lesson, 20_000, until="check")
    before = world.codes.sent["learner"]
    for nonce in ("00" * 16, "ff" * 16):
        reply = machine.net.send(
            "POST", f"/v1/sessions/{lesson.sid}/identify",
            b'{"i": 1, "a": 0, "nonce": "%s", "code": ""}' % nonce.encode(),
            {"Authorization": f"Bearer {machine.who.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        assert reply.status == 409
    assert world.codes.sent["learner"] == before


def test_another_learner_cannot_answer_for_this_session(world: World) -> None:
    """The session of somebody else does not exist for them."""
    machine = world.machine(face=False)
    lesson = machine.study()
    machine.run(lesson, 20_000, until="check")
    order = next(event.body for event in machine.events(lesson.sid) if isinstance(event.body, Ordered))
    stranger = world.sign_in("other")
    reply = machine.net.send(
        "POST", f"/v1/sessions/{lesson.sid}/identify",
        f'{{"i": 0, "a": 0, "nonce": "{order.nonce}", "code": ""}}'.encode(),
        {"Authorization": f"Bearer {stranger.token}", "Content-Type": "application/json"},
    )  # fmt: skip
    assert reply.status == 404


@pytest.mark.slow
def test_a_network_that_is_gone_at_the_question_costs_nothing_but_time(world: World) -> None:
    """The code cannot be compared: inconclusive, reason network; with the network the next attempt passes."""
    machine = world.machine(face=False)
    lesson = machine.study()
    machine.run(lesson, 20_000, until="check")
    machine.net.down = True
    machine.run(lesson, 2_000)
    question = lesson.view().question
    assert question is not None
    lesson.reply(*right(question, "000000"))
    machine.run(lesson, 300)
    assert [(answer.result, answer.reason) for answer in answers(machine, lesson.sid)] == [("inconclusive", "network")]
    machine.net.down = False
    study(machine, lesson, [])
    assert lesson.result().credited_ms == MINUTE  # type: ignore[union-attr]


# --- people who sign --------------------------------------------------------------------------------------------------


class Lab:
    """A school whose invigilator signs, by the command line, and whose notes the operator takes in."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder, self.made = world, folder, 0
        folder.mkdir()
        self.authority = new_key("authority", "school.example", folder / "authority")
        vkey = new_key("supervisor", "school.example", folder / "invigilator")
        world.server.close()
        world.settings.authorities.write_text(self.authority + "\n")
        world.app = create_app(world.settings, world.clock.wall, sender=world.codes)
        world.net = Simulator(TestClient(world.app, raise_server_exceptions=False))
        text = bodies.voucher_text("add", "supervisor", vkey)
        self.take(note.sign(text, read_key(folder / "authority")))

    def take(self, data: bytes) -> None:
        self.world.server.services.decisions.take(CLASS, data)

    def sign(self, method: str, learner: str) -> None:
        """What `python -m server_stub identify` writes, dated by the world's clock."""
        origin = f"{SERVER}/c/{CLASS}"
        body = bodies.Identification(self.world.clock.wall(), origin, learner, method)
        self.take(bodies.sign(body, read_key(self.folder / "invigilator")))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["room", "call"])
def test_a_person_identifies_the_learner_and_the_verifier_asks_who_vouches(tmp_path: Path, method: str) -> None:
    """Room and call: the same random moments, answered by a supervisor's note; credited where an authority vouches."""
    routes = {b'routes = ["code"]': f'routes = ["{method}"]'.encode()}
    world = World(tmp_path, units=(("pass", MINUTE),), changes=routes)
    lab = Lab(world, tmp_path / "lab")
    machine = world.machine(face=False)
    lab.sign(method, machine.who.learner)
    lesson = machine.study()
    study(machine, lesson, [])
    machine.send_all()
    assert lesson.result().credited_ms == MINUTE  # type: ignore[union-attr]
    assert all(set(answer.models) == {method} for answer in answers(machine, lesson.sid))
    source = archive.Directory(world.export(tmp_path / "out"))
    trusted = trust.parse(world.trust_file().read_bytes())
    vouched = verify(source, trusted, Options(authority=tuple(world.server.keyring.authorities)))
    assert (vouched.exit_code, vouched.credited_ms) == (0, MINUTE)
    assert verify(source, trusted).credited_ms != MINUTE, "an operator may not appoint supervisors"
    world.close()


def test_a_note_of_long_ago_and_a_note_on_somebody_else_identify_nobody(tmp_path: Path) -> None:
    """The round through the lab is made anew each hour; until then the lesson waits, and the check is a help case."""
    world = World(tmp_path, units=(("pass", MINUTE),), changes={b'routes = ["code"]': b'routes = ["room"]'})
    lab = Lab(world, tmp_path / "lab")
    machine = world.machine(face=False)
    lab.sign("room", machine.who.learner)
    world.clock.advance(61 * MINUTE)
    lab.sign("room", world.sign_in("other").learner)
    lesson = machine.study()
    machine.run(lesson, 60_000, until="check")
    machine.run(lesson, 20_000)
    question = lesson.view().question
    assert question is not None
    assert (question.words, question.person) == ((), True)
    lab.sign("room", machine.who.learner)
    machine.run(lesson, 20_000, until="playing")
    world.close()


# --- a client that says what is not so --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pass_that_no_note_bears_out_is_not_credited_by_anybody_but_its_own_device(world: World) -> None:
    """A patched client claims its codes were right: the server's figure is 0, and the verifier's is not higher."""
    machine = world.machine(face=False)
    honest = machine.lesson()
    forged = dataclasses.replace(
        honest, identify=lambda _g, order, _c: Identified(order.i, order.a, "identified", "room", "ab" * 32)
    )
    lesson = Study(machine.ports, forged, at_once)
    lesson.press("play")
    study(machine, lesson, [])
    machine.send_all()
    report = world.verified()
    assert (report.exit_code, report.credited_ms or 0) == (0, 0)
