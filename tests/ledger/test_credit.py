"""Credit: what was studied between two passed checks counts, once, and everything else is listed with its reason."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from ledger import checks, clocks, spans
from ledger import credit as crediting
from ledger import events as ev
from ledger.bodies import Reversal, Spot, Verdict
from ledger.credit import Credit, SessionRecord, credit
from ledger.errors import CreditError
from ledger.reasons import REASONS
from ledger.schedule import Order
from ledger.sessionlog import Stamp
from tests.ledger.story import NOON, Answer, Story, lesson, opened, passes, rules

POLICY = rules()
COURSE = lesson(60, 60)
FIRST, SECOND = 647_589, 1_365_113  # due_1 and due_2 of the published vector's seed, on eligible time
MINUTE = 60_000


def reasons(found: Credit) -> dict[str, int]:
    """Reason → ms not credited."""
    sums: dict[str, int] = {}
    for session in found.sessions:
        for part in session.not_credited:
            sums[part.reason] = sums.get(part.reason, 0) + part.ms
    return sums


def outcomes(found: Credit, session: int = 0) -> list[tuple[int | str, str, str]]:
    """(check, outcome, why) in leaf order."""
    return [(check.i, check.outcome, check.why) for check in found.sessions[session].checks]


def story(**fields: object) -> Story:
    """A session opened under the standard rules, its opening check passed."""
    return opened(POLICY, COURSE, **fields)


def result(record: SessionRecord, *more: SessionRecord) -> Credit:
    """The credit of these sessions under the standard rules."""
    return credit([record, *more], COURSE, POLICY)


def answering(**by_check: tuple[str, str, int]) -> Answer:
    """Answers by check and attempt, as `c1a0=("failed", "other_person", 3_000)`; everything else passes."""
    return lambda order: by_check.get(f"c{order.i}a{order.a}", passes(order))


# --- proof by checks --------------------------------------------------------------------------------------------------


def test_seven_minutes_with_a_closing_check_are_all_credited() -> None:
    """A short lesson between the opening and the closing check earns every one of its milliseconds."""
    course = lesson(7)
    record = opened(POLICY, course).play(7 * MINUTE).close()
    found = credit([record], course, POLICY)
    assert found.credited_ms == 7 * MINUTE
    assert not found.sessions[0].not_credited
    assert found.units[0].missing == ()


def test_a_span_between_two_passes_is_proven_and_the_tail_is_not() -> None:
    """A random check in the middle proves what lies before it; after the last check nothing is proven."""
    found = result(story().play(20 * MINUTE).close(check=False))
    proven = 660_000  # the check came with the first segment end beyond due_1
    assert outcomes(found) == [(0, "passed", ""), (1, "passed", "")]
    assert found.credited_ms == proven
    assert reasons(found) == {"no_check_after": 20 * MINUTE - proven}
    assert found.units[0].missing == ((proven, 60 * MINUTE),)


def test_a_closing_check_proves_the_tail() -> None:
    """One look at the end, so that the last minutes count."""
    found = result(story().play(20 * MINUTE).close())
    assert outcomes(found)[-1] == ("close", "passed", "")
    assert found.credited_ms == 20 * MINUTE


def test_a_failed_check_unproves_both_its_sides() -> None:
    """What lies before a failed check and what lies after it, up to the next passes, is not counted."""
    fails = {f"c1a{a}": ("failed", "other_person", 3_000) for a in range(3)}
    found = result(story(answers=answering(**fails)).play(40 * MINUTE).close())
    assert outcomes(found)[1] == (1, "failed", "other_person")
    assert found.sessions[0].checks[1].mismatch
    assert found.credited_ms == 40 * MINUTE - 1_380_000  # the first segment end beyond due_2
    assert reasons(found) == {"check_failed": 1_380_000}


def test_another_attempt_makes_it_good() -> None:
    """The outcome of a check is that of its last attempt: a failure followed by a pass costs nothing."""
    found = result(story(answers=answering(c1a0=("failed", "gesture", 9_000))).play(20 * MINUTE).close())
    assert outcomes(found)[1] == (1, "passed", "")
    assert found.sessions[0].checks[1].attempts == 2
    assert found.credited_ms == 20 * MINUTE


def test_inconclusive_to_the_last_attempt_is_missed_without_blame() -> None:
    """A dark room three times over is a miss and a help case, never a mismatch, and its sentence blames nobody."""
    dark = {f"c1a{a}": ("inconclusive", "dark", 30_000) for a in range(3)}
    found = result(story(answers=answering(**dark)).play(20 * MINUTE).close())
    missed = found.sessions[0].checks[1]
    assert (missed.outcome, missed.why, missed.attempts) == ("missed", "dark", 3)
    assert missed.help
    assert not missed.mismatch
    assert reasons(found) == {"check_unclear": 20 * MINUTE}


def test_an_unanswered_check_is_missed_at_its_due_place() -> None:
    """A learner who left the room at the check: nothing between the passes around it counts."""
    gone = story(answers=answering(c1a0=("ignored", "", 0))).play(11 * MINUTE)
    found = result(gone.close(check=False))
    missed = found.sessions[0].checks[1]
    assert (missed.i, missed.outcome, missed.why) == (1, "missed", "unanswered")
    due = next(span for span in gone.log if isinstance(span.body, ev.Played) and span.body.to >= FIRST)
    assert missed.place == (due.seq, 0)
    assert reasons(found) == {"check_missed": 11 * MINUTE}


def test_an_order_that_a_client_drops_is_a_miss() -> None:
    """A client that swallows the order and plays on loses what lies around it: first by `issued`, then by the slack."""
    crooked = story(answers=passes)
    crooked.play(630_000)
    crooked.obey = lambda order: None  # type: ignore[method-assign]
    crooked.play(30_000)
    assert crooked.desk.open is not None
    assert outcomes(result(crooked.record()))[-1] == (1, "missed", "not_ordered")
    crooked.play(10 * MINUTE)
    later = result(crooked.record(issued=-1))
    assert (1, "missed", "not_ordered") in outcomes(later)
    assert later.credited_ms == 0


def test_a_check_due_at_the_end_but_never_issued_is_no_miss() -> None:
    """The session ends before the server could order the check that had just become due: nobody missed anything."""
    honest = story().play(630_000)
    honest.network = False
    honest.play(30_000)
    honest.network = True
    honest.desk.next = lambda now: None  # type: ignore[method-assign]
    found = result(honest.close(check=False))
    assert found.sessions[0].online_ms > FIRST
    assert outcomes(found) == [(0, "passed", "")]


def test_an_order_that_got_lost_on_the_wire_costs_nothing() -> None:
    """The stored answer comes too late: answered at once as inconclusive, and attempt 1 has a time of its own."""
    late = story().play(630_000)
    late.network = False
    late.play(30_000)
    late.upload(note=False)
    late.wait(80_000)
    late.answers = answering(c1a0=("inconclusive", "network", 0))
    late.network = True
    order = late.upload()
    assert order
    late.obey(order)
    found = result(late.close())
    assert outcomes(found)[1] == (1, "passed", "")
    assert found.sessions[0].checks[1].attempts == 2
    assert found.credited_ms == 660_000


def test_a_pass_that_comes_too_late_is_no_pass() -> None:
    """On time is judged between two cosignatures, not by the client's clock."""
    policy = rules(max_attempts=1)
    slow = opened(policy, COURSE, answers=answering(c1a0=("passed", "ok", 81_000))).play(20 * MINUTE)
    found = credit([slow.close()], COURSE, policy)
    assert outcomes(found)[1] == (1, "missed", "late")
    assert set(reasons(found)) == {"check_missed"}
    in_time = opened(policy, COURSE, answers=answering(c1a0=("passed", "ok", 79_000))).play(20 * MINUTE)
    assert outcomes(credit([in_time.close()], COURSE, policy))[1] == (1, "passed", "")


