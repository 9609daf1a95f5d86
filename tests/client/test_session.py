"""The session as a pure function: what is signed, in which order, and when the picture may move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client import effects
from client.events import (
    AgentLost,
    CameraState,
    FindingCleared,
    FoundByAgent,
    Judged,
    MediaFault,
    Order,
    ProctorRestarted,
    SeekAsked,
    SyncState,
)
from client.session import Metered
from client.state import Announced, Attempting, Closing, Idle, Over
from ledger import bodies, events
from ledger.bodies import Command as CommandNote
from ledger.bodies import Spot
from ledger.events import (
    Answered,
    Asked,
    Closed,
    Cosigned,
    Fault,
    Finding,
    Focus,
    Ordered,
    Paused,
    Played,
    Presence,
    Resumed,
)
from ledger.keys import ED25519, generate
from tests.client.bench import FRONT, HASH, SID, Bench, check_log, policy

NONCE = "17" * 16
CLASS = "test.trueseat.example/c/class-1"
COMMANDER = generate("test.trueseat.example/g", ED25519)


def order(i: int | str = 1, a: int = 0, deadline_ms: int = 60_000) -> Order:
    return Order(i, a, NONCE, deadline_ms)


def found(rule: str = "macro.key", response: str = "pause", severity: str = "high") -> FoundByAgent:
    words = ("按键精灵正在运行", "A macro", "请关闭", "Close it")
    return FoundByAgent(rule, 1, severity, response, {"name": "macro"}, *words)


def test_nothing_plays_before_the_opening_check():
    """The session opens with `opened` and a cut; the picture waits for check 0, which the first answer brings."""
    bench = Bench().open()
    assert bench.verbs[0] == "opened"
    assert bench.cuts
    bench.play(3_000, answers=False)
    assert not bench.playing
    bench.answer(order=order(0))
    assert isinstance(bench.state.check, Announced)
    assert not bench.playing
    bench.pass_check()
    assert bench.playing
    check_log(bench)


def test_a_segment_is_cut_by_time_and_the_span_ends_with_it():
    """`played` ends at each segment end, so that it is never longer than a segment."""
    bench = Bench(rules=policy(segment_ms=30_000)).study()
    bench.play(65_000)
    spans = bench.spans()
    assert max(span.clock_ms for span in spans) <= 30_000
    assert sum(span.to - span.from_ for span in spans) >= 55_000
    check_log(bench)


def test_the_answer_to_a_segment_is_the_first_event_after_the_span():
    """The client's next event, after the `played` that ends a running span, is `cosigned`."""
    bench = Bench().study()
    bench.play(5_000)
    bench.tick(100)
    bench.place += 100
    bench.progress()
    before = len(bench.log)
    bench.answer()
    assert bench.verbs[before:] == ["played", "cosigned"]


def test_an_order_stops_the_picture_and_every_answer_is_signed_at_once():
    """played, cosigned, ordered, paused (check) … answered, cut; then the lesson goes on by itself."""
    bench = Bench().study()
    bench.play(5_000)
    bench.tick(100)
    bench.place += 100
    bench.progress()
    before = len(bench.log)
    bench.answer(order=order())
    assert bench.verbs[before:] == ["played", "cosigned", "ordered", "paused"]
    assert not bench.playing
    assert bench.state.chimes == 2
    bench.pass_check()
    assert bench.playing
    assert bench.verbs[-2:] == ["answered", "resumed"]
    check_log(bench)


def test_the_notice_is_part_of_the_deadline():
    """A notice of at most 5 s stands inside the signed time: the attempt gets what is left of the deadline."""
    bench = Bench(rules=policy(notice_ms=5_000)).study()
    bench.answer(order=order(deadline_ms=20_000))
    for _ in range(55):
        bench.tick(100)
    begun = [effect for effect in bench.done if isinstance(effect, effects.Begin)][-1]
    assert begun.request.check == 1
    assert 14_000 <= begun.request.deadline_ms <= 15_000


def test_a_repeated_answer_orders_nothing_twice():
    """The server repeats its stored answer to the same segment; the same order is one check."""
    bench = Bench().study()
    bench.answer(order=order())
    bench.answer(order=order())
    bench.pass_check()
    assert len(bench.bodies(Ordered)) == 2  # check 0 and check 1
    bench.answer(order=order())
    assert isinstance(bench.state.check, Idle)


