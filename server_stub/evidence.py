"""`python -m server_stub evidence list | sample | open | answers | erase | prune | key`: sealed photos and answers."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger import sample
from ledger.errors import LedgerError
from ledger.evidence import Recipient
from ledger.keys import parse_vkey
from server_stub.app import Server
from server_stub.domain import answers
from server_stub.domain.errors import SetupError
from server_stub.domain.reviewing import Opening
from server_stub.settings import load, write_private
from server_stub.signing import check_place, new_key

DAY_MS: Final = 24 * 3600 * 1000


def add(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    """Add the command."""
    actions = commands.add_parser("evidence", help="sealed photos: list, sample, open, erase; a reviewer's key")
    kinds = actions.add_subparsers(required=True)

    def command(name: str, run: Callable[[Server, argparse.Namespace], None], help_: str) -> ArgumentParser:
        made = kinds.add_parser(name, help=help_)
        made.set_defaults(run=_with_server(run))
        made.add_argument("directory", type=Path)
        made.add_argument("class_id")
        return made

    command("list", _list, "every photo that an event of the class names, and what became of it")
    drawn = command("sample", _sample, "which photos a spot check opens: anybody draws the same from the archive")
    sample.add_arguments(drawn)
    opened = command("open", _open, "open one photo with a reviewer's key; an audit leaf says who and why")
    opened.add_argument("sid")
    opened.add_argument("eid")
    opened.add_argument("--key", type=Path, required=True, help="the reviewer's key file (`key new evidence`)")
    opened.add_argument("--by", required=True, help="who opens it")
    opened.add_argument("--reason", required=True)
    opened.add_argument("--out", type=Path, required=True, help="a new file, 0600, for the JPEG; - is standard output")
    told = command("answers", _answers, "open the answers to a session's questions; an audit leaf says who and why")
    told.add_argument("sid")
    told.add_argument("--key", type=Path, required=True, help="the reviewer's key file (`key new evidence`)")
    told.add_argument("--by", required=True, help="who opens them")
    told.add_argument("--reason", required=True)
    erased = command("erase", _erase, "erase photos and their keys; an `erased` leaf and a signed receipt stay")
    erased.add_argument("sid")
    erased.add_argument("eid", nargs="+")
    erased.add_argument("--reason", required=True)
    erased.add_argument("--receipt", type=Path, help="where the deletion receipt is written")
    old = command("prune", _prune, "erase every photo that came more than so many days ago, session by session")
    old.add_argument("--days", type=int, required=True)
    old.add_argument("--reason", required=True)
    old.add_argument("--hold", nargs="*", default=[], metavar="SID", help="sessions that a case keeps for now")
    key = command("key", _key, "development: draw a reviewer's key, vouched for by the development authority")
    key.add_argument("out", type=Path, help="a new file outside of the data directory, 0600")


def _with_server(run: Callable[[Server, argparse.Namespace], None]) -> Callable[[argparse.Namespace], None]:
    def opened(options: argparse.Namespace) -> None:
        server = Server(load(options.directory.absolute()))
        try:
            run(server, options)
        finally:
            server.close()

    return opened


def read_reviewer(path: Path) -> Recipient:
    """The evidence key in a file that `key new evidence` wrote, or `SetupError`: also for one that others can read."""
    check_place(path)
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"{path} can be read by others: run chmod 600 on it")
        vkey, private = path.read_text(encoding="ascii").split("\n")[:2]
        found = Recipient(parse_vkey(vkey), bytes.fromhex(private))
        found.check()
    except (OSError, ValueError, LedgerError) as error:
        raise SetupError(f"{path} is no reviewer's key: {type(error).__name__}") from error
    return found


def _list(server: Server, options: argparse.Namespace) -> None:
    for photo in server.services.reviewer.listed(options.class_id):
        print(f"{photo.sid} {photo.eid} check {photo.check} attempt {photo.attempt} event {photo.seq} {photo.state}")


def _sample(server: Server, options: argparse.Namespace) -> None:
    population = [(photo.sid, photo.eid) for photo in server.services.reviewer.listed(options.class_id, readable=True)]
    origin = server.keyring.origin(options.class_id)
    sys.stdout.write(sample.lines(sample.draw(options.seed, origin, population, options.count)))


def _open(server: Server, options: argparse.Namespace) -> None:
    key = read_reviewer(options.key)
    to_file = str(options.out) != "-"
    if to_file and options.out.exists():
        raise SetupError(f"{options.out} exists already")
    asked = Opening(options.class_id, options.sid, options.eid, options.by, options.reason)
    shown = server.services.reviewer.open(asked, key)
    if to_file:
        write_private(options.out, shown.jpeg)
    else:
        sys.stdout.buffer.write(shown.jpeg)
    header = shown.header
    said = f"check {header.i}, attempt {header.a}, {header.mono} ms after the session opened, {header.bytes_} bytes"
    print(f"{said}; the opening is entry {shown.leaf} of the class log", file=sys.stdout if to_file else sys.stderr)


def _answers(server: Server, options: argparse.Namespace) -> None:
    """One line an answer: event, unit, question, choice (from 1), and whether it is right where that is known."""
    asked = answers.Opening(options.class_id, options.sid, options.by, options.reason)
    found, leaf = server.services.sealed_answers.open(asked, read_reviewer(options.key))
    for one in found:
        known, chosen = one.answer, one.choice
        judged = "" if known.right < 0 or chosen < 0 else " right" if chosen == known.right else " wrong"
        choice = "does not open" if chosen < 0 else f"choice {chosen + 1}{judged}"
        text = known.asked.choices[chosen].zh if 0 <= chosen < len(known.asked.choices) else ""
        print(f"event {known.event.seq} {known.said.unit}/{known.said.item} {choice} {text}".rstrip())
    print(f"the opening is entry {leaf} of the class log", file=sys.stderr)


def _erase(server: Server, options: argparse.Namespace) -> None:
    receipt = server.services.eraser.photos(options.class_id, options.sid, options.eid, options.reason)
    if options.receipt:
        write_private(options.receipt, receipt)
    print(sha256(receipt).hexdigest())


def _prune(server: Server, options: argparse.Namespace) -> None:
    """What is still needed is named with `--hold`; a session that runs is left alone, and said."""
    if options.days < 0:
        raise SetupError("a number of days, 0 for all")
    until = server.clock() - options.days * DAY_MS
    done = server.services.eraser.old_photos(options.class_id, until, options.reason, hold=options.hold)
    for sid, receipt in done.items():
        print(f"{sid} erased, receipt {sha256(receipt).hexdigest()}" if receipt else f"{sid} left: it still runs")


def _key(server: Server, options: argparse.Namespace) -> None:
    print(make_reviewer(server, options.class_id, options.out))


def make_reviewer(server: Server, class_id: str, out: Path) -> str:
    """Development: a new reviewer's key in the file `out`, vouched for and in the class log; return its vkey."""
    authority = server.keyring.authority
    if authority is None:
        raise SetupError("only a development server vouches itself; others take a voucher (`key add evidence`)")
    out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    vkey = new_key("evidence", authority.vkey.name.removesuffix("/a"), out)
    server.class_maker.add_reviewer(class_id, vkey, server.clock)
    return vkey
