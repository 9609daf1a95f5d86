"""The non-face route: a learner is identified for one ordered attempt by a code, or by a person's signed word.

Asked with the attempt's nonce, which nobody knows before the order: so no code is sent, and nothing signed, for a check
that was not ordered. The server signs its own word for a code; for people it only looks whether their word is logged.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import partial

from ledger import bodies, grant, identify, note
from ledger.bodies import Command
from ledger.schedule import CheckId, Schedule
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import NotOrderedError, SessionOverError, UnknownSessionError
from server_stub.domain.keyring import Keyring
from server_stub.domain.live import policy_of
from server_stub.domain.people import Account, Challenge, People
from server_stub.domain.ports import Records, Session, Transaction
from server_stub.domain.reveal import known
from server_stub.domain.said import said
from server_stub.domain.signin import CODE_MS, CODE_TRIES, Clock, CodeSender

_ONCE_MS = 24 * 3600 * 1000  # one code for an attempt; a lost one is made good by the next attempt


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt of which check of which session the learner answers."""

    sid: str
    i: CheckId
    a: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`state`: sent (a code is on its way) | waiting (for a person) | wrong | identified, then `method` and `note`."""

    state: str
    method: str = ""
    note: str = ""


class Identifier:
    """Sends codes, compares what was typed, and finds what people have signed."""

    def __init__(
        self,
        people: People,
        records: Records,
        logs: ClassLogs,
        keyring: Keyring,
        secret: bytes,
        clock: Clock,
        sender: CodeSender,
    ) -> None:
        self._people, self._records, self._logs, self._keyring = people, records, logs, keyring
        self._secret, self._clock, self._sender = secret, clock, sender

    def ask(self, account: Account, attempt: Attempt, code: str) -> Answer:
        """Where this attempt stands; `code` is what the learner typed, "" to begin or to ask again.

        `UnknownSessionError` for a session of somebody else, `SessionOverError` once it is over, `NotOrderedError` for
        a nonce that no order of this session carried.
        """
        routes, found = self._records.read(partial(self._look, account=account, attempt=attempt))
        if found.state == "identified" or identify.CODE not in routes:
            return found
        if code:
            return self._compare(attempt, code)
        self._send(account, attempt)
        return Answer("sent")

    def _look(self, tx: Transaction, account: Account, attempt: Attempt) -> tuple[tuple[str, ...], Answer]:
        """The methods that the rules accept, and whether a person's word holds now."""
        session = tx.events.session(attempt.sid)
        if session is None or session.learner != account.learner:
            raise UnknownSessionError("this learner has no such session")
        if tx.events.progress(attempt.sid).state != "open":
            raise SessionOverError("the session is over")
        rules = policy_of(tx, grant.parse(session.grant)[0])
        if Schedule(session.seed, session.sid, rules).nonce(attempt.i, attempt.a).hex() != attempt.nonce:
            raise NotOrderedError("no order of this session carried that nonce")
        return rules.routes, self._by_person(tx, session, rules.routes)

    def _by_person(self, tx: Transaction, session: Session, routes: tuple[str, ...]) -> Answer:
        now = self._clock()
        for digest, body in said(tx, self._logs.log(tx, session.class_id), "identification"):
            signed = identify.identified(body, session.learner, session.sid)
            if signed is not None and signed.method in routes and identify.fits(signed, now, now):
                return Answer("identified", signed.method, (tx.log.body(digest) or b"").decode())
        return Answer("waiting")

    # --- codes --------------------------------------------------------------------------------------------------------

    def _send(self, account: Account, attempt: Attempt) -> None:
        """Send this attempt's one code, once."""
        now, name = self._clock(), self._keyed("attempt", attempt)
        if not self._people.count_code(name, now, gap_ms=_ONCE_MS, a_day=1):
            return
        code = f"{secrets.randbelow(10**6):06d}"
        self._people.keep_challenge(Challenge(name, account.name, self._keyed(code, attempt), now + CODE_MS, 0))
        self._sender.send(account.name, code)

    def _compare(self, attempt: Attempt, code: str) -> Answer:
        """The same right code again gets the same note: an answer lost on the wire costs nobody an attempt."""
        kept = self._people.try_challenge(self._keyed("attempt", attempt))
        right = kept is not None and hmac.compare_digest(kept.code, self._keyed(code, attempt))
        if kept is None or not right or kept.tries > CODE_TRIES or kept.expires <= self._clock():
            return Answer("wrong")
        return self._records.write(partial(self._sign, attempt=attempt, at=kept.expires - CODE_MS))

    def _sign(self, tx: Transaction, attempt: Attempt, at: int) -> Answer:
        session = known(tx, attempt.sid)
        text = identify.code_text(attempt.i, attempt.a, attempt.nonce)
        body = Command(at, self._keyring.origin(session.class_id), session.sid, "check", text)
        signed = bodies.sign(body, self._keyring.grant)
        tx.log.put_body(session.class_id, note.digest(str(body)), signed)
        return Answer("identified", identify.CODE, signed.decode())

    def _keyed(self, what: str, attempt: Attempt) -> str:
        text = f"identify\n{what}\n{attempt.sid}\n{attempt.i}\n{attempt.a}\n{attempt.nonce}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