def test_an_order_that_the_network_delayed_is_answered_at_once():
    """More than net_slack late: inconclusive, reason network; nobody is asked to hurry for a lost answer."""
    bench = Bench().study()
    bench.play(60_000)
    bench.answer(order=order(), late_ms=40_000)
    answered = bench.bodies(Answered)[-1]
    assert isinstance(answered, Answered)
    assert (answered.i, answered.result, answered.reason) == (1, "inconclusive", "network")
    bench.answer(order=order(a=1))
    assert isinstance(bench.state.check, Announced)
    check_log(bench)


def test_an_attempt_that_was_not_clear_waits_for_the_next():
    """A failed or inconclusive attempt may bring attempt a+1; the lesson stands meanwhile, then goes on either way."""
    bench = Bench().study()
    bench.answer(order=order())
    bench.pass_check("inconclusive", "dark")
    assert not bench.playing
    bench.answer(order=order(a=1))
    bench.pass_check("failed", "other_person")
    bench.answer(order=order(a=2))
    bench.pass_check("failed", "other_person")
    assert bench.playing, "the lesson goes on after the last attempt"
    assert bench.state.tally.mismatches == 1, "one check is one mismatch, however many attempts it had"
    check_log(bench)


def test_no_answer_from_the_server_does_not_hold_the_lesson_for_ever():
    """After an unclear attempt the lesson waits ten seconds for another order, then goes on."""
    bench = Bench().study()
    bench.answer(order=order())
    bench.pass_check("inconclusive", "dark")
    bench.play(9_000, answers=False)
    assert not bench.playing
    bench.play(1_500, answers=False)
    assert bench.playing


def test_mismatches_in_a_row_end_the_session():
    """Three checks in a row that saw another person end it kindly: what was proven stays."""
    bench = Bench(rules=policy(max_attempts=1)).study()
    for i in (1, 2, 3):
        bench.answer(order=order(i))
        bench.pass_check("failed", "other_person")
    bench.answer()
    assert bench.over
    assert bench.bodies(Closed) == [Closed("mismatches")]
    check_log(bench)


def test_a_passed_check_forgives_the_mismatches_before():
    """Only mismatches in a row count."""
    bench = Bench(rules=policy(max_attempts=1)).study()
    other, self_ = ("failed", "other_person"), ("passed", "ok")
    for i, (result, reason) in enumerate([other, other, self_, other], 1):
        bench.answer(order=order(i))
        bench.pass_check(result, reason)
    assert not bench.over
    assert bench.state.tally.mismatches == 1


def test_a_proctor_that_dies_under_an_attempt_is_nobodys_fault():
    """inconclusive: proctor_restarted, and a word that comes later about that attempt is stale."""
    bench = Bench().study()
    bench.answer(order=order())
    bench.press("ready")
    bench.send(ProctorRestarted("killed by the system"))
    answered = bench.bodies(Answered)[-1]
    assert (answered.result, answered.reason) == ("inconclusive", "proctor_restarted")  # type: ignore[attr-defined]
    bench.send(Judged(1, 0, "match", "passed", "ok"))
    assert len(bench.bodies(Answered)) == 2
    assert Fault("proctor", "killed by the system") in bench.bodies(Fault)


def test_an_attempt_without_a_verdict_ends_at_its_deadline():
    """The proctor hangs: the attempt is cancelled and inconclusive, the check does not stay open."""
    bench = Bench().study()
    bench.answer(order=order(deadline_ms=5_000))
    bench.press("ready")
    for _ in range(70):
        bench.tick(100)
    assert bench.bodies(Answered)[-1].reason == "late"  # type: ignore[attr-defined]
    assert effects.Cancel() in bench.done


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"focused": False}, "focus"),
        ({"minimised": True}, "minimised"),
        ({"covered": 400, "active_app": "calc"}, "covered"),
        ({"locked": True}, "locked"),
        ({"other_desktop": True}, "desktop"),
    ],
)
def test_whatever_leaves_the_foreground_pauses_at_once(change, because):
    """Not the foreground window, minimised, covered, locked, on another desktop: pause in the same step; and back."""
    bench = Bench().study()
    bench.play(2_000)
    bench.send(replace(FRONT, **change))
    assert not bench.playing
    paused = bench.bodies(Paused)[-1]
    assert paused.because == because  # type: ignore[attr-defined]
    focus = bench.bodies(Focus)[-1]
    assert focus.gained is False  # type: ignore[attr-defined]
    assert bench.cuts[-1] == len(bench.log), "a pause is signed at once"
    bench.send(FRONT)
    assert bench.playing, "it goes on by itself"
    check_log(bench)


