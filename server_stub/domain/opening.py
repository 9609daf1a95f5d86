"""Opening a class: only once roster, plan and the supervision link are in order; until then it is a preview without
credit. Closing it when its plan is over. And practice: only after theory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Protocol

from ledger import checkpoint, note
from ledger.errors import LedgerError
from ledger.trust import NONE
from server_stub.domain.application import Application, Applications
from server_stub.domain.classlog import LATEST, ClassLogs
from server_stub.domain.duties import Right
from server_stub.domain.eligibility import Checked, Eligibility
from server_stub.domain.eligibility import digest as roster_digest
from server_stub.domain.errors import NotThereError, ServerError
from server_stub.domain.figures import Figures
from server_stub.domain.office import class_place, stated
from server_stub.domain.papers import Paper, required
from server_stub.domain.people import Account
from server_stub.domain.work import Bench, in_state
from server_stub.domain.work_errors import (
    ClassClosedError,
    LinkError,
    NotEligibleError,
    NotOpenYetError,
    WrongStateError,
)

LINK, PRACTICE = "link", "practice"
LINK_LASTS_MS: Final = 24 * 3_600_000  # a test of the day of opening


class Province(Protocol):
    """The provincial platform, where one is configured."""

    @property
    def configured(self) -> bool:
        """Whether there is one."""

    def echo(self, body: bytes) -> str:
        """Send a signed checkpoint there; the SHA-256 of what it says it received. `OSError` when nothing comes."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of the link: client, server, witnesses, province; `why` is "" where it works; `call`: whom to call."""

    name: str
    why: str
    call: str

    @property
    def works(self) -> bool:
        """Whether it does."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Link:
    """One test of the whole link."""

    by: str
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Practised:
    """One learner at one lesson of practice, seen by a teacher."""

    day: str
    topic: str
    hours: int
    by: str


class Opening:
    """Tests the link, opens classes, and says of a class whether hours count."""

    def __init__(
        self,
        bench: Bench,
        applications: Applications,
        eligibility: Eligibility,
        figures: Figures,
        logs: ClassLogs,
        gather: Callable[[str], bool],
        province: Province,
    ) -> None:
        """`gather` asks the witnesses of a class now."""
        self._bench, self._applications, self._eligibility = bench, applications, eligibility
        self._figures, self._logs, self._gather, self._province = figures, logs, gather, province

    # --- the link -----------------------------------------------------------------------------------------------------

    def test_link(self, account: Account, class_id: str) -> Link:
        """Try every leg now; the result is kept."""
        bench = self._bench
        bench.office.require(account, Right.SEE, class_id)
        bench.office.audit(account, "tested the link", class_id, "before opening", class_id)
        found = Link(account.name, tuple(self._legs(class_id)))
        state = "works" if all(leg.works for leg in found.legs) else "broken"
        bench.keep(LINK, class_place(class_id), "", state, found)
        return found

    def _legs(self, class_id: str) -> Sequence[Leg]:
        names = {"client": "institution", "server": "operator", "witnesses": "operator", "province": "province"}
        tries: dict[str, Callable[[str], str]] = {"client": self._client, "server": self._server}
        if self._bench.keyring.trust(class_id).quorum != NONE:
            tries["witnesses"] = self._witnesses
        if self._province.configured:
            tries["province"] = self._reach_province
        return [Leg(name, trial(class_id), names[name]) for name, trial in tries.items()]

    def _client(self, class_id: str) -> str:
        """A device of the class proved its key to this server, and the class log says so."""
        count = self._bench.read(lambda tx: len(self._logs.log(tx, class_id).counting("device", LATEST)))
        return "" if count else "no device of this class has signed in yet"

    def _server(self, class_id: str) -> str:
        """The class log takes entries, and its signed head verifies by the key of the trust file."""
        try:
            head = self._bench.read(lambda tx: self._logs.head(tx, class_id))
            found, signed = checkpoint.parse(head)
            note.verify(signed, [self._bench.keyring.log(class_id).vkey], others=True)
        except (LedgerError, ServerError) as error:
            return f"the class log: {error}"[:200]
        held = self._bench.read(lambda tx: tx.log.size(class_id))
        return "" if found.size <= held else f"the class log has {held} entries, its head says {found.size}"

    def _witnesses(self, class_id: str) -> str:
        if self._gather(class_id) or self._bench.read(lambda tx: tx.witnessed.size(class_id)):
            return ""
        return "no quorum of witnesses answers"

    def _reach_province(self, class_id: str) -> str:
        head = self._bench.read(lambda tx: self._logs.head(tx, class_id))
        try:
            received = self._province.echo(head)
        except (OSError, ServerError) as error:
            return f"{error}"[:200] or type(error).__name__
        return "" if received == sha256(head).hexdigest() else "it received something else than was sent"

    def link(self, class_id: str) -> Paper | None:
        """The last test of a class."""
        found = self._bench.papers.find(LINK, places=[class_place(class_id)], limit=1)
        return found[0] if found else None

    # --- opening ------------------------------------------------------------------------------------------------------

    def open(self, account: Account, class_id: str) -> Paper:
        """Open the class: approved, its roster checked as it is now and clear, the link tested today and working."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        found = self._applications.of(class_id)
        if found is None:
            raise NotThereError("this class has no application")
        in_state(found, "approved")
        self._check_roster(class_id)
        link = self.link(class_id)
        if link is None or bench.clock() - link.made > LINK_LASTS_MS:
            raise LinkError("the link was not tested in the last 24 hours")
        broken = [leg for leg in link.read(Link).legs if not leg.works]
        if broken:
            raise LinkError(f"{broken[0].name}: {broken[0].why}; call: {broken[0].call}")
        value = replace(found.read(Application), opened_at=bench.clock())
        bench.office.audit(account, "opened the class", class_id, f"application {value.digest}", class_id)
        return bench.change(found, value, "open")

    def _check_roster(self, class_id: str) -> None:
        checked = self._eligibility.latest(class_id)
        roster = self._bench.people.registrations(class_id=class_id)
        if checked is None or checked.read(Checked).roster != roster_digest(roster):
            raise NotEligibleError("the roster changed since it was checked: check again")
        reasons = checked.read(Checked).reasons
        if reasons:
            raise NotEligibleError(f"{len({item.learner for item in reasons})} of the roster are not eligible yet")

    def close(self, account: Account, class_id: str, reason: str) -> Paper:
        """The institution closes an open class once the last lesson of its plan is over: no session begins any more,
        segments of those that began are still taken, and its retention runs from now. `WrongStateError` before."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        found = in_state(required(self._applications.of(class_id)), "open")
        value = found.read(Application)
        if value.ends >= bench.today().isoformat():
            raise WrongStateError(f"the plan of this class runs until {value.ends}")
        bench.office.audit(account, "closed the class", class_id, stated(reason), class_id)
        return bench.change(found, value, "closed")

    def gate(self, class_id: str) -> None:
        """Return quietly, or raise and no session is granted: `NotOpenYetError`, the course can be previewed;
        `ClassClosedError`, the class is over."""
        standing = self._applications.standing(class_id)
        if standing == "closed":
            raise ClassClosedError("this class is closed: no session begins any more")
        if standing != "open":
            raise NotOpenYetError("this class is not open yet: preview only, no credit")

    def before_grant(self, then: Callable[[str], None]) -> Callable[[str], None]:
        """What is asked before a session is granted in a class: is it open; and then `then`."""

        def ask(class_id: str) -> None:
            self.gate(class_id)
            then(class_id)

        return ask

    # --- practice -----------------------------------------------------------------------------------------------------

    def practised(self, account: Account, class_id: str, learner: str, day: str, topic: str) -> Paper:
        """A teacher saw the learner at a lesson of practice: only after theory is complete (R2.4)."""
        bench = self._bench
        bench.office.require(account, Right.STEER, class_id)
        found = self._applications.of(class_id)
        lessons = in_state(found, "open").read(Application).lessons if found else ()
        lesson = next((item for item in lessons if (item.part, item.day, item.topic) == ("practice", day, topic)), None)
        registered = bench.people.registrations(learner=learner, class_id=class_id)
        if lesson is None or not registered:
            raise NotThereError("no such lesson of practice, or no such learner")
        policy, _ = self._figures.rules(class_id)
        if not self._figures.of(registered[0]).complete(policy.attendance_permille):
            raise NotEligibleError("practice begins when theory is complete")
        if lesson.day > bench.today().isoformat():
            raise NotEligibleError("the lesson is not yet")
        value = Practised(lesson.day, lesson.topic, lesson.hours, account.name)
        place = class_place(class_id)
        for known in bench.papers.find(PRACTICE, places=[place], about=[learner]):
            if known.read(Practised).day == day and known.read(Practised).topic == topic:
                return known
        bench.office.audit(account, "confirmed practice", learner, f"{day} {topic}", class_id)
        return bench.keep(PRACTICE, place, learner, "seen", value)

    def practice_hours(self, class_id: str, learner: str) -> int:
        """Class hours of practice that a teacher confirmed."""
        found = self._bench.papers.find(PRACTICE, places=[class_place(class_id)], about=[learner])
        return sum(paper.read(Practised).hours for paper in found)
