"""The session: one pure function from what happened to what is signed and what is done (study-session.md).

`step(state, signal)` returns the next state and the effects in order. No clock, no disk, no network, no screen: moments
come in with `Tick`, everything else as the signals of `client/events.py`. What is credited is not decided here; here it
is only made sure that the log says what happened, in the order that the verifier expects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from client import asking, checks, closing, motion, telling, tested
from client.effects import Effect, Rate, Recheck, RestartCamera, Seek
from client.events import (
    Identified,
    Judged,
    Marked,
    Order,
    Pressed,
    Progress,
    Prompt,
    Replied,
    SeekAsked,
    SegmentAnswered,
    Signal,
    SyncState,
    Tick,
)
from client.machine import blockers
from client.motion import Running, Starting, Still
from client.state import Attempting, Closing, Idle, Opening, Over, State, Studying
from client.turn import Turn
from ledger import bodies
from ledger.errors import LedgerError
from ledger.events import Body, Command, Cosigned


@dataclass(frozen=True, slots=True)
class Metered:
    """The ledger's meter after a segment: E and F in ms, and the offline check that is due, if one is."""

    online_ms: int
    offline_ms: int
    order: Order | None


Input = Signal | Metered


def begin(state: State, first: Iterable[Body]) -> tuple[State, tuple[Effect, ...]]:
    """The session opens: `opened` and the consents (`first`), what the machine said so far, and the first cut."""
    turn = Turn(replace(state, stage=Opening()))
    for body in first:
        turn.log(body)
    telling.first(turn)
    turn.cut()
    return turn.state, tuple(turn.effects)


def step(state: State, signal: Input) -> tuple[State, tuple[Effect, ...]]:
    """The state after `signal`, and what is to be done about it, in order."""
    turn = Turn(state)
    match signal:
        case Tick():
            telling.tick(turn, signal)
        case Progress():
            _progress(turn, signal)
        case Metered():
            _metered(turn, signal)
        case SegmentAnswered():
            _answered(turn, signal)
        case SyncState():
            turn.set(sync=signal)
        case Pressed(what):
            _pressed(turn, what)
        case SeekAsked(position):
            _seek(turn, position)
        case Judged():
            checks.judged(turn, signal)
        case Identified():
            checks.told(turn, signal)
        case Marked():
            tested.told(turn, signal)
        case Replied() if state.asking is not None and isinstance(state.check, Idle):
            asking.replied(turn, signal.choice)
        case Replied():
            checks.replied(turn, signal)
        case Prompt():
            if isinstance(state.check, Attempting):
                turn.set(prompt=signal)
        case _:
            telling.news(turn, state, signal)
    _settle(turn)
    return turn.state, tuple(turn.effects)


# --- the player -------------------------------------------------------------------------------------------------------


def _progress(turn: Turn, progress: Progress) -> None:
    state = turn.state
    if not state.loaded or progress.unit != state.unit.unit:
        return
    turn.set(progress=progress)
    match state.motion:
        case Starting() as starting if state.unit.live:
            if progress.playing and not progress.ended:
                _joins(turn, progress)
        case Starting() as starting if progress.ended:
            turn.set(motion=motion.moved(starting, progress, state.position_ms, state.now, state.logged_at))
        case Starting() as starting if motion.arrived(starting, progress, state.now):
            _moves(turn, starting, progress)
        case Running() as running:
            newest, goes_on = motion.advance(running, progress, state.now)
            turn.set(motion=newest)
            if not goes_on:
                turn.end_span()
                again = Starting(state.now, turn.state.position_ms)
                turn.set(motion=again)
                if not state.unit.live:  # a live picture that stood has perhaps missed something: the next word tells
                    _moves(turn, again, progress)
        case _:
            pass
    leg = turn.state.on_way
    if leg is not None and isinstance(turn.state.motion, Running) and turn.state.index == leg.index:
        if progress.ended or progress.position_ms >= leg.to_ms:
            _next_leg(turn)
    elif progress.ended and not isinstance(turn.state.motion, Still):
        turn.stop("unit_end")
        turn.set(finished=True)
        if turn.state.following is None and turn.state.unit.test:
            closing.ask(turn)  # the last minutes count first; the test may take its time, or be left
        elif turn.state.following is None:
            closing.close(turn, "ended")


