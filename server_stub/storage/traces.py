"""`domain.warnings.inspector.Traces` on SQLAlchemy, in the people's database: derived, and made again when lost."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator

from sqlalchemy import BigInteger, Engine, Integer, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server_stub.domain.warnings import trace
from server_stub.domain.warnings.trace import Trace
from server_stub.storage.people import Base

_MANY = 500


class TraceRow(Base):
    __tablename__ = "trace"
    sid: Mapped[str] = mapped_column(String(32), primary_key=True)
    size: Mapped[int] = mapped_column(Integer)
    learner: Mapped[str] = mapped_column(String(32), index=True)
    granted_at: Mapped[int] = mapped_column(BigInteger, index=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class SqlTraces:
    """On the engine that `open_engine` gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, traces: Collection[Trace]) -> None:
        with Session(self._engine) as session, session.begin():
            for item in traces:
                data = zlib.compress(json.dumps(item.to_json(), separators=(",", ":")).encode(), 1)
                row = TraceRow(
                    sid=item.sid, size=item.size, learner=item.learner, granted_at=item.granted_at, data=data
                )
                session.merge(row)

    def get(self, sids: Collection[str]) -> dict[str, Trace]:
        wanted, found = list(sids), {}
        with Session(self._engine) as session:
            for at in range(0, len(wanted), _MANY):
                query = select(TraceRow).where(TraceRow.sid.in_(wanted[at : at + _MANY]))
                for row in session.scalars(query):
                    kept = _read(row.data)
                    if kept is not None:
                        found[row.sid] = kept
        return found

    def since(self, granted_at: int) -> Iterator[Trace]:
        query = select(TraceRow.data).where(TraceRow.granted_at >= granted_at).order_by(TraceRow.granted_at)
        with Session(self._engine) as session:
            for data in session.scalars(query.execution_options(yield_per=_MANY)):
                kept = _read(data)
                if kept is not None:
                    yield kept

    def forget(self, learner: str) -> int:
        with Session(self._engine) as session, session.begin():
            gone = delete(TraceRow).where(TraceRow.learner == learner)
            return len(session.execute(gone.returning(TraceRow.sid)).all())


def _read(data: bytes) -> Trace | None:
    return trace.from_json(json.loads(zlib.decompress(data)))