def test_a_check_answered_before_it_could_be_ordered_is_stray() -> None:
    """Knowing the nonce ahead (an operator's leak) does not help: an order before its due moment proves nothing."""
    leaked = story().play(5 * MINUTE)
    leaked.obey(leaked.desk.schedule.order(1, 0))
    found = result(leaked.record())
    assert outcomes(found) == [(0, "passed", "")]
    assert [i for _, i in found.sessions[0].stray] == [1]
    assert found.credited_ms == 0


def test_an_order_that_no_cosignature_brought_is_stray() -> None:
    """The check is due, but the server has not yet seen that it is: only a leaked nonce can be in the log already."""
    leaked = story().play(630_000)
    leaked.network = False
    leaked.play(30_000)
    leaked.obey(leaked.desk.schedule.order(1, 0))
    leaked.network = True
    leaked.upload()
    found = result(leaked.record())
    assert [i for _, i in found.sessions[0].stray] == [1]
    assert found.credited_ms == 0


def test_a_second_attempt_has_a_time_of_its_own() -> None:
    """T(order) of attempt 1 is that of the cosignature over the answer to attempt 0, not of the first order."""
    slow = {"c1a0": ("failed", "gesture", 55_000), "c1a1": ("passed", "ok", 55_000)}
    found = result(story(answers=answering(**slow)).play(20 * MINUTE).close())
    assert outcomes(found)[1] == (1, "passed", "")


