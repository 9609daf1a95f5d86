"""`domain.portraits.PortraitStore` in the people's database: sealed photos, and those that wait for a confirmation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import BigInteger, Engine, Integer, LargeBinary, String, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server_stub.domain.errors import StalePreviewError
from server_stub.domain.portraits import Portrait, Waiting
from server_stub.domain.registry import Draft
from server_stub.storage.people import Base

_MANY: Final = 500


class PortraitRow(Base):
    __tablename__ = "portrait"
    learner: Mapped[str] = mapped_column(String(32), primary_key=True)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    mark: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    origin: Mapped[str] = mapped_column(String(255), server_default="")


class PortraitDraftRow(Base):
    __tablename__ = "portrait_draft"
    draft: Mapped[str] = mapped_column(String(32), primary_key=True)
    by: Mapped[str] = mapped_column(String(100))
    class_id: Mapped[str] = mapped_column(String(64))
    expires: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    shown: Mapped[str] = mapped_column(String(64))


class PortraitWaitingRow(Base):
    __tablename__ = "portrait_waiting"
    draft: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    learner: Mapped[str] = mapped_column(String(32), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class SqlPortraits:
    """On the engine that `open_engine` gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep_draft(self, draft: Draft, waiting: Sequence[Waiting]) -> None:
        with Session(self._engine) as session, session.begin():
            session.add(
                PortraitDraftRow(draft=draft.draft, by=draft.by, class_id=draft.class_id, expires=draft.expires,
                                 sealed=draft.sealed, shown=draft.shown)
            )  # fmt: skip
            session.add_all(
                PortraitWaitingRow(draft=draft.draft, number=item.number, learner=item.learner, sealed=item.sealed)
                for item in waiting
            )

    def draft(self, draft: str) -> Draft | None:
        with Session(self._engine) as session:
            row = session.get(PortraitDraftRow, draft)
            return Draft(row.draft, row.by, row.class_id, row.expires, row.sealed, row.shown) if row else None

    def waiting(self, draft: str) -> Sequence[Waiting]:
        query = select(PortraitWaitingRow).where(PortraitWaitingRow.draft == draft)
        with Session(self._engine) as session:
            return [Waiting(row.number, row.learner, row.sealed) for row in session.scalars(query)]

    def drop_drafts(self, now: int, draft: str = "") -> None:
        over = or_(PortraitDraftRow.expires <= now, PortraitDraftRow.draft == draft)
        with Session(self._engine) as session, session.begin():
            gone = list(session.scalars(delete(PortraitDraftRow).where(over).returning(PortraitDraftRow.draft)))
            for one in gone:
                session.execute(delete(PortraitWaitingRow).where(PortraitWaitingRow.draft == one))

    def put(self, draft: str, portraits: Sequence[Portrait]) -> None:
        with Session(self._engine) as session, session.begin():
            wanted = delete(PortraitDraftRow).where(PortraitDraftRow.draft == draft)
            if session.scalar(wanted.returning(PortraitDraftRow.draft)) is None:
                raise StalePreviewError("this preview was confirmed already")
            taken = delete(PortraitWaitingRow).where(PortraitWaitingRow.draft == draft)
            there = set(session.scalars(taken.returning(PortraitWaitingRow.learner)))
            if not there.issuperset(item.learner for item in portraits):
                raise StalePreviewError("somebody of the preview was erased meanwhile")
            for item in portraits:
                session.merge(
                    PortraitRow(learner=item.learner, by=item.by, at=item.at, mark=item.mark, sealed=item.sealed,
                                origin=item.origin)
                )  # fmt: skip

    def get(self, learner: str) -> Portrait | None:
        with Session(self._engine) as session:
            row = session.get(PortraitRow, learner)
            return Portrait(row.learner, row.by, row.at, row.mark, row.sealed, row.origin) if row else None

    def marks(self, learners: Collection[str]) -> Mapping[str, str]:
        wanted, found = list(learners), dict[str, str]()
        with Session(self._engine) as session:
            for at in range(0, len(wanted), _MANY):
                query = select(PortraitRow.learner, PortraitRow.mark)
                rows = session.execute(query.where(PortraitRow.learner.in_(wanted[at : at + _MANY])))
                found.update((learner, mark) for learner, mark in rows)
        return found

    def learners(self) -> Collection[str]:
        with Session(self._engine) as session:
            return list(session.scalars(select(PortraitRow.learner)))

    def older(self, until: int) -> Sequence[str]:
        with Session(self._engine) as session:
            return list(session.scalars(select(PortraitRow.learner).where(PortraitRow.at <= until)))

    def drop(self, learner: str) -> int:
        with Session(self._engine) as session, session.begin():
            session.execute(delete(PortraitWaitingRow).where(PortraitWaitingRow.learner == learner))
            gone = delete(PortraitRow).where(PortraitRow.learner == learner).returning(PortraitRow.learner)
            return len(list(session.scalars(gone)))
