"""One check from its order to its last answer: notice, attempt, result, another attempt or the end of it.

Pure moves on a `Turn` (study-session.md, "Random checks"). One check is open at a time; an order that comes meanwhile
waits its turn. The lesson stands still from `ordered` to the last `answered`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from client import effects, question
from client.events import Identified, Judged, Order, Replied
from client.machine import GRAVITY
from client.ports import CheckRequest
from client.state import Announced, Attempting, Idle, Outcome, Over, Studying, Task, Waiting
from client.turn import Turn
from ledger import schedule
from ledger.events import Answered, Fault, Finding, Ordered

LATE_MS: Final = 1_500  # the proctor ends an attempt at its deadline; this much later we end it ourselves
WAIT_MS: Final = 10_000  # for the answer that may bring another attempt; then the lesson goes on
HELP: Final = "help"  # why the lesson stands while the other way is offered
NO_HELP: Final = ("ok", "network", "ended", "other_person")  # reasons that another way of looking would not change
DOUBTED: Final = (
    "pad", "pad_threshold", "pad_frames", "pad_near", "pad_wide", "pad_beat", "pad_moved", "pad_lips", "pad_before",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def receive(turn: Turn, order: Order, *, offline: bool) -> None:
    """Take an order once; a repeated answer of the server orders nothing twice."""
    known = (order.i, order.a, offline)
    if known in turn.state.ordered or isinstance(turn.state.stage, Over):
        return
    turn.set(ordered=turn.state.ordered | {known}, queue=(*turn.state.queue, (order, offline)))


def settle(turn: Turn) -> None:
    """Move the open check on as far as the moment allows, then open the next that waits."""
    state = turn.state
    match state.check:
        case Announced(task, at) if state.now >= at:
            _begin(turn, task)
        case Attempting(task) if state.now > task.until + LATE_MS:
            turn.do(effects.Cancel())
            answer(turn, task, Judged(task.order.i, task.order.a, task.kind, "inconclusive", "late"))
        case Attempting() as open_:
            question.settle(turn, open_)
        case Waiting(task, size, until) if state.cosigned >= size or state.now >= until or state.queue:
            turn.set(check=Idle())
            if not any(_continues(task, order, offline) for order, offline in state.queue):
                _conclude(turn, task)
        case _:
            pass
    if isinstance(turn.state.check, Idle) and turn.state.queue:
        (order, offline), *rest = turn.state.queue
        turn.set(queue=tuple(rest))
        _open(turn, order, offline=offline)


def _continues(task: Task, order: Order, offline: bool) -> bool:
    return order.i == task.order.i and order.a == task.order.a + 1 and offline == task.offline


def _open(turn: Turn, order: Order, *, offline: bool) -> None:
    """Log the order and announce it; one that the network delivered too late is answered at once."""
    state = turn.state
    policy = state.rules.policy
    drawn = schedule.drawn(bytes.fromhex(order.nonce), order.i, policy, state.kinds.get(str(order.i)))
    late = 0 if offline else state.late_ms(order)
    until, photo = state.now + max(0, order.deadline_ms - late), drawn.evidence and state.rules.photos is not None
    task = Task(order, drawn.kind, drawn.gestures, until, offline, photo)
    turn.end_span()
    if order.i == schedule.CLOSE and offline:
        turn.set(asked=False, asked_offline=True)  # the committed seed still has its own
    turn.log(Ordered(order.i, order.a, order.nonce, order.deadline_ms))
    turn.stop("check")
    if late > policy.net_slack_ms:
        answer(turn, task, Judged(order.i, order.a, drawn.kind, "inconclusive", "network"))
        return
    turn.set(check=Announced(task, state.now + policy.notice_ms), chimes=turn.state.chimes + 1)


def ready(turn: Turn) -> None:
    """The learner does not need the rest of the notice."""
    if isinstance(turn.state.check, Announced):
        _begin(turn, turn.state.check.task)


def _begin(turn: Turn, task: Task) -> None:
    state = turn.state
    turn.set(prompt=None)
    if task.kind in question.ASKED:
        question.begin(turn, task)
        return
    turn.set(check=Attempting(task))
    request = CheckRequest(
        check=task.order.i,
        attempt=task.order.a,
        kind=task.kind,
        gestures=task.gestures,
        deadline_ms=max(0, task.until - state.now),
        nonce=task.order.nonce,
        pad=state.rules.policy.pad,
        thresholds=state.rules.policy.flat_thresholds(),
        photo=state.rules.photos if task.photo else None,
    )
    turn.do(effects.Begin(request))


def judged(turn: Turn, verdict: Judged) -> None:
    """Take the proctor's word if it is about the open attempt; words about any other attempt are stale."""
    match turn.state.check:
        case Attempting(task) if (task.order.i, task.order.a) == (verdict.check, verdict.attempt):
            answer(turn, task, verdict)
        case _:
            pass


