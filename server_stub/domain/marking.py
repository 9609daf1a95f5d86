"""The test at the end of a unit, marked: which choice is right stands on this server alone (`AnswerFiles`).

The answers are the learner's signed and sealed `question` events; what comes here besides is what is marked. The result
is a note by the grant key whose hash stands in the class log. It may be taken again, and credit knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger import course as courses
from ledger import grant
from ledger.bodies import Test
from ledger.course import Unit
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.decisions import Decisions
from server_stub.domain.errors import (
    NotThereError,
    ServerError,
    SessionOverError,
    UnknownSessionError,
    UnreadableError,
)
from server_stub.domain.people import Account
from server_stub.domain.ports import Records, Session, Transaction
from server_stub.domain.practice import AnswerFiles
from server_stub.domain.said import said


class UnmarkableError(ServerError):
    """A test cannot be marked: the answers to its questions were not brought to this server."""

    status = 409
    code = "TS-S-120"
    remedy = "Ask the school for the answers of this course. Your signed answers are kept. Take the test again then."
    zh = "本服务器尚未导入该测验的答案，暂时无法判分。您的签名答案已保留；请联系培训机构导入答案后再次作答。"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One attempt (from 1) at the test of a unit: question → choice, from 0."""

    unit: str
    attempt: int
    choices: Mapping[str, int]


class Marker:
    """Marks what was chosen."""

    def __init__(self, records: Records, logs: ClassLogs, decisions: Decisions, files: AnswerFiles) -> None:
        self._records, self._logs, self._decisions, self._files = records, logs, decisions, files

    def mark(self, account: Account, sid: str, sheet: Sheet) -> bytes:
        """The result as a signed note that the class log names. The same attempt again gets the same note.

        `UnknownSessionError`, `SessionOverError`, `NotThereError` for a unit without a test, `UnreadableError` for
        other answers than it asks for, `UnmarkableError`.
        """
        return self._records.write(lambda tx: self._mark(tx, account, sid, sheet))

    def _mark(self, tx: Transaction, account: Account, sid: str, sheet: Sheet) -> bytes:
        session = tx.events.session(sid)
        if session is None or session.learner != account.learner:
            raise UnknownSessionError("this learner has no such session")
        before = self._before(tx, session, sheet)
        if before is not None:
            return before
        if tx.events.progress(sid).state != "open":
            raise SessionOverError("the session is over")
        right, asked, mark = self._right(tx, session, sheet)
        return self._decisions.marked(
            tx, session.class_id, session.learner, (sid, sheet.unit, sheet.attempt), (right, asked, mark)
        )

    def _before(self, tx: Transaction, session: Session, sheet: Sheet) -> bytes | None:
        """The note of this very attempt, where it was marked already."""
        wanted = (session.sid, sheet.unit, sheet.attempt)
        for digest, body in said(tx, self._logs.log(tx, session.class_id), "test", sids={session.sid}):
            if isinstance(body, Test) and (body.sid, body.unit, body.attempt) == wanted:
                return tx.log.body(digest)
        return None

    def _right(self, tx: Transaction, session: Session, sheet: Sheet) -> tuple[int, int, int]:
        """How many are right, of how many, and the mark in per mille."""
        digest = grant.parse(session.grant)[0].course
        unit = _unit(tx, digest, sheet.unit)
        test = unit.test
        if test is None:
            raise NotThereError("this unit has no test")
        choices = {question.id: len(question.choices) for question in test.questions}
        if set(choices) != set(sheet.choices) or any(sheet.choices[name] >= count for name, count in choices.items()):
            raise UnreadableError("a test is answered whole, each question by one of its choices")
        keys = self._files.of(digest).keys.get(unit.id, {})
        if not set(choices) <= set(keys):
            raise UnmarkableError(f"no answers to the test of {unit.id} are known here")
        right = sum(keys[name].right == choice for name, choice in sheet.choices.items())
        return right, len(choices), test.pass_permille


def _unit(tx: Transaction, course: str, name: str) -> Unit:
    found = next((unit for unit in courses.parse(tx.log.body(course) or b"").units if unit.id == name), None)
    if found is None:
        raise NotThereError("no such unit")
    return found
