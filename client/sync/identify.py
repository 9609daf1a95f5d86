"""Being identified without a face: what the server says of one attempt, believed only when its note verifies."""

from __future__ import annotations

from dataclasses import dataclass

from client.errors import BadAnswerError, ClientError, NetworkError
from client.events import Identified, Order
from client.sync.api import Api, field
from client.sync.receipts import Keys
from ledger import bodies, note
from ledger.bodies import Command
from ledger.errors import LedgerError
from ledger.identify import CODE, code_text, identified

STATES = ("sent", "waiting", "wrong", "identified")


@dataclass(frozen=True, slots=True)
class Who:
    """Whose session it is, and who may sign for it."""

    sid: str
    learner: str
    keys: Keys


def ask(api: Api, who: Who, order: Order, code: str) -> Identified:
    """Where the attempt stands; `code` as it was typed, "" to begin. Never raises: trouble is a state of its own."""
    body = {"i": order.i, "a": order.a, "nonce": order.nonce, "code": code}
    try:
        answer = api.json("POST", f"/v1/sessions/{who.sid}/identify", body)
        state, method = field(answer, "state", str), field(answer, "method", str)
        if state not in STATES:
            raise BadAnswerError(f"an attempt is {state[:40]!r}")
        digest = _verified(field(answer, "note", str), method, who, order) if state == "identified" else ""
    except NetworkError:
        return Identified(order.i, order.a, "unreachable")
    except ClientError:
        return Identified(order.i, order.a, "refused")
    return Identified(order.i, order.a, state, method, digest)


def _verified(text: str, method: str, who: Who, order: Order) -> str:
    """The note's hash, if the verifier will find in it what the server says of it; else `BadAnswerError`."""
    try:
        body, signed = bodies.parse(text.encode())
        note.verify(signed, who.keys.grants if isinstance(body, Command) else who.keys.supervisors)
    except LedgerError as error:
        raise BadAnswerError(f"the identification: {error}") from error
    said = identified(body, who.learner, who.sid)
    if said is None or body.class_ != who.keys.class_origin or said.method != method:
        raise BadAnswerError("the identification is of somebody else, or of another kind")
    if said.method == CODE and said.said != code_text(order.i, order.a, order.nonce):
        raise BadAnswerError("the identification is of another attempt")
    return signed.digest
