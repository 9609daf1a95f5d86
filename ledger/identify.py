"""The non-face route: what makes an `identify` check a pass that anybody can recompute (study-session.md, "Kinds").

`code`: the server's signed word that the code it sent was typed for this attempt, and an item on the screen chosen as
drawn. `room`, `call`: a supervisor's `identification` of the learner, not too old when the check was ordered. The
answer names the note by its hash in `models`; the note itself lies in `bodies/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from ledger.bodies import Body, Command, Identification
from ledger.events import Answered
from ledger.policy import ROUTES
from ledger.schedule import CheckId, draw

ITEMS: Final = ("sun", "moon", "tree", "boat", "bird", "key", "bell", "cup")  # words for things everybody knows
SHOWN: Final = 4
_DRAWS: Final = 16  # the first draw of the item: 0 to 5 are the check's own
CODE: Final = "code"
HOUR_MS: Final = 3_600_000
LASTS_MS: Final[Mapping[str, int]] = {"room": HOUR_MS, "call": HOUR_MS // 4}  # `room_gap`: a round through the lab


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """An attention item: of these words in this order, the one at `asked` is to be chosen."""

    words: tuple[str, ...]
    asked: int


def item(nonce: bytes) -> Item:
    """The item that an attempt's nonce draws."""
    left = list(ITEMS)
    words = tuple(left.pop(draw(nonce, _DRAWS + 1 + j, len(left))) for j in range(SHOWN))
    return Item(words, draw(nonce, _DRAWS, SHOWN))


def code_text(i: CheckId, a: int, nonce: str) -> str:
    """What the server signs, as the text of a command to the session, when the code for this attempt was right."""
    return f"identified by code: check {i}, attempt {a}, nonce {nonce}"


@dataclasses.dataclass(frozen=True, slots=True)
class Identified:
    """A signed note that identifies one session's learner: how, when by its signer's clock, and a code's own text."""

    method: str
    at: int
    said: str = ""


def identified(body: Body, learner: str, sid: str) -> Identified | None:
    """What a note says of the learner of session `sid`; None where it says nothing of the kind."""
    match body:
        case Command() if body.sid == sid and body.do == "check":
            return Identified(CODE, body.at, body.text)
        case Identification() if body.learner == learner and body.method in LASTS_MS:
            return Identified(body.method, body.at)
    return None


def fits(note: Identified, now: int, until: int) -> bool:
    """Whether a person's note still holds at `now` (ms), when the check was ordered, or was signed by `until`."""
    return now - LASTS_MS[note.method] <= note.at <= until


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """One attempt as it was ordered: number, nonce, when (signed time, ms), and until when it may be answered."""

    i: CheckId
    a: int
    nonce: str
    at: int
    until: int


def doubt(asked: Asked, answer: Answered, routes: tuple[str, ...], notes: Mapping[str, Identified] | None) -> str:
    """Why a pass of kind `attention` or `identify` is none, in one word; "" when it holds.

    `notes` by hash; None on the device itself, which took the note from the server and keeps no copy.
    """
    if answer.kind == "attention":
        return _choice(asked, answer)
    method, digest = next(((name, answer.models[name]) for name in ROUTES if name in answer.models), ("", ""))
    if notes is None:
        return ""
    note = notes.get(digest)
    if note is None or note.method != method or method not in routes:
        return "no_note"
    if method == CODE:
        return _choice(asked, answer) if note.said == code_text(asked.i, asked.a, asked.nonce) else "no_note"
    return "" if fits(note, asked.at, asked.until) else "old_note"


def _choice(asked: Asked, answer: Answered) -> str:
    return "" if answer.scores.get("chosen") == item(bytes.fromhex(asked.nonce)).asked else "choice"