def test_a_platform_that_cannot_tell_follows_the_policy():
    """foreground_unknown: credit_flagged plays and keeps the source; pause does not play."""
    blind = replace(FRONT, focused=None, covered=None, source="wayland")
    bench = Bench().study()
    bench.send(blind)
    bench.play(2_000)
    assert bench.playing
    assert bench.bodies(Focus)[-1] == Focus(True, None, "wayland")
    strict = Bench(rules=policy(foreground_unknown="pause")).study()
    strict.send(blind)
    assert not strict.playing


def test_looking_down_to_write_is_presence():
    """Nobody for less than the grace is no pause; for longer it is, and it goes on when somebody is back."""
    bench = Bench().study()
    bench.play(29_000, faces=0)
    assert bench.playing
    bench.play(3_000, faces=0)
    assert not bench.playing
    assert bench.bodies(Paused)[-1].because == "absent"  # type: ignore[attr-defined]
    assert Presence(0) in bench.bodies(Presence)
    bench.look(1)
    assert bench.playing
    check_log(bench)


def test_several_people_are_ordinary_life():
    """A hint on the screen after 3 s (tested there); a finding that only reports, after others_for, once."""
    bench = Bench().study()
    bench.play(70_000, faces=2)
    findings = bench.bodies(Finding)
    assert [item.rule for item in findings] == ["presence.others"]  # type: ignore[attr-defined]
    assert bench.playing


def test_a_lost_camera_is_a_fault_and_never_blame():
    """fault camera, pause, and another try to open it; playing goes on when it is back."""
    bench = Bench().study()
    bench.play(2_000)
    bench.send(CameraState(False, "cam", "bench", False, "unplugged"))
    assert bench.bodies(Paused)[-1].because == "camera"  # type: ignore[attr-defined]
    assert bench.bodies(Fault) == [Fault("camera", "cam: unplugged")]
    assert effects.RestartCamera() in bench.done
    bench.send(CameraState(True, "cam", "bench", False))
    bench.look()
    assert bench.playing


def test_a_silent_camera_is_noticed_without_a_word_from_it():
    """No look for ten seconds: the picture stands, the log says so, the proctor is started again."""
    bench = Bench().study()
    for _ in range(120):
        bench.tick(100)
        bench.place += 100 if bench.playing else 0
        bench.progress(playing=bench.playing)
    assert not bench.playing
    assert [fault.what for fault in bench.bodies(Fault)] == ["camera"]  # type: ignore[attr-defined]


def test_a_lost_agent_pauses_until_it_lives_again():
    """fault agent, pause, restart; the next beat lets the lesson go on."""
    bench = Bench().study()
    bench.play(2_000)
    bench.send(AgentLost("broken pipe"))
    assert not bench.playing
    assert effects.RestartAgent() in bench.done
    assert Fault("agent", "broken pipe") in bench.bodies(Fault)
    bench.send(AgentLost("broken pipe"))
    assert len(bench.bodies(Fault)) == 1, "one loss is one fault"
    bench.beat()
    assert bench.playing
    check_log(bench)


def test_an_agent_that_says_nothing_is_lost_too():
    """No beat for two thirds of what the policy forgives: treated as lost before the log has a hole."""
    bench = Bench().study()
    bench.play(25_000, beats=False)
    assert not bench.playing
    assert bench.bodies(Fault)[0].what == "agent"  # type: ignore[attr-defined]
    check_log(bench)


def test_a_pausing_finding_says_how_to_go_on():
    """Pause until the cause is gone; "I closed it, check again" asks the agent."""
    bench = Bench().study()
    bench.play(2_000)
    bench.send(found())
    assert not bench.playing
    assert bench.bodies(Paused)[-1].because == "finding"  # type: ignore[attr-defined]
    assert bench.cuts[-1] == len(bench.log)
    bench.press("recheck")
    assert effects.Recheck() in bench.done
    bench.send(FindingCleared("macro.key"))
    assert bench.playing
    check_log(bench)


