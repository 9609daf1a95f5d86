"""Gathers cosignatures on class logs: asks every witness, believes none, and writes an anchor when a quorum signed.

Nobody waits for a witness: it is asked in the background, beside the others. One that is down, slow, or answers with
something that does not verify is left out; whether the rest is a quorum the trust file says.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final, Protocol

from ledger import checkpoint, leaves, note, submission
from ledger.checkpoint import Checkpoint
from ledger.classlog import ClassLog
from ledger.errors import LedgerError
from ledger.keys import Vkey
from ledger.leaves import Logged
from ledger.trust import NONE, Trust
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.clockwatch import ClockWatch
from server_stub.domain.errors import ServerError
from server_stub.domain.keyring import Keyring
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.signin import Clock
from server_stub.domain.witness_errors import NotWitnessedError
from server_stub.domain.witnessed import Anchored

ANCHOR_EVERY_MS: Final = 10 * 60 * 1000
ROUND_S: Final = 5.0  # how long a round waits for the slowest witness
TROUBLED_S: Final = 0.3  # and for one that did not sign the last time, when no archive waits for it
GRANT_S: Final = 0.5  # how long a grant waits, and only for witnesses that answered the last time
BACKOFF_MS: Final = (2_000, 5_000, 15_000, 30_000, 60_000)  # between rounds that brought no quorum
REST_MS: Final = 5_000  # more than a device's clock may be wrong for: `clock_slack_ms`, and a lead of 1 s
_TRIES: Final = 3  # a witness's 409 names the size to start from; another process may ask at the same time
_log = logging.getLogger("server_stub")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered."""

    status: int
    body: bytes


class Witnesses(Protocol):
    """Reaches witnesses."""

    def add_checkpoint(self, url: str, body: bytes) -> Reply:
        """POST to `<url>/add-checkpoint`; `OSError` when nothing comes, or too much, or too late."""


@dataclass(slots=True)
class _Known:
    """What this process knows of one class's witnesses; all of it can be lost."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    sizes: dict[Vkey, int] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    busy: dict[str, Future[str | None]] = field(default_factory=dict)
    failures: int = 0
    not_before: int = 0
    grew: deque[tuple[int, int]] = field(default_factory=deque)  # (ms, size of the log from then on)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One checkpoint that witnesses are to sign. `floor`: the latest time each stated on an anchor."""

    class_id: str
    checkpoint: Checkpoint
    signed: bytes
    trust: Trust
    floor: Mapping[Vkey, int]


