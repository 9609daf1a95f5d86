"""Clauses, and what trying them gives: each passes, fails with what came instead, or could not be tried and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from ledger.errors import LedgerError
from server_stub.asking import Http, Reply
from server_stub.conformance.pupil import Pupil

T = TypeVar("T")
Check = Callable[["Exam"], None]
Result = Literal["pass", "fail", "not tried"]
CODE: Final = "TS-S-"


class BrokenError(Exception):
    """The clause does not hold; the message says what came instead."""


class NotTriedError(Exception):
    """What the clause needs is not there, since an earlier one failed or the server is not set up for it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise of the interface: `where` it is written, in which words, and how it is tried."""

    name: str
    where: str
    text: str
    check: Check


def clause(into: list[Clause], name: str, where: str) -> Callable[[Check], Check]:
    """Put a check into a list of clauses: the first line of its docstring is what the clause promises."""

    def put(check: Check) -> Check:
        into.append(Clause(name, where, (check.__doc__ or "").strip(), check))
        return check

    return put


@dataclass(frozen=True, slots=True)
class Tried:
    """A clause with its result; `said` is "" for one that passed."""

    clause: Clause
    result: Result
    said: str = ""


class Exam:
    """One server and one learner; `kept` carries from clause to clause what was got."""

    def __init__(self, http: Http, token: str) -> None:
        self.http, self.token = http, token
        self._kept: dict[str, Any] = {}

    def keep(self, name: str, value: object) -> None:
        """Keep what a later clause needs."""
        self._kept[name] = value

    def need(self, name: str, kind: type[T]) -> T:
        """What an earlier clause kept, or `NotTriedError`."""
        found = self._kept.get(name)
        if not isinstance(found, kind):
            raise NotTriedError(f"there is no {name}: an earlier clause failed")
        return found

    @property
    def pupil(self) -> Pupil:
        """The device that signs."""
        return self.need("pupil", Pupil)

    def ask(
        self, method: str, path: str, body: bytes | dict[str, object] = b"", *, bearer: bool = True, **headers: str
    ) -> Reply:
        """One request, as the learner unless said otherwise; `BrokenError` where no whole answer comes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if bearer:
            given["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        try:
            return self.http.ask(method, path, body, given)
        except OSError as error:
            raise BrokenError(f"{method} {path}: no whole answer ({error})") from error

    def json(self, method: str, path: str, body: bytes | dict[str, object] = b"", **more: Any) -> dict[str, Any]:
        """The object of a 200."""
        reply = wanted(self.ask(method, path, body, **more), 200)
        found = reply.json()
        if not isinstance(found, dict):
            raise BrokenError(f"{method} {path} answers no JSON object")
        return found


def wanted(reply: Reply, *statuses: int) -> Reply:
    """The reply, if its status is one of these."""
    if reply.status not in statuses:
        raise BrokenError(f"answers {reply.status}, not {' or '.join(map(str, statuses))}: {_start(reply.body)}")
    return reply


def refusal(reply: Reply, *statuses: int) -> dict[str, Any]:
    """The object of a refusal of the published form, of one of these statuses."""
    found = wanted(reply, *statuses).json()
    if not isinstance(found, dict) or not str(found.get("code", "")).startswith(CODE):
        raise BrokenError(f"a refusal without its code: {_start(reply.body)}")
    missing = [name for name in ("message", "remedy", "zh") if not isinstance(found.get(name), str)]
    if missing:
        raise BrokenError(f"a refusal without {', '.join(missing)}")
    return found


def field(found: dict[str, Any], name: str, kind: type[T]) -> T:
    """A field of an answer, of the kind that is published."""
    value = found.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BrokenError(f"{name!r} is no {kind.__name__}: {str(value)[:80]!r}")
    return value


def exactly(found: dict[str, Any], *names: str) -> None:
    """Return quietly, or raise: these fields and no others."""
    if set(found) != set(names):
        raise BrokenError(f"has {', '.join(sorted(found))}, not {', '.join(sorted(names))}")


def hold(true: bool, said: str) -> None:
    """Return quietly, or raise that this came instead."""
    if not true:
        raise BrokenError(said)


def run(clauses: Sequence[Clause], exam: Exam) -> Iterator[Tried]:
    """Try them in their order; nothing that a server answers ends it."""
    for clause in clauses:
        try:
            clause.check(exam)
        except NotTriedError as error:
            yield Tried(clause, "not tried", str(error))
        except BrokenError as error:
            yield Tried(clause, "fail", str(error))
        except LedgerError as error:
            yield Tried(clause, "fail", f"{error.code}: {error}")
        else:
            yield Tried(clause, "pass")


def _start(body: bytes) -> str:
    return body[:120].decode("utf-8", "replace").replace("\n", " ")
