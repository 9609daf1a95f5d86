"""The operator's side of `python -m server_stub`: appends what others signed, and what the operator answers for."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

from ledger import bodies
from ledger.archive import open_source
from ledger.bodies import Body
from ledger.keys import ED25519, parse_vkey
from server_stub.app import Server
from server_stub.domain import forks, fsck, imports
from server_stub.domain.errors import DecisionError, SetupError
from server_stub.domain.publish import WHAT
from server_stub.rotation import rotate, rotate_log
from server_stub.settings import load, write_private

MAX_IMPORT = 256 << 20  # a session of some hours has a few MB


def add(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    """Add the operator's commands."""

    def command(name: str, run: Callable[..., None], *places: str, **said: str) -> ArgumentParser:
        made = commands.add_parser(name, help=said["help"])
        made.set_defaults(run=run)
        made.add_argument("directory", type=Path)
        for place in places:
            made.add_argument(place)
        return made

    command("authority", _authority, "vkey", help="recognise an authority that vouches for supervisors")
    take = command("take", _take, "class_id", help="append what others signed: vouchers, verdicts, …")
    take.add_argument("note", type=Path, nargs="+")
    policy = command("policy", _policy, "class_id", help="put rules or a course in force; the serial only rises")
    policy.add_argument("what", choices=WHAT)
    policy.add_argument("document", type=Path, help="the file; of a course the folder")
    revoke = command("revoke-device", _revoke, "class_id", "vkey", help="a lost or foreign device signs no more")
    revoke.add_argument("--reason", required=True)
    erase = command("erase", _erase, "class_id", help="delete events or a document; their hashes stay")
    erase.add_argument("--sid", help="the session whose events are erased")
    erase.add_argument("--events", type=int, nargs="+", default=[], metavar="INDEX")
    erase.add_argument("--document", metavar="SHA256", help="a document that the class log names")
    erase.add_argument("--reason", required=True)
    erase.add_argument("--receipt", type=Path, help="where the deletion receipt is written")
    for name, fields in (("audit", ("by", "did", "target", "reason")), ("correction", ("leaf", "reason")),
                         ("exit", ("provider",))):  # fmt: skip
        said = command(name, _say, "class_id", help=f"sign and append a note of kind {name}")
        said.set_defaults(kind=name)
        for field in fields:
            said.add_argument(f"--{field}", required=True, type=int if field == "leaf" else str)
    other = command("forks", _forks, "sid", help="what is kept of a session's other history, with proofs")
    other.add_argument("out", type=Path, help="a new folder")
    turned = command("rotate", _rotate, help="a new key")
    turned.add_argument("role", choices=("grant", "cosign", "log"))
    turned.add_argument("class_id", nargs="?", default="", help="of a log: the class")
    command("fsck", _fsck, help="check the databases against the logs; repairs nothing")
    brought = command("import", _import, help="take in a learner's own copy of sessions that were not sent")
    brought.add_argument("copy", type=Path, help="what `python -m client export` wrote")


def _opened(options: argparse.Namespace) -> Server:
    return Server(load(options.directory.absolute()))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


def _authority(options: argparse.Namespace) -> None:
    settings = load(options.directory.absolute())
    key = parse_vkey(options.vkey)
    if key.type != ED25519:
        raise SetupError(f"{key.name} is no authority key")
    known = settings.authorities.read_text(encoding="utf-8").splitlines() if settings.authorities.exists() else []
    write_private(settings.authorities, "".join(f"{line}\n" for line in dict.fromkeys([*known, str(key)])).encode())


def _take(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        for path in options.note:
            print(server.services.decisions.take(options.class_id, _read(path)))
    finally:
        server.close()


def _policy(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        data = server.packages.install(options.document) if options.what == "course" else _read(options.document)
        serial = server.services.publisher.publish(options.class_id, options.what, data)
        print(f"{options.what} serial {serial} sha256 {sha256(data).hexdigest()}")
    finally:
        server.close()


def _revoke(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        print(server.services.devices.revoke(options.class_id, options.vkey, options.reason))
    finally:
        server.close()


def _erase(options: argparse.Namespace) -> None:
    if bool(options.sid and options.events) == bool(options.document):
        raise SetupError("erase either --sid with --events, or --document")
    server = _opened(options)
    try:
        eraser = server.services.eraser
        if options.document:
            eraser.document(options.class_id, options.document, options.reason)
            return
        receipt = eraser.events(options.class_id, options.sid, options.events, options.reason)
        if options.receipt:
            write_private(options.receipt, receipt)
        print(sha256(receipt).hexdigest())
    finally:
        server.close()


def _say(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        place = server.clock(), server.keyring.origin(options.class_id)
        said: dict[str, Callable[[], Body]] = {
            "audit": lambda: bodies.Audit(*place, options.by, options.did, options.target, options.reason),
            "correction": lambda: bodies.Correction(*place, options.leaf, options.reason),
            "exit": lambda: bodies.Exit(*place, options.provider),
        }
        print(server.services.decisions.say(options.class_id, said[options.kind]()))
    finally:
        server.close()


def _forks(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        found = server.records.read(lambda tx: forks.kept(tx, options.sid, server.settings.server))
        if options.out.exists():
            raise SetupError(f"{options.out} exists already")
        options.out.mkdir(mode=0o700, parents=True)
        for number, item in enumerate(found):
            write_private(options.out / f"{number}.kept", item.data)
            if item.proof is not None:
                write_private(options.out / f"{number}.proof", item.proof)
        print(f"{len(found)} kept, {sum(item.proof is not None for item in found)} proven")
    finally:
        server.close()


def _rotate(options: argparse.Namespace) -> None:
    settings = load(options.directory.absolute())
    if (options.role == "log") != bool(options.class_id):
        raise DecisionError("a class is named where its log's key is changed, and nowhere else")
    print(rotate_log(settings, options.class_id) if options.class_id else rotate(settings, options.role))


def _fsck(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        found = fsck.check(server.people, server.records, server.keyring)
        for fault in found:
            print(fault)
        if found:
            raise SetupError(f"{len(found)} faults: restore a backup, or keep the directory and report it")
        print("all is as the logs say")
    finally:
        server.close()


def _import(options: argparse.Namespace) -> None:
    server = _opened(options)
    try:
        accept = partial(server.services.segments.accept, seen="file", limit=MAX_IMPORT)
        records = server.records
        found = imports.bring(
            open_source(options.copy), lambda sid: records.read(lambda tx: imports.size_of(tx, sid)), accept
        )
        for sid, before, now in found:
            print(f"{sid}: {before} events were here, {now} are now")
    finally:
        server.close()