def test_a_finding_does_no_more_than_the_policy_lets_it():
    """responses: the gravest response of a severity; a rule that asks for more only reports."""
    bench = Bench().study()
    bench.send(found(severity="medium", response="block"))
    assert bench.bodies(Finding)[0].response == "report"  # type: ignore[attr-defined]
    assert bench.playing


def test_rest_costs_nothing():
    """A rest pauses, is no finding, and play goes on where it stopped."""
    bench = Bench().study()
    bench.play(5_000)
    bench.press("rest")
    assert bench.bodies(Paused)[-1].because == "rest"  # type: ignore[attr-defined]
    bench.play(60_000)
    assert not bench.playing
    place = bench.state.position_ms
    bench.press("play")
    assert bench.bodies(Resumed)[-1].pos == place  # type: ignore[attr-defined]
    assert not bench.bodies(Finding)
    check_log(bench)


def test_no_seek_past_what_was_seen():
    """The learner goes back freely and forward only to where the lesson was shown."""
    bench = Bench().study()
    bench.play(20_000)
    seen = bench.state.seen_ms
    assert seen > 5_000
    bench.send(SeekAsked(3_000))
    assert bench.done[-1] == effects.Seek(3_000) or effects.Seek(3_000) in bench.done
    bench.play(3_000)
    bench.send(SeekAsked(500_000))
    assert [e for e in bench.done if isinstance(e, effects.Seek)][-1].position_ms <= max(seen, bench.state.seen_ms)
    check_log(bench)


def test_a_player_that_jumps_ahead_is_brought_back():
    """A position that no clock explains is not claimed, and the picture goes back to what was seen."""
    bench = Bench().study()
    bench.play(5_000)
    place = bench.place
    bench.place += 100_000
    bench.tick(100)
    bench.progress()
    assert [e for e in bench.done if isinstance(e, effects.Seek)][-1].position_ms <= place + 500
    bench.play(3_000)
    check_log(bench)
    assert max(span.to for span in bench.spans()) < place + 10_000


def test_a_picture_that_runs_ahead_of_the_clock_is_claimed_up_to_the_clock():
    """(to − from) · 1000 ≤ rate · (mono − start + 250), whatever the sound card's clock thinks."""
    bench = Bench().study()
    for _ in range(300):
        bench.tick(100)
        bench.place += 102
        bench.progress()
        bench.look()
        if bench.state.now % 5_000 < 100:
            bench.beat()
    bench.press("rest")
    check_log(bench)


def test_a_unit_that_ends_offers_the_next():
    """The end of a unit pauses with unit_end; Next loads the following one."""
    bench = Bench(units=(("one", 20_000), ("two", 20_000))).study()
    bench.play(25_000)
    assert bench.bodies(Paused)[-1] == Paused("one", 20_000, "unit_end")
    assert bench.state.finished
    bench.press("play")
    assert effects.Load("two", 0) in bench.done
    bench.play(5_000)
    assert {span.unit for span in bench.spans()} == {"one", "two"}
    check_log(bench)


def test_the_last_unit_asks_for_the_closing_check():
    """The last unit completes: one look, then `closed`."""
    bench = Bench(units=(("one", 20_000),)).study()
    bench.play(21_000)
    assert bench.bodies(Asked) == [Asked("close")]
    bench.answer(order=order("close"))
    bench.pass_check()
    assert not bench.over, "the answer that is on its way may still bring an order"
    bench.answer()
    assert bench.over
    assert bench.verbs[-3:] == ["answered", "cosigned", "closed"]
    assert sum(span.to - span.from_ for span in bench.spans()) == 20_000
    check_log(bench)


def test_nothing_to_prove_needs_no_closing_check():
    """Whoever ends right after a passed check is not looked at again."""
    bench = Bench().study()
    bench.press("rest")
    bench.answer(order=order())
    bench.pass_check()
    bench.press("end")
    bench.answer()
    assert bench.over
    assert not bench.bodies(Asked)


