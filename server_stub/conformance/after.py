"""Clauses about what stays: the class log that only grew, the receipt, the credit, the learner's own copy.

A docstring is its clause's text.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from ledger import checkpoint, proof
from ledger.archive import open_source
from ledger.classlog import ClassLog
from ledger.errors import LedgerError
from ledger.findings import Status
from ledger.tree import verify_consistency
from ledger.trust import Trust
from ledger.verify import Options, verify
from server_stub.conformance.exam import BrokenError, Clause, Exam, NotTriedError, clause, exactly, field, hold, wanted
from server_stub.conformance.pupil import Session
from server_stub.conformance.sessions import class_log

API: Final = "docs/http-api.md"
CLAUSES: Final[list[Clause]] = []  # in the order in which they are tried


@clause(CLAUSES, "D16", f"{API}: GET …/device")
def shape(exam: Exam) -> None:
    """After the end: prev is that session, nothing is open"""
    session = exam.need("session", Session)
    found = exam.json("GET", f"/v1/registrations/{exam.pupil.registration}/device",
                      X_Device=str(exam.pupil.device.vkey))  # fmt: skip
    exactly(found, "prev", "open")
    hold(found["open"] is None, "the closed session is called open")
    hold(str(found["prev"]).startswith(f"{session.sid} {session.sent} "), "prev is not the closed session")


@clause(CLAUSES, "F1", f"{API}: GET /log")
def grown(exam: Exam) -> None:
    """The class log only grew since the first look"""
    old, new = exam.need("log", ClassLog), class_log(exam)
    exam.keep("log later", new)
    path = new.tree.consistency_proof(len(old), len(new))
    verify_consistency(len(old), old.tree.root(), len(new), new.tree.root(), path)


@clause(CLAUSES, "F2", "docs/wire-format.md: class log")
def told(exam: Exam) -> None:
    """Holds the session's last checkpoint and its revealed seed"""
    session, log = exam.need("session", Session), exam.need("log later", ClassLog)
    exam.need("closed", bool)
    record = log.sessions.get(session.sid)
    hold(record is not None and record.size == session.sent, "its last checkpoint is no entry of the class log")
    assert record is not None
    hold(record.revealed is not None, "no revealed leaf names it")


@clause(CLAUSES, "F3", f"{API}: GET …/receipt")
def receipt(exam: Exam) -> None:
    """`receipt.tlog-proof` of the session's last logged checkpoint"""
    session, trust = exam.need("session", Session), exam.need("trust", Trust)
    exam.need("closed", bool)
    reply = exam.ask("GET", f"/v1/sessions/{session.sid}/receipt", bearer=False)
    if reply.status == 404 and trust.quorum != "none":
        raise NotTriedError("witnesses have not signed yet: the receipt comes with their quorum")
    found = proof.parse(wanted(reply, 200).body)
    seen = trust.verify_log(*checkpoint.parse(found.checkpoint), others=True)
    log = exam.need("log later", ClassLog)
    hold(seen.checkpoint.origin == log.origin, f"it is of {seen.checkpoint.origin}")
    record = log.sessions[session.sid]
    hold(found.index == record.logged[-1][0], f"it is of entry {found.index}, not {record.logged[-1][0]}")


@clause(CLAUSES, "F4", f"{API}: GET …/credit")
def credit(exam: Exam) -> None:
    """`credited_ms` and spans by ledger.credit: nothing played, nothing credited"""
    session = exam.need("session", Session)
    exam.need("closed", bool)
    found = exam.json("GET", f"/v1/sessions/{session.sid}/credit")
    hold(field(found, "credited_ms", int) == 0, "time is credited of a session in which nothing was played")
    field(found, "spans", list)


@clause(CLAUSES, "F5", f"{API}: GET /v1/classes/<class-id>/copy")
def copy(exam: Exam) -> None:
    """The learner's own copy verifies with --partial"""
    pupil, trust = exam.pupil, exam.need("trust", Trust)
    exam.need("closed", bool)
    data = wanted(exam.ask("GET", f"/v1/classes/{pupil.class_id}/copy"), 200).body
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.zip"
        path.write_bytes(data)
        try:
            steps = verify(open_source(path), trust, Options(partial=True)).findings.steps
        except LedgerError as error:
            raise BrokenError(f"{error.code}: {error}") from error
    wrong = [name for name, step in steps.items() if step.status is Status.REFUSED]
    hold(not wrong, f"the verifier refuses step {', '.join(wrong)}")
    hold(bool(steps), "the verifier did no step")


@clause(CLAUSES, "F6", f"{API}: GET /v1/classes/<class-id>/copy")
def other_class(exam: Exam) -> None:
    """404 for a class that is not the learner's"""
    exam.pupil  # noqa: B018 - asked for, so that a learner is known
    reply = exam.ask("GET", "/v1/classes/no-such-class/copy")
    wanted(reply, 404)
