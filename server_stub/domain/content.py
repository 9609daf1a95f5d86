"""What an open session gives its learner and nobody else: the course that its grant names, and its content keys."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from ledger import grant
from ledger.course import Course
from server_stub.domain.errors import NotThereError, SessionOverError, UnknownSessionError
from server_stub.domain.people import Account
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import Revealer


class KeyStore(Protocol):
    """The content keys of the installed courses."""

    def content_keys(self, digest: str) -> list[bytes]:
        """The keys of the encrypted files of a course; empty for one that is not encrypted."""


class CourseStore(Protocol):
    """The installed courses."""

    def course(self, digest: str) -> Course:
        """The course whose course.toml hashes to `digest`; `NotThereError` if it is not installed."""


class OpenSessions:
    """Which course a learner studies in a session: asked before anything of it is handed out."""

    def __init__(self, records: Records, revealer: Revealer, store: CourseStore) -> None:
        self._records, self._revealer, self._store = records, revealer, store

    def course(self, account: Account, sid: str) -> Course:
        """The course of this session; `UnknownSessionError` for one of somebody else, `SessionOverError` once over."""
        return self._store.course(self.digest(account, sid))

    def digest(self, account: Account, sid: str) -> str:
        """The same by its digest."""
        return self._records.read(partial(self._course, account=account, sid=sid))

    def _course(self, tx: Transaction, account: Account, sid: str) -> str:
        session = tx.events.session(sid)
        if session is None or session.learner != account.learner:
            raise UnknownSessionError("this learner has no such session")
        progress = tx.events.progress(sid)
        if progress.state != "open" or self._revealer.is_over(session, progress.size):
            raise SessionOverError("the session is over")
        return grant.parse(session.grant)[0].course


class ContentKeys:
    """Releases keys. They stand in no grant, no log and no archive."""

    def __init__(self, sessions: OpenSessions, store: KeyStore) -> None:
        self._sessions, self._store = sessions, store

    def release(self, account: Account, sid: str) -> list[str]:
        """The keys in hex for the course of this session.

        `UnknownSessionError` for a session of somebody else, `SessionOverError` once it is over, `NotThereError` for a
        course that is not encrypted.
        """
        keys = self._store.content_keys(self._sessions.digest(account, sid))
        if not keys:
            raise NotThereError("the course of this session is not encrypted")
        return [key.hex() for key in keys]
