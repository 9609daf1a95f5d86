"""Accounts, registrations and tokens in a database of their own, so that people can be erased while records stand."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import JSON, BigInteger, Boolean, Engine, String, create_engine, delete, event, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from server_stub.domain.errors import ServerError, SetupError
from server_stub.domain.people import Account, Challenge, Classroom, Registration, Token
from server_stub.domain.store_errors import StoreGoneError
from server_stub.settings import touch_private
from server_stub.storage.connection import sqlite_error
from server_stub.storage.schema import bring_up

DAY_MS = 24 * 3600 * 1000


class Base(DeclarativeBase):
    """All tables of this database."""


class AccountRow(Base):
    __tablename__ = "account"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    person: Mapped[str] = mapped_column(String(200))
    learner: Mapped[str] = mapped_column(String(32), index=True)
    password: Mapped[str] = mapped_column(String(300))
    roles: Mapped[list[str]] = mapped_column(JSON)


class ClassRow(Base):
    __tablename__ = "class"
    class_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    made: Mapped[int] = mapped_column(BigInteger)


class RegistrationRow(Base):
    __tablename__ = "registration"
    registration: Mapped[str] = mapped_column(String(32), primary_key=True)
    learner: Mapped[str] = mapped_column(String(32), index=True)
    class_id: Mapped[str] = mapped_column(String(64), index=True)
    reference: Mapped[str] = mapped_column(String(64))
    real_name: Mapped[str] = mapped_column(String(20))
    identified: Mapped[int]


class ChallengeRow(Base):
    __tablename__ = "challenge"
    challenge: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(100))
    code: Mapped[str] = mapped_column(String(64))
    expires: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int]


class CodeRow(Base):
    __tablename__ = "code_asked"
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(100), index=True)
    at: Mapped[int] = mapped_column(BigInteger)


class TokenRow(Base):
    __tablename__ = "token"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(100))
    staff: Mapped[bool] = mapped_column(Boolean)
    expires: Mapped[int] = mapped_column(BigInteger)


def open_engine(url: str) -> Engine:
    """An engine whose database has this program's form; SQLite waits for its turn instead of failing."""
    engine = create_engine(url, hide_parameters=True)  # an error goes to the log, and no person's data with it
    if engine.dialect.name == "sqlite" and engine.url.database:
        touch_private(Path(engine.url.database))

        @event.listens_for(engine, "connect")
        def _pragmas(connection, _record) -> None:  # type: ignore[no-untyped-def]
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=10000")
            connection.execute("PRAGMA secure_delete=ON")  # an erased photo or number leaves zeros, not a free page

    @event.listens_for(engine, "handle_error")
    def _ours(context) -> None:  # type: ignore[no-untyped-def]
        meant = _meant(context.original_exception)
        if meant is not None:
            raise meant from context.original_exception

    bring_up(url, "people")
    return engine


def _meant(error: BaseException) -> ServerError | None:
    """What an error of either driver means that is nobody's fault but the disk's or the line's."""
    if isinstance(error, sqlite3.Error):
        return sqlite_error(error)
    if isinstance(error, OSError):
        return StoreGoneError("the database of people does not answer")
    if type(error).__module__.startswith("pg8000"):
        from server_stub.storage.postgres import postgres_error

        return postgres_error(error)
    return None


