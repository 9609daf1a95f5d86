"""`python -m server_stub conformance URL`: does a server keep to docs/http-api.md? For whoever wrote another one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from server_stub.asking import Http, Wire
from server_stub.conformance import after, general, sessions
from server_stub.conformance.exam import Clause, Exam, Tried, run
from server_stub.domain.errors import SetupError

CLAUSES: Final[tuple[Clause, ...]] = (*general.BEFORE, *sessions.CLAUSES, *after.CLAUSES, *general.AFTER)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("conformance", help="try every clause of the published interface on a server")
    parser.set_defaults(run=_conformance)
    parser.add_argument("url", help="where it answers; a learner of a class for tests is needed there")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--account", help="sign in as this learner: the code is read from standard input")
    who.add_argument("--token-file", type=Path, help="a file with a learner's token, 0600")


def examined(http: Http, token: str, clauses: Sequence[Clause] = CLAUSES) -> list[Tried]:
    """Every clause with its result, in order; later ones need what earlier ones got."""
    return list(run(clauses, Exam(http, token)))


def told(url: str, found: Sequence[Tried]) -> str:
    """A line a clause with its text, and one line of JSON at the end."""
    lines = []
    for one in found:
        said = f"\n        {one.said}" if one.said else ""
        lines.append(f"{one.result.upper():9} {one.clause.name:4} {one.clause.where}: {one.clause.text}{said}")
    results = ("pass", "fail", "not tried")
    by = {result: [one.clause.name for one in found if one.result == result] for result in results}
    end: dict[str, Any] = {
        "name": "conformance", "url": url, "clauses": len(found), "passed": len(by["pass"]), "failed": by["fail"],
        "not_tried": by["not tried"], "right": not by["fail"] and not by["not tried"],
    }  # fmt: skip
    return "\n".join([*lines, json.dumps(end)])


def _conformance(options: argparse.Namespace) -> None:
    wire = Wire(options.url)
    token = _read(options.token_file) if options.token_file else _sign_in(wire, options.account)
    found = examined(wire, token)
    print(told(options.url, found))
    if any(one.result == "fail" for one in found):
        sys.exit(1)


def _read(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise SetupError(f"{path} can be read by others: run chmod 600 on it")
    return path.read_text(encoding="ascii").strip()


def _sign_in(wire: Wire, account: str) -> str:
    started = _post(wire, "/v1/sign-in/start", {"account": account})
    print("code: ", end="", file=sys.stderr, flush=True)
    code = sys.stdin.readline().strip()
    finished = _post(wire, "/v1/sign-in/finish", {"challenge": str(started.get("challenge")), "code": code})
    if not isinstance(finished.get("token"), str):
        raise SetupError("signing in gave no token: nothing else can be tried")
    return str(finished["token"])


def _post(wire: Wire, path: str, body: dict[str, str]) -> dict[str, Any]:
    found = wire.ask("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}).json()
    return found if isinstance(found, dict) else {}