def replied(turn: Turn, reply: Replied) -> None:
    """The learner answered the question on the screen."""
    if isinstance(turn.state.check, Attempting):
        _take(turn, turn.state.check, question.replied(turn, turn.state.check, reply))


def told(turn: Turn, said: Identified) -> None:
    """The server's word on an attempt without a camera; stale words say nothing."""
    if isinstance(turn.state.check, Attempting):
        _take(turn, turn.state.check, question.told(turn, turn.state.check, said))


def _take(turn: Turn, open_: Attempting, verdict: Judged | None) -> None:
    if verdict is not None:
        answer(turn, open_.task, verdict)


def interrupted(turn: Turn, reason: str) -> None:
    """The detectors died under an attempt: nobody's fault, inconclusive."""
    if isinstance(turn.state.check, Attempting) and turn.state.check.task.kind not in question.ASKED:
        task = turn.state.check.task
        answer(turn, task, Judged(task.order.i, task.order.a, task.kind, "inconclusive", reason))


def answer(turn: Turn, task: Task, verdict: Judged) -> None:
    """Log the attempt's result, have it signed at once, and see whether it is the check's last."""
    order = task.order
    reason = verdict.reason if _WORD.fullmatch(verdict.reason) else "other"
    scores, models, photo = dict(verdict.scores), dict(verdict.models), _photo(turn, verdict)
    turn.log(Answered(order.i, order.a, task.kind, verdict.result, reason, scores, models, photo))
    if photo is not None:
        turn.set(photos=(*turn.state.photos, turn.state.wall))
    if verdict.doubts:
        turn.log(_doubted(turn, task, verdict))
    turn.cut()
    state = turn.state
    outcome = Outcome(verdict.result, state.now, state.tally.pending_ms, state.size, reason)
    turn.set(check=Idle(), prompt=None, outcome=outcome)
    if verdict.result == "passed":
        tally = turn.state.tally
        turn.count(passed=tally.passed + 1, checks=tally.checks + 1, pending_ms=0, mismatches=0)
    elif order.a + 1 < turn.state.rules.policy.max_attempts and not str(order.i).startswith("spot-"):
        until = turn.state.now + WAIT_MS
        turn.set(check=Waiting(task, turn.state.size, until), mismatched=reason == "other_person")
    else:
        turn.set(mismatched=reason == "other_person")
        _conclude(turn, task)
        if task.kind not in question.ASKED and reason not in NO_HELP:
            _help(turn, task, outcome)


def _doubted(turn: Turn, task: Task, verdict: Judged) -> Finding:
    """A challenge was not passed, and what was seen speaks for a picture: with its reasons, for a person to decide.

    It is reported and never does more: one model is a signal, and nobody is stopped by it.
    """
    seen = {name: verdict.scores[name] for name in DOUBTED if name in verdict.scores}
    said = {"check": str(task.order.i), "reasons": " ".join(verdict.doubts)[:200]}
    row: dict[str, str | int | bool | None] = {**said, "attempt": task.order.a, **seen}
    response = min("report", turn.state.rules.policy.responses.get("medium", "inform"), key=GRAVITY.index)
    return Finding("presence.not_clear", 1, "medium", response, row)


def _photo(turn: Turn, verdict: Judged) -> dict[str, str] | None:
    """What names the photo of an attempt; consent that went meanwhile took it along."""
    return dict(verdict.evidence) or None if turn.state.rules.photos is not None else None


def no_photos(turn: Turn) -> None:
    """The learner wants no more photos: none is taken, kept or sent from this moment on."""
    rules = turn.state.rules
    if rules.photos is None or rules.agreed is None:
        return
    turn.log(replace(rules.agreed, given=False))
    turn.set(rules=replace(rules, photos=None, agreed=None))
    turn.do(effects.Withdraw(rules.agreed.what))


def _conclude(turn: Turn, task: Task) -> None:
    """The check is over without a pass; the words for it are kind, the count is exact."""
    tally = turn.state.tally
    mismatches = tally.mismatches + 1 if turn.state.mismatched else tally.mismatches
    turn.count(checks=tally.checks + 1, mismatches=mismatches)
    if task.order.i == schedule.CLOSE and not task.offline:
        turn.set(close_tried=True)


def _help(turn: Turn, task: Task, outcome: Outcome) -> None:
    """No attempt could be decided: a help case, never misconduct. The log says so, the screen offers the other way."""
    if outcome.result == "inconclusive":
        said = f"help case: check {task.order.i} stayed open after {task.order.a + 1} attempts: {outcome.reason}"
        turn.log(Fault("proctor", said))
    if isinstance(turn.state.stage, Studying):
        turn.set(hold=HELP, help=outcome.reason)
