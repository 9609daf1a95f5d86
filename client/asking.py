"""The questions of a lesson (R1.4): each is asked once, the picture waits for the answer, and the answer is signed.

Pure moves on a `Turn`. What is right stands on the server alone; here an answer is only sealed and logged. A question
is no check: it proves nobody, it has no deadline, and what was studied counts without it.
"""

from __future__ import annotations

from client import tested
from client.motion import Running
from client.state import Idle, Item, Studying
from client.turn import Turn
from ledger.events import Question


def settle(turn: Turn) -> None:
    """Put the next question on the screen once the picture has come to its place; checks go first."""
    state = turn.state
    free = isinstance(state.stage, Studying) and isinstance(state.check, Idle) and state.loaded
    if state.asking is not None or not free or state.unit.live:
        return
    due = _due(turn)
    if due is not None:
        turn.set(asking=due, chimes=state.chimes + 1)
        turn.stop("check")


def _due(turn: Turn) -> Item | None:
    state = turn.state
    place = state.motion.last.position_ms if isinstance(state.motion, Running) else state.position_ms
    unit = state.unit
    left = (item for item in unit.items if item.at_ms <= place and (unit.unit, item.item) not in state.replied)
    return min(left, key=lambda item: item.at_ms, default=None)


def replied(turn: Turn, choice: int) -> None:
    """The learner chose: the choice is signed, sealed to the grant's reviewers, and the lesson goes on."""
    state = turn.state
    item = state.asking
    if item is None or not 0 <= choice < len(item.choices) or not isinstance(state.check, Idle):
        return
    if not isinstance(state.stage, Studying):
        return
    if state.sheet is not None:
        tested.replied(turn, state.sheet, choice)
        return
    turn.log(Question(state.unit.unit, item.item, 1, ""), choice=choice)
    turn.set(asking=None, replied=state.replied | {(state.unit.unit, item.item)})
