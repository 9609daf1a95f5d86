"""How a session ends: by the learner, by a limit, by mismatches; with one last look that makes the last minutes count.

Moves on a `Turn`. A closing check is asked for once a session and seed; whoever does not want it, or cannot get it,
ends without and loses only what no check followed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from client import checks
from client.errors import FINAL
from client.events import Judged
from client.motion import Running, Starting, Still
from client.state import Announced, Closing, Idle, Opening, Over, State, Studying, Waiting
from client.turn import Turn
from ledger.events import Asked, Closed
from ledger.spans import ONLINE_MS

WAIT_MS: Final = 30_000  # for the answer that brings the closing check
HURRY_MS: Final = 2_000  # for an answer that is on its way when the learner ends without a look
RESTART_MS: Final = 5_000
MARGIN_MS: Final = 90_000  # before a limit: one segment, one order, one attempt


def close(turn: Turn, how: str) -> None:
    """Begin to end: ask for the closing check if there is something to prove. Asked again: end without it."""
    state = turn.state
    match state.stage:
        case Over():
            return
        case Closing(before):
            turn.set(stage=Closing(before, state.now + HURRY_MS, hurried=True))
            return
        case Opening():
            turn.set(stage=Closing(how, state.now + HURRY_MS, hurried=True))
            return
    if isinstance(state.motion, Running | Starting):
        turn.stop(_because(how))
    turn.set(stage=Closing(how, state.now + WAIT_MS))
    ask(turn)


def leave(turn: Turn) -> None:
    """End without a look: the learner goes on in another way, and what no check followed can be made up there."""
    if isinstance(turn.state.motion, Running | Starting):
        turn.stop("learner")
    if not isinstance(turn.state.stage, Over):
        turn.set(stage=Closing("ended", turn.state.now + HURRY_MS, hurried=True))


def ask(turn: Turn) -> None:
    """Log `asked` and have it signed, once, if study time waits for a look."""
    if turn.state.tally.pending_ms and not turn.state.asked:
        turn.log(Asked("close"))
        turn.set(asked=True)
        turn.cut()


def heard(turn: Turn) -> None:
    """The server is there: its answer may take another moment."""
    stage = turn.state.stage
    if isinstance(stage, Closing) and not stage.hurried and turn.state.now < stage.until:
        turn.set(stage=replace(stage, until=turn.state.now + WAIT_MS))


def limits(turn: Turn) -> None:
    """Begin to end when the programme says so."""
    state = turn.state
    if not isinstance(state.stage, Studying):
        return
    if state.sync.problem in FINAL:
        turn.set(stage=Closing("ended", state.now, hurried=True))  # nothing can be earned here any more
    elif state.tally.mismatches >= state.rules.policy.max_mismatches:
        turn.set(stage=Closing("mismatches", state.now + HURRY_MS))
    elif state.now >= state.rules.session_ms - margin(state.rules.session_ms):
        close(turn, "limit")
    elif state.alone and not state.asked_offline and offline_left(state) < margin(state.rules.offline_ms):
        ask(turn)


def margin(limit_ms: int) -> int:
    """How long before a limit the last look is offered."""
    return min(MARGIN_MS, limit_ms // 10)


def offline_left(state: State) -> int:
    """Ms that may still be studied before the network must be back."""
    running = state.now - state.motion.start if isinstance(state.motion, Running) else 0
    online = ONLINE_MS - state.tally.unsigned_ms - running
    left = state.rules.offline_ms - state.tally.offline_ms
    return left + online if online >= 0 else left - running


def offline_over(state: State) -> bool:
    """Whether the network must be back before the picture moves (on); a few seconds that are left start nothing."""
    return offline_left(state) <= (RESTART_MS if isinstance(state.motion, Still) else 0)


def finish(turn: Turn, stage: Closing) -> bool:
    """Sign `closed` when nothing can come any more, or nothing comes; tell whether it was signed.

    An order that was issued and never answered is a miss, so an answer that is on its way is waited for.
    """
    if stage.hurried and isinstance(turn.state.check, Announced):
        task = turn.state.check.task
        answer = Judged(task.order.i, task.order.a, task.kind, "inconclusive", "ended")
        checks.answer(turn, task, answer)
    state = turn.state
    if not isinstance(state.check, Idle | Waiting) or state.queue:
        return False
    asked = state.asked and state.tally.pending_ms > 0 and not state.close_tried
    hoped = (asked or isinstance(state.check, Waiting)) and not stage.hurried and stage.how != "mismatches"
    if (hoped or state.in_flight) and state.now < stage.until:
        return False
    if not isinstance(state.motion, Still):
        turn.stop(_because(stage.how))
    turn.log(Closed(stage.how))
    turn.cut()
    turn.set(stage=Over(stage.how, turn.state.size, turn.state.now), check=Idle())
    return True


def _because(how: str) -> str:
    return "limit" if how == "limit" else "learner"
