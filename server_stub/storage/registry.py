"""`domain.registry.Registry` on SQLAlchemy, in the people's database: people can be erased while records stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Engine,
    Index,
    Integer,
    LargeBinary,
    String,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server_stub.domain.duties import Duty, Place
from server_stub.domain.errors import StalePreviewError
from server_stub.domain.registry import Deed, Draft, Enrolment, Person, Sought, Wanted
from server_stub.storage.people import AccountRow, Base, RegistrationRow

_MANY = 500  # names in one statement; SQLite's oldest limit is 999


class PersonRow(Base):
    __tablename__ = "person"
    learner: Mapped[str] = mapped_column(String(32), primary_key=True)
    phone: Mapped[str] = mapped_column(String(20), index=True)
    employer: Mapped[str] = mapped_column(String(80), index=True)
    identity: Mapped[str | None] = mapped_column(String(64), unique=True)  # one person, one account
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class PlaceRow(Base):
    __tablename__ = "place"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    parent: Mapped[str] = mapped_column(String(80))


class DutyRow(Base):
    __tablename__ = "duty"
    account: Mapped[str] = mapped_column(String(100), primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[str] = mapped_column(String(80), primary_key=True)


class DraftRow(Base):
    __tablename__ = "draft"
    draft: Mapped[str] = mapped_column(String(32), primary_key=True)
    by: Mapped[str] = mapped_column(String(100))
    class_id: Mapped[str] = mapped_column(String(64))
    expires: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    shown: Mapped[str] = mapped_column(String(64))


class DeedRow(Base):
    __tablename__ = "deed"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(100))
    did: Mapped[str] = mapped_column(String(200))
    target: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(1000))
    place: Mapped[str] = mapped_column(String(80), index=True)
    leaf: Mapped[int]


Index("deed_by_day", DeedRow.at)
Index("deed_by_account", DeedRow.by, DeedRow.at)
Index("deed_by_verb", DeedRow.did, DeedRow.at)
Index("account_by_person", AccountRow.person, AccountRow.name)


class SqlRegistry:
    """On the engine that `open_engine` gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- places and duties --------------------------------------------------------------------------------------------

    def places(self) -> Sequence[Place]:
        with Session(self._engine) as session:
            return [Place(row.key, row.name, row.parent) for row in session.scalars(select(PlaceRow))]

    def put_place(self, place: Place) -> None:
        with Session(self._engine) as session, session.begin():
            session.merge(PlaceRow(key=place.key, name=place.name, parent=place.parent))

    def duties(self, account: str | None = None) -> Sequence[Duty]:
        query = select(DutyRow).order_by(DutyRow.account, DutyRow.place, DutyRow.role)
        if account is not None:
            query = query.where(DutyRow.account == account)
        with Session(self._engine) as session:
            return [Duty(row.account, row.role, row.place) for row in session.scalars(query)]

    def add_duty(self, duty: Duty) -> None:
        with Session(self._engine) as session, session.begin():
            session.merge(DutyRow(account=duty.account, role=duty.role, place=duty.place))

    def drop_duty(self, duty: Duty) -> bool:
        with Session(self._engine) as session, session.begin():
            row = session.get(DutyRow, (duty.account, duty.role, duty.place))
            if row is not None:
                session.delete(row)
            return row is not None

    # --- people -------------------------------------------------------------------------------------------------------

    def search(self, wanted: Wanted, limit: int) -> Sequence[Person]:
        where: list[ColumnElement[bool]] = [AccountRow.learner != ""]
        if wanted.text:
            text = wanted.text.lower()
            named = func.lower(AccountRow.person).contains(text, autoescape=True)
            ways = [named, AccountRow.name.contains(text, autoescape=True)]
            if text.isascii() and text.isdigit():  # only then: others need no look at 100,000 more rows
                ways.append(_has(PersonRow.phone.between(text, text + ":")))
            where.append(or_(*ways))
        if wanted.identity:
            where.append(_has(PersonRow.identity == wanted.identity))
        if wanted.employer:
            where.append(_has(PersonRow.employer == wanted.employer))
        if wanted.classes is not None:
            within = RegistrationRow.class_id.in_(list(wanted.classes))
            where.append(exists().where(RegistrationRow.learner == AccountRow.learner, within))
        if wanted.after != ("", ""):
            where.append(tuple_(AccountRow.person, AccountRow.name) > tuple_(*wanted.after))
        return self._people(and_(*where), limit)

    def person(self, learner: str) -> Person | None:
        found = self._people(and_(AccountRow.learner == learner, AccountRow.learner != ""), 1)
        return found[0] if found else None

    def known(self, accounts: Collection[str], identities: Collection[str]) -> Sequence[Person]:
        found: dict[str, Person] = {}
        for some in _some(accounts):
            found.update((person.account, person) for person in self._people(AccountRow.name.in_(some), len(some)))
        for some in _some(identities):
            found.update((one.account, one) for one in self._people(_has(PersonRow.identity.in_(some)), len(some)))
        return list(found.values())

    def _people(self, where: ColumnElement[bool], limit: int) -> list[Person]:
        order = (AccountRow.person, AccountRow.name)
        page = select(AccountRow.name).where(where).order_by(*order).limit(limit).subquery()  # whom first
        query = (
            select(AccountRow, PersonRow)
            .join(page, page.c.name == AccountRow.name)
            .outerjoin(PersonRow, and_(PersonRow.learner == AccountRow.learner, AccountRow.learner != ""))
            .order_by(*order)
        )
        with Session(self._engine) as session:
            rows = session.execute(query).all()
            classes = self._classes(session, [account.learner for account, _ in rows if account.learner])
            return [_person(account, more, classes.get(account.learner, ())) for account, more in rows]

    @staticmethod
    def _classes(session: Session, learners: Collection[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for some in _some(learners):
            query = select(RegistrationRow.learner, RegistrationRow.class_id).where(RegistrationRow.learner.in_(some))
            for learner, class_id in session.execute(query.order_by(RegistrationRow.class_id)):
                found[learner] = (*found.get(learner, ()), class_id)
        return found

    def counts(self) -> Mapping[str, int]:
        query = select(RegistrationRow.class_id, func.count()).group_by(RegistrationRow.class_id)
        with Session(self._engine) as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def enrol(self, class_id: str, people: Sequence[Enrolment]) -> None:
        fresh = [item.person for item in people if item.is_new]
        accounts = [
            {"name": person.account, "person": person.name, "learner": person.learner, "password": "", "roles": []}
            for person in fresh
        ]
        registrations: list[dict[str, Any]] = [
            {"registration": item.registration, "learner": item.person.learner, "class_id": class_id,
             "reference": "none", "real_name": "open", "identified": -1}
            for item in people if item.registration
        ]  # fmt: skip
        try:
            with Session(self._engine) as session, session.begin():
                if accounts:
                    session.execute(insert(AccountRow), accounts)
                    session.execute(insert(PersonRow), [_columns(person) for person in fresh])
                for item in people:
                    if not item.is_new:
                        self._change(session, item.person)
                self._check_not_enrolled(session, class_id, [row["learner"] for row in registrations])
                if registrations:
                    session.execute(insert(RegistrationRow), registrations)
        except IntegrityError as error:
            raise StalePreviewError("an account or a number was taken meanwhile") from error

    @staticmethod
    def _change(session: Session, person: Person) -> None:
        session.execute(update(AccountRow).where(AccountRow.learner == person.learner).values(person=person.name))
        session.merge(PersonRow(**_columns(person)))

    @staticmethod
    def _check_not_enrolled(session: Session, class_id: str, learners: Collection[str]) -> None:
        for some in _some(learners):
            query = select(func.count()).where(RegistrationRow.class_id == class_id, RegistrationRow.learner.in_(some))
            if session.scalar(query):
                raise StalePreviewError("somebody was enrolled meanwhile")

    # --- drafts and the journal ---------------------------------------------------------------------------------------

    def keep_draft(self, draft: Draft) -> None:
        with Session(self._engine) as session, session.begin():
            session.add(
                DraftRow(draft=draft.draft, by=draft.by, class_id=draft.class_id, expires=draft.expires,
                         sealed=draft.sealed, shown=draft.shown)
            )  # fmt: skip

    def draft(self, draft: str) -> Draft | None:
        with Session(self._engine) as session:
            row = session.get(DraftRow, draft)
            return Draft(row.draft, row.by, row.class_id, row.expires, row.sealed, row.shown) if row else None

    def drop_drafts(self, now: int, draft: str = "") -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(DraftRow).where(or_(DraftRow.expires <= now, DraftRow.draft == draft)))

    def write_down(self, deed: Deed) -> None:
        with Session(self._engine) as session, session.begin():
            session.add(
                DeedRow(at=deed.at, by=deed.by, did=deed.did, target=deed.target, reason=deed.reason,
                        place=deed.place, leaf=deed.leaf)
            )  # fmt: skip

    def journal(self, sought: Sought, limit: int) -> Sequence[Deed]:
        query = select(DeedRow).where(DeedRow.id < min(sought.before, 2**31 - 1)).order_by(DeedRow.id.desc())
        if sought.places is not None:
            query = query.where(DeedRow.place.in_(list(sought.places)))
        if sought.by or sought.accounts:
            named = func.lower(DeedRow.by).contains(sought.by.lower(), autoescape=True) if sought.by else false()
            query = query.where(or_(named, DeedRow.by.in_(list(sought.accounts))))
        if sought.did:
            query = query.where(DeedRow.did == sought.did)
        if sought.since or sought.until < 2**52:
            query = query.where(DeedRow.at >= sought.since, DeedRow.at < sought.until)
        with Session(self._engine) as session:
            return [
                Deed(row.at, row.by, row.did, row.target, row.reason, row.place, row.leaf, row.id)
                for row in session.scalars(query.limit(limit))
            ]


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an account's person fits, by an index of persons."""
    return AccountRow.learner.in_(select(PersonRow.learner).where(condition))


def _some(names: Collection[str]) -> Iterator[list[str]]:
    left = iter(names)
    while some := list(islice(left, _MANY)):
        yield some


def _columns(person: Person) -> dict[str, Any]:
    return {"learner": person.learner, "phone": person.phone, "employer": person.employer,
            "identity": person.identity or None, "sealed": person.sealed}  # fmt: skip


def _person(account: AccountRow, more: PersonRow | None, classes: tuple[str, ...]) -> Person:
    if more is None:
        return Person(account.name, account.learner, account.person, classes=classes)
    return Person(
        account.name, account.learner, account.person, more.phone, more.employer, more.identity or "", more.sealed,
        classes,
    )  # fmt: skip
