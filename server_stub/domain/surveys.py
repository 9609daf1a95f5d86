"""What learners say of their courses (R0.13), what became of them later (R3.9), and how letters were served (R4.6).

A figure of fewer than `LEAST` answers is not shown: it would tell on people. Free text reaches nobody but those who may
decide about the class, with the marks of the word list beside it. Answers can be changed, and go with the person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from server_stub.domain.certificates import KIND as COMPLETION
from server_stub.domain.duties import Right
from server_stub.domain.errors import UnreadableError
from server_stub.domain.figures import Figures
from server_stub.domain.letters import KIND as LETTER
from server_stub.domain.letters import Letter
from server_stub.domain.office import class_place
from server_stub.domain.papers import Paper, fresh
from server_stub.domain.people import Account, Registration
from server_stub.domain.service import LEAST, Service
from server_stub.domain.tips import KIND as TIP
from server_stub.domain.tips import Tip
from server_stub.domain.wordlist import WordList
from server_stub.domain.work import Bench, class_of
from server_stub.domain.work_errors import NotEligibleError

RATING, FOLLOWUP = "rating", "followup"
FOLLOW_AFTER_MS: Final = 90 * 86_400_000  # three months after the proof: what a course is for shows by then
LONGEST: Final = 1_000
ASPECTS: Final = ("content", "teaching", "system")
WORK: Final = ("found", "kept", "own", "searching", "not")  # what became of somebody
EMPLOYED: Final = frozenset({"found", "kept", "own"})


@dataclass(frozen=True, slots=True)
class Rating:
    """One to five of each aspect, and words if one likes; `marked`: sorts of words to look at."""

    content: int
    teaching: int
    system: int
    text: str = ""
    marked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Followup:
    """Months after: what became of somebody, whether the work is in the trade, one to five, and words."""

    work: str
    in_trade: bool
    satisfied: int
    text: str = ""
    marked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """One course (by what its classes are called): answers, and tenths of each aspect's mean; () below `LEAST`."""

    title: str
    classes: int
    answers: int
    tenths: tuple[int, ...]

    @property
    def mean(self) -> int:
        """Of all aspects, in tenths; -1 where it is not shown."""
        return sum(self.tenths) // len(self.tenths) if self.tenths else -1


@dataclass(frozen=True, slots=True)
class After:
    """The follow-up of the account's classes: `asked` could have answered; per mille, -1 below `LEAST` answers."""

    asked: int
    answers: int
    employed: int
    in_trade: int
    satisfied_tenths: int


