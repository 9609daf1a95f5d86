"""Raised hands: a learner asks for a person while the lesson goes on. Kept in memory for a while, in no record.

It is a wish, no event: it changes no credit, and whether somebody asks for help is nobody's evidence.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from server_stub.domain.errors import SessionOverError, UnknownSessionError
from server_stub.domain.people import Account
from server_stub.domain.ports import Records
from server_stub.domain.signin import Clock

LASTS_MS: Final = 15 * 60_000  # then the learner raises it again, or has found out
MOST: Final = 20_000


class Hands:
    """Who asks, since when."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self._up: dict[str, int] = {}
        self._lock = threading.Lock()

    def put(self, account: Account, sid: str, *, up: bool) -> None:
        """Raise or lower one's own hand; `UnknownSessionError`, `SessionOverError`. Raised twice is raised once."""
        session = self._records.read(lambda tx: tx.events.session(sid))
        if session is None or session.learner != account.learner:
            raise UnknownSessionError("this learner has no such session")
        if up and self._records.read(lambda tx: tx.events.progress(sid)).state != "open":
            raise SessionOverError("the session is over")
        if not up:
            self.lower(sid)
            return
        with self._lock:
            self._forget()
            if len(self._up) < MOST:
                self._up.setdefault(sid, self._clock())

    def lower(self, sid: str) -> None:
        """Somebody has answered."""
        with self._lock:
            self._up.pop(sid, None)

    def up(self) -> Mapping[str, int]:
        """Session → since when (ms), of all that are up."""
        with self._lock:
            self._forget()
            return dict(self._up)

    def _forget(self) -> None:
        now = self._clock()
        for sid in [sid for sid, at in self._up.items() if now - at > LASTS_MS]:
            del self._up[sid]
