"""The offline verifier: `python -m ledger verify | show | trust | compare | …`. It asks nobody and changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger import completion, disputes, inspection, keys, sample, schemas, shelf, stamp, trust, words
from ledger.across import verify_many
from ledger.archive import open_source
from ledger.engine import ENGINES
from ledger.errors import ArchiveError, LedgerError
from ledger.page import render
from ledger.page.tongue import LANGUAGES
from ledger.parallel import collect_seldom
from ledger.program import typed
from ledger.show import session_table, session_trust
from ledger.verify import Options, verify

UNREADABLE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 nothing refused, 1 refused, 2 unreadable or no usable trust file."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "verify":
            return _verify(arguments)
        if arguments.command in ("compare", "proof", "complain", "stamp", "verify-certificate", "draw"):
            return int(arguments.run(arguments))
        if arguments.command == "schema":
            sys.stdout.write(schemas.text(arguments.what))
            return 0
        source = open_source(arguments.archive)
        if arguments.command == "sample":
            sys.stdout.write(sample.lines(sample.of_archive(source, arguments.seed, arguments.count)))
            return 0
        show = session_table if arguments.command == "show" else session_trust
        sys.stdout.write(show(source, arguments.sid))
    except LedgerError as error:
        sys.stderr.write(f"{error.code}: {words.shown(str(error))}\n{error.remedy}\n{error.zh}\n")
        return UNREADABLE
    return 0


def _parser() -> argparse.ArgumentParser:
    about = "The offline verifier. It asks nobody and changes nothing."
    parser = argparse.ArgumentParser(prog=typed("ledger"), description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("verify", help="verify class archives (directories or .zip) offline")
    check.add_argument("archive", type=Path, nargs="+", help="several, or a folder of them: learners are compared")
    add = check.add_argument
    add("--trust", type=Path, required=True, help="your own trust file (C2SP tlog-policy), never the sender's")
    add("--authority", action="append", default=[], metavar="VKEY", help="a key that vouches for supervisors")
    add("--witnessed", nargs="+", default=[], type=Path, metavar="FILE", help="checkpoints that witnesses kept")
    add("--tsa", type=Path, metavar="PEM", help="certificates of time-stamp authorities (RFC 3161)")
    add("--partial", action="store_true", help="one learner's own copy: other sessions are only listed")
    add("--jobs", type=_jobs, default=1, metavar="N", help="share the work among N processes; the report is the same")
    add("--engine", choices=tuple(ENGINES), default="local", help="of many archives: each on a worker of Ray")
    add("--html", type=Path, metavar="OUT", help="also write the report as one page for people, to read and to print")
    add("--lang", choices=LANGUAGES, default="zh", help="the language of that page")
    add("--json", action="store_true", help="print the report as JSON")
    for name, does in (("show", "print one session as a table"), ("trust", "print the trust file of one session")):
        command = commands.add_parser(name, help=does)
        command.add_argument("archive", type=Path)
        command.add_argument("sid")
    drawn = commands.add_parser("sample", help="which photos a spot check opens, drawn by a public seed")
    drawn.add_argument("archive", type=Path)
    sample.add_arguments(drawn)
    completion.add_arguments(commands.add_parser("verify-certificate", help="check a completion proof, offline"))
    inspection.add_arguments(commands.add_parser("draw", help="whom an inspection visits, by a public seed"))
    disputes.add(commands)
    stamp.add(commands)
    what = commands.add_parser("schema", help="print a JSON Schema, as in docs/*.schema.json")
    what.add_argument("what", choices=tuple(schemas.SCHEMAS), nargs="?", default="events")
    return parser


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("a number of processes, 1 to 64")
    return int(text)


def _verify(arguments: argparse.Namespace) -> int:
    options = Options(
        authority=tuple(keys.parse_vkey(text) for text in arguments.authority),
        witnessed=[_read(path) for path in arguments.witnessed],
        partial=arguments.partial,
        tsa=_read(arguments.tsa) if arguments.tsa else b"",
        jobs=arguments.jobs,
    )
    trusted = trust.parse(_read(arguments.trust))
    paths = shelf.archives(arguments.archive)
    if paths != arguments.archive[:1]:
        return _verify_many(arguments, paths, trusted, options)
    report = verify(open_source(paths[0]), trusted, options)
    if arguments.html:
        _write(arguments.html, render.page(report, arguments.lang))
    if arguments.json:
        sys.stdout.write(words.plain(json.dumps(report.to_json(), ensure_ascii=False, indent=1)) + "\n")
    else:
        sys.stdout.write(words.text(report))
    return report.exit_code


def _verify_many(arguments: argparse.Namespace, paths: list[Path], trusted: trust.Trust, options: Options) -> int:
    sources, unreadable = shelf.open_all(paths)
    found = verify_many(sources, trusted, options, ENGINES[arguments.engine])
    if arguments.html:
        _write(arguments.html, render.shelf({**found.reports, **unreadable}, found.findings, arguments.lang))
    if arguments.json:
        sys.stdout.write(words.plain(json.dumps(found.to_json(), ensure_ascii=False, indent=1)) + "\n")
    else:
        sys.stdout.write(words.across(found) + "\n" + shelf.table(found.reports, unreadable))
    return UNREADABLE if unreadable else found.exit_code


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be written: {error.strerror}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error


if __name__ == "__main__":
    collect_seldom()
    sys.exit(main())
