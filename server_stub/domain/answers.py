"""Opening the sealed answers to a session's questions: by a person whose key they are sealed to, for a stated reason,
and never without a trace.

As with photos (`domain.reviewing`) the private key is that person's and not kept here. All answers of a session are
opened together, by one audit in the class log that stands before anything is shown; which choice is right is said
beside them where the course's answers are known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from ledger import course as courses
from ledger import events, grant, names, segment
from ledger.answers import SealedAnswerError, about, copy_for, open_
from ledger.course import Unit
from ledger.errors import LedgerError
from ledger.events import Event, Question
from ledger.evidence import Recipient
from ledger.keys import b64encode, parse_vkey
from server_stub.domain.classlog import LATEST, ClassLogs
from server_stub.domain.decisions import Decisions
from server_stub.domain.errors import DecisionError, NotThereError
from server_stub.domain.keyring import Keyring
from server_stub.domain.ports import Records, Session, Transaction
from server_stub.domain.practice import AnswerFiles
from server_stub.domain.reveal import known

OPENED: Final = "opened answers"  # what the audit says was done
NO_QUESTION: Final = courses.Question("", 0, "", courses.Text("", ""), ())  # of a course that asks another one now


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opens the answers of which session, and why; as for photos `by` is how the person is called."""

    class_id: str
    sid: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An event that holds an answer, and what was asked; `right`: the number of the right choice, -1 unknown here."""

    event: Event
    said: Question
    asked: courses.Question
    right: int = -1


@dataclass(frozen=True, slots=True)
class Read:
    """An opened answer: `choice` from 0, -1 for one that this key does not open in this event."""

    answer: Answer
    choice: int


class Answers:
    """Lists sealed answers and opens them."""

    def __init__(
        self, records: Records, logs: ClassLogs, keyring: Keyring, decisions: Decisions, files: AnswerFiles
    ) -> None:
        self._records, self._logs, self._keyring = records, logs, keyring
        self._decisions, self._files = decisions, files

    def open(self, asked: Opening, key: Recipient) -> tuple[list[Read], int]:
        """Every answer that the key opens, and the audit's place in the class log, which is on the disk by then.

        `DecisionError` without a reason or a name, with a key that does not count in the class or opens none of them;
        `NotThereError` where there are none. No refusal leaves an audit: nobody saw anything.
        """
        try:
            found, sealed_to, origin = self._look(asked, key)
            read = [Read(one, _choice(sealed_to, key, origin, one.said)) for one in found]
            if all(one.choice < 0 for one in read):
                raise DecisionError("this key opens none of these answers")
            return read, self._records.write(partial(self._audit, asked=asked, key=key, found=found))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error

    def hand_out(self, asked: Opening, vkey: str) -> list[dict[str, object]]:
        """The copies that are sealed to the reviewer's key `vkey`, for a page that opens them with the private half.

        As with `open`, the audit is in the class log when this returns. An answer without such a copy has `key` "".
        """
        try:
            key = Recipient(parse_vkey(vkey), b"")
            found, sealed_to, origin = self._look(asked, key)
            given = [_given(one, sealed_to, vkey, origin) for one in found]
            if not any(one["key"] for one in given):
                raise DecisionError(f"no answer is sealed to {key.vkey.name}")
            self._records.write(partial(self._audit, asked=asked, key=key, found=found))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error
        return given

    def _look(self, asked: Opening, key: Recipient) -> tuple[list[Answer], tuple[str, ...], str]:
        """The session's answers, for whom they are sealed, and the origin that binds them."""
        if not asked.reason.strip() or not asked.by.strip():
            raise DecisionError("answers are opened by somebody, for a reason that is stated")
        found, sealed_to = self._records.read(partial(self._sealed, asked=asked, key=key))
        return found, sealed_to, names.session_origin(self._keyring.server, asked.sid)

    def _sealed(self, tx: Transaction, asked: Opening, key: Recipient) -> tuple[list[Answer], tuple[str, ...]]:
        session = known(tx, asked.sid)
        if session.class_id != asked.class_id:
            raise NotThereError("no such session of this class")
        if key.vkey not in self._logs.log(tx, asked.class_id).counting("evidence", LATEST):
            raise DecisionError(f"{key.vkey.name} is no reviewer of this class (any more)")
        granted = grant.parse(session.grant)[0]
        found = list(self._asked(tx, session, granted.course))
        if not found:
            raise NotThereError("no question of this session was answered")
        return found, granted.recipients

    def _asked(self, tx: Transaction, session: Session, digest: str) -> Iterator[Answer]:
        """What the session's events hold, with the questions of the course that its grant names."""
        manifest = tx.log.body(digest)
        units: Sequence[Unit] = courses.parse(manifest).units if manifest else ()
        texts = {(unit.id, item.id): item for unit in units for item in unit.asked}
        keys = self._files.of(digest).keys
        for event in questions(tx, session.sid):
            if isinstance(said := event.body, Question):
                key = keys.get(said.unit, {}).get(said.item)
                asked = texts.get((said.unit, said.item), NO_QUESTION)
                yield Answer(event, said, asked, key.right if key else -1)

    def _audit(self, tx: Transaction, asked: Opening, key: Recipient, found: Sequence[Answer]) -> int:
        """Answers that were erased while they were being opened are not shown."""
        gone = tx.events.erased(asked.sid)
        if any(one.event.seq in gone for one in found):
            raise NotThereError("some of these answers were erased")
        by = f"{asked.by.strip()} ({key.vkey.name}+{key.vkey.key_id.hex()})"
        return self._decisions.audit(tx, asked.class_id, OPENED, asked.sid, asked.reason.strip(), by=by)


def questions(tx: Transaction, sid: str) -> list[Event]:
    """The events of a session that hold an answer, in their order; nothing is read beyond one that is no event."""
    found: list[Event] = []
    for _, body in tx.events.segments(sid):
        for entry in segment.parse_kept(body).entries:
            if b'"verb":"question"' in entry:
                try:
                    event = events.decode(entry)
                except LedgerError:
                    return found
                found += [event] if isinstance(event.body, Question) else []
    return found


def _choice(sealed_to: Sequence[str], key: Recipient, origin: str, said: Question) -> int:
    """One that does not open is one device's doing and keeps nobody from the others."""
    try:
        return open_(sealed_to, key, origin, said)
    except SealedAnswerError:
        return -1


def _given(one: Answer, sealed_to: Sequence[str], vkey: str, origin: str) -> dict[str, object]:
    """One answer for a browser: what is sealed, what binds it, and the texts to show it with."""
    try:
        mine = b64encode(copy_for(sealed_to, vkey, one.said))
    except SealedAnswerError:
        mine = ""
    return {
        "seq": one.event.seq, "key": mine, "info": about(origin, one.said).decode(), "right": one.right,
        "unit": one.said.unit, "item": one.said.item,
        "prompt": {"zh": one.asked.prompt.zh, "en": one.asked.prompt.en},
        "choices": [{"zh": text.zh, "en": text.en} for text in one.asked.choices],
    }  # fmt: skip