def test_an_order_obeyed_long_after_it_was_due_is_a_miss() -> None:
    """Keeping an order back until somebody is there again: beyond the slack it is missed, whatever follows."""
    kept = story().play(630_000)
    obey, late = kept.obey, []
    kept.obey = late.append  # type: ignore[method-assign]
    kept.play(4 * MINUTE)
    obey(late[0])
    found = result(kept.record())
    assert outcomes(found) == [(0, "passed", ""), (1, "missed", "not_ordered")]
    assert [i for _, i in found.sessions[0].stray] == [1]


def test_an_attempt_cannot_be_taken_twice() -> None:
    """A failed attempt repeated under its own number is stray; only a fresh nonce makes it good."""
    again = story(answers=answering(c1a0=("failed", "gesture", 3_000))).play(630_000)
    twice: list[Order] = []
    obey = again.obey

    def repeat(order: Order) -> None:
        if order.a == 0 and not twice:
            twice.append(order)
            obey(order)

    again.obey = repeat  # type: ignore[method-assign]
    again.play(30_000)
    again.obey = lambda order: None  # type: ignore[method-assign]
    again.answers = passes
    obey(twice[0])
    found = result(again.record())
    assert outcomes(found) == [(0, "passed", ""), (1, "failed", "gesture")]
    assert found.credited_ms == 0


def test_a_check_said_to_be_issued_beyond_what_was_reached_is_a_miss_at_the_end() -> None:
    """An operator who says that more was ordered than the log can hold cannot prove anything with it."""
    record = story().play(5 * MINUTE).close(check=False)
    found = result(dataclasses.replace(record, issued=10**6))
    assert outcomes(found) == [(0, "passed", ""), (1, "missed", "not_ordered")]
    assert reasons(found) == {"check_missed": 5 * MINUTE}


def test_a_check_with_an_invented_nonce_proves_nothing() -> None:
    """A client that makes up its own closing check has no seed to draw it from."""
    forged = story().play(5 * MINUTE)
    forged.say(ev.Asked("close"))
    forged.upload()
    forged.obey(Order("close", 0, "ab" * 16, 60_000))
    found = result(forged.record())
    assert ("close", "passed", "") not in outcomes(found)
    assert found.credited_ms == 0


def test_a_check_of_another_kind_than_drawn_is_no_pass() -> None:
    """An easy kind instead of the drawn one is inconclusive, whatever its result says."""
    record = story().play(5 * MINUTE).close()
    log = [
        event._replace(body=dataclasses.replace(event.body, kind="attention"))
        if isinstance(event.body, ev.Answered) and event.body.i == "close"
        else event
        for event in record.events
        if event
    ]
    found = result(dataclasses.replace(record, events=log))
    assert outcomes(found)[-1] == ("close", "missed", "other_kind")


def test_a_withheld_entry_counts_as_a_failed_check() -> None:
    """Erasing a record never earns anything: what lies around it is no longer proven."""
    told = story().play(5 * MINUTE)
    words = told.say(ev.Note("c2VhbGVk"))
    record = told.play(15 * MINUTE).close()
    assert result(record).credited_ms == 20 * MINUTE
    log = [None if event and event.seq == words.seq else event for event in record.events]
    found = result(dataclasses.replace(record, events=log))
    assert ("", "failed", "withheld") in outcomes(found)
    assert reasons(found) == {"withheld": 660_000}  # from the opening check to the next one
    assert found.credited_ms == 20 * MINUTE - 660_000


def test_a_spot_check_counts_like_a_random_one() -> None:
    """A supervisor's own nonce proves like the server's; without the supervisor's note it is nothing."""
    spotted = story().play(5 * MINUTE)
    note = Spot(
        at=NOON, class_="s.example/c/k1", sid=spotted.sid, n=3, nonce="cd" * 16, kind_="match", deadline_ms=60_000
    )
    spotted.say(ev.Ordered("spot-3", 0, note.nonce, note.deadline_ms))
    spotted.wait(4_000)
    spotted.say(ev.Answered("spot-3", 0, "match", "passed", "ok", {}, {}, None))
    spotted.segment()
    with_note = spotted.record(spots={"spot-3": note})
    assert result(with_note).credited_ms == 5 * MINUTE
    assert result(spotted.record()).credited_ms == 0
    assert [i for _, i in result(spotted.record()).sessions[0].stray] == ["spot-3"]


