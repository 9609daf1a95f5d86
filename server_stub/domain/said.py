"""What people have decided in a class, read back from the class log: verdicts, accommodations, a provider's exit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from ledger import bodies, policy
from ledger.bodies import Accommodation, Body, Exit, Reversal, Spot, Verdict
from ledger.classlog import ClassLog
from ledger.credit import Ruling
from ledger.errors import LedgerError, PolicyError
from ledger.events import Answered, Command, Event
from ledger.identify import Identified, identified
from ledger.policy import Policy
from server_stub.domain.ports import Transaction

MAX_ACCOMMODATIONS: Final = 32  # a grant names no more


def said(
    tx: Transaction, log: ClassLog, *kinds: str, sids: Collection[str] | None = None
) -> Iterator[tuple[str, Body]]:
    """(hash, body) of the notes of these kinds that are kept, in leaf order; with `sids` of these sessions alone, and
    no other note is read: a class has as many tests as learners."""
    for _, leaf in log.bodies:
        wanted = leaf.kind in kinds and (sids is None or leaf.sid in sids)
        data = tx.log.body(leaf.sha256) if wanted else None
        if data is not None:
            yield leaf.sha256, bodies.parse(data)[0]


def rulings(tx: Transaction, log: ClassLog, learner: str) -> list[Ruling]:
    """Verdicts on this learner and what took them back, as `ledger.credit` takes them."""
    found: list[Ruling] = []
    for digest, body in said(tx, log, "verdict", "reversal"):
        match body:
            case Verdict() if body.learner == learner:
                found.append((digest, body))
            case Reversal() if any(body.verdict == verdict for verdict, _ in found):
                found.append((digest, body))
    return found


def zeroed(found: list[Ruling], sid: str) -> bool:
    """Whether a verdict on this session stands."""
    back = {ruling.verdict for _, ruling in found if isinstance(ruling, Reversal)}
    return any(isinstance(item, Verdict) and item.sid == sid and digest not in back for digest, item in found)


def accommodations(tx: Transaction, log: ClassLog, learner: str, rules: Policy, now: int) -> tuple[str, ...]:
    """The hashes that a grant names: this learner's accommodations that have not run out and fit the rules in force."""
    found = []
    for digest, body in said(tx, log, "accommodation"):
        if isinstance(body, Accommodation) and body.learner == learner and body.until > now:
            try:
                rules = rules.accommodated(body.changes)
            except PolicyError:  # granted under other rules; these leave no room for it
                continue
            found.append(digest)
    return tuple(dict.fromkeys(found))[-MAX_ACCOMMODATIONS:]


def changes(tx: Transaction, digest: str) -> dict[str, Any]:
    """What an accommodation named by a grant changes."""
    body = bodies.parse(tx.log.body(digest) or b"")[0]
    return dict(body.changes) if isinstance(body, Accommodation) else {}


def accommodated(tx: Transaction, rules: policy.Policy, digests: tuple[str, ...]) -> Policy:
    """The rules with these accommodations in their place."""
    for digest in digests:
        rules = rules.accommodated(changes(tx, digest))
    return rules


def identifications(
    tx: Transaction, events: Sequence[Event | None], learner: str, sid: str
) -> Mapping[str, Identified]:
    """The notes by which this session's `identify` answers say the learner was identified, by hash."""
    found = {}
    for event in events:
        if event is None or not isinstance(event.body, Answered) or event.body.kind != "identify":
            continue
        for digest in event.body.models.values():
            data = tx.log.body(digest)
            try:
                note = identified(bodies.parse(data)[0], learner, sid) if data else None
            except LedgerError:  # a document, but no note
                continue
            if note is not None:
                found[digest] = note
    return found


def spots(tx: Transaction, events: Sequence[Event | None], sid: str) -> Mapping[str, Spot]:
    """The supervisors' spot checks that this session's `command` events name, as `spot-<n>`."""
    found = {}
    for event in events:
        data = tx.log.body(event.body.digest) if event is not None and isinstance(event.body, Command) else None
        body = bodies.parse(data)[0] if data else None
        if isinstance(body, Spot) and body.sid == sid:
            found[f"spot-{body.n}"] = body
    return found


def provider_left(tx: Transaction, log: ClassLog) -> str | None:
    """The provider that left this class; None while it runs."""
    return next((body.provider for _, body in said(tx, log, "exit") if isinstance(body, Exit)), None)