def _joins(turn: Turn, progress: Progress) -> None:
    """A live picture moves: begin a span where it is, and remember what went by before it was joined."""
    state = turn.state
    if progress.rate != 1000:
        return
    missed = progress.position_ms - state.position_ms
    told = (missed, state.now) if missed > motion.JUMP_MS else state.passed
    running = motion.joined(progress, state.now, state.logged_at)
    turn.set(motion=running, position_ms=running.from_ms, passed=told)


def _next_leg(turn: Turn) -> None:
    """A part of the make-up is through: on to the next, which was seen before as well; after the last one it ends."""
    way, number = turn.state.way, turn.state.leg + 1
    if number == len(way):
        turn.stop("unit_end")
        turn.set(leg=number, finished=True)
        closing.close(turn, "ended")
        return
    leg, before = way[number], turn.state.index
    turn.end_span()
    turn.set(leg=number, position_ms=leg.from_ms)
    if leg.index == before:
        turn.do(Seek(leg.from_ms))
        turn.set(motion=Starting(turn.state.now, leg.from_ms))
    else:
        turn.stop("unit_end")
        turn.set(index=leg.index, position_ms=leg.from_ms, loaded=False, progress=None, asking=None)


def _moves(turn: Turn, starting: Starting, progress: Progress) -> None:
    """The picture moves (or has jumped): begin a span there, but never past what was seen."""
    state = turn.state
    if not progress.playing or progress.ended or progress.rate not in state.rules.policy.rates:
        return
    if progress.position_ms > max(state.seen_ms, state.position_ms) + motion.JUMP_MS:
        turn.do(Seek(state.position_ms))
        return
    running = motion.moved(starting, progress, state.position_ms, state.now, state.logged_at)
    turn.set(motion=running, position_ms=running.from_ms)


def _seek(turn: Turn, position: int) -> None:
    """Go back to what was seen; the session allows nothing further."""
    state = turn.state
    idle = isinstance(state.check, Idle) and isinstance(state.stage, Studying)
    if not idle or not state.loaded or state.unit.live:
        return
    if state.rules.policy.seek == "seen":
        position = min(position, max(state.seen_ms, state.position_ms))
    position = max(0, min(position, state.unit.duration_ms))
    was = state.motion
    turn.end_span()
    turn.do(Seek(position))
    again = was if isinstance(was, Still) else Starting(state.now, position)
    turn.set(position_ms=position, finished=False, motion=again)


# --- the server -------------------------------------------------------------------------------------------------------


def _answered(turn: Turn, answer: SegmentAnswered) -> None:
    """A segment is cosigned: two-sided signed time, perhaps an order, perhaps commands."""
    state = turn.state
    ahead = answer.time_ms - state.now
    turn.set(
        cosigned=max(state.cosigned, answer.size),
        ahead_ms=ahead if state.ahead_ms is None else max(ahead, state.ahead_ms),
    )
    if isinstance(state.stage, Over):
        return
    turn.split()
    turn.log(Cosigned(answer.size, answer.line, answer.seen[:200]))
    turn.count(unsigned_ms=0)
    turn.set(offline=False, silent_since=None)
    for text in answer.commands:
        _command(turn, text, answer.time_ms)
    if answer.order is not None:
        _order(turn, answer.order, answer.time_ms)
    if isinstance(state.stage, Opening):
        turn.set(stage=Studying())
    closing.heard(turn)


def _order(turn: Turn, order: Order, time_ms: int) -> None:
    """Remember when the order was given, for the first time that it is, and let it wait its turn."""
    turn.set(given={(order.i, order.a): time_ms, **turn.state.given})
    checks.receive(turn, order, offline=False)


def _command(turn: Turn, text: str, time_ms: int) -> None:
    """Carry out a signed note of the server once; its signature was verified when it arrived."""
    try:
        body, note = bodies.parse(text.encode())
    except LedgerError:
        return
    if note.digest in turn.state.commands:
        return
    match body:
        case bodies.Command(sid=sid, do=do, text=words) if sid == turn.state.rules.sid:
            turn.log(Command(note.digest))
            turn.set(message=words, commands=turn.state.commands | {note.digest})
            if do == "pause":
                turn.set(hold="command")
            elif do == "check":
                turn.do(Recheck())
        case bodies.Spot(sid=sid) if sid == turn.state.rules.sid:
            turn.log(Command(note.digest))
            name = f"spot-{body.n}"
            turn.set(kinds={**turn.state.kinds, name: body.kind_}, commands=turn.state.commands | {note.digest})
            _order(turn, Order(name, 0, body.nonce, body.deadline_ms), time_ms)
        case _:
            pass


