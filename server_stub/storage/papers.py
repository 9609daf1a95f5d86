"""`domain.papers.Papers` on SQLAlchemy, in the people's database: a paper can be erased while records stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import JSON, BigInteger, Engine, Integer, String, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server_stub.domain.papers import Paper
from server_stub.domain.work_errors import PaperChangedError
from server_stub.storage.people import Base


class PaperRow(Base):
    __tablename__ = "paper"
    paper: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    place: Mapped[str] = mapped_column(String(80), index=True)
    about: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(20))
    made: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class SqlPapers:
    """On the engine that `open_engine` gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, *papers: Paper) -> Sequence[Paper]:
        try:
            with Session(self._engine) as session, session.begin():
                for paper in papers:
                    self._put(session, paper)
        except IntegrityError as error:
            raise PaperChangedError("such a paper is kept already") from error
        return [replace(paper, version=paper.version + 1) for paper in papers]

    @staticmethod
    def _put(session: Session, paper: Paper) -> None:
        values = {"kind": paper.kind, "place": paper.place, "about": paper.about, "state": paper.state,
                  "made": paper.made, "changed": paper.changed, "version": paper.version + 1,
                  "data": dict(paper.data)}  # fmt: skip
        if paper.version == 0:
            session.add(PaperRow(paper=paper.paper, **values))
            session.flush()
            return
        kept = update(PaperRow).where(PaperRow.paper == paper.paper, PaperRow.version == paper.version)
        done = session.execute(kept.values(**values).returning(PaperRow.paper)).all()
        if len(done) != 1:
            raise PaperChangedError("somebody else changed this meanwhile")

    def get(self, kind: str, paper: str) -> Paper | None:
        with Session(self._engine) as session:
            row = session.get(PaperRow, paper[:32])
            return _paper(row) if row is not None and row.kind == kind else None

    def find(
        self,
        kind: str,
        *,
        places: Collection[str] | None = None,
        about: Collection[str] | None = None,
        states: Collection[str] | None = None,
        limit: int = 1000,
    ) -> Sequence[Paper]:
        query = select(PaperRow).where(PaperRow.kind == kind)
        for column, wanted in ((PaperRow.place, places), (PaperRow.about, about), (PaperRow.state, states)):
            if wanted is not None:
                query = query.where(column.in_(list(wanted)))
        with Session(self._engine) as session:
            rows = session.scalars(query.order_by(PaperRow.made.desc(), PaperRow.paper).limit(limit))
            return [_paper(row) for row in rows]

    def count(self, kind: str) -> Mapping[tuple[str, str], int]:
        query = select(PaperRow.place, PaperRow.state, func.count()).where(PaperRow.kind == kind)
        with Session(self._engine) as session:
            rows = session.execute(query.group_by(PaperRow.place, PaperRow.state))
            return {(row[0], row[1]): row[2] for row in rows}

    def drop(self, papers: Collection[str]) -> int:
        with Session(self._engine) as session, session.begin():
            query = delete(PaperRow).where(PaperRow.paper.in_(list(papers))).returning(PaperRow.paper)
            return len(session.execute(query).all())


def _paper(row: PaperRow) -> Paper:
    return Paper(
        row.kind, row.place, row.about, row.state, row.made, row.changed, dict(row.data), row.paper, row.version
    )
