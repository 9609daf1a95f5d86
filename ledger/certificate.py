"""The session certificate: in six lines a device key says which session key speaks for it, for whom, after what."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger import names, note
from ledger.checkpoint import MAX_SIZE
from ledger.errors import CertificateError, KeyFormatError
from ledger.keys import ED25519, P256, NoteSigner, Vkey, b64decode, b64encode, parse_vkey
from ledger.note import Note

HEADER = "trueseat/session/v1"
_PREV = re.compile(r"([0-9a-f]{32}) (0|[1-9][0-9]{0,15}) ([A-Za-z0-9+/]{43}=)")


@dataclass(frozen=True, slots=True)
class Previous:
    """Where this device's previous session in this class ended: chains sessions, exposes clones and omissions."""

    sid: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.sid} {self.size} {b64encode(self.root)}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the device signed. `prev` is None on its first session here, "lost" when the device lost its records."""

    class_origin: str
    session_key: Vkey
    registration: str
    prev: Previous | str | None

    @property
    def sid(self) -> str:
        """The session's 32 hex digits."""
        return self.session_key.name.rpartition("/")[2]

    @property
    def origin(self) -> str:
        """The session log's origin."""
        return self.session_key.name

    def __str__(self) -> str:
        lines = (HEADER, self.origin, self.class_origin, self.session_key, self.registration, self.prev or "none")
        return "".join(f"{line}\n" for line in lines)


def parse_text(text: str) -> Certificate:
    """Read the six lines, or raise `CertificateError`."""
    lines = text.split("\n")
    if len(lines) != 7 or lines[6] or lines[0] != HEADER:
        raise CertificateError("a session certificate is six lines, the first of them " + HEADER)
    _, origin, class_origin, vkey, registration, prev = lines[:6]
    session, klass = names.split("session origin", origin), names.split("class origin", class_origin)
    if session is None or klass is None or session[0] != klass[0]:
        raise CertificateError("lines 2 and 3 are the origins of a session and a class of one server")
    try:
        key = parse_vkey(vkey)
        previous = parse_previous(prev)
    except KeyFormatError as error:
        raise CertificateError(str(error)) from error
    if key.name != origin or key.type != ED25519:
        raise CertificateError("line 4 is the Ed25519 key of the session in line 2")
    if not names.is_a("sid", registration):
        raise CertificateError("line 5 is a registration, 32 hex digits")
    return Certificate(class_origin, key, registration, previous)


def parse_previous(line: str) -> Previous | str | None:
    """Read `none`, `lost`, or `<sid> <size> <base64 root>`; `CertificateError` otherwise."""
    if line in ("none", "lost"):
        return None if line == "none" else line
    match = _PREV.fullmatch(line)
    if match is None or int(match[2]) > MAX_SIZE:
        raise CertificateError("line 6 is none, lost, or the previous session's sid, size and root")
    try:
        return Previous(match[1], int(match[2]), b64decode(match[3]))
    except KeyFormatError as error:
        raise CertificateError(str(error)) from error


def parse(data: bytes) -> tuple[Certificate, Note]:
    """Read a certificate note: one signature, by a device key of the same server; verify it with that key."""
    parsed = note.parse(data)
    certificate = parse_text(parsed.text)
    server = certificate.class_origin.partition("/")[0]
    device = names.split("device", parsed.signatures[0].name)
    if len(parsed.signatures) != 1 or device is None or device[0] != server:
        raise CertificateError(f"a session certificate has one signature, by {server}/d/<device>")
    return certificate, parsed


def sign(certificate: Certificate, device: NoteSigner) -> bytes:
    """The certificate as a note by the device key."""
    if device.vkey.type != P256:
        raise CertificateError("a device key is P-256")
    return note.sign(str(certificate), device)