def test_an_order_on_its_way_is_not_run_away_from():
    """A check that the server issued must be answered: `closed` waits for what is on the wire, and takes the order."""
    bench = Bench().study()
    bench.play(5_000)
    bench.press("end")
    bench.answer(order=order(1))
    bench.pass_check()
    bench.answer(order=order(2))
    assert not bench.over
    bench.pass_check()
    bench.answer()
    assert bench.over
    assert [body.i for body in bench.bodies(Ordered)] == [0, 1, 2]  # type: ignore[attr-defined]
    check_log(bench)


def test_end_twice_ends_without_the_look():
    """The look is offered, not forced: a second press of End closes at once."""
    bench = Bench().study()
    bench.play(5_000)
    bench.press("end")
    assert isinstance(bench.state.stage, Closing)
    assert not bench.over
    bench.press("end")
    bench.answer()
    assert bench.bodies(Closed) == [Closed("ended")]
    check_log(bench)


def test_a_closing_check_that_never_comes_is_not_waited_for_for_ever():
    """Thirty seconds without an answer close the session all the same."""
    bench = Bench().study()
    bench.play(5_000)
    bench.press("end")
    for _ in range(310):
        bench.tick(100)
    assert bench.over


def test_the_session_limit_offers_the_look_in_time():
    """Before limits.session_ms the closing check is asked for; closed says limit."""
    bench = Bench(rules=policy(session_ms=60_000, offline_ms=0)).study()
    bench.play(56_000)
    assert bench.bodies(Asked)
    bench.answer(order=order("close"))
    bench.pass_check()
    bench.answer()
    assert bench.bodies(Closed) == [Closed("limit")]
    assert bench.log[-1].mono < 62_000


def test_without_a_network_the_offline_schedule_orders():
    """No answer for long: the log says so, and the checks of the offline seed come from the device itself."""
    bench = Bench().study()
    bench.send(SyncState(False, 0, 3))
    bench.play(120_000, answers=False)
    assert [fault.what for fault in bench.bodies(Fault)] == ["network"]  # type: ignore[attr-defined]
    cuts = [effect for effect in bench.done if isinstance(effect, effects.Cut)]
    assert not cuts[0].offline
    assert cuts[-1].offline
    bench.send(Metered(90_000, 25_000, order(1)))
    assert isinstance(bench.state.check, Announced)
    bench.pass_check()
    assert bench.playing
    check_log(bench)


def test_the_offline_limit_stops_the_lesson_and_loses_nothing():
    """Beyond limits.offline_ms the lesson waits for the network; an answer lets it go on."""
    bench = Bench(rules=policy(offline_ms=100_000)).study()
    bench.send(SyncState(False, 0, 3))
    bench.play(115_000, answers=False)
    bench.send(Metered(90_000, 100_000, None))
    assert bench.bodies(Paused)[-1].because == "network"  # type: ignore[attr-defined]
    pauses = bench.verbs.count("paused")
    bench.send(Metered(90_000, 99_950, None))
    bench.play(20_000, answers=False)
    assert bench.verbs.count("paused") == pauses, "a rest of 50 ms starts nothing"
    bench.send(SyncState(True, 0, 0))
    bench.answer()
    assert bench.playing
    check_log(bench)


def test_a_sleeping_machine_claims_nothing_of_its_sleep():
    """A hole in the ticks ends the span where it was last looked at; fault suspend; the learner presses Continue."""
    bench = Bench().study()
    bench.play(5_000)
    awake = bench.state.now
    bench.tick(600_000)
    played = [event for event in bench.log if isinstance(event.body, Played)][-1]
    assert played.mono <= awake
    assert bench.bodies(Fault)[-1].what == "suspend"  # type: ignore[attr-defined]
    assert bench.bodies(Paused)[-1].because == "suspended"  # type: ignore[attr-defined]
    check_log(bench)


def test_a_clock_that_jumps_is_a_fault_and_costs_nothing():
    """The wall clock is for people: a jump is logged, the lesson plays on."""
    bench = Bench().study()
    bench.play(2_000)
    bench.tick(100, wall=3_600_000)
    assert bench.bodies(Fault)[-1].what == "clock"  # type: ignore[attr-defined]
    assert bench.playing