def test_a_spot_check_has_one_attempt() -> None:
    """Its nonce is known once it was sent: a second try under it, passed or not, stands for nothing."""
    spotted = story().play(5 * MINUTE)
    note = Spot(
        at=NOON, class_="s.example/c/k1", sid=spotted.sid, n=3, nonce="cd" * 16, kind_="match", deadline_ms=60_000
    )
    for a, result_ in enumerate(("failed", "passed")):
        spotted.say(ev.Ordered("spot-3", a, note.nonce, note.deadline_ms))
        spotted.wait(4_000)
        spotted.say(ev.Answered("spot-3", a, "match", result_, "ok", {}, {}, None))
        spotted.segment()
    found = result(spotted.record(spots={"spot-3": note}))
    assert found.credited_ms == 0
    assert [(check.outcome, check.attempts) for check in found.sessions[0].checks if check.i == "spot-3"] == [
        ("failed", 1)
    ]
    assert [i for _, i in found.sessions[0].stray] == ["spot-3"]


def test_a_wanted_photo_that_is_absent_is_a_miss_only_with_consent_and_a_recipient() -> None:
    """`evidence_permille` binds those who agreed to photos and have somebody to send them to; nobody else."""

    def studied(*, agreed: bool, recipients: tuple[str, ...]) -> Credit:
        told = Story(POLICY, COURSE)
        object.__setattr__(told.grant, "recipients", recipients)
        told.say(ev.Consent("0" * 64, 1, "photos", agreed))
        told.wait(1_000)
        told.segment()
        return result(told.play(5 * MINUTE).close())

    assert studied(agreed=True, recipients=("key",)).credited_ms == 0
    assert studied(agreed=False, recipients=("key",)).credited_ms == 5 * MINUTE
    assert studied(agreed=True, recipients=()).credited_ms == 5 * MINUTE


def test_without_a_face_the_same_moments_prove_the_same() -> None:
    """The non-face route: `identify` at every check earns exactly what a face earns."""
    found = result(story(face=False).play(20 * MINUTE).close())
    assert found.credited_ms == 20 * MINUTE


def test_an_accommodation_lengthens_the_deadline() -> None:
    """A granted longer deadline makes the same slow answer a pass."""
    policy = rules(max_attempts=1)
    slow = opened(policy, COURSE, answers=answering(close=passes, c1a0=("passed", "ok", 100_000))).play(20 * MINUTE)
    record = slow.close()
    assert credit([record], COURSE, policy).credited_ms < 20 * MINUTE
    longer = dataclasses.replace(record, changes=({"deadline_ms": 180_000, "captions": True},))
    assert credit([longer], COURSE, policy).credited_ms == 20 * MINUTE


# --- the seed ---------------------------------------------------------------------------------------------------------


def test_the_device_computes_the_same_without_the_seed() -> None:
    """Before the seed is revealed, an honest log gives the learner's screen the figure that will be settled."""
    record = story().play(30 * MINUTE).close()
    own = dataclasses.replace(record, seed=None, issued=None)
    assert result(own).credited_ms == result(record).credited_ms == 30 * MINUTE


def test_a_wrong_seed_is_the_operators_failure() -> None:
    """A seed that was not committed to is named, and credit is computed from the orders in the log."""
    record = story().play(30 * MINUTE).close()
    found = result(dataclasses.replace(record, seed=bytes(32)))
    assert found.sessions[0].seed_wrong
    assert found.credited_ms == 30 * MINUTE


# --- spans and clocks -------------------------------------------------------------------------------------------------


def test_replayed_media_is_counted_once() -> None:
    """The second look at the same minutes is free and earns nothing more."""
    found = result(story().play(5 * MINUTE).seek(2 * MINUTE).play(5 * MINUTE).close())
    assert found.credited_ms == 7 * MINUTE
    assert reasons(found) == {"replay": 3 * MINUTE}


def test_media_cannot_outrun_the_clock() -> None:
    """Ten minutes of media in one minute of clock are no span at all: they move neither E nor credit."""
    crooked = story().play(MINUTE)
    begin = crooked.mono
    crooked.wait(20_000)
    crooked.say(ev.Played("u1", MINUTE, 11 * MINUTE, 1000, begin, 1))
    crooked.segment()
    found = result(crooked.close())
    assert found.credited_ms == MINUTE
    assert reasons(found) == {"faster": 10 * MINUTE}
    assert found.sessions[0].online_ms == MINUTE


