"""A provider's file (R4.8): what it is, its licence, how many courses and how many of them free, what reviewers wrote,
and the five working days for which a favourable review is open to the public; beside it complaints, exits, ratings.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Final

from server_stub.domain.classlog import ClassLogs
from server_stub.domain.duties import Place, Right
from server_stub.domain.errors import NotAllowedError, NotThereError, UnreadableError
from server_stub.domain.houserules import HouseRules
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, fresh
from server_stub.domain.people import Account
from server_stub.domain.ports import Transaction
from server_stub.domain.said import provider_left
from server_stub.domain.surveys import Ranked, Surveys
from server_stub.domain.tips import KIND as TIP
from server_stub.domain.tips import Tip
from server_stub.domain.work import Bench
from server_stub.domain.work_errors import WrongStateError

KIND: Final = "provider"
KINDS: Final[Mapping[str, int]] = {"platform": 100, "courses": 20}  # what it is → how many courses at least
FREE_PERMILLE: Final = 500
SOON_DAYS: Final = 60
OPEN_WORKING_DAYS: Final = 5
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer found; `by` is an account, `at` ms."""

    at: int
    by: str
    approved: bool
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """What is on file. `until`, `public_until` are days (2026-11-22) or ""; `titles` as in the courses' manifests;
    `changed`: when the provider wrote it, ms."""

    what: str
    licence: str
    until: str
    contact: str
    courses: int
    free: int
    titles: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    public_until: str = ""
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A provider as the staff see it; `problems` are words of the pages."""

    place: Place
    file: File | None
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        """What addresses call it."""
        return self.place.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Record:
    """What happened with a provider: complaints that name it, how many were answered, classes that it left."""

    complaints: int
    answered: int
    left: tuple[str, ...]
    ranked: tuple[Ranked, ...]


def problems(file: File | None, today: datetime.date) -> tuple[str, ...]:
    """What is missing by the rules; () for a file that is in order."""
    if file is None:
        return ("no_file",)
    found = ["few_courses"] if file.courses < KINDS[file.what] else []
    found += ["few_free"] if file.free * 1000 < FREE_PERMILLE * file.courses else []
    if not file.licence or not file.until:
        found.append("no_licence")
    elif datetime.date.fromisoformat(file.until) < today:
        found.append("licence_over")
    elif (datetime.date.fromisoformat(file.until) - today).days <= SOON_DAYS:
        found.append("licence_soon")
    if not file.reviews:
        found.append("no_review")
    elif not file.reviews[-1].approved:
        found.append("not_approved")
    elif file.changed > file.reviews[-1].at:
        found.append("changed_since")
    elif datetime.date.fromisoformat(file.public_until) >= today:
        found.append("still_public")
    return tuple(found)


def read_form(form: Mapping[str, str]) -> File:
    """What a form states, or `UnreadableError` naming the field."""
    words = {name: " ".join(form.get(name, "").split())[:200] for name in ("what", "licence", "until", "contact")}
    if words["what"] not in KINDS:
        raise UnreadableError("a provider is a platform or gives courses")
    numbers = [form.get(name, "").strip() for name in ("courses", "free")]
    if not all(re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) for text in numbers):
        raise UnreadableError("courses and free ones are whole numbers")
    courses, free = map(int, numbers)
    if free > courses:
        raise UnreadableError("no more courses are free than there are")
    if words["until"]:
        try:
            datetime.date.fromisoformat(words["until"] if _DAY.fullmatch(words["until"]) else "")
        except ValueError as error:
            raise UnreadableError("the licence ends on a day, as 2028-12-31") from error
    titles = tuple(dict.fromkeys(" ".join(line.split())[:200] for line in form.get("titles", "").splitlines()))
    listed = tuple(title for title in titles if title)[:500]
    return File(words["what"], words["licence"], words["until"], words["contact"], courses, free, listed)


class Providers:
    """Keeps the files. A provider writes its own; who may decide somewhere reads and reviews all of them."""

    def __init__(self, bench: Bench, rules: HouseRules, surveys: Surveys, logs: ClassLogs) -> None:
        self._bench, self._rules, self._surveys, self._logs = bench, rules, surveys, logs

    def listed(self, account: Account) -> list[Seen]:
        """Every provider that the account may see, those with something to look at first."""
        self._bench.office.require_anywhere(account, Right.FIGURES)
        places = [place for place in self._places() if self._may_see(account, place)]
        seen = [Seen(place, self._file(place), problems(self._file(place), self._bench.today())) for place in places]
        return sorted(seen, key=lambda one: (not one.problems, one.place.name, one.place.key))

    def one(self, account: Account, name: str) -> Seen:
        """One of them; `NotThereError` for one that the account may not see."""
        found = next((seen for seen in self.listed(account) if seen.name == name), None)
        if found is None:
            raise NotThereError("no such provider")
        return found

    def may_write(self, account: Account, seen: Seen) -> bool:
        """Whether it is the account's own file, or all are."""
        office = self._bench.office
        return office.tree().may(office.duties(account), Right.FIGURES, seen.place.key)

    def own_titles(self, account: Account, name: str) -> frozenset[str]:
        """The courses that are this provider's by a file that somebody reviewed, and no other provider claims so.

        `NotAllowedError` for whoever may not write the file; `WrongStateError` where no favourable review is of the
        file as it stands: what a provider says of itself alone opens nothing.
        """
        seen = self.one(account, name)
        if not self.may_write(account, seen):
            raise NotAllowedError("a provider sees to its own courses")
        if not _stands(seen.file):
            raise WrongStateError("the provider's file waits for a favourable review as it stands now")
        others = [self._file(place) for place in self._places() if place.key != seen.place.key]
        claimed = {title for file in others if file is not None and _stands(file) for title in file.titles}
        return frozenset(seen.file.titles if seen.file else ()) - claimed

    def save(self, account: Account, name: str, form: Mapping[str, str]) -> None:
        """Write the file; what reviewers wrote stays; what changed after a review is pointed out."""
        seen = self.one(account, name)
        if not self.may_write(account, seen):
            raise NotAllowedError("a provider writes its own file")
        new, old = read_form(form), seen.file
        self._bench.office.audit(account, "wrote a provider's file", seen.place.key, f"{new.courses}, {new.free} free")
        if old is not None:
            new = replace(new, reviews=old.reviews, public_until=old.public_until, changed=old.changed)
        if new != old:  # the same once more needs no other review
            self._keep(seen.place, replace(new, changed=self._bench.clock()))

    def review(self, account: Account, name: str, *, approved: bool, text: str) -> None:
        """Add what a reviewer found; a favourable one is open to the public for five working days."""
        bench, seen = self._bench, self.one(account, name)
        bench.office.require_anywhere(account, Right.DECIDE)
        if seen.file is None:
            raise NotThereError("there is no file to review yet")
        said, open_until = stated(text), ""
        if approved:
            open_until = self._rules.working_days(bench.today(), OPEN_WORKING_DAYS).isoformat()
        bench.office.audit(account, "reviewed a provider", seen.place.key, f"{'yes' if approved else 'no'}: {said}")
        one = Review(bench.clock(), account.name, approved, said)
        self._keep(seen.place, replace(seen.file, reviews=(*seen.file.reviews, one), public_until=open_until))

    def record(self, account: Account, name: str) -> Record:
        """Complaints, exits and ratings of one provider."""
        bench, seen = self._bench, self.one(account, name)
        known = (seen.place.name, seen.place.key)
        tips = [paper.read(Tip) for paper in bench.papers.find(TIP, limit=10_000)]
        about = [tip for tip in tips if any(word in f"{tip.about}\n{tip.text}" for word in known)]
        titles = set(seen.file.titles) if seen.file else set()
        return Record(len(about), sum(bool(tip.answer) for tip in about), tuple(self._left(known)),
                      tuple(one for one in self._surveys.ranking(account) if one.title in titles))  # fmt: skip

    def public(self) -> list[Seen]:
        """Those whose favourable review is open to the public today."""
        today = self._bench.today()
        seen = [Seen(place, self._file(place), ()) for place in self._places()]
        return [one for one in seen if one.file and one.file.public_until
                and datetime.date.fromisoformat(one.file.public_until) >= today]  # fmt: skip

    def _left(self, known: Sequence[str]) -> list[str]:
        """The classes that a provider of this name has left (R4.6): their records verify as before."""
        titles = self._bench.titles()
        return [title for class_id, title in titles.items() if self._bench.read(partial(self._exit, class_id)) in known]

    def _exit(self, class_id: str, tx: Transaction) -> str:
        return provider_left(tx, self._logs.log(tx, class_id)) or ""

    def _places(self) -> list[Place]:
        return [place for place in self._bench.office.tree().places.values() if place.kind == "provider"]

    def _may_see(self, account: Account, place: Place) -> bool:
        office = self._bench.office
        return Right.DECIDE in office.rights(account) or office.tree().may(
            office.duties(account), Right.FIGURES, place.key
        )

    def _file(self, place: Place) -> File | None:
        paper = self._paper(place)
        return paper.read(File) if paper else None

    def _paper(self, place: Place) -> Paper | None:
        return self._bench.papers.get(KIND, _name(place))

    def _keep(self, place: Place, value: File) -> None:
        before = self._paper(place)
        if before is not None:
            self._bench.change(before, value)
            return
        paper = fresh(KIND, place.key, "", "kept", self._bench.clock(), value)
        self._bench.papers.put(replace(paper, paper=_name(place)))


def _stands(file: File | None) -> bool:
    """Whether the latest review is favourable and of the file as it is."""
    return file is not None and bool(file.reviews) and file.reviews[-1].approved and file.changed <= file.reviews[-1].at


def _name(place: Place) -> str:
    """One file a provider."""
    return sha256(f"{KIND} {place.key}".encode()).hexdigest()[:32]