def _metered(turn: Turn, metered: Metered) -> None:
    turn.count(online_ms=metered.online_ms, offline_ms=metered.offline_ms)
    if metered.order is not None and isinstance(turn.state.stage, Studying | Closing):
        checks.receive(turn, metered.order, offline=True)


# --- the learner ------------------------------------------------------------------------------------------------------


def _pressed(turn: Turn, what: str) -> None:
    state = turn.state
    match what:
        case "play" if state.finished and state.asking is None:
            _next_unit(turn)
        case "play":
            turn.set(hold="", help="", message="", media_fault="")
            if state.machine.camera is not None and not state.machine.camera.available:
                turn.do(RestartCamera())
        case "live" if state.live_on is not None and isinstance(state.check, Idle) and not state.way:
            turn.stop("unit_end")
            _go_to(turn, state.live_on)
        case "test":
            tested.begin(turn)
        case "rate":
            _next_rate(turn)
        case "rest":
            turn.set(hold="rest")
            turn.count(studied_ms=0)
        case "end":
            closing.close(turn, "ended")
        case "other_way" if state.rules.face:
            turn.set(other_way=True)
            closing.leave(turn)
        case "recheck":
            turn.do(Recheck())
        case "no_photos":
            checks.no_photos(turn)
        case "ready":
            turn.set(message="")
            checks.ready(turn)


def _next_rate(turn: Turn) -> None:
    """The next slower rate that the policy allows, and normal speed after the slowest."""
    state = turn.state
    slower = [rate for rate in state.rules.policy.rates if rate < state.rate]
    rate = max(slower, default=max(state.rules.policy.rates))
    if rate == state.rate or not isinstance(state.stage, Studying) or state.unit.live:
        return
    was = state.motion
    turn.end_span()
    turn.set(rate=rate)
    if state.loaded:
        turn.do(Rate(rate))
    if not isinstance(was, Still):
        turn.set(motion=Starting(state.now, turn.state.position_ms))


def _next_unit(turn: Turn) -> None:
    if turn.state.following is not None:
        _go_to(turn, turn.state.following)


def _go_to(turn: Turn, index: int) -> None:
    unit = turn.state.rules.units[index]
    seen = turn.state.seen.get(unit.unit, 0)
    place = seen if seen < unit.duration_ms else 0
    turn.set(
        index=index, position_ms=place, loaded=False, finished=False, progress=None, hold="", passed=None, asking=None,
        sheet=None,
    )  # fmt: skip


# --- after every signal -----------------------------------------------------------------------------------------------


def _settle(turn: Turn) -> None:
    """Bring checks, limits, picture and segment to where the state wants them."""
    if not turn.state.size or isinstance(turn.state.stage, Over):
        return
    checks.settle(turn)
    closing.limits(turn)
    if isinstance(turn.state.stage, Closing) and closing.finish(turn, turn.state.stage):
        return
    asking.settle(turn)
    _play_or_pause(turn)
    state = turn.state
    something = state.since_cut > 0 or isinstance(state.motion, Running)
    full = state.since_cut >= state.rules.policy.segment_events
    if full or (something and state.now - state.cut_at >= state.rules.policy.segment_ms):
        turn.cut()


def _play_or_pause(turn: Turn) -> None:
    because = standing(turn.state)
    match turn.state.motion:
        case Still() if not because:
            turn.start()
        case Running() | Starting() if because:
            turn.stop(because)
        case _:
            pass


def standing(state: State) -> str:
    """Why the picture must stand now, as the word of the log; "" when it may move."""
    if not isinstance(state.stage, Studying):
        return "learner"
    if not isinstance(state.check, Idle) or state.asking is not None:
        return "check"
    if state.finished:
        return "unit_end"
    if state.hold:
        return state.hold
    running = not isinstance(state.motion, Still)
    for blocker in blockers(state.machine, state.rules.conditions, state.now, running=running):
        return blocker.because
    return "network" if closing.offline_over(state) else ""
