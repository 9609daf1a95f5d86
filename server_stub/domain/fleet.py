"""Devices for whoever deploys them: what runs where, and what was not sent. No learner's findings, checks or hours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial

from ledger import events, segment
from ledger.errors import LedgerError
from ledger.events import Opened
from server_stub.domain.duties import Right
from server_stub.domain.office import Office
from server_stub.domain.people import Account
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.registry import Registry, Wanted

_MOST = 2_000  # learners of one employer on one page


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device. `waiting`: its latest session is still open, so records may lie on it; times in ms."""

    person: str
    device: str  # the random part of its key's name
    class_id: str
    client: str
    agent: str
    granted_at: int
    heard_at: int
    waiting: bool
    revoked: bool


@dataclass(frozen=True, slots=True)
class FleetView:
    """The devices of one employer, latest heard first, and how many run each version."""

    place: str
    name: str
    learners: int
    devices: tuple[DeviceLine, ...]
    versions: tuple[tuple[str, int], ...]


class Fleet:
    """Reads it together from registry and records."""

    def __init__(self, registry: Registry, records: Records, office: Office) -> None:
        self._registry, self._records, self._office = registry, records, office

    def places(self, account: Account) -> list[tuple[str, str]]:
        """(key, name) of the employers whose devices the account may see."""
        tree, duties = self._office.tree(), self._office.duties(account)
        found = [place for place in tree.places.values() if place.kind == "employer"]
        return sorted((place.key, place.name) for place in found if tree.may(duties, Right.FLEET, place.key))

    def view(self, account: Account, place: str) -> FleetView:
        """One employer's devices; `NotThereError` for an employer that is not this account's."""
        name = self._office.require_place(account, Right.FLEET, place)
        people = self._registry.search(Wanted(employer=place), _MOST)
        names = {person.learner: (person.name, person.classes) for person in people}
        lines = self._records.read(partial(_devices, names=names))
        lines.sort(key=lambda line: (-line.heard_at, line.person, line.device))
        versions = Counter(line.client for line in lines if line.client)
        return FleetView(place, name, len(people), tuple(lines), tuple(versions.most_common()))


def _devices(tx: Transaction, names: dict[str, tuple[str, tuple[str, ...]]]) -> list[DeviceLine]:
    found = []
    for learner, (name, classes) in names.items():
        for class_id in classes:
            for device in tx.log.devices(class_id, learner):
                sids = tx.events.sessions(device=device.vkey)
                short = device.vkey.partition("+")[0].rpartition("/")[2][:8]
                found.append(_line(tx, name, short, class_id, sids[-1] if sids else "", device.revoked is not None))
    return found


def _line(tx: Transaction, name: str, short: str, class_id: str, sid: str, revoked: bool) -> DeviceLine:
    session = tx.events.session(sid) if sid else None
    if session is None:
        return DeviceLine(name, short, class_id, "", "", 0, 0, waiting=False, revoked=revoked)
    progress, opened = tx.events.progress(sid), _opened(tx, sid)
    client, agent = (opened.client, opened.agent) if opened else ("", "")
    heard = progress.heard_at or session.granted_at
    waiting = progress.state == "open"
    return DeviceLine(name, short, class_id, client, agent, session.granted_at, heard, waiting, revoked)


def _opened(tx: Transaction, sid: str) -> Opened | None:
    for body in tx.events.segments_from(sid, 0):
        entries = segment.parse_kept(body).entries
        try:
            first = events.decode(entries[0]).body if entries else None
        except LedgerError:
            return None
        return first if isinstance(first, Opened) else None
    return None
