"""Personal information: what is handled and why, whose consent stands, what is taken along, erased with a receipt.
What the law keeps longer is named in the receipt with its day, and goes on that day.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ledger import bodies, canonical, note
from ledger.keys import b64encode
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.duties import Right
from server_stub.domain.erasure import Eraser
from server_stub.domain.houserules import FACES_TO_REGISTER, HouseRules
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, required
from server_stub.domain.people import Account
from server_stub.domain.portraits import PortraitStore
from server_stub.domain.ports import Transaction
from server_stub.domain.registry import Person
from server_stub.domain.retention import HOLD, Deleted, Forgetting, Retention, classes_of
from server_stub.domain.shape import from_data, to_data
from server_stub.domain.work import DELETION, Bench, day_of
from server_stub.domain.work_errors import OnHoldError, WrongStateError

IMPACT: Final = "impact"
OWN: Final = ("reminder", "letter", "rating", "followup")  # papers about a learner that nothing else rests on


@dataclass(frozen=True, slots=True)
class Purpose:
    """One line of the register of purposes; pairs are Chinese and English."""

    id: str
    what: tuple[str, ...]
    why: tuple[str, ...]
    ground: tuple[str, ...]
    where: tuple[str, ...]
    kept: str


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One consent of a learner as its device signed it."""

    class_id: str
    at: int
    what: str
    given: bool
    notice: str


