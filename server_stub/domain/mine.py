"""What a learner sees of their own: hours with reasons, records, consents, photos, devices, letters. Nobody else's.

Every question is asked with the learner's account; what is another's does not exist here. Nothing of this earns time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from ledger import bodies, course
from ledger.bodies import Audit, Consent, Test
from ledger.course import Unit
from server_stub.domain import dossier
from server_stub.domain.answers import OPENED as ANSWERS_OPENED
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.devices import Devices
from server_stub.domain.dossier import Dossier
from server_stub.domain.errors import NotThereError, SignInAgainError, UnknownSessionError, UnreadableError
from server_stub.domain.figures import Figures, Progress
from server_stub.domain.office import class_place
from server_stub.domain.people import Account, Registration
from server_stub.domain.photos import Photo
from server_stub.domain.ports import Device, Session, Transaction
from server_stub.domain.reveal import known
from server_stub.domain.reviewing import OPENED
from server_stub.domain.said import said
from server_stub.domain.settle import Settler
from server_stub.domain.signin import SignIn
from server_stub.domain.work import Bench, day_of

WITHDRAWN: Final = "withdrawal"
MAY_WITHDRAW: Final = ("face", "photos")
PREVIEW_MS: Final = 600_000  # at least ten minutes of every course are free to look at (R4.2)
DAY_MS: Final = 86_400_000
WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Studied:
    """One session as the learner's list has it; times in ms."""

    sid: str
    begun: int
    credited_ms: int
    state: str
    settled: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """One registration with its class's title, how far it is, and its sessions, latest first."""

    registration: Registration
    title: str
    progress: Progress
    sessions: tuple[Studied, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """One thing that was agreed to or not, in one class; `withdrawn_at` where it was taken back on these pages."""

    class_id: str
    what: str
    given: bool
    at: int
    notice: str
    withdrawn_at: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """One sealed photo, and who opened it when and why: (ms, who, reason)."""

    photo: Photo
    class_id: str
    opened: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A consent that was taken back; the leaf that says so."""

    what: str
    leaf: int


class Mine:
    """Reads and, where the learner may, changes."""

    def __init__(
        self, bench: Bench, figures: Figures, settler: Settler, logs: ClassLogs, devices: Devices, sign_in: SignIn
    ) -> None:
        self._bench, self._figures, self._settler = bench, figures, settler
        self._logs, self._devices, self._sign_in = logs, devices, sign_in

    # --- hours --------------------------------------------------------------------------------------------------------

    def seats(self, account: Account) -> list[Seat]:
        """Every registration of the learner."""
        titles = self._bench.titles()
        found = self._bench.people.registrations(learner=account.learner)
        return [
            Seat(item, titles.get(item.class_id, ""), self._figures.of(item), self._sessions(item)) for item in found
        ]

    def seat(self, account: Account, registration: str) -> Seat:
        """One of them, or `NotThereError`."""
        found = next((item for item in self.seats(account) if item.registration.registration == registration), None)
        if found is None:
            raise NotThereError("this learner has no such registration")
        return found

    def week(self, seats: Sequence[Seat]) -> list[tuple[str, int]]:
        """(day, credited ms) of the last seven days, today last: by the day on which a session began."""
        now = self._bench.clock()
        days = [day_of(now - back * DAY_MS).isoformat() for back in reversed(range(WEEK))]
        earned = dict.fromkeys(days, 0)
        for item in (one for seat in seats for one in seat.sessions):
            day = day_of(item.begun).isoformat()
            if day in earned:
                earned[day] += item.credited_ms
        return list(earned.items())

    def _sessions(self, found: Registration) -> tuple[Studied, ...]:
        def read(tx: Transaction) -> tuple[Studied, ...]:
            lines = []
            for sid in reversed(tx.events.sessions(registration=found.registration)):
                session, progress = known(tx, sid), tx.events.progress(sid)
                settled = progress.settled_size == progress.size and not progress.unsettled
                lines.append(Studied(sid, session.granted_at, progress.settled_ms, progress.state, settled))
            return tuple(lines)

        return self._bench.read(read)

    def session(self, account: Account, sid: str) -> tuple[Session, Dossier]:
        """One session with every part, check and finding; `UnknownSessionError` for another's."""
        session = self._bench.read(lambda tx: tx.events.session(sid))
        if session is None or session.learner != account.learner:
            raise UnknownSessionError("this learner has no such session")
        return session, dossier.read(self._bench, self._settler, sid)

    def units(self, account: Account, registration: str) -> tuple[str, tuple[Unit, ...]]:
        """The course (its digest) and the units of a class."""
        return self._bench.read(partial(self._course, class_id=self.seat(account, registration).registration.class_id))

    def _course(self, tx: Transaction, class_id: str) -> tuple[str, tuple[Unit, ...]]:
        data = self._bench.enrolment.in_force(tx, class_id, "course")
        return sha256(data).hexdigest(), course.parse(data).units

    # --- what is agreed -----------------------------------------------------------------------------------------------

    def agreed(self, account: Account) -> list[Agreed]:
        """The latest word on each thing in each class."""
        found: dict[tuple[str, str], Agreed] = {}
        for item in self._bench.people.registrations(learner=account.learner):
            for body in self._said(item.class_id, "consent"):
                if isinstance(body, Consent) and body.learner == account.learner:
                    one = Agreed(item.class_id, body.what, body.given, body.at, body.notice)
                    found[item.class_id, body.what] = one
            for what in MAY_WITHDRAW:
                at = self.withdrawn_at(account.learner, item.class_id, what)
                if at:
                    last = found.get((item.class_id, what), Agreed(item.class_id, what, False, at, ""))
                    found[item.class_id, what] = Agreed(last.class_id, what, False, last.at, last.notice, at)
        return [found[key] for key in sorted(found)]

    def agrees(self, learner: str) -> bool:
        """Whether a consent to face processing or to photos stands in a class of theirs."""
        account = self._bench.people.account_of(learner)
        return account is not None and any(one.given and one.what in MAY_WITHDRAW for one in self.agreed(account))

    def withdraw(self, account: Account, registration: str, what: str) -> None:
        """Take a consent back, from the next check on: without `face` the other route, without `photos` no photo.

        It is the learner's own word on a page, so the class log names it as an act of the learner's, by pseudonym.
        """
        found = self.seat(account, registration).registration
        if what not in MAY_WITHDRAW:
            raise UnreadableError("what is taken back is the consent to face processing, or to photos")
        if self.withdrawn_at(account.learner, found.class_id, what):
            return
        leaf = self._bench.records.write(
            lambda tx: self._bench.decisions.audit(
                tx, found.class_id, "took a consent back", account.learner, what, by=account.learner
            )
        )
        place = class_place(found.class_id)
        self._bench.keep(WITHDRAWN, place, account.learner, what, Withdrawal(what, leaf))
        if what == "face":
            self._bench.people.set_reference(found.registration, "none")

    def withdrawn_at(self, learner: str, class_id: str, what: str) -> int:
        """When (ms) it was taken back; 0 where it was not, or was given again on the device since."""
        papers = self._bench.papers.find(
            WITHDRAWN, places=[class_place(class_id)], about=[learner], states=[what], limit=1
        )
        if not papers:
            return 0
        later = [
            body for body in self._said(class_id, "consent")
            if isinstance(body, Consent) and (body.learner, body.what) == (learner, what) and body.at > papers[0].made
        ]  # fmt: skip
        return 0 if later and later[-1].given else papers[0].made

    def refused(self, learner: str, class_id: str) -> tuple[str, ...]:
        """Which consents were taken back on these pages: grants honour it, whatever the device still believes."""
        return tuple(what for what in MAY_WITHDRAW if self.withdrawn_at(learner, class_id, what))

    def notices(self, account: Account) -> list[tuple[str, str]]:
        """(hash, text) of what the learner's classes tell people before they agree."""
        found: dict[str, str] = {}
        for item in self._bench.people.registrations(learner=account.learner):
            found |= self._bench.read(partial(self._notices, class_id=item.class_id))
        return sorted(found.items())

    def _notices(self, tx: Transaction, class_id: str) -> dict[str, str]:
        log = self._logs.log(tx, class_id)
        ruling = {leaf.sha256 for history in log.policies.values() for _, leaf in history}
        texts = {}
        for digest in tx.log.bodies(class_id):
            data = tx.log.body(digest) if digest not in ruling and tx.log.is_public(class_id, digest) else None
            if data is not None:
                texts[digest] = data.decode("utf-8", "replace")
        return texts

    def _said(self, class_id: str, *kinds: str) -> list[bodies.Body]:
        return self._bench.read(lambda tx: [body for _, body in said(tx, self._logs.log(tx, class_id), *kinds)])

    def tests(self, learner: str, class_id: str) -> list[Test]:
        """Every attempt of this learner at the tests of a class, the latest first."""
        mine = [item for item in self._bench.people.registrations(learner=learner) if item.class_id == class_id]

        def read(tx: Transaction) -> list[Test]:
            own = {sid for item in mine for sid in _sessions(tx, item.registration)}
            notes = said(tx, self._logs.log(tx, class_id), "test", sids=own)
            return [body for _, body in notes if isinstance(body, Test)]

        return self._bench.read(read)[::-1]

    # --- photos and devices -------------------------------------------------------------------------------------------

    def photos(self, account: Account) -> list[Look]:
        """Every photo that was taken of the learner, the latest first, with everybody who opened it."""
        looks = []
        for item in self._bench.people.registrations(learner=account.learner):
            opened: dict[str, list[tuple[int, str, str]]] = {}
            for body in self._said(item.class_id, "audit"):
                if isinstance(body, Audit) and body.did == OPENED:
                    opened.setdefault(body.target, []).append((body.at, body.by, body.reason))
            for photo in self._bench.read(partial(_photos, registration=item.registration)):
                looks.append(Look(photo, item.class_id, tuple(opened.get(f"{photo.sid}/{photo.eid}", ()))))
        return sorted(looks, key=lambda look: (-look.photo.at, look.photo.eid))

    def answers_opened(self, account: Account) -> list[Audit]:
        """Everybody who opened the sealed answers of a session of the learner's, the latest first."""
        found = []
        for item in self._bench.people.registrations(learner=account.learner):
            own = set(self._bench.read(partial(_sessions, registration=item.registration)))
            found += [body for body in self._said(item.class_id, "audit")
                      if isinstance(body, Audit) and body.did == ANSWERS_OPENED and body.target in own]  # fmt: skip
        return sorted(found, key=lambda body: -body.at)

    def devices(self, account: Account) -> list[Device]:
        """The learner's devices in all classes, in the order in which they came."""
        found = self._bench.people.registrations(learner=account.learner)
        return [
            device
            for class_id in dict.fromkeys(item.class_id for item in found)
            for device in self._bench.read(lambda tx, name=class_id: tx.log.devices(name, account.learner))  # type: ignore[misc]
        ]

    def lose(self, account: Account, token: str, vkey: str) -> None:
        """A device of the learner's own is lost: it signs nothing more. Needs a sign-in of minutes ago."""
        device = next((item for item in self.devices(account) if item.vkey == vkey), None)
        if device is None:
            raise NotThereError("this learner has no such device")
        if not self._sign_in.is_fresh(token):
            raise SignInAgainError("a device is given up by the person, right after signing in")
        self._devices.revoke(device.class_id, vkey, "reported lost by the learner")


def _sessions(tx: Transaction, registration: str) -> list[str]:
    return list(tx.events.sessions(registration=registration))


def _photos(tx: Transaction, registration: str) -> list[Photo]:
    return [photo for sid in tx.events.sessions(registration=registration) for photo in tx.photos.photos(sid)]


def preview_units(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """The first units that together last ten minutes: whole lessons, so that nobody is cut off."""
    found: list[Unit] = []
    for unit in units:
        if sum(item.duration_ms for item in found) >= PREVIEW_MS:
            break
        if unit.media:  # a live lesson is there for those who study
            found.append(unit)
    return tuple(found)
