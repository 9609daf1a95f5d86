"""The signers' side of `python -m server_stub`: supervisors and authorities sign here, with keys that stay with them.

Nothing here opens a server's data directory; a key that lies in one is refused. What comes out is a signed note, a file
that the operator appends with `take` and anybody can check.
"""

from __future__ import annotations

import argparse
import secrets
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger import bodies, names, note
from ledger.bodies import Body
from ledger.errors import LedgerError
from ledger.identify import LASTS_MS
from ledger.keys import ED25519, EVIDENCE, Signer, generate, generate_evidence, load_signer, parse_vkey
from server_stub.app import wall_ms
from server_stub.domain.errors import DecisionError, SetupError
from server_stub.settings import CONFIG, write_private

ROLES = {"authority": "a", "supervisor": "p", "evidence": "e"}


def add(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    """Add `key`, `verdict`, `reversal`, `accommodation`, `identification`, `spot`, `identify` and `countersign`."""
    _add_key(commands)
    for kind, fields in (
        ("verdict", ("learner", "sid", "from", "to", "reason")),
        ("reversal", ("verdict",)),
        ("accommodation", ("learner", "until")),
        ("identification", ("learner", "method")),
        ("spot", ("sid", "kind", "deadline-ms")),
    ):
        command = commands.add_parser(kind, help=f"sign a {kind} as a file for the operator to take")
        command.set_defaults(run=_sign, kind=kind)
        command.add_argument("--class", dest="class_", required=True, help="the class log's origin")
        for field in fields:
            command.add_argument(f"--{field}", dest=f"{field}_", metavar=field.upper(), required=True)
        if kind == "accommodation":
            command.add_argument("--change", action="append", required=True, metavar="NAME=VALUE")
        _add_keys_and_out(command)
    command = commands.add_parser("identify", help="sign that these learners are in the room, or were spoken to")
    command.set_defaults(run=_identify)
    command.add_argument("--class", dest="class_", required=True, help="the class log's origin")
    command.add_argument("--method", choices=tuple(LASTS_MS), required=True)
    command.add_argument("--learner", action="append", required=True, help="a pseudonym; may repeat")
    _add_keys_and_out(command)
    command = commands.add_parser("countersign", help="add a second person's signature to a note")
    command.set_defaults(run=_countersign)
    command.add_argument("note", type=Path)
    _add_keys_and_out(command)


def _add_key(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    actions = commands.add_parser("key", help="keys of people: new, add (vouch), revoke").add_subparsers(required=True)
    new = actions.add_parser("new", help="draw a key into a file of its own, 0600; prints its public half")
    new.set_defaults(run=_new_key)
    new.add_argument("role", choices=ROLES)
    new.add_argument("authority", help="the authority's name, e.g. school.example")
    new.add_argument("out", type=Path)
    for op in ("add", "revoke"):
        vouch = actions.add_parser(op, help=f"an authority's voucher to {op} a supervisor or evidence key")
        vouch.set_defaults(run=_vouch, op=op)
        vouch.add_argument("role", choices=("supervisor", "evidence"))
        vouch.add_argument("vkey")
        _add_keys_and_out(vouch)


def _add_keys_and_out(command: ArgumentParser) -> None:
    command.add_argument("--key", type=Path, action="append", required=True, help="a signer's key file; may repeat")
    command.add_argument("--out", type=Path, required=True)


def new_key(role: str, authority: str, out: Path) -> str:
    """Draw a key of an authority into the new file `out`, readable by its owner alone; return its vkey."""
    if not names.is_a("server", authority):
        raise SetupError(f"{authority[:60]!r} is no name of an authority")
    check_place(out)
    if out.exists():
        raise SetupError(f"{out} exists already; a key is never overwritten")
    name = f"{authority}/{ROLES[role]}" + (f"/{secrets.token_hex(16)}" if role == "supervisor" else "")
    if role == "evidence":
        vkey, private = generate_evidence(name)
        write_private(out, f"{vkey}\n{private.hex()}\n".encode())
        return str(vkey)
    signer = generate(name, ED25519)
    write_private(out, f"{signer.vkey.name}\n".encode() + signer.to_pem())
    return str(signer.vkey)


def read_key(path: Path) -> Signer:
    """The signing key in a file that `new_key` wrote, or `SetupError`: also for one that others can read."""
    check_place(path)
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"{path} can be read by others: run chmod 600 on it")
        name, _, pem = path.read_bytes().partition(b"\n")
        return load_signer(name.decode(), ED25519, pem)
    except (OSError, UnicodeDecodeError, LedgerError) as error:
        raise SetupError(f"{path} is no signing key: {error}") from error


def check_place(path: Path) -> None:
    """People's keys never lie in a server's data directory: its operator would sign for them."""
    for folder in path.absolute().resolve().parents:
        if (folder / CONFIG).exists():
            raise SetupError(f"{path} lies in the data directory of a server; a person's key is kept elsewhere")


# --- commands ---------------------------------------------------------------------------------------------------------


def _new_key(options: argparse.Namespace) -> None:
    print(new_key(options.role, options.authority, options.out))


def _vouch(options: argparse.Namespace) -> None:
    key = parse_vkey(options.vkey)
    if (key.type == EVIDENCE) != (options.role == "evidence"):
        raise DecisionError(f"{key.name} is no {options.role} key")
    text = bodies.voucher_text(options.op, options.role, options.vkey)
    _write(options.out, note.sign(text, *_signers(options.key)))


def _sign(options: argparse.Namespace) -> None:
    _write(options.out, bodies.sign(_body(options), *_signers(options.key)))


def _body(options: argparse.Namespace) -> Body:
    now, class_ = wall_ms(), options.class_
    match options.kind:
        case "verdict":
            span = _number(options.from_), _number(options.to_)
            return bodies.Verdict(now, class_, options.learner_, options.sid_, *span, options.reason_)
        case "reversal":
            return bodies.Reversal(now, class_, options.verdict_)
        case "accommodation":
            return bodies.Accommodation(
                now, class_, options.learner_, _changes(options.change), _number(options.until_)
            )
        case "spot":  # drawn here, on the supervisor's own machine: the operator cannot have known it
            number, nonce = secrets.randbelow(10**9), secrets.token_hex(16)
            deadline_ms = _number(getattr(options, "deadline-ms_"))
            return bodies.Spot(now, class_, options.sid_, number, nonce, options.kind_, deadline_ms)
    return bodies.Identification(now, class_, options.learner_, options.method_)


def _identify(options: argparse.Namespace) -> None:
    """A round through the lab, or one call: a note for each learner, in the folder `--out`, to be taken in at once."""
    signers, now = _signers(options.key), wall_ms()
    options.out.mkdir(parents=True, exist_ok=True)
    for learner in dict.fromkeys(options.learner):
        body = bodies.Identification(now, options.class_, learner, options.method)
        _write(options.out / f"{learner}.{options.method}.{now}", bodies.sign(body, *signers))


def _countersign(options: argparse.Namespace) -> None:
    """The same text, signed by one more person, who has read it."""
    try:
        signed = note.parse(options.note.read_bytes())
    except OSError as error:
        raise SetupError(f"{options.note} cannot be read: {error.strerror}") from error
    lines = note.parse(note.sign(signed.text, *_signers(options.key))).signatures
    _write(options.out, bytes(note.Note(signed.text, (*signed.signatures, *lines))))


def _signers(paths: Sequence[Path]) -> list[Signer]:
    return [read_key(path) for path in paths]


def _write(out: Path, signed: bytes) -> None:
    parsed = note.parse(signed)
    try:
        with out.open("xb") as file:
            file.write(signed)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror}") from error
    print(parsed.digest)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise DecisionError(f"{text[:20]!r} is no number")
    return int(text)


def _changes(pairs: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE`: a number, true, false, or words separated by commas where the policy has a list."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name in found:
            raise DecisionError(f"{pair[:40]!r} is no NAME=VALUE, or stands twice")
        if value in ("true", "false"):
            found[name] = value == "true"
        elif value.isascii() and value.isdigit():
            found[name] = int(value)
        else:
            found[name] = value.split(",") if name in ("kinds", "gestures") else value
    return found
