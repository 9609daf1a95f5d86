"""The test at the end of a unit (R1.4): asked when the learner wants it, signed and sealed like every question, marked
by the server, and as often as one likes.

Pure moves on a `Turn`. A test is no check and earns no minute: whatever comes of it, what counts already stays.
"""

from __future__ import annotations

from dataclasses import replace

from client import effects
from client.events import Marked, Sheet
from client.state import Idle, Marks, State, Studying
from client.turn import Turn
from ledger.events import Question


def may(state: State) -> bool:
    """Whether the test of this unit can be taken now: at its end, outside of a make-up, until it was passed."""
    marks = state.marks.get(state.unit.unit)
    passed = marks is not None and marks.word is not None and marks.word.passed
    free = isinstance(state.stage, Studying) and isinstance(state.check, Idle) and state.asking is None
    return bool(state.unit.test) and state.finished and free and not state.way and not passed and not on_way(state)


def on_way(state: State) -> bool:
    """Whether an attempt at this unit's test is being marked."""
    marks = state.marks.get(state.unit.unit)
    return marks is not None and marks.word is None


def unmarked(state: State) -> bool:
    """Whether an attempt was answered whole and could not be marked, so that it can be handed in again as it is."""
    marks = state.marks.get(state.unit.unit)
    return marks is not None and marks.word is not None and marks.word.state == "unreachable"


def begin(turn: Turn) -> None:
    """The first question; or, where the last attempt could not be handed in, that attempt once more."""
    state = turn.state
    if not may(state):
        return
    unit = state.unit.unit
    if unmarked(state):
        _hand_in(turn, state.marks[unit].sheet)
        return
    attempt = state.attempts.get(unit, 0) + 1
    turn.set(
        sheet=Sheet(unit, attempt), attempts={**state.attempts, unit: attempt}, asking=state.unit.test[0],
        marks={name: marks for name, marks in state.marks.items() if name != unit},
    )  # fmt: skip


def replied(turn: Turn, sheet: Sheet, choice: int) -> None:
    """The choice is signed and sealed; the next question follows, or the whole sheet is handed in."""
    item = turn.state.asking
    if item is None or sheet.unit != turn.state.unit.unit:
        return
    turn.log(Question(sheet.unit, item.item, sheet.attempt, ""), choice=choice)
    sheet = replace(sheet, chosen=(*sheet.chosen, (item.item, choice)))
    rest = turn.state.unit.test[len(sheet.chosen) :]
    if rest:
        turn.set(sheet=sheet, asking=rest[0])
        return
    turn.set(sheet=None, asking=None)
    turn.cut()
    _hand_in(turn, sheet)


def told(turn: Turn, word: Marked) -> None:
    """The server's word on the attempt that was handed in last; an older one is no news."""
    marks = turn.state.marks.get(word.unit)
    if marks is not None and marks.sheet.attempt == word.attempt:
        turn.set(marks={**turn.state.marks, word.unit: replace(marks, word=word)})


def _hand_in(turn: Turn, sheet: Sheet) -> None:
    turn.set(marks={**turn.state.marks, sheet.unit: Marks(sheet)})
    turn.do(effects.Mark(sheet))
