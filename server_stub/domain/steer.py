"""What the staff do to a running session: a message, a pause, and what supervisors signed elsewhere.

A message and a pause are commands by the grant key; a spot check is not: it comes as a note by a supervisor's own key,
whose nonce the operator could not know ahead (records.md).
"""

from __future__ import annotations

from typing import Final

from ledger import bodies, note
from ledger.bodies import Command
from ledger.errors import LedgerError
from server_stub.domain.decisions import Decisions
from server_stub.domain.duties import Right
from server_stub.domain.errors import DecisionError, NotThereError, SessionOverError, UnreadableError
from server_stub.domain.keyring import Keyring
from server_stub.domain.office import Office
from server_stub.domain.people import Account
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.signin import Clock

MAX_TEXT: Final = 300  # what is read at a glance on a phone
PAUSE_TEXT: Final = "监管人员请您暂停；已获学时保留。A supervisor asks you to pause; what was earned stays."


class Steering:
    """Every act needs a right, and stands in the class log before the learner sees it."""

    def __init__(
        self, records: Records, office: Office, decisions: Decisions, keyring: Keyring, clock: Clock
    ) -> None:
        self._records, self._office, self._decisions = records, office, decisions
        self._keyring, self._clock = keyring, clock

    def command(self, account: Account, class_id: str, sid: str, do: str, text: str) -> None:
        """Send a message, or pause a session with one; it goes with the next answer, within half a minute.

        `NotThereError` for a session of another class, `SessionOverError` for one that is over.
        """
        self._office.require(account, Right.STEER, class_id)
        session = self._records.read(lambda tx: tx.events.session(sid))
        if session is None or session.class_id != class_id:
            raise NotThereError("no such session")
        text = " ".join(text.split())
        if do not in ("message", "pause") or len(text) > MAX_TEXT or not text.isprintable():
            raise UnreadableError(f"a message has 1 to {MAX_TEXT} characters")
        if not text and do == "message":
            raise UnreadableError("a message says something")
        self._check_open(sid)
        self._office.audit(account, f"sent a {do}", sid, text or "pause", session.class_id)
        body = Command(self._clock(), self._keyring.origin(session.class_id), sid, do, text or PAUSE_TEXT)
        signed = bodies.sign(body, self._keyring.grant)

        def send(tx: Transaction) -> None:
            tx.log.put_body(session.class_id, note.digest(str(body)), signed)
            tx.events.add_command(sid, signed)

        self._records.write(send)

    def hand_in(self, account: Account, class_id: str, data: bytes) -> list[tuple[str, int]]:
        """Append what supervisors signed for this class, one note or several in a row; (kind, leaf) of each.

        All are read before the first is taken. `DecisionError` names the first that is none.
        """
        self._office.require(account, Right.DECIDE, class_id)
        notes = split(data)
        kinds = [_kind(item) for item in notes]
        self._office.audit(account, "handed in what was signed", ", ".join(kinds)[:200], "page", class_id)
        return [(kind, self._decisions.take(class_id, item)) for kind, item in zip(kinds, notes, strict=True)]

    def _check_open(self, sid: str) -> None:
        if self._records.read(lambda tx: tx.events.progress(sid).state) != "open":
            raise SessionOverError("the session is over")


def split(data: bytes) -> list[bytes]:
    """Signed notes that stand in one text, one after the other; `DecisionError` for anything else."""
    text = data.replace(b"\r\n", b"\n").strip(b"\n")
    found, lines = [], text.split(b"\n")
    start = 0
    for index, line in enumerate(lines):
        signed = line.startswith("— ".encode())
        last = index + 1 == len(lines) or not lines[index + 1].startswith("— ".encode())
        if signed and last:
            found.append(b"\n".join(lines[start : index + 1]).lstrip(b"\n") + b"\n")
            start = index + 1
    if not found or start != len(lines) or len(found) > 200:
        raise DecisionError("these are no signed notes: paste or choose the files as they were written")
    return found


def _kind(data: bytes) -> str:
    try:
        return bodies.parse(data)[0].kind
    except LedgerError as error:
        raise DecisionError(f"{error.code}: {error}") from error
