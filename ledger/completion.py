"""A completion proof (结业证明): one signed note that fits a QR code and is checked by anybody, without a network.

Its text is `trueseat/completion/v1` and one canonical JSON line (R1.13, R3.5). The identity number does not stand in
it: `id` = SHA-256(`trueseat/person/v1\\n` ‖ salt ‖ `\\n` ‖ number), so whoever holds the identity card beside the proof
compares the two. (Numbers can be guessed one by one: the hash keeps them from being read, not from being searched.)
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Final

from ledger import bodies, canonical, note
from ledger.archive import Source, open_source
from ledger.bodies import Audit
from ledger.errors import ArchiveError, CanonicalError, FormatError, LedgerError
from ledger.fields import CLASS_ORIGIN, HASH, ID128, MS, Record, Table, integer, matching, text
from ledger.keys import NoteSigner, Vkey, parse_vkey
from ledger.note import Note
from ledger.words import shown

HEADER: Final = "trueseat/completion/v1"
ISSUED, REVOKED = "issued a completion", "revoked a completion"  # what the class log's audits say was done
MAX_BYTES: Final = 2900  # what a QR code of version 40 holds as bytes at its lowest correction is 2953
_DAY: Final = matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class CompletionError(FormatError):
    """A text is no completion proof, or not one for this person."""

    code = "TS-L-080"
    remedy = "Scan the whole code again; if it stays, ask the institution that is named on the paper."
    zh = "不是有效的结业证明，或与本人信息不一致。请重新扫描完整的二维码，或向证书所载培训机构核实。"


@dataclass(frozen=True, slots=True)
class Completion(Record):
    """What is certified. Hours in tenths of a class hour, the score in tenths of a point."""

    serial: str
    class_: str
    name: str
    salt: str
    id: str
    project: str
    trade: str
    level: int
    begins: str
    ends: str
    institution: str
    issued: str
    filing: str
    theory_tenths: int
    practice_tenths: int
    score_tenths: int
    error = CompletionError
    checks: ClassVar[Table] = {
        "serial": matching(r"[A-Z0-9][A-Z0-9-]{3,39}"), "class": CLASS_ORIGIN, "name": text(60), "salt": ID128,
        "id": HASH, "project": text(100), "trade": text(60), "level": integer(1, 5), "begins": _DAY, "ends": _DAY,
        "institution": text(100), "issued": _DAY, "filing": text(60), "theory_tenths": MS, "practice_tenths": MS,
        "score_tenths": integer(0, 1000),
    }  # fmt: skip

    def __str__(self) -> str:
        """The note's text."""
        return f"{HEADER}\n{canonical.encode({'v': 1, **self.to_json()}).decode()}\n"

    @property
    def digest(self) -> str:
        """What the class log calls it."""
        return note.digest(str(self))

    def check_person(self, number: str) -> None:
        """Return quietly, or raise `CompletionError`: the proof is not for whoever has this identity number."""
        if person_hash(self.salt, number) != self.id:
            raise CompletionError("the identity number is not the one that was certified")


def person_hash(salt: str, number: str) -> str:
    """How an identity number stands in a proof."""
    return sha256(f"trueseat/person/v1\n{salt}\n{number.strip().upper()}".encode()).hexdigest()


def sign(value: Completion, signer: NoteSigner) -> bytes:
    """The signed proof; `CompletionError` when it does not fit a QR code."""
    data = note.sign(str(value), signer)
    if len(data) > MAX_BYTES:
        raise CompletionError(f"{len(data)} bytes, a QR code holds {MAX_BYTES}")
    return data


def verify(data: bytes, key: Vkey) -> Completion:
    """The proof that `key` alone signed, or a `LedgerError`."""
    value, signed = parse(data)
    note.verify(signed, [key])
    return value


def parse(data: bytes) -> tuple[Completion, Note]:
    """What a text certifies, and the note as it is signed, by whomever; `CompletionError` for another text."""
    signed = note.parse(data)
    header, _, rest = signed.text.partition("\n")
    if header != HEADER or not rest.endswith("\n") or rest.count("\n") != 1:
        raise CompletionError("not a completion proof")
    try:
        fields = canonical.decode(rest[:-1].encode())
    except CanonicalError as error:
        raise CompletionError(str(error)) from error
    if fields.pop("v", None) != 1:
        raise CompletionError("not of this version")
    return Completion.from_json(fields), signed


def standing(source: Source, value: Completion) -> str:
    """`issued`, `revoked` or `unknown`: what the class log in an archive says of this proof, in its own order.

    The archive is not verified here: run `verify` on it first.
    """
    state = "unknown"
    for name in source.names("bodies/sha256/"):
        data = source.read(name)
        if not data.startswith(b"trueseat/audit/v1\n"):
            continue
        body = bodies.parse(data)[0]
        if isinstance(body, Audit) and value.digest in body.reason:
            if body.did == REVOKED:
                return "revoked"
            state = "issued" if body.did == ISSUED else state
    return state


def add_arguments(command: argparse.ArgumentParser) -> None:
    """`verify-certificate FILE --key VKEY [--number] [--archive ARCHIVE]`."""
    command.add_argument("file", type=Path, help="what the QR code says, as a file; - reads it from standard input")
    command.add_argument("--key", required=True, metavar="VKEY", help="the server's grant key, from its letter of keys")
    command.add_argument("--number", action="store_true", help="ask for the identity number and compare it, too")
    command.add_argument("--archive", type=Path, help="the class archive (verified before): is it revoked?")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 the proof is good, 1 it is refused or revoked; prints what it certifies."""
    data = _bytes(arguments.file)
    try:
        value = verify(data, parse_vkey(arguments.key))
        if arguments.number:
            sys.stderr.write("identity number: ")
            value.check_person(sys.stdin.readline())
    except ArchiveError:
        raise
    except LedgerError as error:
        sys.stdout.write(f"refused: {error.code}: {shown(str(error))}\n")
        return 1
    sys.stdout.write(words(value))
    state = standing(open_source(arguments.archive), value) if arguments.archive else ""
    if state:
        sys.stdout.write(f"class log    {state}\n")
    return 1 if state in ("revoked", "unknown") else 0


def words(value: Completion) -> str:
    """A proof as lines for people."""
    lines = {
        "serial": value.serial, "name": value.name, "trade": f"{value.trade}, level {value.level}",
        "project": value.project, "from, to": f"{value.begins}, {value.ends}",
        "class hours": f"theory {value.theory_tenths / 10:g}, practice {value.practice_tenths / 10:g}",
        "score": f"{value.score_tenths / 10:g}", "institution": value.institution, "issued": value.issued,
        "filing": value.filing, "class": value.class_,
    }  # fmt: skip
    return "good: signed by the key that was given\n" + "".join(f"{k:<12} {shown(v)}\n" for k, v in lines.items())


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