class PeopleStore:
    """`domain.people.People` on SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def add_account(self, account: Account) -> None:
        row = AccountRow(
            name=account.name, person=account.person, learner=account.learner, password=account.password,
            roles=list(account.roles),
        )  # fmt: skip
        self._add(row, f"the account {account.name!r} exists already")

    def account(self, name: str) -> Account | None:
        with Session(self._engine) as session:
            return _account(session.get(AccountRow, name))

    def staff(self) -> Sequence[Account]:
        query = select(AccountRow).where(AccountRow.password != "").order_by(AccountRow.name)
        with Session(self._engine) as session:
            return [account for row in session.scalars(query) if (account := _account(row)) is not None]

    def account_of(self, learner: str) -> Account | None:
        with Session(self._engine) as session:
            return _account(session.scalar(select(AccountRow).where(AccountRow.learner == learner)))

    def add_class(self, classroom: Classroom) -> None:
        row = ClassRow(class_id=classroom.class_id, title=classroom.title, made=classroom.made)
        self._add(row, f"the class {classroom.class_id!r} exists already")

    def classes(self) -> Sequence[Classroom]:
        with Session(self._engine) as session:
            rows = session.scalars(select(ClassRow).order_by(ClassRow.made, ClassRow.class_id))
            return [Classroom(row.class_id, row.title, row.made) for row in rows]

    def add_registration(self, registration: Registration) -> None:
        row = RegistrationRow(
            registration=registration.registration, learner=registration.learner, class_id=registration.class_id,
            reference=registration.reference, real_name=registration.real_name, identified=registration.identified,
        )  # fmt: skip
        self._add(row, "the registration exists already")

    def registration(self, registration: str) -> Registration | None:
        with Session(self._engine) as session:
            row = session.get(RegistrationRow, registration)
            return _registration(row) if row else None

    def registrations(self, *, learner: str | None = None, class_id: str | None = None) -> Sequence[Registration]:
        query = select(RegistrationRow).order_by(RegistrationRow.registration)
        if learner is not None:
            query = query.where(RegistrationRow.learner == learner)
        if class_id is not None:
            query = query.where(RegistrationRow.class_id == class_id)
        with Session(self._engine) as session:
            return [_registration(row) for row in session.scalars(query)]

    def set_reference(self, registration: str, reference: str) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(RegistrationRow).where(RegistrationRow.registration == registration).values(reference=reference)
            )

    def set_real_name(self, registration: str, how: str, leaf: int) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(RegistrationRow)
                .where(RegistrationRow.registration == registration)
                .values(real_name=how, identified=leaf)
            )

    def count_code(self, account: str, now: int, *, gap_ms: int, a_day: int) -> bool:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(CodeRow).where(CodeRow.at <= now - DAY_MS))  # a write first: two at once queue up
            query = select(func.count(), func.max(CodeRow.at)).where(CodeRow.account == account)
            asked, last = session.execute(query).one()
            if asked >= a_day or (asked and now - last < gap_ms):
                return False
            session.add(CodeRow(account=account, at=now))
            return True

    def keep_challenge(self, challenge: Challenge) -> None:
        row = ChallengeRow(
            challenge=challenge.challenge, account=challenge.account, code=challenge.code, expires=challenge.expires,
            tries=challenge.tries,
        )  # fmt: skip
        self._add(row, "the challenge exists already")

    def try_challenge(self, challenge: str) -> Challenge | None:
        with Session(self._engine) as session, session.begin():
            counted = session.execute(
                update(ChallengeRow)
                .where(ChallengeRow.challenge == challenge)
                .values(tries=ChallengeRow.tries + 1)
                .returning(ChallengeRow.account, ChallengeRow.code, ChallengeRow.expires, ChallengeRow.tries)
            ).first()
            return Challenge(challenge, *counted) if counted else None

    def drop_challenge(self, challenge: str) -> bool:
        with Session(self._engine) as session, session.begin():
            gone = session.execute(
                delete(ChallengeRow).where(ChallengeRow.challenge == challenge).returning(ChallengeRow.challenge)
            )
            return gone.first() is not None

    def keep_token(self, token: Token) -> None:
        row = TokenRow(digest=token.digest, account=token.account, staff=token.staff, expires=token.expires)
        self._add(row, "the token exists already")

    def token(self, digest: str) -> Token | None:
        with Session(self._engine) as session:
            row = session.get(TokenRow, digest)
            return Token(row.digest, row.account, row.staff, row.expires) if row else None

    def drop_token(self, digest: str) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(TokenRow).where(TokenRow.digest == digest))

    def drop_tokens(self, account: str, but: str = "") -> int:
        with Session(self._engine) as session, session.begin():
            gone = delete(TokenRow).where(TokenRow.account == account, TokenRow.digest != but)
            return len(session.execute(gone.returning(TokenRow.digest)).all())

    def tokens(self, account: str) -> Sequence[Token]:
        with Session(self._engine) as session:
            rows = session.scalars(select(TokenRow).where(TokenRow.account == account).order_by(TokenRow.expires))
            return [Token(row.digest, row.account, row.staff, row.expires) for row in rows]

    def set_password(self, account: str, password: str) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(AccountRow).where(AccountRow.name == account).values(password=password))

    def drop_expired(self, now: int) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(TokenRow).where(TokenRow.expires <= now))
            session.execute(delete(ChallengeRow).where(ChallengeRow.expires <= now))

    def _add(self, row: Base, what: str) -> None:
        try:
            with Session(self._engine) as session, session.begin():
                session.add(row)
        except IntegrityError as error:
            raise SetupError(what) from error


def _account(row: AccountRow | None) -> Account | None:
    return Account(row.name, row.person, row.learner, row.password, tuple(row.roles)) if row else None


def _registration(row: RegistrationRow) -> Registration:
    return Registration(row.registration, row.learner, row.class_id, row.reference, row.real_name, row.identified)