def test_crumbs_do_not_add_up_to_hours() -> None:
    """A thousand spans of a millisecond, each within the 250 ms of jitter, earn a second and not four minutes."""
    crooked = story()
    for n in range(1_000):
        begin = crooked.mono
        crooked.wait(1)
        crooked.say(ev.Played("u1", n * 251, (n + 1) * 251, 1000, begin, 1))
    crooked.segment()
    found = result(crooked.close())
    assert found.sessions[0].online_ms == 1_000
    assert found.credited_ms <= 5_000  # what passed since the opening check, and one second
    assert "faster" in reasons(found)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ev.Played("u1", 0, 1_000, 2_000, 4_000, 1), "rate"),
        (ev.Played("u9", 0, 1_000, 1_000, 4_000, 1), "unit"),
        (ev.Played("u1", 1_000, 1_000, 1_000, 4_000, 1), "range"),
        (ev.Played("u1", 5_000, 1_000, 1_000, 4_000, 1), "range"),
        (ev.Played("u1", 0, 60 * MINUTE + 1, 1_000, 4_000, 1), "range"),
        (ev.Played("u1", 0, 1_000, 1_000, 900_000, 1), "overlap"),
        (ev.Played("u1", 0, 1_000, 1_000, 3_999, 1), "overlap"),
    ],
)
def test_a_span_that_cannot_be_is_named_and_counts_nowhere(body: ev.Played, reason: str) -> None:
    """Rate, unit, range and order of spans: each fault has its own reason and moves nothing."""
    crooked = story()
    crooked.say(ev.Played("u9", 0, 1, 1000, crooked.mono, 1))  # counts nowhere, and ends at 4 s of the device's clock
    crooked.wait(10_000)
    crooked.say(body)
    crooked.segment()
    found = result(crooked.close())
    assert [part.reason for part in found.sessions[0].not_credited] == ["unit", reason]
    assert found.sessions[0].online_ms == 0
    assert found.credited_ms == 0


def test_a_device_clock_that_runs_ahead_earns_the_servers_time_only() -> None:
    """Ten minutes on a clock that was pushed ahead by five earn the five that passed, and the slack."""
    crooked = story().play(2 * MINUTE)
    for _ in range(10):
        begin = crooked.mono
        crooked.wait(15_000)
        crooked.drift += 15_000
        crooked.say(ev.Played("u1", crooked.at, crooked.at + 30_000, 1000, begin, 1))
        crooked.at += 30_000
        crooked.segment()
    found = result(crooked.close())
    slack = POLICY.clock_slack_ms + 2_000  # cosignatures count whole seconds
    assert 4.5 * MINUTE - 2_000 <= found.credited_ms <= 4.5 * MINUTE + slack
    assert reasons(found)["clock"] == 7 * MINUTE - found.credited_ms


def test_a_clock_that_stood_cannot_be_made_up_for_later() -> None:
    """Each cosignature is a new reference: minutes lost in a sleep do not excuse minutes gained later."""
    slept = story().play(MINUTE)
    slept.wait(5 * MINUTE)
    slept.drift -= 5 * MINUTE
    slept.play(MINUTE)
    begin = slept.mono
    slept.wait(1_000)
    slept.drift += 5 * MINUTE
    slept.say(ev.Played("u1", slept.at, slept.at + 5 * MINUTE, 1000, begin, 1))
    slept.segment()
    found = result(slept.close())
    assert found.credited_ms <= 2 * MINUTE + 1_000 + POLICY.clock_slack_ms + 1_000


def test_false_pauses_do_not_make_room_for_crumbs() -> None:
    """Pauses that the server's clock knows nothing of do not let the lead of the media run off."""
    crooked = story()

    def crumb(gap: int, media: int) -> None:
        crooked.drift += gap
        begin = crooked.mono
        crooked.drift += 1
        crooked.say(ev.Played("u1", crooked.at, crooked.at + media, 1000, begin, 1))
        crooked.at += media

    for _ in range(60):
        crumb(100_000, 1)  # a false pause: this span takes the jump upon itself
        crooked.upload()
        crooked.wait(1_000)
        crooked.drift -= 1_000
        for gap in (0, 0, 0, 250, 250, 250):
            crumb(gap, 251)
        crooked.upload()
    found = result(crooked.close())
    assert found.credited_ms <= crooked.now - NOON + POLICY.clock_slack_ms + 1_000
    assert "faster" in reasons(found)


