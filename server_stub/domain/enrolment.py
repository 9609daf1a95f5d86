"""Before the first session: which class, which person, which device, which reference, which consents.

Each of these becomes an entry of the class log, without a name in it: people stand in bodies, which can be deleted.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from hashlib import sha256

from ledger import bodies, note
from ledger.checkpoint import MAX_SIZE
from ledger.errors import LedgerError
from ledger.keys import P256, Vkey, b64encode, parse_vkey
from ledger.leaves import BodyLeaf, KeyLeaf
from ledger.names import split
from ledger.note import Note
from ledger.policy import Policy
from ledger.policy import parse as parse_policy
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import (
    ClassEndedError,
    DevelopmentOnlyError,
    DeviceLimitError,
    DeviceRefusedError,
    NotThereError,
    UnknownRegistrationError,
    UnreadableError,
)
from server_stub.domain.keyring import Keyring
from server_stub.domain.people import Account, People, Registration
from server_stub.domain.ports import Device, Records, Transaction
from server_stub.domain.said import provider_left
from server_stub.domain.signin import Clock

OWNER_SALT_BYTES = 16
VOUCHED = ("evidence", "supervisor")  # roles for whose keys an authority outside this server vouches


class Enrolment:
    """What a learner does once, before studying."""

    def __init__(
        self,
        people: People,
        records: Records,
        logs: ClassLogs,
        keyring: Keyring,
        clock: Clock,
        last_day: Callable[[str], str] = lambda _class: "",
    ) -> None:
        """`last_day`: the day of a class's last lesson by its approved plan, "" where there is none."""
        self._people, self._records, self._logs, self._keyring, self._clock = people, records, logs, keyring, clock
        self._last_day = last_day

    def registration(self, account: Account, registration: str) -> Registration:
        """The registration, if it is this learner's; `UnknownRegistrationError` otherwise."""
        found = self._people.registration(registration)
        if found is None or found.learner != account.learner:
            raise UnknownRegistrationError("this learner has no such registration")
        return found

    def me(self, account: Account) -> dict[str, object]:
        """What a client needs to know of its learner (docs/http-api.md, `GET /v1/me`)."""
        titles = {classroom.class_id: classroom.title for classroom in self._people.classes()}
        found = self._people.registrations(learner=account.learner)
        days = {item.class_id: self._last_day(item.class_id) for item in found}
        listed = self._records.read(
            lambda tx: [
                self._listed(tx, item) | {"title": titles.get(item.class_id, "")} | self._ends(tx, item, days)
                for item in found
            ]
        )
        levels = {item.real_name for item in found}
        real_name = next((level for level in ("identified", "development") if level in levels), "open")
        return {"learner": account.learner, "name": account.person, "real_name": real_name, "registrations": listed}

    def _listed(self, tx: Transaction, registration: Registration) -> dict[str, object]:
        class_id = registration.class_id
        sessions = tx.events.sessions(registration=registration.registration)
        return {
            "registration": registration.registration,
            "class": class_id,
            **{what: self._logs.in_force(tx, class_id, what) for what in ("course", "policy", "rules", "models")},
            "reference": registration.reference,
            "credited_ms": sum(tx.events.progress(sid).settled_ms for sid in sessions),
            "server": self._keyring.server,
            "trust": self.trust(class_id),
        }

    def _ends(self, tx: Transaction, registration: Registration, days: Mapping[str, str]) -> dict[str, int]:
        """The last ms of the class's last day where the programme is."""
        day = days[registration.class_id]
        if not day:
            return {}
        zone = timezone(timedelta(minutes=self.policy(tx, registration.class_id).utc_offset_minutes))
        midnight = datetime.fromisoformat(day).replace(tzinfo=zone) + timedelta(days=1)
        return {"ends": int(midnight.timestamp() * 1000) - 1}

    def trust(self, class_id: str) -> str:
        """The trust file's text that the operator recommends for a class."""
        return str(self._keyring.trust(class_id))

    def body(self, account: Account, digest: str) -> bytes:
        """A published document or a voucher of one of this learner's classes, or this learner's accommodation;
        `NotThereError`. Vouchers: a client seals photos to no key for which its own authority does not vouch."""
        classes = {item.class_id for item in self._people.registrations(learner=account.learner)}

        def find(tx: Transaction) -> bytes | None:
            data = tx.log.body(digest)
            mine = data is not None and _is_accommodation_of(account.learner, data)
            shown = mine or any(tx.log.is_public(name, digest) or self._vouches(tx, name, digest) for name in classes)
            return data if shown else None

        found = self._records.read(find)
        if found is None:
            raise NotThereError(f"no class of this learner names {digest}")
        return found

    def _vouches(self, tx: Transaction, class_id: str, digest: str) -> bool:
        log = self._logs.log(tx, class_id)
        return any(item.leaf.vouched == digest for role in VOUCHED for item in log.records(role))

    def policy(self, tx: Transaction, class_id: str) -> Policy:
        """The programme's rules in force in a class."""
        digest = self._logs.in_force(tx, class_id, "policy")
        return parse_policy(tx.log.body(digest) or b"")

    def in_force(self, tx: Transaction, class_id: str, what: str) -> bytes:
        """The bytes of the document in force in a class."""
        return tx.log.body(self._logs.in_force(tx, class_id, what)) or b""

    def identify(self, account: Account, registration: str) -> int:
        """Let the development officer vouch for the person; return the leaf. The same again: the same leaf."""
        found = self.registration(account, registration)
        officer = self._keyring.officer
        if officer is None:
            raise DevelopmentOnlyError("this server has no development officer")
        if found.real_name != "open":
            return found.identified
        now, class_id = self._clock(), found.class_id
        body = bodies.Identification(now, self._keyring.origin(class_id), account.learner, "development")
        signed, digest = bodies.sign(body, officer), note.digest(str(body))

        def append(tx: Transaction) -> int:
            tx.log.put_body(class_id, digest, signed)
            return self._logs.append(tx, class_id, BodyLeaf(now, "identification", digest))

        leaf = self._records.write(append)
        self._people.set_real_name(registration, "development", leaf)
        return leaf

    def add_device(self, account: Account, registration: str, vkey: str, proof: str) -> Device:
        """Certify a device key for this learner in this class; the same key again answers the same."""
        found = self.check_device(account, registration, vkey, proof)
        return self._records.write(lambda tx: self._add_device(tx, found, vkey))

    def check_device(self, account: Account, registration: str, vkey: str, proof: str) -> Registration:
        """The registration for which `proof` shows that the device holds the key `vkey`; nothing is written."""
        found = self.registration(account, registration)
        origin = self._keyring.origin(found.class_id)
        key = _device_key(vkey, self._keyring.server)
        text = f"trueseat/device/v1\n{self._keyring.server}\n{origin}\n{account.learner}\n{vkey}\n"
        _signed_by(key, note.parse(proof.encode()), text)
        return found

    def _add_device(self, tx: Transaction, found: Registration, vkey: str) -> Device:
        left = provider_left(tx, self._logs.log(tx, found.class_id))
        if left is not None:
            raise ClassEndedError(f"{left} has left")
        known = tx.log.device(vkey)
        if known is not None:
            if (known.class_id, known.learner, known.revoked) != (found.class_id, found.learner, None):
                raise DeviceRefusedError("this key belongs to somebody else, to another class, or is revoked")
            return known
        mine = [device for device in tx.log.devices(found.class_id, found.learner) if device.revoked is None]
        most = self.policy(tx, found.class_id).max_devices
        if len(mine) >= most:
            raise DeviceLimitError(f"{len(mine)} devices are registered, the programme allows {most}")
        salt = secrets.token_bytes(OWNER_SALT_BYTES)
        opened = salt + found.learner.encode()  # these 48 bytes are the body named `owner` (wire-format.md)
        owner = sha256(opened).hexdigest()
        tx.log.put_body(found.class_id, owner, opened)
        entry = KeyLeaf(self._clock(), "add", "device", vkey, owner=owner)
        leaf = self._logs.append(tx, found.class_id, entry)
        device = Device(vkey, found.class_id, found.registration, found.learner, owner, salt, leaf)
        tx.log.add_device(device)
        return device

    def refer(self, account: Account, data: bytes) -> str:
        """Keep the signed digest of the learner's template; every grant from now on names it."""
        signed = note.parse(data)
        lines = signed.text.split("\n")
        if len(lines) != 4 or lines[0] != "trueseat/reference/v1" or not _is_reference(lines[2]):
            raise UnreadableError("a reference is three lines: header, registration, digest or none")
        found = self.registration(account, lines[1])
        self._records.read(lambda tx: self.device_of(tx, found, signed))
        self._people.set_reference(found.registration, lines[2])
        return lines[2]

    def consent(self, account: Account, data: bytes) -> int:
        """Keep a consent that the learner's device signed; return its leaf."""
        body, signed = bodies.parse(data)
        if not isinstance(body, bodies.Consent) or body.learner != account.learner:
            raise UnreadableError("this is no consent of this learner")
        where = split("class origin", body.class_)
        if where is None or where[0] != self._keyring.server:
            raise UnknownRegistrationError("that class is not on this server")
        mine = self._people.registrations(learner=account.learner, class_id=where[1])
        if not mine:
            raise UnknownRegistrationError("this learner is not in that class")

        def append(tx: Transaction) -> int:
            self.device_of(tx, mine[0], signed)
            known = tx.log.leaf_of(mine[0].class_id, signed.digest)
            if known is not None:
                return known
            leaf = self._logs.append(tx, mine[0].class_id, BodyLeaf(self._clock(), "consent", signed.digest))
            tx.log.put_body(mine[0].class_id, signed.digest, data, leaf=leaf)
            return leaf

        return self._records.write(append)

    def device_of(self, tx: Transaction, found: Registration, signed: Note) -> Device:
        """The registered device that signed the note as its only signer, or `DeviceRefusedError`."""
        for device in tx.log.devices(found.class_id, found.learner):
            key = parse_vkey(device.vkey)
            if device.revoked is None and signed.signatures[0].is_by(key):
                _signed_by(key, signed, signed.text)
                return device
        raise DeviceRefusedError("no registered device of this learner signed this")

    def last_session(self, account: Account, registration: str, vkey: str) -> tuple[str, str | None]:
        """(`prev` as a certificate states it, sid of its open session or None) of one device in this class."""
        found = self.registration(account, registration)

        def find(tx: Transaction) -> tuple[str, str | None]:
            device = tx.log.device(vkey)
            if device is None or (device.class_id, device.learner) != (found.class_id, found.learner):
                raise DeviceRefusedError("this device is not registered in this class")
            still_open = tx.events.sessions(device=vkey, state="open")
            return previous(tx, vkey), still_open[-1] if still_open else None

        return self._records.read(find)


