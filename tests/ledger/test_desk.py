"""The desk: one order at a time, when it is due and not before, the same for server, restart and a client off line."""

from __future__ import annotations

from ledger import events as ev
from ledger.desk import Desk
from ledger.schedule import CLOSE, Order, Schedule
from ledger.spans import Meter
from tests.ledger.story import OFFLINE_SEED, SEED, SID, Story, lesson, opened, rules

POLICY = rules()
COURSE = lesson(60)
FIRST = 647_589  # due_1 of the published vector


def orders(story: Story) -> list[tuple[int | str, int]]:
    """What was ordered, in the order of the log."""
    return [(event.body.i, event.body.a) for event in story.log if isinstance(event.body, ev.Ordered)]


def test_the_first_answer_carries_the_opening_check_and_the_next_only_when_due() -> None:
    """Nothing earlier says when: the segment with E >= due_1 brings check 1, the one before it nothing."""
    story = opened(POLICY, COURSE).play(630_000)
    assert orders(story) == [(0, 0)]
    story.play(30_000)
    assert orders(story) == [(0, 0), (1, 0)]
    assert story.desk.issued == 1


def test_one_order_at_a_time_the_lowest_first() -> None:
    """While an order is open nothing else is ordered, however much is due; then the lowest number comes."""
    policy = rules(min_gap_ms=1_000, max_gap_ms=10_000)
    story = Story(policy, COURSE)
    story.segment()
    story.answers = lambda order: ("ignored", "", 0)
    story.play(60_000)
    assert len(orders(story)) == 2
    open_order = story.desk.open
    assert open_order
    story.say(ev.Answered(open_order.i, open_order.a, "match", "passed", "ok", {}, {}, None))
    following = story.upload()
    assert following
    assert following.i == 2


def test_attempts_end_with_the_policy() -> None:
    """A failed attempt brings the next until max_attempts; then the check is over and the lesson goes on."""
    story = Story(POLICY, COURSE, answers=lambda order: ("failed", "gesture", 2_000))
    story.segment()
    assert orders(story) == [(0, 0), (0, 1), (0, 2)]
    assert story.desk.open is None


def test_each_attempt_is_drawn_anew() -> None:
    """The nonce of attempt 1 is another: what was asked before helps nobody."""
    plan = Schedule(SEED, SID, POLICY)
    assert len({plan.order(3, a).nonce for a in range(3)} | {plan.order(i, 0).nonce for i in range(3)}) == 6


def test_the_closing_check_waits_until_nothing_else_is_open_and_comes_once() -> None:
    """`asked` during an open check is heard; the closing check follows its answer, and never a second time."""
    story = opened(POLICY, COURSE)
    story.answers = lambda order: ("ignored", "", 0)
    story.play(660_000)
    story.say(ev.Asked("close"))
    assert story.upload() is None
    story.answers = lambda order: ("passed", "ok", 2_000)
    story.say(ev.Answered(1, 0, "match", "passed", "ok", {}, {}, None))
    story.segment()
    assert orders(story)[-1] == (CLOSE, 0)
    story.say(ev.Asked("close"))
    story.segment()
    assert orders(story).count((CLOSE, 0)) == 1


def test_nothing_is_ordered_after_the_end_or_after_what_is_no_event() -> None:
    """A closed session and one whose log can no longer be read get no orders."""
    ended = opened(POLICY, COURSE)
    ended.say(ev.Asked("close"))
    ended.say(ev.Closed("ended"))
    assert ended.upload() is None
    broken = Desk(Schedule(SEED, SID, POLICY), Meter(POLICY, COURSE))
    broken.feed(None)
    assert broken.next(0) is None


def test_an_order_that_the_client_swallowed_does_not_stop_the_others() -> None:
    """Beyond the slack the order is given up as missed, and the next check is ordered in its turn."""
    story = opened(POLICY, COURSE).play(630_000)
    obey, dropped = story.obey, []
    story.obey = dropped.append  # type: ignore[method-assign]
    story.play(10 * 60_000)
    story.obey = obey  # type: ignore[method-assign]
    story.play(10 * 60_000)
    assert [order.i for order in dropped] == [1]
    assert orders(story) == [(0, 0), (2, 0), (3, 0)]


def test_a_restarted_server_orders_the_same() -> None:
    """Fed the same log in the same segments, a new desk gives the same orders: nothing of it must be kept."""
    policy = rules(min_gap_ms=3_000, max_gap_ms=60_000)
    replies = iter([("passed", "ok", 2_000), ("failed", "gesture", 9_000), ("inconclusive", "dark", 50_000)] * 200)
    story = opened(policy, COURSE, answers=lambda order: next(replies)).play(20 * 60_000)
    story.close()
    again = Desk(Schedule(SEED, SID, policy), Meter(policy, COURSE))
    given: list[Order] = []
    sent = 0
    for stamp in story.stamps:
        for event in story.log[sent : stamp.size]:
            again.feed(event)
        sent = stamp.size
        order = again.next(stamp.time * 1000)
        given += [order] if order else []
    assert [(order.i, order.a) for order in given] == orders(story)
    assert again.issued == story.desk.issued > 10


def test_off_line_the_client_orders_by_the_other_seed_on_f() -> None:
    """No check 0; the first is due on F, ordered at a segment's end, and its nonce tells which seed it is."""
    story = opened(POLICY, COURSE)
    story.network = False
    plan = Schedule(OFFLINE_SEED, SID, POLICY)
    story.play(90_000 + plan.due(1) // 30_000 * 30_000)
    assert orders(story) == [(0, 0)]
    story.play(30_000)
    assert orders(story) == [(0, 0), (1, 0)]
    last = [event.body for event in story.log if isinstance(event.body, ev.Ordered)][-1]
    assert last.nonce == plan.nonce(1, 0).hex()


def test_off_line_lateness_is_judged_by_the_devices_clock() -> None:
    """mono(`answered`) − mono(`ordered`) beyond the deadline is late: another attempt follows."""
    desk = Desk(Schedule(OFFLINE_SEED, SID, POLICY), Meter(POLICY, COURSE), offline=True)
    base = ev.Event(0, 0, 0, SID, "0" * 32, ev.Asked("close"))
    desk.feed(base)
    order = desk.next(0)
    assert order
    desk.feed(base._replace(body=ev.Ordered(order.i, order.a, order.nonce, order.deadline_ms)))
    answered = ev.Answered(order.i, order.a, "match", "passed", "ok", {}, {}, None)
    desk.feed(base._replace(mono=60_001, body=answered))
    again = desk.next(60_001)
    assert again
    assert (again.i, again.a) == (CLOSE, 1)


def test_the_meter_tells_when_the_next_moment_counts_off_line() -> None:
    """`online` turns false once 90 s of span time lie since the last `cosigned`, and true again with the next."""
    story = opened(POLICY, COURSE)
    story.network = False
    story.play(60_000)
    assert story.own.meter.online
    story.play(30_000)
    assert not story.own.meter.online
    story.network = True
    story.upload()
    assert story.own.meter.online
