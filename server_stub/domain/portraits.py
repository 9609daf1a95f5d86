"""Reference photos that a school brings in bulk: looked at first, then confirmed, and unused until the learner agrees.
They are sealed to the class's reviewers before anything is kept: the operator cannot open one. They go with the person
(`domain.privacy`) or when their time is over.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final, Protocol

from ledger import reference
from ledger.evidence import EvidenceError
from ledger.evidence import parse_keys as reference_keys
from ledger.keys import b64encode
from server_stub.domain import citizen, photobag
from server_stub.domain.duties import Right
from server_stub.domain.errors import (
    DecisionError,
    NotAllowedError,
    NotThereError,
    PhotoBagError,
    StalePreviewError,
)
from server_stub.domain.office import Office, stated
from server_stub.domain.people import Account
from server_stub.domain.photo_errors import NoReviewerError, NotAgreedError
from server_stub.domain.registry import Draft, Person, Registry, Wanted
from server_stub.domain.sealing import Sealer
from server_stub.domain.signin import Clock

DRAFT_MS: Final = 60 * 60 * 1000
_CLASS: Final = 100_000  # learners of a class


@dataclass(frozen=True, slots=True)
class Portrait:
    """A learner's reference photo: `mark` is the keyed hash of its bytes; `sealed` (`ledger.reference`) is opened by
    the reviewers of the class with the log `origin`, at the time when it came."""

    learner: str
    by: str
    at: int
    mark: str
    sealed: bytes
    origin: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A photo between preview and confirmation, sealed; `learner` so that it goes when the person goes."""

    number: int
    learner: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One file: `state` is new, replace, same or problem; `problem` is format, size, unknown, ambiguous or twice.
    `others` are the accounts that an ambiguous name may mean."""

    number: int
    file: str
    mark: str
    state: str
    problem: str = ""
    person: Person | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of every file; `digest` is the hash of all of it."""

    lines: tuple[Line, ...]

    def count(self, state: str) -> int:
        """How many files are in this state."""
        return sum(line.state == state for line in self.lines)

    @property
    def digest(self) -> str:
        """The same only if the same would happen to the same people."""
        said = [[line.file, line.mark, line.state, line.person.learner if line.person else ""] for line in self.lines]
        return sha256(json.dumps(said).encode()).hexdigest()


class PortraitStore(Protocol):
    """Keeps them sealed; every method is one transaction of its own."""

    def keep_draft(self, draft: Draft, waiting: Sequence[Waiting]) -> None: ...
    def draft(self, draft: str) -> Draft | None: ...
    def waiting(self, draft: str) -> Sequence[Waiting]: ...
    def drop_drafts(self, now: int, draft: str = "") -> None:
        """Forget the drafts that expired, and this one, with their photos."""

    def put(self, draft: str, portraits: Sequence[Portrait]) -> None:
        """All of them, each in the place of the one before, and the draft gone; or nothing: `StalePreviewError`."""

    def get(self, learner: str) -> Portrait | None: ...
    def marks(self, learners: Collection[str]) -> Mapping[str, str]: ...
    def learners(self) -> Collection[str]:
        """Of whom one is kept."""

    def older(self, until: int) -> Sequence[str]:
        """Learners whose photo came at `until` (ms) or before."""

    def drop(self, learner: str) -> int:
        """Erase a learner's, also one that waits; how many were kept."""


