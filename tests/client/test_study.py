"""A whole lesson against the real server in one process: what is signed, receipted, credited and verified."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from client.events import CameraState
from client.study import Study
from client.sync.logbook import key_name
from ledger.events import Consent, Fault, Opened, Paused
from tests.client.world import NOTICE, TICK, MachineSide, World
from tests.scripted import FRONT

SEVEN_MINUTES = 7 * 60_000


@pytest.mark.slow
def test_seven_minutes_with_a_closing_check_are_all_credited(make_world):
    """7 minutes of a lesson of 7 minutes: credited to the ms, on this device, by the server and by the verifier."""
    world = make_world(units=(("pass", SEVEN_MINUTES),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 30 * 60_000, until="done")
    result = study.result()
    assert result is not None
    assert (result.credited_ms, result.parts, result.sent, result.how) == (SEVEN_MINUTES, (), True, "ended")
    assert result.checks_passed == result.checks_all > 2
    said = pc.enrolment.api.json("GET", f"/v1/sessions/{study.sid}/credit")
    assert said["credited_ms"] == SEVEN_MINUTES
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == SEVEN_MINUTES


def test_a_sent_session_has_its_receipt_and_no_key_any_more(world, pc):
    """The session key is erased once the checkpoint over `closed` is cosigned; the receipt satisfies our trust file."""
    study = pc.study()
    pc.run(study, 20_000)
    assert pc.profile.seal.get(key_name(study.sid)) is not None
    pc.finish(study)
    assert pc.profile.seal.get(key_name(study.sid)) is None
    pc.send_all()
    kept = pc.kept(study.sid)
    assert kept.state == "sent"
    assert kept.cosigned == kept.size
    assert kept.receipt.startswith(b"c2sp.org/tlog-proof@v1\n")


def test_opened_holds_grant_certificate_and_the_consents_follow(world, pc):
    """Event 0 holds both notes verbatim and the mark of a scripted camera; consents are repeated right after it."""
    study = pc.study()
    pc.run(study, 5_000)
    first, *rest = pc.events(study.sid)
    assert isinstance(first.body, Opened)
    assert first.body.scripted
    assert first.body.cert.startswith("trueseat/session/v1\n")
    assert [event.body.what for event in rest[:2] if isinstance(event.body, Consent)] == ["notice", "face"]
    assert len(NOTICE)


def test_a_failing_start_condition_is_named_and_nothing_opens(world, pc):
    """Playback starts when camera, face, foreground and agent say so; the first that does not is one sentence."""
    pc.window.lose()
    study = pc.study()
    pc.run(study, 5_000)
    assert study.view().sentence.key == "pause.focus"
    assert not study.sid
    pc.window.back()
    pc.proctor.say(CameraState(False, "cam", "v4l2", False, "busy"))
    pc.run(study, 1_000)
    assert study.view().sentence.key == "pause.camera_busy"
    pc.proctor.say(CameraState(True, "cam", "v4l2", False))
    pc.proctor.faces = 0
    pc.run(study, 5_000)
    assert study.view().sentence.key == "pause.absent"
    pc.proctor.faces = 1
    pc.run(study, 20_000, until="playing")
    assert study.sid


def into_a_tail(pc: MachineSide, study: Study) -> None:
    """Study on until some seconds lie behind the last passed check: when checks come is drawn anew each time, and who
    ends right after one has no tail."""
    for _ in range(0, 120_000, TICK):
        if study.view().phase == "playing" and study.view().pending_ms >= 2_000:
            return
        pc.run(study, TICK)
    raise AssertionError("two minutes without two seconds between checks")


@pytest.mark.slow
def test_the_tail_without_a_look_is_listed_and_offered_for_make_up(make_world):
    """Ending without the closing look keeps what was proven; the rest is named with its reason, and comes first next
    time."""
    world = make_world()
    pc = world.machine()
    study = pc.study()
    pc.run(study, 60_000)
    into_a_tail(pc, study)
    study.press("end")
    study.press("end")
    pc.run(study, 60_000, until="done")
    result = study.result()
    assert result is not None
    assert result.parts
    tail = result.parts[-1]
    assert tail.to_ms == max(part.to_ms for part in result.parts)
    assert tail.make_up
    assert tail.reason.zh
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == result.credited_ms
    again = pc.restart().study()
    again.tick()
    assert again.place.position_ms == result.parts[0].from_ms


@pytest.mark.slow
def test_made_up_parts_are_credited_in_the_next_session(make_world):
    """Studying just the missing part again fills the gap; no ms counts twice."""
    world = make_world(units=(("pass", 90_000),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 60_000)
    study.press("end")
    study.press("end")
    pc.run(study, 60_000, until="done")
    before = study.result()
    assert before is not None
    assert before.credited_ms < 90_000
    again = pc.restart()
    second = again.study()
    again.run(second, 600_000, until="done")
    after = second.result()
    assert after is not None
    assert after.credited_all_ms == 90_000
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == 90_000


def test_two_units_are_studied_one_after_the_other(make_world):
    """Each unit ends with a pause that offers the next; both are credited."""
    world = make_world(units=(("one", 40_000), ("two", 30_000)))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 300_000, until="unit_end")
    assert study.view().sentence.key == "say.unit_end"
    study.press("play")
    pc.run(study, 300_000, until="done")
    result = study.result()
    assert result is not None
    assert result.credited_ms == 70_000
    assert world.verified().exit_code == 0


def because(pc: MachineSide, sid: str) -> set[str]:
    """The reasons of all signed pauses."""
    return {event.body.because for event in pc.events(sid) if isinstance(event.body, Paused)}


@pytest.mark.slow
def test_pauses_of_every_kind_cost_no_credited_ms(make_world):
    """Focus lost, nobody there, agent killed, rest: the lesson waits, and all that was shown is credited."""
    world = make_world(units=(("pass", 180_000),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 90_000, until="playing")
    pc.window.lose()
    pc.run(study, 5_000)
    pc.window.back()
    pc.run(study, 90_000, until="playing")
    pc.agent.kill()
    pc.run(study, 15_000)
    assert pc.agent.alive, "the agent was started again"
    pc.run(study, 90_000, until="playing")
    study.press("rest")
    pc.run(study, 120_000)
    study.press("play")
    pc.run(study, 90_000, until="playing")
    pc.proctor.faces = 0
    pc.run(study, 60_000)
    assert study.view().sentence.key == "pause.absent"
    pc.proctor.faces = 1
    pc.run(study, 600_000, until="done")
    assert {"focus", "agent", "rest", "check"} <= because(pc, study.sid)
    result = study.result()
    assert result is not None
    assert (result.credited_ms, result.parts) == (180_000, ())
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == 180_000


@pytest.mark.slow
def test_device_server_and_verifier_agree_whatever_the_seeds(make_world):
    """Short sessions under many seeds, checks due at the very end among them: three computations, one figure."""
    for _ in range(6):
        world = make_world(units=(("pass", 30_000),))
        pc = world.machine()
        study = pc.study()
        pc.run(study, 600_000, until="done")
        result = study.result()
        assert result is not None
        assert result.credited_ms == 30_000
        assert world.verified().credited_ms == 30_000


def test_a_covered_window_is_named(make_world):
    """Covered by another program: its name stands in the sentence, never an accusation."""
    pc = make_world(calm_ms=20_000).machine()
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    pc.window.seen = replace(FRONT, covered=500, active_app="Calculator")
    pc.run(study, 500)
    assert study.view().sentence.key == "pause.covered"
    assert study.view().sentence.values == {"app": "Calculator"}


def test_the_agent_hears_of_camera_and_window(world, pc):
    """The agent is told which camera is used and whether our window is in front."""
    study = pc.study()
    pc.run(study, 3_000)
    pc.window.lose()
    pc.run(study, 500)
    assert "Scripted camera" in pc.agent.told
    assert pc.agent.told[-1] is False


@pytest.mark.slow
def test_credit_of_a_class_is_the_sum_of_its_learners(make_world):
    """Two learners on two machines, each with own keys and records; the archive holds both."""
    world: World = make_world(units=(("pass", 30_000),))
    for account in ("learner", "other"):
        machine = world.machine(account, account)
        study = machine.study()
        machine.run(study, 300_000, until="done")
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == 60_000


def test_time_on_the_start_page_is_no_time_of_the_session(make_world):
    """Whoever sits a minute before Start has a session that begins at 0, and an opening check that is not late."""
    pc = make_world(units=(("one", 40_000),)).machine()
    waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def beside_the_screen(job: Callable[[], Any]) -> Future[Any]:
        """Slow work that is done by the next tick, as a thread would have it."""
        waiting.append((Future(), job))
        return waiting[-1][0]

    study = Study(pc.ports, pc.lesson(), beside_the_screen)
    for tick in range(2_000):
        pc.clock.advance(TICK)
        for future, job in waiting:
            future.set_result(job())
        waiting.clear()
        if tick == 600:
            study.press("play")
        study.tick()
        if study.view().phase == "done":
            break
    assert not [event for event in pc.events(study.sid) if isinstance(event.body, Fault)]
    assert {check.outcome for check in study._credit.sessions[0].checks} == {"passed"}  # type: ignore[union-attr]
    assert study.result().credited_ms == 40_000  # type: ignore[union-attr]
