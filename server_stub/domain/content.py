"""Content keys: released to the learner of an open session, for the course that its grant names, and to nobody else."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from ledger import grant
from server_stub.domain.errors import NotThereError, SessionOverError, UnknownSessionError
from server_stub.domain.people import Account
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import Revealer


class KeyStore(Protocol):
    """The content keys of the installed courses."""

    def content_keys(self, digest: str) -> list[bytes]:
        """The keys of the encrypted files of a course; empty for one that is not encrypted."""


class ContentKeys:
    """Releases keys. They stand in no grant, no log and no archive."""

    def __init__(self, records: Records, revealer: Revealer, store: KeyStore) -> None:
        self._records, self._revealer, self._store = records, revealer, store

    def release(self, account: Account, sid: str) -> list[str]:
        """The keys in hex for the course of this session.

        `UnknownSessionError` for a session of somebody else, `SessionOverError` once it is over, `NotThereError` for a
        course that is not encrypted.
        """
        keys = self._store.content_keys(self._records.read(partial(self._course, account=account, sid=sid)))
        if not keys:
            raise NotThereError("the course of this session is not encrypted")
        return [key.hex() for key in keys]

    def _course(self, tx: Transaction, account: Account, sid: str) -> str:
        session = tx.events.session(sid)
        if session is None or session.learner != account.learner:
            raise UnknownSessionError("this learner has no such session")
        progress = tx.events.progress(sid)
        if progress.state != "open" or self._revealer.is_over(session, progress.size):
            raise SessionOverError("the session is over")
        return grant.parse(session.grant)[0].course