def test_time_cannot_hide_between_a_checkpoint_and_its_cosigned_event() -> None:
    """Spans after a checkpoint and before its `cosigned` are dated by the cosignatures around them all the same."""
    crooked = story().play(MINUTE)
    for _ in range(10):
        crooked.upload(note=False)
        begin = crooked.mono
        crooked.drift += 60_000
        crooked.say(ev.Played("u1", crooked.at, crooked.at + 60_000, 1000, begin, 1))
        crooked.at += 60_000
        crooked.stamps.append(_stamp(crooked))
        crooked.say(ev.Cosigned(crooked._sent, "line", "192.0.2.1"))
        crooked.wait(2_000)
    found = result(crooked.close())
    passed = crooked.now - NOON
    assert found.credited_ms <= passed + POLICY.clock_slack_ms + 1_000


def _stamp(crooked: Story) -> Stamp:
    assert crooked.last
    return Stamp(len(crooked.log), *crooked.last)


def test_a_jump_of_the_clock_costs_its_own_length_and_no_more() -> None:
    """A laptop that slept, or a server whose clock was set back: one jump is taken off once, the rest counts."""
    jumped = story().play(2 * MINUTE)
    jumped.drift += 20_000
    found = result(jumped.play(3 * MINUTE).close())
    assert 5 * MINUTE - 20_000 <= found.credited_ms <= 5 * MINUTE - 15_000


def test_a_record_that_no_cosignature_covers_waits() -> None:
    """Before the receipt nothing is counted and nothing is lost: the reason says that it waits."""
    waiting = story().play(MINUTE)
    waiting.network = False
    waiting.play(30_000)
    record = waiting.close(check=False)
    assert "pending" not in reasons(result(record))  # no check follows: that is the first reason
    closing = story().play(MINUTE)
    closing.say(ev.Asked("close"))
    closing.upload()
    order = closing.desk.open
    assert order
    closing.say(ev.Ordered(order.i, order.a, order.nonce, order.deadline_ms))
    closing.say(ev.Answered("close", 0, "match", "passed", "ok", {}, {}, None))
    assert reasons(result(closing.record())) == {"pending": MINUTE}


# --- off line ---------------------------------------------------------------------------------------------------------


def off_line(minutes: int, **fields: object) -> Story:
    """Five minutes on line, then the network goes for so many minutes."""
    away = story(**fields).play(5 * MINUTE)
    away.network = False
    return away.play(minutes * MINUTE)


def test_sparse_cosignatures_make_spans_off_line() -> None:
    """After 90 s of span time without a `cosigned` event, F counts and E stands."""
    away = off_line(10)
    record = away.record()
    found = result(record).sessions[0]
    assert found.online_ms == 5 * MINUTE + 90_000
    assert found.offline_ms == 10 * MINUTE - 90_000


def test_off_line_study_counts_once_the_network_is_back() -> None:
    """The device orders its own checks; with a passed check on line afterwards all of it is credited."""
    away = off_line(40)
    away.network = True
    found = result(away.close())
    assert any(check.mode == "offline" for check in found.sessions[0].checks)
    assert found.credited_ms == 45 * MINUTE


def test_off_line_study_waits_for_a_check_on_line() -> None:
    """Closed off line, with a closing check from the offline seed: proven, but not yet confirmed."""
    away = off_line(40)
    record = away.close()
    away.network = True
    away.upload(note=False)
    record = dataclasses.replace(record, last=away.last)
    alone = result(record)
    assert outcomes(alone)[-1] == ("close", "passed", "")
    assert set(reasons(alone)) == {"offline_unconfirmed"}
    assert alone.credited_ms == 5 * MINUTE + 90_000
    following = story(sid="0" * 31 + "2", order=2, prev=record.sid, now=away.now + MINUTE, seed=bytes(32))
    both = result(record, following.close(check=False))
    assert both.credited_ms == 45 * MINUTE


def test_a_second_closing_check_has_a_time_of_its_own() -> None:
    """Asked for off line and served by the offline seed; asked for again on line an hour later: that one is on time."""
    away = off_line(5)
    away.say(ev.Asked("close"))
    away.segment()
    away.network = True
    away.segment()
    found = result(away.play(10 * MINUTE).close())
    closing = [(check.mode, check.outcome) for check in found.sessions[0].checks if check.i == "close"]
    assert closing == [("offline", "passed"), ("online", "passed")]
    assert found.credited_ms == 20 * MINUTE


