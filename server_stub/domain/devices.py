"""A device key that was lost, copied or restored from a copy: revoked, and a fresh one in its place.

Renewing needs the person: a code entered just now. What the old key signed stays valid; nothing that it signs later
counts. A copy of the old key earns nothing by being first: every span still stands between checks of the enrolled face.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.checkpoint import parse as parse_checkpoint
from ledger.errors import LedgerError
from ledger.leaves import KeyLeaf
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.decisions import Decisions
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.errors import DeviceRefusedError, SignInAgainError, UnreadableError
from server_stub.domain.people import Account
from server_stub.domain.ports import Device, Records, Transaction
from server_stub.domain.reveal import Revealer
from server_stub.domain.signin import Clock, SignIn


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a device asks: its registration, old and new key, the new key's proof, its last checkpoint ("" for none)."""

    registration: str
    old: str
    vkey: str
    proof: str
    held: str = ""


class Devices:
    """Revokes and renews device keys."""

    def __init__(
        self,
        records: Records,
        logs: ClassLogs,
        enrolment: Enrolment,
        sign_in: SignIn,
        revealer: Revealer,
        decisions: Decisions,
        clock: Clock,
    ) -> None:
        self._records, self._logs, self._enrolment, self._sign_in = records, logs, enrolment, sign_in
        self._revealer, self._decisions, self._clock = revealer, decisions, clock

    def revoke(self, class_id: str, vkey: str, reason: str) -> int:
        """By the staff: a lost or foreign device signs nothing more here; return the leaf. The same again: the same."""

        def job(tx: Transaction) -> int:
            device = tx.log.device(vkey)
            if device is None or device.class_id != class_id:
                raise DeviceRefusedError("no such device is registered in this class")
            if device.revoked is None:
                self._decisions.audit(tx, class_id, "revoked a device", device.owner, reason)
                return self._revoke(tx, device)
            return device.revoked

        return self._records.write(job)

    def renew(self, account: Account, token: str, request: Renewal) -> Device:
        """By the learner: revoke `old`, certify `vkey`; `SignInAgainError` unless the sign-in is minutes old.

        What the device says that it last signed is kept beside the session that it contradicts.
        """
        if not self._sign_in.is_fresh(token):
            raise SignInAgainError("a device key is replaced by the person, right after signing in")
        found = self._enrolment.registration(account, request.registration)
        held = _checkpoint(request.held) if request.held else None

        def job(tx: Transaction) -> None:
            old = tx.log.device(request.old)
            if old is not None and (old.class_id, old.learner) != (found.class_id, found.learner):
                raise DeviceRefusedError("the old key belongs to somebody else")
            if old is not None and held is not None:
                self._keep_fork(tx, old, held)
            if old is not None and old.revoked is None:
                self._revoke(tx, old)

        self._enrolment.check_device(account, request.registration, request.vkey, request.proof)
        self._records.write(job)
        return self._enrolment.add_device(account, request.registration, request.vkey, request.proof)

    def _revoke(self, tx: Transaction, device: Device) -> int:
        """End its open sessions, then the key: what was accepted so far was signed while it counted."""
        for sid in tx.events.sessions(device=device.vkey, state="open"):
            self._revealer.reveal(tx, sid, "abandoned")
        entry = KeyLeaf(self._clock(), "revoke", "device", device.vkey, owner=device.owner)
        leaf = self._logs.append(tx, device.class_id, entry)
        tx.log.revoke_device(device.vkey, leaf)
        return leaf

    def _keep_fork(self, tx: Transaction, old: Device, held: tuple[str, bytes]) -> None:
        """Keep the other side of a fork: a checkpoint of one of this device's sessions that is not ours."""
        sid, data = held
        session = tx.events.session(sid)
        if session is not None and session.device == old.vkey and data != tx.events.progress(sid).checkpoint:
            tx.events.add_fork(sid, data, self._clock())


def _checkpoint(text: str) -> tuple[str, bytes]:
    """(sid, note) of a session checkpoint, or `UnreadableError`."""
    try:
        parsed, signed = parse_checkpoint(text.encode())
    except (LedgerError, UnicodeEncodeError) as error:
        raise UnreadableError(f"no checkpoint: {error}") from error
    return parsed.origin.rpartition("/")[2], bytes(signed)
