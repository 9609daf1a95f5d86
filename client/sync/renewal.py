"""A way on after a copy: when the server has other records of this device than the device itself, it gets a new key.

A restored backup, a cloned machine or a copied key file all look alike from here: two holders of one key. Neither side
is thrown away (the device keeps its records, the server its own, and both are evidence); the old key is revoked, and
the person who signs in again goes on with a fresh one. What was receipted stays credited.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Final

from client.errors import SealError
from client.sync.enrol import Enrolment, Registration
from client.sync.outbox import Kept, Outbox
from ledger import bodies, names, note
from ledger.errors import LedgerError
from ledger.keys import P256, Signer, generate

REVOKED: Final = ("TS-S-022", "TS-S-033")  # the server's codes for a device key that does not count (any more)


def mark_copied(enrolment: Enrolment, registration: Registration) -> None:
    """Remember that this device's key is held elsewhere too, or was revoked: the next opening renews it first."""
    enrolment.profile.seal.put(_name(registration, "copied"), b"1")


def is_marked(enrolment: Enrolment, registration: Registration) -> bool:
    """Whether this device's key has to be renewed before a session opens."""
    return enrolment.profile.seal.get(_name(registration, "copied")) is not None


def renew(enrolment: Enrolment, outbox: Outbox, registration: Registration) -> Signer:
    """Draw a fresh device key and have the server put it in the old one's place; return it.

    `SignedOutError` unless the learner signed in minutes ago; `ServerRefusedError` when the programme allows no further
    device. Repeated after a crash it ends the same way: the fresh key is sealed before it is sent.
    """
    seal = enrolment.profile.seal
    old = enrolment.device(registration)
    fresh = _fresh(enrolment, registration)
    text = "\n".join(
        ("trueseat/device/v1", registration.server, registration.class_, enrolment.profile.learner, str(fresh.vkey), "")
    )
    request = {
        "registration": registration.registration,
        "old": str(old.vkey),
        "vkey": str(fresh.vkey),
        "proof": note.sign(text, fresh).decode(),
        "held": _held(outbox, registration, old),
    }
    enrolment.api.json("POST", "/v1/devices/renew", request)
    seal.put(_name(registration), _sealed(fresh))
    seal.put(_name(registration, "known"), b"1")
    seal.delete(_name(registration, "next"))
    seal.delete(_name(registration, "copied"))
    _sign_again(enrolment, outbox, registration, fresh)
    return fresh


def sessions_of(outbox: Outbox, registration: Registration, device: Signer) -> list[Kept]:
    """The sessions of this class that this device key opened, in order; a renewed key begins anew."""
    name = device.vkey.name
    return [kept for kept in outbox.sessions() if kept.class_ == registration.class_ and opened_by(kept.cert) == name]


def opened_by(cert: bytes) -> str:
    """The name of the device key that a session's certificate claims, "" where it claims none."""
    try:
        return note.parse(cert).signatures[0].name
    except LedgerError:
        return ""


def _held(outbox: Outbox, registration: Registration, old: Signer) -> str:
    """The last checkpoint that this device signed under the old key: its side of the fork. "" where there is none."""
    for kept in reversed(sessions_of(outbox, registration, old)):
        signed = outbox.signed(kept.sid)
        if signed:
            return signed[-1].note.decode()
    return ""


def _fresh(enrolment: Enrolment, registration: Registration) -> Signer:
    seal, name = enrolment.profile.seal, _name(registration, "next")
    kept = seal.get(name)
    if kept:
        with suppress(SealError):  # unreadable: nobody holds it, and another one takes its place
            return enrolment.load(kept)
    fresh = generate(names.device(registration.server, secrets.token_hex(16)), P256)
    seal.put(name, _sealed(fresh))
    return fresh


def _sign_again(enrolment: Enrolment, outbox: Outbox, registration: Registration, fresh: Signer) -> None:
    """Consents that the server has not yet and that the old key signed are the learner's words still."""
    for said in outbox.consents(registration.registration):
        if not said.sent:
            learner = enrolment.profile.learner
            body = bodies.Consent(enrolment.wall(), registration.class_, learner, said.notice, said.what, said.given)
            outbox.keep_consent(
                registration.registration, said.what, given=said.given, notice=said.notice, version=said.version,
                note=bodies.sign(body, fresh),
            )  # fmt: skip


def _sealed(signer: Signer) -> bytes:
    return signer.vkey.name.encode() + b"\n" + signer.to_pem()


def _name(registration: Registration, what: str = "") -> str:
    name = f"device-{registration.registration}"
    return f"{name}-{what}" if what else name