def test_a_picture_that_cannot_go_on_is_a_fault_of_the_media():
    """fault media, pause; Continue loads it again at the same place."""
    bench = Bench().study()
    bench.play(3_000)
    bench.send(MediaFault("truncated"))
    assert bench.bodies(Paused)[-1].because == "media"  # type: ignore[attr-defined]
    place = bench.state.position_ms
    bench.press("play")
    assert [e for e in bench.done if isinstance(e, effects.Load)][-1] == effects.Load("pass", place)


def note(body: bodies.Body) -> str:
    return bodies.sign(body, COMMANDER).decode()


def test_a_command_is_logged_by_its_hash_and_carried_out_once():
    """pause stops the picture and shows the words; the same note again does nothing."""
    text = note(CommandNote(1, CLASS, SID, "pause", "请稍候"))
    bench = Bench().study()
    bench.answer(commands=(text,))
    assert bench.bodies(Paused)[-1].because == "command"  # type: ignore[attr-defined]
    assert bench.state.message == "请稍候"
    bench.answer(commands=(text,))
    assert bench.verbs.count("command") == 1
    bench.press("play")
    assert bench.playing


def test_a_command_to_another_session_is_nothing():
    """A replayed command of another session is neither logged nor carried out."""
    bench = Bench().study()
    bench.answer(commands=(note(CommandNote(1, CLASS, "ff" * 16, "pause", "")), "nonsense"))
    assert bench.playing
    assert "command" not in bench.verbs


def test_a_spot_check_is_a_check_of_the_supervisors_kind():
    """spot-<n> is ordered with the nonce and the kind of the supervisor's note."""
    spot = note(Spot(1, CLASS, SID, 7, NONCE, "liveness", 60_000))
    bench = Bench().study()
    bench.answer(commands=(spot,))
    assert isinstance(bench.state.check, Announced)
    assert bench.state.check.task.kind == "liveness"
    bench.pass_check()
    assert bench.bodies(Answered)[-1].i == "spot-7"  # type: ignore[attr-defined]
    check_log(bench)


def test_a_second_order_waits_its_turn():
    """One check is open at a time."""
    bench = Bench().study()
    bench.answer(order=order(1))
    bench.send(Metered(0, 0, order(1)))
    bench.pass_check()
    assert isinstance(bench.state.check, Announced)
    bench.pass_check()
    assert isinstance(bench.state.check, Idle)
    check_log(bench)


def test_nothing_follows_closed():
    """After `closed` the state moves on (cosigned), the log does not."""
    bench = Bench().study()
    bench.press("end")
    bench.press("end")
    bench.answer()
    assert bench.over
    size = len(bench.log)
    bench.answer(order=order(5))
    bench.beat()
    bench.send(found(), AgentLost("x"), CameraState(False, "cam", "bench", False))
    for _ in range(200):
        bench.tick(100)
    assert len(bench.log) == size
    assert isinstance(bench.state.stage, Over)


def test_a_first_answer_comes_before_anything_is_cosigned_twice():
    """`cosigned` names the size that the server saw, and never one beyond the log."""
    bench = Bench().study()
    bench.play(30_000)
    for event in bench.log:
        if isinstance(event.body, Cosigned):
            assert 0 < event.body.size <= event.seq


def test_judged_words_are_made_fit_for_the_log():
    """A reason that is no word becomes `other`; nothing that a proctor says can break the log."""
    bench = Bench().study()
    bench.answer(order=order())
    bench.pass_check("inconclusive", "two words\n")
    assert bench.bodies(Answered)[-1].reason == "other"  # type: ignore[attr-defined]
    assert events.encode(bench.log[-1])
    assert HASH


def test_attempting_begins_with_what_the_nonce_draws():
    """Kind and gestures come from the order's nonce by the published formula, thresholds from the policy."""
    rules = policy(opening_kind="liveness")
    bench = Bench(rules=rules).open()
    bench.answer(order=order(0))
    bench.press("ready")
    assert isinstance(bench.state.check, Attempting)
    request = [effect for effect in bench.done if isinstance(effect, effects.Begin)][-1].request
    assert request.kind == "liveness"
    assert 2 <= len(request.gestures) <= 3
    assert set(request.gestures) <= set(rules.gestures)