def test_asking_twice_does_not_stretch_the_deadline() -> None:
    """The closing check's time runs from the first `asked`: asking again while it waits moves nothing."""
    crooked = story(answers=passes).play(5 * MINUTE)
    crooked.say(ev.Asked("close"))
    order = crooked.upload()
    assert order
    crooked.wait(10 * MINUTE)
    crooked.say(ev.Asked("close"))
    crooked.upload()
    crooked.answers = answering(closea1=("ignored", "", 0))
    crooked.say(ev.Ordered(order.i, order.a, order.nonce, order.deadline_ms))
    crooked.say(ev.Answered("close", 0, "match", "passed", "ok", {}, {}, None))
    crooked.upload()
    assert outcomes(result(crooked.record()))[-1] == ("close", "missed", "late")


def test_beyond_the_offline_limit_nothing_counts() -> None:
    """F beyond the grant's offline_ms is listed, not credited."""
    away = off_line(40, offline_ms=30 * MINUTE)
    away.network = True
    found = result(away.close())
    beyond = 40 * MINUTE - 90_000 - 30 * MINUTE
    assert reasons(found) == {"offline_limit": beyond}


# --- what the log holds against a span --------------------------------------------------------------------------------


def _contradicted(before: ev.Body, **changes: object) -> dict[str, int]:
    policy = rules(**changes)
    told = opened(policy, COURSE).play(MINUTE)
    told.say(before)
    told.play(30_000)
    return reasons(credit([told.close()], COURSE, policy))


def test_what_plays_while_another_window_is_in_front_earns_nothing() -> None:
    """A span after `focus` was lost contradicts itself."""
    assert _contradicted(ev.Focus(False, 0, "x11")) == {"not_foreground": 30_000}


def test_a_platform_that_cannot_tell_follows_the_policy() -> None:
    """foreground_unknown: credited and flagged by default, not credited under `pause`."""
    assert _contradicted(ev.Focus(True, None, "wayland")) == {}
    assert _contradicted(ev.Focus(True, None, "wayland"), foreground_unknown="pause") == {"foreground_unknown": 90_000}
    told = opened(POLICY, COURSE).play(MINUTE).close()
    assert credit([told], COURSE, POLICY).sessions[0].flagged_ms == MINUTE


def test_absence_counts_after_its_grace() -> None:
    """Looking down to write is presence; nobody for longer than the grace is not."""
    assert _contradicted(ev.Presence(0)) == {}
    assert _contradicted(ev.Presence(0), absence_grace_ms=10_000) == {"absent": 30_000}


def test_a_pausing_finding_stops_credit_until_it_is_resumed() -> None:
    """What plays on after a pausing finding earns nothing; an informing one changes nothing."""
    row: dict[str, str | int | bool | None] = {"name": "xdotool"}
    assert _contradicted(ev.Finding("macro", 1, "high", "pause", row)) == {"finding": 30_000}
    assert _contradicted(ev.Finding("macro", 1, "low", "inform", row)) == {}


def test_what_plays_while_a_check_is_open_earns_nothing() -> None:
    """The lesson stands still during a check; a client that plays on earns nothing by it."""
    crooked = story().play(MINUTE)
    crooked.say(ev.Asked("close"))
    order = crooked.upload()
    assert order
    crooked.say(ev.Ordered(order.i, order.a, order.nonce, order.deadline_ms))
    begin = crooked.mono
    crooked.wait(20_000)
    crooked.say(ev.Played("u1", crooked.at, crooked.at + 20_000, 1000, begin, 1))
    crooked.say(ev.Answered("close", 0, "match", "passed", "ok", {}, {}, None))
    crooked.play(30_000)
    found = result(crooked.record())
    assert reasons(found)["order_open"] == 20_000
    assert found.credited_ms == MINUTE


def test_a_hole_in_the_heartbeats_is_a_hole_in_the_credit() -> None:
    """Where the policy asks for an agent, time without its beats earns nothing; with them it does."""
    policy = rules(agent_hole_ms=30_000)
    beat = ev.Heartbeat(1, 0, 0, "0" * 64, "0" * 64, "none")

    def studied(*, beats: int) -> Credit:
        told = opened(policy, COURSE)
        for n in range(10):
            if n < beats:
                told.say(beat)
            told.play(30_000)
        return credit([told.close()], COURSE, policy)

    assert studied(beats=10).credited_ms == 5 * MINUTE
    assert reasons(studied(beats=5)) == {"agent_hole": 5 * 30_000}


# --- sessions, rulings, hours -----------------------------------------------------------------------------------------


