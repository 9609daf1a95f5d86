"""Review cases: something to be looked at by people, what was found, what the learner says, what two people decide,
and what comes of an appeal. A case accuses nobody; only a decision has an effect, and it can be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ledger import bodies
from ledger.bodies import Reversal, Verdict
from ledger.errors import LedgerError
from server_stub.domain.duties import Right
from server_stub.domain.errors import DecisionError, NotThereError, UnreadableError
from server_stub.domain.office import class_place, stated
from server_stub.domain.papers import Paper, changed, fresh
from server_stub.domain.people import Account
from server_stub.domain.work import Bench, class_of, in_state
from server_stub.domain.work_errors import SecondPersonError, WrongStateError

KIND: Final = "case"
SOURCES: Final = ("warning", "finding", "inspection", "tip", "person")
SANCTIONS: Final = ("zeroing", "talk", "rectify", "take_down", "take_down_for_good", "subsidy_stop", "class_subsidy")
ON_LEARNER: Final = ("zeroing", "subsidy_stop")  # these wait for what the learner says
HEARING_MS: Final = 3 * 86_400_000  # the learner has three days to say something
APPEAL_MS: Final = 60 * 86_400_000
OPEN: Final = ("open", "proposed")
STATED: Final = (*OPEN, "decided", "appealed")  # the learner is heard
STANDING: Final = ("decided", "appealed", "kept")  # a sanction that stands
_MAX_TEXT: Final = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a case's timeline; `by` is an account, "learner" or "system"."""

    at: int
    by: str
    what: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sanction that one person proposed; events [from, to) where it zeroes."""

    sanction: str
    by: str
    at: int
    reason: str
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """What is known. `key` is the same for the same thing: it opens no second case."""

    source: str
    title: str
    sid: str = ""
    key: str = ""
    steps: tuple[Step, ...] = ()
    statement: str = ""
    proposal: Proposal | None = None
    decided_by: str = ""
    decided_at: int = 0
    verdict: str = ""  # hash of the signed note, where hours were zeroed
    appeal: str = ""
    appealed_at: int = 0


class Cases:
    """Opens, hears, decides."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    # --- opening and looking ------------------------------------------------------------------------------------------

    def open(
        self, class_id: str, learner: str, source: str, title: str, *, sid: str = "", key: str = "", by: str = "system"
    ) -> Paper:
        """Open a case, for a rule or a person; the same `key` gives the case that is there already.

        Whoever opens it by hand goes through `open_by`, which asks for the right and leaves an audit.
        """
        place = class_place(class_id)
        if key:
            for known in self._bench.papers.find(KIND, places=[place], about=[learner]):
                if known.data.get("key") == key:
                    return known
        if source not in SOURCES or not 0 < len(title) <= 300:
            raise UnreadableError("a case has a source and a title")
        step = Step(self._bench.clock(), by, "opened", title)
        return self._bench.keep(KIND, place, learner, "open", Case(source, title, sid, key, (step,)))

    def open_by(self, account: Account, class_id: str, learner: str, sid: str, title: str, source: str) -> Paper:
        """Somebody of the staff opens a case."""
        bench = self._bench
        bench.office.require(account, Right.DECIDE, class_id)
        if learner and not bench.people.registrations(learner=learner, class_id=class_id):
            raise NotThereError("no such learner in this class")
        self._check_session(class_id, learner, sid)
        bench.office.audit(account, "opened a case", learner or class_id, stated(title), class_id)
        return self.open(class_id, learner, source or "person", stated(title), sid=sid, by=account.name)

    def _check_session(self, class_id: str, learner: str, sid: str) -> None:
        session = self._bench.read(lambda tx: tx.events.session(sid)) if sid else None
        if sid and (session is None or (session.class_id, session.learner) != (class_id, learner)):
            raise NotThereError("no such session of this learner in this class")

    def listed(self, account: Account, states: Sequence[str] | None = None) -> list[Paper]:
        """The cases that the account may see, latest first."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        return self._bench.mine(account, Right.DECIDE, KIND, states=states, limit=300)

    def look(self, account: Account, paper: str) -> tuple[Paper, Case]:
        """One case."""
        found = self._bench.one(account, Right.DECIDE, KIND, paper)
        return found, found.read(Case)

    def of_learner(self, learner: str) -> list[tuple[Paper, Case]]:
        """A learner's own cases, for the learner's pages."""
        return [(paper, paper.read(Case)) for paper in self._bench.papers.find(KIND, about=[learner])]

    def offences(self) -> Mapping[str, int]:
        """Learner → how many sanctions stand: whom a later look comes back to (R0.14)."""
        found: dict[str, int] = {}
        for paper in self._bench.papers.find(KIND, states=STANDING, limit=100_000):
            found[paper.about] = found.get(paper.about, 0) + 1
        return found

    # --- what is said -------------------------------------------------------------------------------------------------

    def note(self, account: Account, paper: str, text: str) -> Paper:
        """A finding, a telephone call, the district's feedback: one more line."""
        found, case = self.look(account, paper)
        self._bench.office.audit(account, "noted in a case", found.paper, stated(text)[:500], class_of(found))
        return self._step(found, case, account.name, "noted", stated(text))

    def state(self, learner: str, paper: str, text: str) -> Paper:
        """The learner's own words; also after a decision, as long as the case is not closed."""
        found, case = self._own(learner, paper, *STATED)
        said = _words(text)
        return self._step(found, replace(case, statement=said), "learner", "stated", said)

    def appeal(self, learner: str, paper: str, text: str) -> Paper:
        """The learner asks that a decision be looked at by somebody else, within sixty days."""
        found, case = self._own(learner, paper, "decided")
        now = self._bench.clock()
        if now - case.decided_at > APPEAL_MS:
            raise WrongStateError("a decision can be appealed against for sixty days")
        said = _words(text)
        return self._step(found, replace(case, appeal=said, appealed_at=now), "learner", "appealed", said, "appealed")

    def with_letter(self, learner: str, class_id: str, what: str, said: str) -> Paper | None:
        """The learner's case in this class with what a letter says: an appeal against what was decided, else a
        statement; None where there is nothing to be heard in. It is not kept yet: that goes together with the letter.
        """
        known = self._bench.papers.find(KIND, places=[class_place(class_id)], about=[learner], states=STATED)
        now = self._bench.clock()
        for found in known if what == "appeal" else ():
            case = found.read(Case)
            if found.state == "decided" and now - case.decided_at <= APPEAL_MS:
                value = replace(case, appeal=said, appealed_at=now)
                return changed(found, now, _and(value, Step(now, "learner", "appealed", said)), "appealed")
        for found in known:
            value = replace(found.read(Case), statement=said)
            return changed(found, now, _and(value, Step(now, "learner", "stated", said)))
        return None

    def _own(self, learner: str, paper: str, *states: str) -> tuple[Paper, Case]:
        found = self._bench.papers.get(KIND, paper)
        if found is None or not learner or found.about != learner:
            raise NotThereError("no such case")
        return in_state(found, *states), found.read(Case)

    # --- what is decided ----------------------------------------------------------------------------------------------

    def close(self, account: Account, paper: str, reason: str) -> Paper:
        """Nothing is to be done: the case ends without any effect."""
        found, case = self.look(account, paper)
        in_state(found, *OPEN)
        self._bench.office.audit(account, "closed a case", found.paper, stated(reason), class_of(found))
        return self._step(found, case, account.name, "closed", stated(reason), "closed")

    def propose(
        self, account: Account, paper: str, sanction: str, reason: str, span: tuple[int, int] = (0, 0)
    ) -> Paper:
        """One person proposes; somebody else decides."""
        found, case = self.look(account, paper)
        in_state(found, "open")
        if sanction not in SANCTIONS or (sanction in ON_LEARNER and not found.about):
            raise UnreadableError("no such measure, or not for this case")
        if sanction == "zeroing" and (not case.sid or not 0 <= span[0] < span[1]):
            raise UnreadableError("hours are zeroed for a span of events of a session")
        now = self._bench.clock()
        proposal = Proposal(sanction, account.name, now, stated(reason), *span)
        self._bench.office.audit(account, "proposed a measure", found.paper, f"{sanction}: {stated(reason)}"[:500],
                                 class_of(found))  # fmt: skip
        return self._step(found, replace(case, proposal=proposal), account.name, "proposed",
                          f"{sanction}: {stated(reason)}", "proposed")  # fmt: skip

    def refuse(self, account: Account, paper: str, reason: str) -> Paper:
        """The second person does not agree: the case is open again."""
        found, case = self._second(account, paper)
        self._bench.office.audit(account, "refused a measure", found.paper, stated(reason), class_of(found))
        return self._step(found, replace(case, proposal=None), account.name, "refused", stated(reason), "open")

    def confirm(self, account: Account, paper: str, reason: str, data: bytes = b"") -> Paper:
        """A second person decides. To zero hours, `data` is the verdict that supervisors signed elsewhere (two keys
        where the policy says so): its leaf changes the figure, not this page."""
        found, case = self._second(account, paper)
        assert case.proposal is not None
        now = self._bench.clock()
        if case.proposal.sanction in ON_LEARNER and not case.statement and now - case.proposal.at < HEARING_MS:
            raise WrongStateError("the learner has three days to say something first")
        digest = self._zero(found, case, data) if case.proposal.sanction == "zeroing" else ""
        said = f"{case.proposal.sanction}: {stated(reason)}"
        self._bench.office.audit(account, "decided a measure", found.paper, said[:500], class_of(found))
        value = replace(case, decided_by=account.name, decided_at=now, verdict=digest)
        return self._step(found, value, account.name, "decided", said, "decided")

    def _second(self, account: Account, paper: str) -> tuple[Paper, Case]:
        found, case = self.look(account, paper)
        in_state(found, "proposed")
        if case.proposal is None or case.proposal.by == account.name:
            raise SecondPersonError("who proposed a measure does not decide it")
        return found, case

    def _zero(self, found: Paper, case: Case, data: bytes) -> str:
        body, digest = _signed(data)
        given = case.proposal
        assert given is not None
        wanted = (found.about, case.sid, given.first, given.last)
        if not isinstance(body, Verdict) or (body.learner, body.sid, body.from_, body.to) != wanted:
            raise DecisionError("the signed verdict is not on the events that were proposed")
        self._bench.decisions.take(class_of(found), data)
        return digest

    def answer(self, account: Account, paper: str, reason: str, *, uphold: bool, data: bytes = b"") -> Paper:
        """An appeal is answered by a third person. `uphold` gives the learner right: hours that were zeroed come back
        by a signed reversal (`data`)."""
        found, case = self.look(account, paper)
        in_state(found, "appealed")
        if case.proposal is None or account.name in (case.proposal.by, case.decided_by):
            raise SecondPersonError("an appeal is answered by somebody who did not take part")
        if uphold and case.verdict:
            body, _ = _signed(data)
            if not isinstance(body, Reversal) or body.verdict != case.verdict:
                raise DecisionError("the signed reversal is not of this case's verdict")
            self._bench.decisions.take(class_of(found), data)
        state = "reversed" if uphold else "kept"
        self._bench.office.audit(account, "answered an appeal", found.paper, f"{state}: {stated(reason)}"[:500],
                                 class_of(found))  # fmt: skip
        return self._step(found, case, account.name, state, stated(reason), state)

    def _step(self, found: Paper, case: Case, by: str, what: str, text: str, state: str = "") -> Paper:
        return self._bench.change(found, _and(case, Step(self._bench.clock(), by, what, text)), state)


