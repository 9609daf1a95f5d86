"""Having a test marked: the server's result is believed only as a note that the class log's grant key signed."""

from __future__ import annotations

import json

from client.errors import BadAnswerError, ClientError, NetworkError
from client.events import Marked, Sheet
from client.sync.api import Api
from client.sync.identify import Who
from ledger import bodies, note
from ledger.bodies import Test
from ledger.errors import LedgerError


def mark(api: Api, who: Who, sheet: Sheet) -> Marked:
    """What the server says of a whole sheet. Never raises: trouble is a state of its own."""
    body = {"unit": sheet.unit, "attempt": sheet.attempt, "choices": dict(sheet.chosen)}
    try:
        data = json.dumps(body).encode()
        reply = api.raw("POST", f"/v1/sessions/{who.sid}/tests", data, {"Content-Type": "application/json"})
        found = _verified(reply.body, who, sheet)
    except NetworkError:
        return Marked(sheet.unit, sheet.attempt, "unreachable")
    except ClientError:
        return Marked(sheet.unit, sheet.attempt, "refused")
    needed = -(-found.pass_permille * found.asked // 1000)
    return Marked(sheet.unit, sheet.attempt, "marked", found.right, found.asked, needed)


def _verified(data: bytes, who: Who, sheet: Sheet) -> Test:
    """The result, if the verifier will find in it what the server says here; else `BadAnswerError`."""
    try:
        body, signed = bodies.parse(data)
        note.verify(signed, who.keys.grants)
    except LedgerError as error:
        raise BadAnswerError(f"the result of the test: {error}") from error
    mine = (who.keys.class_origin, who.learner, who.sid, sheet.unit, sheet.attempt, len(sheet.chosen))
    if not isinstance(body, Test) or (
        body.class_, body.learner, body.sid, body.unit, body.attempt, body.asked
    ) != mine:  # fmt: skip
        raise BadAnswerError("the result is of another test")
    return body
