"""Spot checks by double random draw (R1.1, R1.2, R3.7): the list is hashed into the class logs before the seed is
known, the draw is anybody's to repeat, the result is published, and two results below 80 % open a case about the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ledger import inspection
from ledger.inspection import Listing
from server_stub.domain.cases import Cases
from server_stub.domain.duties import ROLES, Right
from server_stub.domain.errors import NotAllowedError, UnreadableError
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, required
from server_stub.domain.people import Account
from server_stub.domain.work import Bench, in_state
from server_stub.domain.work_errors import SecondPersonError, WrongStateError

KIND: Final = "inspection"
COMPLIANT_PERMILLE: Final = 800
STRIKES: Final = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What an inspector found at one inspectee."""

    by: str
    at: int
    compliant: bool
    how: str  # video | phone | data | visit
    text: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """One round. `listing` is what was published; `drawn`: inspectee → inspectors; `classes`: inspectee → class."""

    listing: str
    digest: str
    by: str
    classes: Mapping[str, str]
    people: Mapping[str, str]  # inspector's pseudonym → account
    seed: str = ""
    drawn: Mapping[str, tuple[str, ...]] | None = None
    seen: Mapping[str, Seen] | None = None


class Inspections:
    """Announces, draws, records, publishes."""

    def __init__(self, bench: Bench, cases: Cases) -> None:
        self._bench, self._cases = bench, cases

    def announce(self, account: Account, name: str, source: str, count: int, each: int) -> Paper:
        """Freeze who may be drawn: the learners of the account's classes, and the supervisors. The hash of the list is
        in every class log before anybody can know the seed."""
        bench = self._bench
        bench.office.require_anywhere(account, Right.DECIDE)
        classes = {
            item.learner: room.class_id for room in bench.office.classes(account, Right.DECIDE)
            for item in bench.people.registrations(class_id=room.class_id)
        }  # fmt: skip
        people = {bench.sealer.pseudonym(name): name for name in self._inspectors()}
        if not classes or len(people) < each:
            raise UnreadableError("nobody to visit, or fewer inspectors than each visit needs")
        listing = Listing(stated(name)[:100], stated(source)[:300], count, each, tuple(sorted(classes)),
                          tuple(sorted(people)))  # fmt: skip
        value = Inspection(bytes(listing).decode(), listing.digest, account.name, classes, people)
        bench.office.audit(account, "announced an inspection", listing.name, f"list {listing.digest}; {source}"[:500],
                           *sorted(set(classes.values())))  # fmt: skip
        return bench.keep(KIND, "", "", "announced", value)

    def _inspectors(self) -> list[str]:
        """Accounts that may decide somewhere."""
        found = {duty.account for duty in self._bench.registry.duties() if Right.DECIDE in ROLES[duty.role]}
        found |= {item.name for item in self._bench.people.staff()
                  if any(Right.DECIDE in ROLES.get(role, ()) for role in item.roles)}  # fmt: skip
        return sorted(found)

    def listed(self, account: Account) -> list[Paper]:
        """All rounds, for those who decide somewhere: they concern everybody's classes."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        return list(self._bench.papers.find(KIND, limit=200))

    def look(self, account: Account, paper: str) -> tuple[Paper, Inspection]:
        """One round."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        found = required(self._bench.papers.get(KIND, paper))
        return found, found.read(Inspection)

    def _lead(self, account: Account, paper: str) -> tuple[Paper, Inspection]:
        """A round, for who announced it or may decide in every class of it."""
        found, value = self.look(account, paper)
        mine = {item.class_id for item in self._bench.office.classes(account, Right.DECIDE)}
        if account.name != value.by and not set(value.classes.values()) <= mine:
            raise NotAllowedError("this round is led by somebody else")
        return found, value

    def visible(self, account: Account, value: Inspection) -> set[str]:
        """The learners of a round whom the account may know by name: of its own classes, and those it visits."""
        mine = {item.class_id for item in self._bench.office.classes(account, Right.DECIDE)}
        me = self._bench.sealer.pseudonym(account.name)
        return {who for who, by in (value.drawn or {}).items() if value.classes[who] in mine or me in by}

    def draw(self, account: Account, paper: str, seed: str) -> Paper:
        """Draw by the public seed; the draw stands in the class logs, whoever likes repeats it."""
        found, value = self._lead(account, paper)
        in_state(found, "announced")
        pairs = inspection.draw(inspection.parse(value.listing.encode()), seed)
        self._bench.office.audit(account, "drew an inspection", found.paper, f"seed {seed}; list {value.digest}"[:500],
                                 *sorted(set(value.classes.values())))  # fmt: skip
        drawn = replace(value, seed=seed, drawn={item: tuple(by) for item, by in pairs}, seen={})
        return self._bench.change(found, drawn, "drawn")

    def record(self, account: Account, paper: str, who: str, how: str, text: str, *, compliant: bool) -> Paper:
        """One of the inspectors who were drawn says what was found."""
        found, value = self.look(account, paper)
        in_state(found, "drawn")
        bench = self._bench
        if value.drawn is None or who not in value.drawn:
            raise UnreadableError("this one was not drawn")
        if bench.sealer.pseudonym(account.name) not in value.drawn[who]:
            raise SecondPersonError("only the inspectors who were drawn write down what they found")
        if how not in ("video", "phone", "data", "visit"):
            raise UnreadableError("by video, phone, data or visit")
        bench.office.audit(account, "inspected", who, f"{how}: {'' if compliant else 'not '}compliant; {stated(text)}",
                           value.classes[who])  # fmt: skip
        seen = {**(value.seen or {}), who: Seen(account.name, bench.clock(), compliant, how, stated(text))}
        return bench.change(found, replace(value, seen=seen))

    def publish(self, account: Account, paper: str) -> Paper:
        """Everybody who was drawn was visited: the result is for everybody to read."""
        found, value = self._lead(account, paper)
        in_state(found, "drawn")
        if set(value.drawn or {}) != set(value.seen or {}):
            raise WrongStateError("somebody who was drawn was not visited yet")
        bench = self._bench
        bench.office.audit(account, "published an inspection", found.paper, f"list {value.digest}",
                           *sorted(set(value.classes.values())))  # fmt: skip
        done = bench.change(found, value, "published")
        for class_id in sorted({value.classes[who] for who in value.drawn or {}}):
            self._strike(class_id)
        return done

    def published(self, paper: str) -> tuple[Paper, Inspection]:
        """A round for the public: announced ones with their list, published ones with the result."""
        found = required(self._bench.papers.get(KIND, paper))
        return found, found.read(Inspection)

    def shares(self, class_id: str) -> list[tuple[int, int, int]]:
        """The published rounds in which learners of the class were drawn: (when, compliant, seen), latest first."""
        found = []
        for paper in self._bench.papers.find(KIND, states=["published"], limit=500):
            value = paper.read(Inspection)
            own = [seen for who, seen in (value.seen or {}).items() if value.classes[who] == class_id]
            if own:
                found.append((paper.changed, sum(item.compliant for item in own), len(own)))
        return found

    def _strike(self, class_id: str) -> None:
        """Two rounds below 80 %: a case proposes itself, people decide it."""
        low = [item for item in self.shares(class_id) if item[1] * 1000 < COMPLIANT_PERMILLE * item[2]]
        if len(low) >= STRIKES:
            said = ", ".join(f"{good}/{seen}" for _, good, seen in low)
            self._cases.open(class_id, "", "inspection", f"两次抽查合规率低于 80%（{said}）", key=f"strikes/{len(low)}")

    def call_sheet(self, account: Account, paper: str) -> list[tuple[str, str, str, str]]:
        """Whom to call: (learner, name, telephone, class), of classes that the account may decide in; audited."""
        found, value = self.look(account, paper)
        in_state(found, "drawn", "published")
        bench = self._bench
        mine = {item.class_id for item in bench.office.classes(account, Right.DECIDE)}
        wanted = [who for who in value.drawn or {} if value.classes[who] in mine]
        bench.office.audit(account, "printed a call sheet", found.paper, f"{len(wanted)} people",
                           *sorted({value.classes[who] for who in wanted}))  # fmt: skip
        people = [(who, bench.registry.person(who)) for who in wanted]
        return [(who, one.name, one.phone, value.classes[who]) for who, one in people if one is not None]