def test_two_sessions_of_one_registration_add_up_without_overlap() -> None:
    """A ms goes to the session granted first; the order in which they are given does not matter."""
    first = story().play(10 * MINUTE)
    one = first.close()
    second = story(sid="0" * 31 + "2", order=2, prev=one.sid, now=first.now + MINUTE, seed=bytes(32))
    two = second.seek(8 * MINUTE).play(7 * MINUTE).close()
    found = result(one, two)
    assert [session.credited_ms for session in found.sessions] == [10 * MINUTE, 5 * MINUTE]
    assert found.units[0].intervals == ((0, 15 * MINUTE),)
    assert result(two, one) == found


def test_a_recovered_session_keeps_what_was_proven() -> None:
    """Killed in mid-lesson: what lay between passed checks stays, the tail is listed for make-up."""
    killed = story().play(20 * MINUTE)
    killed.say(ev.Closed("recovered"))
    killed.upload(note=False)
    one = killed.record()
    again = story(sid="0" * 31 + "2", order=2, prev=one.sid, now=killed.now + MINUTE, seed=bytes(32))
    found = result(one, again.seek(660_000).play(20 * MINUTE - 660_000).close())
    assert found.sessions[0].credited_ms == 660_000
    assert found.credited_ms == 20 * MINUTE
    (tail,) = found.sessions[0].not_credited
    assert (tail.from_, tail.to, tail.reason) == (660_000, 20 * MINUTE, "no_check_after")


def test_zeroing_and_its_reversal() -> None:
    """A verdict takes the spans it names, a reversal gives them back, and meanwhile they can be made up."""
    first = story().play(10 * MINUTE)
    one = first.close()
    verdict = Verdict(
        at=NOON,
        class_="s.example/c/k1",
        learner="1" * 32,
        sid=one.sid,
        from_=0,
        to=len(one.events),
        reason="substitute",
    )
    second = story(sid="0" * 31 + "2", order=2, now=first.now + MINUTE, seed=bytes(32)).play(4 * MINUTE).close()
    zeroed = credit([one, second], COURSE, POLICY, [("a" * 64, verdict)])
    assert [session.credited_ms for session in zeroed.sessions] == [0, 4 * MINUTE]
    assert reasons(zeroed) == {"zeroed": 10 * MINUTE}
    reversal = Reversal(at=NOON, class_="s.example/c/k1", verdict="a" * 64)
    back = credit([one, second], COURSE, POLICY, [("a" * 64, verdict), ("b" * 64, reversal)])
    assert [session.credited_ms for session in back.sessions] == [10 * MINUTE, 0]


def test_a_verdict_takes_only_the_spans_it_names() -> None:
    """Spans in seq [from, to): the others stay."""
    told = story().play(10 * MINUTE)
    one = told.close()
    seqs = [event.seq for event in told.log if isinstance(event.body, ev.Played)]
    verdict = Verdict(
        at=NOON, class_="s.example/c/k1", learner="1" * 32, sid=one.sid, from_=seqs[3], to=seqs[5], reason="x"
    )
    assert credit([one], COURSE, POLICY, [("a" * 64, verdict)]).credited_ms == 9 * MINUTE


def test_the_daily_cap_and_the_study_window_go_by_the_servers_time() -> None:
    """Beyond the day's cap and outside the programme's hours, study is listed and not credited."""
    capped = rules(daily_cap_ms=10 * MINUTE)
    record = opened(capped, COURSE).play(20 * MINUTE).close()
    found = credit([record], COURSE, capped)
    assert found.credited_ms == 10 * MINUTE
    assert reasons(found) == {"daily_cap": 10 * MINUTE}
    evening = rules(study_window=("08:00", "12:10"))
    record = opened(evening, COURSE).play(20 * MINUTE).close()
    found = credit([record], COURSE, evening)
    assert set(reasons(found)) == {"outside_hours"}
    assert 9 * MINUTE <= found.credited_ms <= 10 * MINUTE


def test_two_sessions_with_one_name_are_refused() -> None:
    """A sid stands for one session; giving it twice is an error, not double credit."""
    record = story().play(MINUTE).close()
    with pytest.raises(CreditError):
        result(record, dataclasses.replace(record, order=9))


def test_every_reason_has_its_sentences() -> None:
    """Each reason that credit can give stands in the table, in both languages, without a word of reproach."""
    used = set()
    for module in (crediting, checks, clocks, spans):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        used |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    assert set(REASONS) <= used, "a reason that nothing gives"
    for reason in REASONS.values():
        assert reason.en.endswith(".")
        assert reason.zh.endswith("。")
        for word in ("失败", "违规", "作弊", "cheat", "suspicious", "attack", "failed face"):
            assert word not in reason.zh + reason.en.lower()