class Surveys:
    """Asks, keeps, counts."""

    def __init__(self, bench: Bench, figures: Figures, words: WordList) -> None:
        self._bench, self._figures, self.words = bench, figures, words

    # --- the learner --------------------------------------------------------------------------------------------------

    def rating(self, item: Registration) -> tuple[bool, Rating | None]:
        """Whether a learner may rate this class's course now, and what was said so far."""
        paper = self._bench.papers.get(RATING, _name(RATING, item))
        return self._is_complete(item), paper.read(Rating) if paper else None

    def followup(self, item: Registration) -> tuple[bool, Followup | None]:
        """Whether it is time to ask what became of somebody, and what was said so far."""
        paper = self._bench.papers.get(FOLLOWUP, _name(FOLLOWUP, item))
        return self._proved_at(item) is not None, paper.read(Followup) if paper else None

    def rate(self, item: Registration, value: Rating) -> None:
        """Keep a rating, or `NotEligibleError` before the course is complete."""
        if not self._is_complete(item):
            raise NotEligibleError("a course is rated by those who have completed it")
        if not all(1 <= getattr(value, aspect) <= 5 for aspect in ASPECTS):
            raise UnreadableError("one to five")
        text = _text(value.text)
        self._keep(RATING, item, replace(value, text=text, marked=self.words.marks(text)))

    def follow(self, item: Registration, value: Followup) -> None:
        """Keep what became of somebody, or `NotEligibleError` before it is asked."""
        if self._proved_at(item) is None:
            raise NotEligibleError("this is asked three months after the completion proof")
        if value.work not in WORK or not 1 <= value.satisfied <= 5:
            raise UnreadableError("what became of you, and one to five")
        text = _text(value.text)
        in_trade = value.in_trade and value.work in EMPLOYED
        self._keep(FOLLOWUP, item, replace(value, in_trade=in_trade, text=text, marked=self.words.marks(text)))

    def _keep(self, kind: str, item: Registration, value: Rating | Followup) -> None:
        bench, name = self._bench, _name(kind, item)
        before, state = bench.papers.get(kind, name), "marked" if value.marked else "plain"
        if before is not None:
            bench.change(before, value, state)
            return
        paper = fresh(kind, class_place(item.class_id), item.learner, state, bench.clock(), value)
        bench.papers.put(replace(paper, paper=name))

    def _is_complete(self, item: Registration) -> bool:
        policy, _ = self._figures.rules(item.class_id)
        return self._figures.of(item).complete(policy.attendance_permille)

    def _proved_at(self, item: Registration) -> int | None:
        """When the proof was issued, if that is long enough ago."""
        found = self._bench.papers.find(COMPLETION, places=[class_place(item.class_id)], about=[item.learner],
                                        states=["issued"], limit=1)  # fmt: skip
        at = found[0].made if found else None
        return at if at is not None and self._bench.clock() - at >= FOLLOW_AFTER_MS else None

    # --- the staff ----------------------------------------------------------------------------------------------------

    def ranking(self, account: Account) -> list[Ranked]:
        """The courses of the account's classes, the best first; those with too few answers at the end."""
        titles, by_course = self._courses(account), dict[str, list[Rating]]()
        classes: dict[str, int] = {}
        for course in titles.values():
            classes[course] = classes.get(course, 0) + 1
            by_course.setdefault(course, [])
        for paper in self._papers(RATING, titles):
            by_course[titles[class_of(paper)]].append(paper.read(Rating))
        found = [Ranked(course, classes[course], len(all_), _means(all_)) for course, all_ in by_course.items()]
        return sorted(found, key=lambda one: (-one.mean, -one.answers, one.title))

    def _courses(self, account: Account) -> dict[str, str]:
        """Class → its course's title, of the classes whose figures the account may see."""
        rooms = self._bench.office.classes(account, Right.FIGURES)
        return {room.class_id: self._figures.rules(room.class_id)[1].title.zh for room in rooms}

    def after(self, account: Account) -> After:
        """What became of those who completed."""
        classes = [room.class_id for room in self._bench.office.classes(account, Right.FIGURES)]
        answers = [paper.read(Followup) for paper in self._papers(FOLLOWUP, classes)]
        proofs = [paper for paper in self._papers(COMPLETION, classes) if paper.state == "issued"]
        asked = sum(self._bench.clock() - paper.made >= FOLLOW_AFTER_MS for paper in proofs)
        count = len(answers)
        if count < LEAST:
            return After(asked, count, -1, -1, -1)
        return After(
            asked, count, sum(one.work in EMPLOYED for one in answers) * 1000 // count,
            sum(one.in_trade for one in answers) * 1000 // count, sum(one.satisfied for one in answers) * 10 // count,
        )  # fmt: skip

    def service(self, account: Account) -> Service:
        """How letters of the account's classes were served."""
        return self.served([room.class_id for room in self._bench.office.classes(account, Right.FIGURES)])

    def served(self, classes: Sequence[str]) -> Service:
        """How letters of these classes were served."""
        letters = (paper.read(Letter) for paper in self._papers(LETTER, classes))
        return Service.count((letter.answer, letter.helped) for letter in letters)

    def served_tips(self, account: Account) -> Service | None:
        """How tips were served, which belong to no class: for those who decide somewhere, None for others."""
        if Right.DECIDE not in self._bench.office.rights(account):
            return None
        tips = (paper.read(Tip) for paper in self._bench.papers.find(TIP, limit=100_000))
        return Service.count((tip.answer, tip.helped) for tip in tips)

    def texts(self, account: Account) -> list[tuple[Paper, Rating | Followup]]:
        """What was written in words in the classes in which the account may decide; those with a mark first."""
        found: list[tuple[Paper, Rating | Followup]] = []
        for kind, form in ((RATING, Rating), (FOLLOWUP, Followup)):
            for paper in self._bench.mine(account, Right.DECIDE, kind, limit=500):
                value: Rating | Followup = paper.read(form)  # type: ignore[assignment]
                if value.text:
                    found.append((paper, value))
        return sorted(found, key=lambda pair: (not pair[1].marked, -pair[0].changed))

    def _papers(self, kind: str, classes: Mapping[str, str] | Sequence[str]) -> Sequence[Paper]:
        return self._bench.papers.find(kind, places=[class_place(item) for item in classes], limit=100_000)


def _means(found: Sequence[Rating]) -> tuple[int, ...]:
    if len(found) < LEAST:
        return ()
    return tuple(sum(getattr(one, aspect) for one in found) * 10 // len(found) for aspect in ASPECTS)


def _text(text: str) -> str:
    said = text.strip()
    if len(said) > LONGEST:
        raise UnreadableError(f"at most {LONGEST} characters")
    return said


def _name(kind: str, item: Registration) -> str:
    """One answer a registration: of two forms at once the second is a change."""
    return sha256(f"{kind} {item.registration}".encode()).hexdigest()[:32]