# --- employers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pledge:
    """What an employer promised after a case, with its report of what was put right."""

    by: str
    text: str


@dataclass(frozen=True, slots=True)
class EmployerLine:
    """One employer: sanctions that stand, those since its last pledge, and whether a stop of subsidies is due."""

    place: str
    name: str
    cases: int
    since: int
    pledged_at: int
    stop: bool


class Employers:
    """Counts what comes back after an employer's pledge (R0.12)."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def pledge(self, account: Account, place: str, text: str) -> Paper:
        """An employer's pledge and report, by whoever has a duty there."""
        self._bench.office.require_place(account, Right.FLEET, place)
        said = _words(text)
        self._bench.office.audit(account, "took a pledge", place, said[:500])
        return self._bench.papers.put(
            fresh("pledge", place, "", "given", self._bench.clock(), Pledge(account.name, said))
        )[0]

    def lines(self, account: Account) -> list[EmployerLine]:
        """Every employer that the account may see."""
        bench = self._bench
        tree, duties = bench.office.tree(), bench.office.duties(account)
        places = [item for item in tree.places.values() if item.kind == "employer"
                  and tree.may(duties, Right.FLEET, item.key)]  # fmt: skip
        decided: dict[str, list[int]] = {}
        for paper in bench.papers.find(KIND, states=STANDING, limit=100_000):
            person = bench.registry.person(paper.about) if paper.about else None
            if person is not None and person.employer:
                decided.setdefault(person.employer, []).append(int(paper.data.get("decided_at", 0)))
        found = []
        for item in sorted(places, key=lambda place: place.key):
            pledges = bench.papers.find("pledge", places=[item.key], limit=1)
            at, times = pledges[0].made if pledges else 0, decided.get(item.key, [])
            since = sum(time > at for time in times) if at else 0
            found.append(EmployerLine(item.key, item.name, len(times), since, at, stop=since > 0))
        return found


def _and(case: Case, step: Step) -> Case:
    return replace(case, steps=(*case.steps, step))


def _signed(data: bytes) -> tuple[bodies.Body, str]:
    try:
        body, signed = bodies.parse(data)
    except LedgerError as error:
        raise DecisionError(f"no signed note: {error}") from error
    return body, signed.digest


def _words(text: str) -> str:
    said = text.strip()
    if not 4 <= len(said) <= _MAX_TEXT:
        raise UnreadableError(f"write 4 to {_MAX_TEXT} characters")
    return said
