"""What the people's database forgets of a learner; the pseudonym stays, so that the records still verify."""

from __future__ import annotations

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from server_stub.storage.keys import LinkRow
from server_stub.storage.people import AccountRow
from server_stub.storage.registry import PersonRow
from server_stub.storage.traces import TraceRow


class SqlForgetting:
    """`domain.privacy.Forgetting`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def contact(self, learner: str) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(PersonRow).where(PersonRow.learner == learner).values(phone="", employer=""))

    def person(self, learner: str) -> None:
        with Session(self._engine) as session, session.begin():
            gone = {"phone": "", "employer": "", "identity": None, "sealed": b""}
            session.execute(update(PersonRow).where(PersonRow.learner == learner).values(**gone))
            session.execute(update(AccountRow).where(AccountRow.learner == learner).values(person=""))
            accounts = select(AccountRow.name).where(AccountRow.learner == learner)
            session.execute(delete(LinkRow).where(LinkRow.account.in_(accounts)))  # who they are elsewhere
            session.execute(delete(TraceRow).where(TraceRow.learner == learner))  # figures with addresses in them