class Portraits:
    """Makes previews, carries them out, and hands a photo to a reviewer who compares it, once its learner agreed."""

    def __init__(
        self, store: PortraitStore, registry: Registry, office: Office, sealer: Sealer, clock: Clock,
        agrees: Callable[[str], bool], reviewers: Callable[[str], Sequence[str]], origin: Callable[[str], str],
    ) -> None:  # fmt: skip
        """`reviewers`: the evidence keys (vkeys) that count in a class now; `origin`: that of its log."""
        self._reviewers, self._origin = reviewers, origin
        self._store, self._registry, self._office = store, registry, office
        self._sealer, self._clock, self._agrees = sealer, clock, agrees

    def look(self, account: Account, class_id: str, data: bytes) -> tuple[str, Plan]:
        """A draft's identifier and what would become of every file; `PhotoBagError` for no .zip of photos."""
        self._office.require(account, Right.IMPORT, class_id)
        pictures = photobag.read(data)
        files = [(item.file, self._mark(item.data), item.problem) for item in pictures]
        plan, now, draft = self._judge(class_id, files), self._clock(), secrets.token_hex(16)
        waiting = [
            Waiting(line.number, line.person.learner, self._reseal(class_id, line.person.learner, picture.data))
            for line, picture in zip(plan.lines, pictures, strict=True)
            if line.person is not None and line.state in ("new", "replace")
        ]
        listed = self._sealer.seal(json.dumps(files).encode(), _place(draft, -1))
        self._store.drop_drafts(now)
        self._store.keep_draft(Draft(draft, account.name, class_id, now + DRAFT_MS, listed, plan.digest), waiting)
        return draft, plan

    def again(self, account: Account, draft: str) -> tuple[Draft, Plan]:
        """A draft of this account and its plan as of now; `NotThereError` for any other, and when it expired."""
        kept = self._store.draft(draft)
        if kept is None or kept.by != account.name or kept.expires <= self._clock():
            raise NotThereError("this preview has expired, or is not yours")
        self._office.require(account, Right.IMPORT, kept.class_id)
        files = json.loads(self._sealer.open(kept.sealed, _place(draft, -1)))
        return kept, self._judge(kept.class_id, files)

    def confirm(self, account: Account, draft: str, *, leave_out: bool) -> Plan:
        """Carry a draft out. Files with a problem are left out only if `leave_out` says so, else nothing is done.

        `StalePreviewError` when other than what was shown would happen.
        """
        kept, plan = self.again(account, draft)
        if plan.digest != kept.shown:
            self._store.drop_drafts(self._clock(), draft)
            raise StalePreviewError("the same people were changed since the preview")
        if plan.count("problem") and not leave_out:
            raise PhotoBagError(f"{plan.count('problem')} files cannot be imported as they are")
        waiting = {item.number: item for item in self._store.waiting(draft)}
        portraits = [self._portrait(account, line, waiting, kept.class_id) for line in plan.lines
                     if line.state in ("new", "replace")]  # fmt: skip
        said = f"{plan.count('new')} new, {plan.count('replace')} replaced; list {plan.digest}"
        self._office.audit(account, "imported reference photos", said, "unused until consent", kept.class_id)
        self._store.put(draft, portraits)
        return plan

    def standing(self, learner: str) -> tuple[Portrait, bool] | None:
        """A learner's photo, still sealed, and whether the learner agreed to its use; None where there is none."""
        found = self._store.get(learner)
        return (found, self._agrees(learner)) if found else None

    def hand_out(self, account: Account, learner: str, reason: str, vkey: str) -> dict[str, object]:
        """The photo as it is sealed to the reviewer's key `vkey`, for a page that opens it with the private half there;
        the reason stands in the class log first.

        `NotAgreedError` while no consent of the learner's stands, whoever asks.
        """
        person = self._office.person(account, learner)
        allowed = [item for item in person.classes if self._office.may(account, Right.REVEAL, item)]
        if not allowed:
            raise NotAllowedError("this account may not see reference photos")
        found = self.standing(learner)
        if found is None:
            raise NotThereError("no reference photo is kept of this learner")
        if not found[1]:
            raise NotAgreedError("this learner has agreed to no use of the photo")
        portrait, said = found[0], stated(reason)
        sealed = reference.parse(portrait.sealed)
        mine = reference_keys(sealed.keys_file).get(vkey)
        if mine is None or vkey not in {key for item in allowed for key in self._reviewers(item)}:
            raise DecisionError("the photo is not sealed to this key, or the key counts in no class of this learner")
        self._office.audit(account, "saw a reference photo", learner, said, *allowed)
        aad = reference.associated(portrait.origin, learner).decode()
        return {
            "aad": aad, "file": b64encode(sealed.file), "key": b64encode(mine), "kc": sealed.kc,
            "sha256": sha256(sealed.file).hexdigest(), "header": {"learner": learner},
        }  # fmt: skip

    def _reseal(self, class_id: str, learner: str, data: bytes) -> bytes:
        """Sealed to the class's reviewers: from here on nobody but they can open it."""
        try:
            keys = self._reviewers(class_id)
            return reference.seal(data, photobag.kind_of(data), self._origin(class_id), learner, keys)
        except EvidenceError as error:
            raise NoReviewerError(f"{error}") from error

    def _portrait(self, account: Account, line: Line, waiting: Mapping[int, Waiting], class_id: str) -> Portrait:
        item, person = waiting.get(line.number), line.person
        if item is None or person is None or item.learner != person.learner:
            raise StalePreviewError("a photo of the preview is not here any more")
        return Portrait(person.learner, account.name, self._clock(), line.mark, item.sealed, self._origin(class_id))

    def _mark(self, data: bytes) -> str:
        return self._sealer.digest("portrait/" + sha256(data).hexdigest()) if data else ""

    def _judge(self, class_id: str, files: Sequence[tuple[str, str, str]]) -> Plan:
        people = self._registry.search(Wanted(classes=[class_id]), _CLASS)
        kept = self._store.marks([person.learner for person in people])
        finder, seen, lines = _Finder(people, self._sealer.digest), set[str](), []
        for number, (file, mark, damage) in enumerate(files):
            found = [] if damage else finder.find(PurePosixPath(file).stem)
            person = found[0] if len(found) == 1 else None
            problem = damage or ("unknown" if not found else "ambiguous" if person is None else "")
            if person is not None:
                problem = "twice" if person.learner in seen else ""
                seen.add(person.learner)
            before = kept.get(person.learner) if person else None
            state = "problem" if problem else "new" if before is None else "same" if before == mark else "replace"
            others = tuple(one.account for one in found) if problem == "ambiguous" else ()
            lines.append(Line(number, file, mark, state, problem, person, others))
        return Plan(tuple(lines))


class _Finder:
    """Who a file's name means, among the learners of one class."""

    def __init__(self, people: Sequence[Person], digest: Callable[[str], str]) -> None:
        self._digest = digest
        self._numbers = {person.identity: person for person in people if person.identity}
        self._texts: dict[str, dict[str, Person]] = {}
        for person in people:
            for text in {_text(person.account), _text(person.name), _text(person.phone)} - {""}:
                self._texts.setdefault(text, {})[person.learner] = person

    def find(self, stem: str) -> list[Person]:
        """By an identity number if one is in it, else by the whole of it: account, telephone or name."""
        for part in re.findall(r"(?<!\d)\d{17}[\dX](?!\d)", citizen.plain(stem)):
            found = self._numbers.get(self._digest(part))
            return [found] if found else []
        return list(self._texts.get(_text(stem), {}).values())


def _text(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def _place(draft: str, number: int) -> str:
    return f"waiting/{draft}/{number}"
