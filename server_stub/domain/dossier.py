"""What a case rests on: one session's coverage, checks, findings and photos. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ledger import events, segment
from ledger.credit import Part
from ledger.errors import LedgerError
from ledger.events import Event, Finding, Question
from server_stub.domain.answers import questions
from server_stub.domain.photos import Photo
from server_stub.domain.ports import Transaction
from server_stub.domain.reveal import known
from server_stub.domain.settle import Settler
from server_stub.domain.work import Bench

_MANY = 200  # of each sort on a page


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of the agent or the proctor."""

    seq: int
    at: int
    rule: str
    severity: str
    response: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """One random check: which, attempts, what came of it."""

    i: str
    outcome: str
    why: str
    attempts: int
    seq: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """One session as a reviewer reads it. Times in ms."""

    sid: str
    begun: int
    size: int
    state: str
    credited_ms: int
    played_ms: int
    parts: tuple[Part, ...]
    checks: tuple[Looked, ...]
    findings: tuple[Found, ...]
    photos: tuple[Photo, ...]
    answered: tuple[tuple[int, int, str, str], ...]  # sealed answers: event, ms, unit, item


def read(bench: Bench, settler: Settler, sid: str) -> Dossier:
    """The dossier of one session; `UnknownSessionError` for none of ours."""
    return bench.read(partial(_read, settler=settler, sid=sid))


def _read(tx: Transaction, settler: Settler, sid: str) -> Dossier:
    session, progress = known(tx, sid), tx.events.progress(sid)
    credit = settler.whole(tx, session.registration)
    earned = next((item for item in credit.sessions if item.sid == sid), None) if credit else None
    every = (*earned.credited, *earned.not_credited) if earned else ()
    parts = sorted(every, key=lambda part: (part.first, part.from_))
    checks = tuple(
        Looked(str(item.i), item.outcome, item.why, item.attempts, item.place[0])
        for item in (earned.checks if earned else ())
    )
    return Dossier(
        sid, session.granted_at, progress.size, progress.state, earned.credited_ms if earned else 0,
        earned.played_ms if earned else 0, tuple(parts[:_MANY]), checks[:_MANY], tuple(_findings(tx, sid))[:_MANY],
        tuple(tx.photos.photos(sid))[:_MANY], tuple(_answered(tx, sid))[:_MANY],
    )  # fmt: skip


def _findings(tx: Transaction, sid: str) -> Iterator[Found]:
    for event in _said(tx, sid, b'"verb":"finding"'):
        if isinstance(event.body, Finding):
            body = event.body
            rows = tuple((str(key), str(value)[:80]) for key, value in sorted(body.evidence.items()))
            yield Found(event.seq, event.wall, body.rule, body.severity, body.response, rows)


def _answered(tx: Transaction, sid: str) -> Iterator[tuple[int, int, str, str]]:
    for event in questions(tx, sid):
        if isinstance(event.body, Question) and event.body.sealed:
            yield event.seq, event.wall, event.body.unit, event.body.item


def _said(tx: Transaction, sid: str, mark: bytes) -> Iterator[Event]:
    for _, body in tx.events.segments(sid):
        for entry in segment.parse_kept(body).entries:
            if mark in entry:
                try:
                    yield events.decode(entry)
                except LedgerError:  # nothing is credited from there on; the page says so by its size
                    continue
