"""Importing learners: look first, then confirm; what is confirmed is what was seen, and all of it or nothing."""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from server_stub.domain import citizen, roster, sheets
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError, SheetError, StalePreviewError, UnreadableError
from server_stub.domain.office import Office
from server_stub.domain.people import Account
from server_stub.domain.registry import Draft, Enrolment, Registry
from server_stub.domain.roster import Judge, Line, Plan, Row
from server_stub.domain.sealing import Sealer
from server_stub.domain.signin import Clock, account_name

DRAFT_MS: Final = 60 * 60 * 1000  # a list waits an hour for its confirmation, sealed


class Importer:
    """Makes previews and carries them out."""

    def __init__(self, registry: Registry, office: Office, sealer: Sealer, clock: Clock) -> None:
        self._registry, self._office, self._sealer, self._clock = registry, office, sealer, clock

    def look(self, account: Account, class_id: str, data: bytes) -> tuple[str, Plan]:
        """A draft's identifier and what would become of every row; nothing is changed. `SheetError` for no list."""
        self._office.require(account, Right.IMPORT, class_id)
        found, ignored = roster.rows(sheets.read(data))
        if not found:
            raise SheetError("the list has a line of titles and nobody below it")
        plan, now, draft = self._judge(class_id, found, ignored), self._clock(), secrets.token_hex(16)
        text = json.dumps({"ignored": ignored, "rows": [_listed(row) for row in found]}).encode()
        self._registry.drop_drafts(now)
        self._registry.keep_draft(
            Draft(draft, account.name, class_id, now + DRAFT_MS, self._sealer.seal(text, draft), plan.digest)
        )
        return draft, plan

    def again(self, account: Account, draft: str) -> tuple[Draft, Plan]:
        """A draft of this account and its plan as of now; `NotThereError` for any other, and when it expired."""
        kept = self._registry.draft(draft)
        if kept is None or kept.by != account.name or kept.expires <= self._clock():
            raise NotThereError("this preview has expired, or is not yours")
        self._office.require(account, Right.IMPORT, kept.class_id)
        table = json.loads(self._sealer.open(kept.sealed, draft))
        found = tuple(Row(*row) for row in table["rows"])
        return kept, self._judge(kept.class_id, found, tuple(table["ignored"]))

    def confirm(self, account: Account, draft: str, *, leave_out: bool) -> Plan:
        """Carry a draft out. Rows with a problem are left out only if `leave_out` says so, else nothing is done.

        `StalePreviewError` when other than what was shown would happen.
        """
        kept, plan = self.again(account, draft)
        if plan.digest != kept.shown:
            self._registry.drop_drafts(self._clock(), draft)
            raise StalePreviewError("the same people were changed since the preview")
        if plan.count("problem") and not leave_out:
            raise SheetError(f"{plan.count('problem')} rows cannot be imported as they are")
        people = [self._enrolment(line) for line in plan.lines if line.state in ("new", "enrol", "change")]
        said = f"{plan.count('new')} new, {plan.count('enrol')} enrolled, {plan.count('change')} changed"
        target = f"{said}; list {plan.digest}"
        self._office.audit(account, "imported learners", target, "list", kept.class_id)
        self._registry.enrol(kept.class_id, people)
        self._registry.drop_drafts(self._clock(), draft)
        return plan

    def _judge(self, class_id: str, found: Sequence[Row], ignored: tuple[str, ...]) -> Plan:
        today = datetime.datetime.fromtimestamp(self._clock() / 1000, datetime.UTC).date()
        accounts: set[str] = set()
        digests: set[str] = set()
        for row in found:
            number = citizen.plain(row.identity)
            digests |= {self._sealer.digest(number)} - {""}
            for text in (row.account, row.phone):
                accounts |= _names(text)
        employers: dict[str, str] = {}
        for place in self._office.tree().places.values():
            if place.kind == "employer":
                employers |= {place.name.lower(): place.key, place.key: place.key}
        known = self._registry.known(accounts, digests)
        judge = Judge(class_id, known, employers, self._sealer.digest, today)
        return Plan(tuple(judge.line(row) for row in found), ignored)

    def _enrolment(self, line: Line) -> Enrolment:
        person = line.person
        assert person is not None
        if not person.learner:
            person = replace(person, learner=secrets.token_hex(16))
        if line.row.identity:
            number = citizen.plain(line.row.identity).removesuffix(".0")
            person = replace(person, sealed=self._sealer.seal(number.encode(), person.learner))
        return Enrolment(person, secrets.token_hex(16) if line.enrols else "", line.state == "new")


def _listed(row: Row) -> list[object]:
    return [row.number, row.name, row.identity, row.phone, row.account, row.employer]


def _names(text: str) -> set[str]:
    """What accounts a cell may mean: as an account, and as a phone number."""
    found = set()
    for read in (account_name, citizen.phone):
        try:
            found.add(read(text))
        except (UnreadableError, citizen.Damaged):
            continue
    return found
