"""`domain.tokens.TokenStore` in the people's database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Boolean, Engine, Integer, String, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server_stub.domain.tokens import EnrolToken
from server_stub.storage.people import Base


class EnrolTokenRow(Base):
    __tablename__ = "enrolment_token"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[str] = mapped_column(String(80), index=True)
    label: Mapped[str] = mapped_column(String(60))
    by: Mapped[str] = mapped_column(String(100))
    made: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger)
    most: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer)
    ended: Mapped[bool] = mapped_column(Boolean)


class EnrolUseRow(Base):
    __tablename__ = "enrolment_use"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(100), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)


class SqlTokens:
    """On the engine that `open_engine` gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, token: EnrolToken) -> None:
        with Session(self._engine) as session, session.begin():
            session.add(
                EnrolTokenRow(digest=token.digest, place=token.place, label=token.label, by=token.by, made=token.made,
                              expires=token.expires, most=token.most, used=token.used, ended=token.ended)
            )  # fmt: skip

    def of(self, place: str) -> Sequence[EnrolToken]:
        query = select(EnrolTokenRow).where(EnrolTokenRow.place == place).order_by(EnrolTokenRow.made.desc())
        with Session(self._engine) as session:
            return [_token(row) for row in session.scalars(query)]

    def find(self, digest: str) -> EnrolToken | None:
        with Session(self._engine) as session:
            row = session.get(EnrolTokenRow, digest)
            return _token(row) if row else None

    def end(self, place: str, digest: str) -> bool:
        wanted = update(EnrolTokenRow).where(EnrolTokenRow.digest == digest, EnrolTokenRow.place == place)
        with Session(self._engine) as session, session.begin():
            done = session.execute(wanted.values(ended=True).returning(EnrolTokenRow.digest))
            return done.first() is not None

    def use(self, digest: str, account: str, now: int) -> EnrolToken | None:
        counted = (
            update(EnrolTokenRow)
            .where(EnrolTokenRow.digest == digest, EnrolTokenRow.expires > now, EnrolTokenRow.ended.is_(False))
            .where(EnrolTokenRow.used < EnrolTokenRow.most)
            .values(used=EnrolTokenRow.used + 1)
            .returning(EnrolTokenRow.digest)
        )
        try:
            with Session(self._engine) as session, session.begin():
                if session.execute(counted).first() is None:
                    return None
                session.add(EnrolUseRow(digest=digest, account=account, at=now))
        except IntegrityError:  # this account used it already: not counted again either
            return None
        return self.find(digest)


def _token(row: EnrolTokenRow) -> EnrolToken:
    return EnrolToken(row.digest, row.place, row.label, row.by, row.made, row.expires, row.most, row.used, row.ended)