class Gatherer:
    """Asks the witnesses of every class; one for the whole server. It holds no lock of the records while it asks."""

    def __init__(
        self,
        records: Records,
        logs: ClassLogs,
        keyring: Keyring,
        witnesses: Witnesses,
        clock: Clock,
        watch: ClockWatch,
        pause: Callable[[float], None],
    ) -> None:
        """`pause` waits for so many seconds of `clock`."""
        self._records, self._logs, self._keyring = records, logs, keyring
        self._witnesses, self._clock, self._watch, self._pause = witnesses, clock, watch, pause
        self._known: dict[str, _Known] = {class_id: _Known() for class_id in keyring.logs}
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="witness")
        self._rounds = ThreadPoolExecutor(max_workers=2, thread_name_prefix="round")  # never waits for itself

    def close(self) -> None:
        """Wait for nobody."""
        for pool in (self._rounds, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)

    # --- when -----------------------------------------------------------------------------------------------------

    def sweep(self) -> int:
        """Gather for each class whose log is not witnessed as it stands; return for how many a quorum signed."""
        return sum(self._sweep(class_id) for class_id in self._keyring.logs)

    def _sweep(self, class_id: str) -> bool:
        known = self._of(class_id)
        if not self._asks(class_id) or not self._records.read(lambda tx: self._wanted(tx, class_id, known)):
            return False
        return self._clock() >= known.not_before and self.gather(class_id)

    def _wanted(self, tx: Transaction, class_id: str, known: _Known) -> bool:
        """Whether there are entries to be witnessed, or an anchor is due over those that were."""
        size, seen = self._rested(tx, class_id, known), tx.witnessed.size(class_id)
        return size > seen or (size > 0 and self._due(tx, class_id, self._logs.log(tx, class_id), for_grant=False))

    def _rested(self, tx: Transaction, class_id: str, known: _Known) -> int:
        """The class log's size `REST_MS` ago, or what a quorum signed already: what witnesses are asked for.

        A device's clock is believed within a few seconds. Did the witnesses sign at the moment in which a session ends,
        a device that uses all of them would have more credit than the witnesses saw pass, and spoil the archive.
        """
        now, size = self._clock(), tx.log.size(class_id)
        if not known.grew or known.grew[-1][1] != size:
            known.grew.append((now, size))
        while len(known.grew) > 1 and known.grew[1][0] <= now - REST_MS:
            known.grew.popleft()
        since, rested = known.grew[0]
        if since > now - REST_MS:
            rested = 0 if self._logs.log(tx, class_id).sessions else size
        return max(rested, tx.witnessed.size(class_id))

    def before_grant(self, class_id: str) -> None:
        """A grant is about to be logged: let an anchor stand before it when the last is older than 10 minutes.

        The grant does not wait: at most half a second, and only when the last round brought a quorum.
        """
        if not self._asks(class_id):
            return
        last = self._records.read(lambda tx: tx.witnessed.last_anchor(class_id))
        if last is not None and self._clock() - last.at < ANCHOR_EVERY_MS:
            return
        known = self._of(class_id)
        if self._clock() >= known.not_before:
            round_ = self._rounds.submit(self.gather, class_id, for_grant=True)
            wait([round_], GRANT_S if not known.failures else 0)

    def gather(self, class_id: str, *, for_grant: bool = False) -> bool:
        """One round now: ask all, keep what a quorum signed, append an anchor if one is due. Rounds never overlap.

        `for_grant`: an anchor is due even if nothing was appended since the last.
        """
        known = self._of(class_id)
        if not known.lock.acquire(blocking=False):
            return False
        try:
            size = self._records.read(lambda tx: self._rested(tx, class_id, known))
            if not size:
                return False
            ask = self._records.read(lambda tx: self._ask(tx, class_id, size))
            lines = self._lines(ask, known, TROUBLED_S)
            enough = ask.trust.satisfied(set(lines))
            self._count(known, enough=enough)
            if enough:
                self._records.write(lambda tx: self._keep(tx, ask, lines, for_grant=for_grant))
            return enough
        finally:
            known.lock.release()

    def cosigned(self, class_id: str, size: int) -> bytes | None:
        """The class log's checkpoint at `size` with every cosignature that is to be had, for an archive.

        None when the log went on meanwhile and the witnesses with it: cut again. `NotWitnessedError` names who is
        missing for a quorum. Without witnesses, the log's own signature alone.
        """
        known = self._of(class_id)
        ask = self._records.read(lambda tx: self._ask(tx, class_id, size))
        if not ask.trust.urls:
            return ask.signed
        self._pause(REST_MS / 1000)
        with known.lock:
            lines = self._lines(ask, known, ROUND_S)
            if ask.trust.satisfied(set(lines)):
                self._records.write(lambda tx: self._keep(tx, ask, lines))
                return _noted(ask, lines)
        if any(seen > size for seen in known.sizes.values()):
            return None
        missing = ", ".join(f"{name} ({why})" for name, why in sorted(known.trouble.items()))
        raise NotWitnessedError(f"no quorum at size {size}; missing: {missing or 'witnesses without address'}")

    def trouble(self, class_id: str) -> dict[str, str]:
        """Witnesses of a class that did not sign the last time, and why."""
        return dict(self._of(class_id).trouble)

    # --- asking ---------------------------------------------------------------------------------------------------

    def _of(self, class_id: str) -> _Known:
        return self._known.setdefault(class_id, _Known())

    def _asks(self, class_id: str) -> bool:
        trust = self._keyring.trust(class_id)
        return trust.quorum != NONE and bool(trust.urls)

    def _ask(self, tx: Transaction, class_id: str, size: int) -> _Ask:
        log = self._logs.log(tx, class_id)
        found = Checkpoint(log.origin, size, log.tree.root_at(size))
        trust = self._keyring.trust(class_id)
        signed = checkpoint.sign(found, self._keyring.log(class_id))
        return _Ask(class_id, found, signed, trust, _stated(tx, class_id, log, trust))

    def _lines(self, ask: _Ask, known: _Known, troubled_s: float) -> dict[Vkey, str]:
        """Cosignature lines that verify, by witness; who has not answered the last time is not asked again yet."""
        troubled = set(known.trouble)
        asked: dict[str, Future[str | None]] = {}
        for name in ask.trust.urls:
            if name in known.busy and not known.busy[name].done():
                known.trouble[name] = "slow"
            else:
                asked[name] = known.busy[name] = self._pool.submit(self._one, name, ask, known)
        wait([future for name, future in asked.items() if name not in troubled], ROUND_S)
        done, _ = wait(asked.values(), troubled_s)
        lines = {}
        for name, future in asked.items():
            line = future.result() if future in done else None
            if line is not None:
                lines[ask.trust.witnesses[name]] = line
            elif future not in done:
                self._complain(known, name, "slow")
        return lines

    def _one(self, name: str, ask: _Ask, known: _Known) -> str | None:
        """One witness's line; None when there is none to be believed."""
        try:
            line = self._talk(ask, name, known)
        except (OSError, LedgerError, ServerError, ValueError) as error:
            self._complain(known, name, f"{error}"[:200] or type(error).__name__)
            return None
        known.trouble.pop(name, None)
        return line

    def _talk(self, ask: _Ask, name: str, known: _Known) -> str:
        key, size = ask.trust.witnesses[name], ask.checkpoint.size
        for _ in range(_TRIES):
            old = known.sizes.get(key, 0)
            if old > size:
                raise ValueError(f"signed size {old} already, this is {size}")
            proof = self._records.read(lambda tx, old=old: self._proof(tx, ask, old))  # type: ignore[misc]
            reply = self._witnesses.add_checkpoint(ask.trust.urls[name], submission.build(old, proof, ask.signed))
            if reply.status == 200:
                known.sizes[key] = size
                return self._believe(ask, key, reply.body)
            if reply.status != 409 or not (stated := reply.body.strip()).isdigit() or len(stated) > 16:
                raise ValueError(f"status {reply.status}: {reply.body[:120].decode(errors='replace').strip()}")
            if int(stated) == old:
                raise ValueError(f"says it signed another root at size {old}")
            known.sizes[key] = int(stated)
        raise ValueError("names one size after another")

    def _proof(self, tx: Transaction, ask: _Ask, old: int) -> list[bytes]:
        return self._logs.log(tx, ask.class_id).tree.consistency_proof(old, ask.checkpoint.size)

    def _believe(self, ask: _Ask, key: Vkey, body: bytes) -> str:
        """The line by `key` in an answer, verified, its time neither falling nor standing still nor running ahead."""
        for text in body.decode(errors="replace").split("\n"):
            if text and note.parse_line(text).is_by(key):
                time = checkpoint.verify_cosignature(ask.checkpoint, text, key)
                if time < ask.floor.get(key, 0):
                    raise ValueError("its clock fell")
                self._watch.check(key, time)
                return text
        raise ValueError("answered without its signature")

    def _complain(self, known: _Known, name: str, why: str) -> None:
        if known.trouble.get(name) != why:
            _log.warning("witness %s: %s", name, why)
        known.trouble[name] = why

    def _count(self, known: _Known, *, enough: bool) -> None:
        known.failures = 0 if enough else known.failures + 1
        pause = 0 if enough else BACKOFF_MS[min(known.failures, len(BACKOFF_MS)) - 1]
        known.not_before = self._clock() + pause if pause else 0

    # --- keeping --------------------------------------------------------------------------------------------------

    def _keep(self, tx: Transaction, ask: _Ask, lines: Mapping[Vkey, str], *, for_grant: bool = False) -> None:
        """Keep the witnessed checkpoint; append it as an anchor if one is due. Another process may have been faster."""
        class_id, size = ask.class_id, ask.checkpoint.size
        signed = _noted(ask, lines)
        if size >= tx.witnessed.size(class_id):
            tx.witnessed.set_checkpoint(class_id, size, signed)
        log = self._logs.log(tx, class_id)
        stated = _stated(tx, class_id, log, ask.trust)
        falls = any(note.parse_line(line).time < stated.get(key, 0) for key, line in lines.items())
        if falls or size < log.anchored or not self._due(tx, class_id, log, for_grant):
            return
        index = self._logs.append(tx, class_id, Logged(*checkpoint.parse(signed)))
        tx.witnessed.add_anchor(Anchored(class_id, index, size, self._clock()))

    def _due(self, tx: Transaction, class_id: str, log: ClassLog, for_grant: bool) -> bool:
        """After the first entries, and each 10 minutes in which something else than an anchor was appended."""
        last = tx.witnessed.last_anchor(class_id)
        if last is None:
            return True
        others = len(log) - last.size - sum(1 for index in log.anchors if index >= last.size)
        return (others > 0 or for_grant) and self._clock() - last.at >= ANCHOR_EVERY_MS


def _noted(ask: _Ask, lines: Mapping[Vkey, str]) -> bytes:
    """The checkpoint with its cosignatures in the trust file's order."""
    return note.add(ask.signed, *(lines[key] for key in ask.trust.witnesses.values() if key in lines))


def _stated(tx: Transaction, class_id: str, log: ClassLog, trust: Trust) -> dict[Vkey, int]:
    """The latest time that each witness stated on one of the last anchors: it may not fall (step 2)."""
    latest: dict[Vkey, int] = {}
    committed = tx.log.size(class_id)
    for index in log.anchors[-16:]:
        if index >= committed:
            break
        (data,) = tx.log.entries(class_id, index, index + 1)
        entry = leaves.decode(data)
        assert isinstance(entry, Logged)
        for line in entry.note.signatures:
            for key in trust.witnesses.values():
                if line.is_by(key):
                    latest[key] = max(line.time, latest.get(key, 0))
    return latest
