"""Checks without a camera: a word to choose on the screen, a code from the phone, a person who signs.

Pure moves on a `Turn`, like `client.checks`, which asks these for the verdict (study-session.md, "Kinds"). A wrong word
or code is inconclusive: another attempt brings a new one, and nobody is blamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from client import effects
from client.events import Identified, Judged, Replied
from client.state import Attempting, Task
from client.turn import Turn
from ledger import identify
from ledger.events import Command

AGAIN_MS: Final = 3_000  # between two questions to the server, while a person or the network is awaited
ASKED: Final = ("attention", "identify")


def begin(turn: Turn, task: Task) -> None:
    """Put the question on the screen; have the code sent, or a person's word looked for."""
    turn.set(check=Attempting(task))
    if task.kind == "identify":
        turn.do(effects.Identify(task.order))


def settle(turn: Turn, open_: Attempting) -> None:
    """Ask the server again when it is time."""
    if open_.again_at is not None and turn.state.now >= open_.again_at:
        turn.set(check=replace(open_, again_at=None))
        turn.do(effects.Identify(open_.task.order))


def replied(turn: Turn, open_: Attempting, reply: Replied) -> Judged | None:
    """The learner's answer: a wrong word ends the attempt, a code is for the server to compare."""
    task = open_.task
    if task.kind not in ASKED or open_.chosen >= 0:
        return None
    if reply.choice != identify.item(bytes.fromhex(task.order.nonce)).asked:
        return _verdict(task, "inconclusive", "choice", reply.choice)
    if task.kind == "attention":
        return _verdict(task, "passed", "ok", reply.choice)
    turn.set(check=replace(open_, chosen=reply.choice, again_at=None))
    turn.do(effects.Identify(task.order, reply.code))
    return None


def told(turn: Turn, open_: Attempting, said: Identified) -> Judged | None:
    """The server's word: the attempt is over, or goes on."""
    task = open_.task
    if (task.kind, task.order.i, task.order.a) != ("identify", said.check, said.attempt):
        return None
    match said.state:
        case "identified":
            if said.method == identify.CODE:
                turn.log(Command(said.digest))
            return _verdict(task, "passed", "ok", open_.chosen, {said.method: said.digest})
        case "wrong":
            return _verdict(task, "inconclusive", "code", open_.chosen)
        case "refused":
            return _verdict(task, "inconclusive", "network", open_.chosen)
        case "unreachable" if task.offline or open_.chosen >= 0:
            return _verdict(task, "inconclusive", "network", open_.chosen)
    waits = said.state != "sent" or len(turn.state.rules.policy.routes) > 1
    again_at = turn.state.now + AGAIN_MS if waits else None
    if open_.chosen < 0:
        turn.set(check=replace(open_, told=said.state, again_at=again_at))
    return None


def _verdict(
    task: Task, result: str, reason: str, chosen: int, models: Mapping[str, str] | None = None
) -> Judged:
    asked = identify.item(bytes.fromhex(task.order.nonce)).asked
    scores = {"asked": asked, "chosen": chosen} if chosen >= 0 else {}
    return Judged(task.order.i, task.order.a, task.kind, result, reason, scores, models or {})
