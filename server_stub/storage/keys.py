"""`domain.passkeys.KeyStore` in the people's database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Engine, LargeBinary, String, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server_stub.domain.key_errors import PasskeyRefusedError, SignInElsewhereError
from server_stub.domain.passkeys import Ceremony, Passkey
from server_stub.storage.people import Base


class PasskeyRow(Base):
    __tablename__ = "passkey"
    key: Mapped[str] = mapped_column(String(1400), primary_key=True)
    account: Mapped[str] = mapped_column(String(100), index=True)
    public: Mapped[bytes] = mapped_column(LargeBinary)
    count: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(String(60))
    made: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int] = mapped_column(BigInteger)


class CeremonyRow(Base):
    __tablename__ = "ceremony"
    handle: Mapped[str] = mapped_column(String(64), primary_key=True)
    what: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(100))
    held: Mapped[str] = mapped_column(String(1000))
    expires: Mapped[int] = mapped_column(BigInteger)


class LinkRow(Base):
    __tablename__ = "sign_in_link"
    issuer: Mapped[str] = mapped_column(String(500), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    account: Mapped[str] = mapped_column(String(100), index=True)


class SqlKeys:
    """On the engine that `open_engine` gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_passkey(self, passkey: Passkey) -> None:
        row = PasskeyRow(
            key=passkey.key, account=passkey.account, public=passkey.public, count=passkey.count, label=passkey.label,
            made=passkey.made, used=passkey.used,
        )  # fmt: skip
        try:
            with Session(self._engine) as session, session.begin():
                session.add(row)
        except IntegrityError as error:
            raise PasskeyRefusedError("this passkey is somebody's already") from error

    def passkey(self, key: str) -> Passkey | None:
        with Session(self._engine) as session:
            row = session.get(PasskeyRow, key)
            return _passkey(row) if row else None

    def passkeys(self, account: str) -> Sequence[Passkey]:
        query = select(PasskeyRow).where(PasskeyRow.account == account).order_by(PasskeyRow.made, PasskeyRow.key)
        with Session(self._engine) as session:
            return [_passkey(row) for row in session.scalars(query)]

    def use_passkey(self, key: str, count: int, at: int) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(PasskeyRow).where(PasskeyRow.key == key).values(count=count, used=at))

    def drop_passkey(self, account: str, key: str) -> bool:
        gone = delete(PasskeyRow).where(PasskeyRow.key == key, PasskeyRow.account == account)
        return bool(self._gone(gone.returning(PasskeyRow.key)))

    def begin(self, ceremony: Ceremony) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(CeremonyRow).where(CeremonyRow.expires <= ceremony.expires - 3_600_000))
            session.add(
                CeremonyRow(handle=ceremony.handle, what=ceremony.what, account=ceremony.account, held=ceremony.held,
                            expires=ceremony.expires)
            )  # fmt: skip

    def finish(self, handle: str, now: int) -> Ceremony | None:
        columns = (CeremonyRow.handle, CeremonyRow.what, CeremonyRow.account, CeremonyRow.held, CeremonyRow.expires)
        found = self._gone(delete(CeremonyRow).where(CeremonyRow.handle == handle).returning(*columns))
        ceremony = Ceremony(*found[0]) if found else None
        return ceremony if ceremony is not None and ceremony.expires > now else None

    def link(self, issuer: str, subject: str, account: str) -> None:
        known = self.linked(issuer, subject)
        if known == account:
            return
        try:
            with Session(self._engine) as session, session.begin():
                session.add(LinkRow(issuer=issuer, subject=subject, account=account))
        except IntegrityError as error:
            raise SignInElsewhereError("this account of the organisation is linked to somebody else") from error

    def linked(self, issuer: str, subject: str) -> str | None:
        with Session(self._engine) as session:
            row = session.get(LinkRow, (issuer, subject))
            return row.account if row else None

    def links(self, account: str) -> Sequence[tuple[str, str]]:
        query = select(LinkRow.issuer, LinkRow.subject).where(LinkRow.account == account)
        with Session(self._engine) as session:
            return [(row[0], row[1]) for row in session.execute(query)]

    def unlink(self, account: str, issuer: str = "") -> int:
        gone = delete(LinkRow).where(LinkRow.account == account)
        if issuer:
            gone = gone.where(LinkRow.issuer == issuer)
        return len(self._gone(gone.returning(LinkRow.subject)))

    def _gone(self, statement: Any) -> Sequence[Any]:
        """What a statement that returns rows did."""
        with Session(self._engine) as session, session.begin():
            return session.execute(statement).all()


def _passkey(row: PasskeyRow) -> Passkey:
    return Passkey(row.key, row.account, row.public, row.count, row.label, row.made, row.used)