def previous(tx: Transaction, vkey: str) -> str:
    """The last line of the next certificate by this device: sessions that were never opened are left out."""
    for sid in reversed(tx.events.sessions(device=vkey)):
        progress = tx.events.progress(sid)
        if 0 < progress.size <= MAX_SIZE:
            return f"{sid} {progress.size} {b64encode(progress.root)}"
    return "none"


def _device_key(text: str, server: str) -> Vkey:
    key = parse_vkey(text)
    where = split("device", key.name)
    if key.type != P256 or where is None or where[0] != server:
        raise UnreadableError(f"a device key is P-256 and named {server}/d/<32 hex>")
    return key


def _signed_by(key: Vkey, signed: Note, text: str) -> None:
    """Return quietly, or raise `DeviceRefusedError`: the note says `text`, and `key` alone signed it."""
    if signed.text != text:
        raise UnreadableError("the signed text is not what this request asks for")
    try:
        note.verify(signed, [key])
    except LedgerError as error:
        raise DeviceRefusedError(str(error)) from error


def _is_accommodation_of(learner: str, data: bytes) -> bool:
    if not data.startswith(b"trueseat/accommodation/v1\n"):
        return False
    body = bodies.parse(data)[0]
    return isinstance(body, bodies.Accommodation) and body.learner == learner


def _is_reference(text: str) -> bool:
    return text == "none" or (len(text) == 64 and not set(text) - set("0123456789abcdef"))