class Privacy:
    """Answers for personal information."""

    def __init__(
        self, bench: Bench, rules: HouseRules, logs: ClassLogs, eraser: Eraser, forgetting: Forgetting,
        retention: Retention, portraits: PortraitStore,
    ) -> None:  # fmt: skip
        self._bench, self._rules, self._logs, self._eraser = bench, rules, logs, eraser
        self._forgetting, self._retention, self._portraits = forgetting, retention, portraits

    # --- what is there ------------------------------------------------------------------------------------------------

    def faces(self) -> tuple[int, int]:
        """Of how many people a photo is kept here, and from how many on it is registered with the authority."""
        taken = self._bench.read(lambda tx: tx.photos.pictured())
        return len({*taken, *self._portraits.learners()}), FACES_TO_REGISTER

    def consents(self, learner: str) -> list[ConsentLine]:
        """Every consent of a learner, latest first."""
        found = []
        for item in self._bench.people.registrations(learner=learner):
            found += self._bench.read(partial(self._consents, class_id=item.class_id, learner=learner))
        return sorted(found, key=lambda line: -line.at)

    def _consents(self, tx: Transaction, class_id: str, learner: str) -> list[ConsentLine]:
        found = []
        for _, leaf in self._logs.log(tx, class_id).bodies:
            data = tx.log.body(leaf.sha256) if leaf.kind == "consent" else None
            body = bodies.parse(data)[0] if data else None
            if isinstance(body, bodies.Consent) and body.learner == learner:
                found.append(ConsentLine(class_id, body.at, body.what, body.given, body.notice))
        return found

    # --- export and deletion ------------------------------------------------------------------------------------------

    def export(self, account: Account, learner: str, reason: str) -> bytes:
        """All that is kept of a learner beside the records, as JSON; the records are the learner's own archive."""
        person = self._bench.office.person(account, learner)
        classes = classes_of(self._bench, account, Right.REVEAL, learner)
        self._bench.office.audit(account, "exported what is kept of a learner", learner, stated(reason), *classes)
        return self.copy_of(person)

    def copy_of(self, person: Person) -> bytes:
        """The same for the learner's own request."""
        papers = self._bench.papers
        kinds = ("case", "completion", "exam", "practice", "reminder", "letter", "rating", "followup", HOLD, DELETION)
        said: dict[str, Any] = {
            "account": person.account, "learner": person.learner, "name": person.name, "phone": person.phone,
            "employer": person.employer, "classes": list(person.classes),
            "identity": self._bench.sealer.open(person.sealed, person.learner).decode() if person.sealed else "",
            "reference_photo": self._portrait(person.learner),
            "consents": [to_data(line) for line in self.consents(person.learner)],
            "papers": {kind: [{"made": p.made, "state": p.state, "data": to_data(p.data)} for p in
                              papers.find(kind, about=[person.learner])] for kind in kinds},
            "purposes": [to_data(item) for item in purposes()],
        }  # fmt: skip
        return json.dumps(said, ensure_ascii=False, indent=1).encode()

    def _portrait(self, learner: str) -> str:
        """The reference photo of a learner as it is kept, sealed to the reviewers, base64; "" for none."""
        found = self._portraits.get(learner)
        return b64encode(found.sealed) if found else ""

    def erase(self, account: Account, learner: str, reason: str) -> Paper:
        """Erase what may go now and say in a signed receipt what, and what stays until when.

        At once: photos, telephone, employer, reminders and letters, sign-ins, the pseudonym in early warnings. Name and
        identity number stay as long as the class records by law do. `OnHoldError` while a case or a hold needs it;
        `WrongStateError` while a session runs.
        """
        bench, classes = self._bench, classes_of(self._bench, account, Right.REVEAL, learner)
        why = self._retention.held(learner)
        if why:
            raise OnHoldError("; ".join(why)[:300])
        sids = bench.read(lambda tx: list(tx.events.sessions(learner=learner)))
        if bench.read(lambda tx: bool(tx.events.sessions(learner=learner, state="open"))):
            raise WrongStateError("a session of this learner is open")
        photos = self._erase_photos(sids, stated(reason)) + self._portraits.drop(learner)
        papers = [paper.paper for kind in OWN for paper in bench.papers.find(kind, about=[learner])]
        bench.papers.drop(papers)
        warnings = self._retention.forget_warnings(learner)
        self._forgetting.contact(learner)
        known = bench.people.account_of(learner)
        if known is not None:
            bench.people.drop_tokens(known.name)
        later = self._retention.until(learner)
        erased = {"photos": photos, "papers": len(papers), "warnings": warnings, "contact": 1}
        receipt = self._receipt(learner, erased, later, stated(reason))
        digest = sha256(receipt).hexdigest()
        bench.office.audit(account, "erased what is kept of a learner", learner, f"receipt {digest}", *classes)
        return bench.keep(DELETION, "", learner, "waiting", Deleted(account.name, receipt.decode(), later))

    def _erase_photos(self, sids: Sequence[str], reason: str) -> int:
        """Every photo of these sessions; how many there were."""
        count = 0
        for sid in sids:
            session = self._bench.read(lambda tx, sid=sid: tx.events.session(sid))  # type: ignore[misc]
            eids = [photo.eid for photo in self._bench.read(lambda tx, sid=sid: tx.photos.photos(sid))  # type: ignore[misc]
                    if photo.state != "erased"]  # fmt: skip
            if eids and session is not None:
                self._eraser.photos(session.class_id, sid, eids, reason)
                count += len(eids)
        return count

    def _receipt(self, learner: str, erased: Mapping[str, int], later: int, reason: str) -> bytes:
        said = {"v": 1, "at": self._bench.clock(), "server": self._bench.server, "learner": learner,
                "erased": dict(erased), "kept": ["records", "name", "identity"], "until": later,
                "reason": reason}  # fmt: skip
        text = f"trueseat/deletion/v1\n{canonical.encode(said).decode()}\n"
        return note.sign(text, self._bench.keyring.grant)

    def deletions(self, learner: str) -> list[tuple[Paper, Deleted]]:
        """A learner's deletions with their receipts."""
        return [(paper, paper.read(Deleted)) for paper in self._bench.papers.find(DELETION, about=[learner])]

    def receipt(self, account: Account, paper: str) -> bytes:
        """A deletion's signed receipt."""
        found = required(self._bench.papers.get(DELETION, paper))
        classes_of(self._bench, account, Right.REVEAL, found.about)
        return found.read(Deleted).receipt.encode()

    # --- the impact assessment ----------------------------------------------------------------------------------------

    def assess(self) -> dict[str, Any]:
        """The facts of the impact assessment as they are configured now."""
        faces, limit = self.faces()
        rooms = []
        for class_id, title in sorted(self._bench.titles().items()):
            policy = self._bench.read(partial(self._bench.enrolment.policy, class_id=class_id))
            rooms.append({
                "class": class_id, "title": title, "kinds": sorted(set(policy.kinds)), "routes": list(policy.routes),
                "consents": list(policy.consents), "photos": policy.evidence_permille,
                "retention_years": policy.retention_years, "people": policy.decision_people,
            })  # fmt: skip
        return {
            "day": day_of(self._bench.clock()).isoformat(), "server": self._bench.server,
            "controller": self._rules.controller, "faces": faces, "limit": limit, "classes": rooms,
            "retention_days": dict(self._rules.retention_days), "endpoints": sorted(self._rules.endpoints),
            "purposes": [to_data(item) for item in purposes()],
        }  # fmt: skip

    def file_assessment(self, account: Account) -> Paper:
        """Keep today's assessment, by its hash in the journal; such papers are kept at least three years."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        value = self.assess()
        digest = sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        self._bench.office.audit(account, "filed an impact assessment", self._bench.server, f"sha256 {digest}")
        return self._bench.keep(IMPACT, "", "", "filed", value | {"by": account.name, "sha256": digest})

    def assessments(self) -> Sequence[Paper]:
        """Those that were filed."""
        return self._bench.papers.find(IMPACT, limit=50)

@cache
def purposes() -> tuple[Purpose, ...]:
    """The register of purposes."""
    table = tomllib.loads((Path(__file__).parent / "purposes.toml").read_text(encoding="utf-8"))
    return tuple(from_data(Purpose, one) for one in table["purpose"])
