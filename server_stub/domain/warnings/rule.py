"""A rule: which figures of a row raise a warning, how much it weighs, and what ordinary life may look just so.

Rules are data (`server_stub/warnings/*.toml`), each with its version, the requirements it serves, both languages, and
rows that it must and must not match; a pack that breaks its own examples does not load.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server_stub.domain.errors import SetupError
from server_stub.domain.warnings import measures
from server_stub.domain.warnings.measures import Measures
from server_stub.domain.warnings.rows import TABLES, Ref, Row

NEVER_SAID: Final = ("作弊", "违规", "可疑", "人脸失败", "cheat", "suspicious", "attack", "failed face")
_ID: Final = re.compile(r"[a-z]+\.[a-z][a-z-]{0,39}")
_REQUIREMENT: Final = re.compile(r"R[0-4]\.[0-9]{1,2}")
_KEYS: Final = {"id", "version", "table", "requirements", "score", "any", "none", "more", "zh", "en", "example"}
_WORDS: Final = ("title", "shown", "ordinary")
_BOUNDS: Final = {"min", "max"}
MAX_FILE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Clause:
    """Figures that must all lie within their bounds, both ends included."""

    bounds: Mapping[str, tuple[int, int]]

    def holds(self, values: Mapping[str, int]) -> bool:
        """Whether a row's figures all do; a figure that the row has not does not."""
        return all(name in values and low <= values[name] <= high for name, (low, high) in self.bounds.items())


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads in one language: the title, what was seen (figures in braces), what it may ordinarily be."""

    title: str
    shown: str
    ordinary: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `score` 1–100 is its weight; `more` adds so much for each one of a figure beyond the bound's least."""

    id: str
    version: int
    table: str
    requirements: tuple[str, ...]
    score: int
    some: tuple[Clause, ...]
    none: tuple[Clause, ...]
    more: Mapping[str, int]
    words: Mapping[str, Words]

    def match(self, row: Row) -> Match | None:
        """What matched, or None."""
        if row.table != self.table or any(clause.holds(row.values) for clause in self.none):
            return None
        hit = next((clause for clause in self.some if clause.holds(row.values)), None)
        if hit is None:
            return None
        extra = sum(
            each * max(0, row.values[name] - hit.bounds[name][0])
            for name, each in self.more.items() if name in hit.bounds
        )  # fmt: skip
        refs = tuple(sorted({ref for name in hit.bounds for ref in row.refs.get(name, ())}))
        return Match(self, row, min(100, self.score + extra), refs)


@dataclass(frozen=True, slots=True)
class Match:
    """One rule matched one row."""

    rule: Rule
    row: Row
    score: int
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """All rules and measures under one hash, which stands at every warning."""

    rules: tuple[Rule, ...]
    measures: Measures
    digest: str

    def judge(self, row: Row) -> list[Match]:
        """Every rule that matches, the heaviest first."""
        found = [match for rule in self.rules if (match := rule.match(row)) is not None]
        return sorted(found, key=lambda match: (-match.score, match.rule.id))

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of this name; None for one that is no more."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def load(folder: Path) -> Pack:
    """Read all rules of a folder, or raise `SetupError` naming file and field."""
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.toml"))}
    return parse(files)


def parse(files: Mapping[str, bytes]) -> Pack:
    """Read a pack from its files: `measures.toml` and any number of files with [[rule]]."""
    rules: list[Rule] = []
    found: Measures | None = None
    for name, data in sorted(files.items()):
        table = _toml(name, data)
        if name == "measures.toml":
            found = measures.from_table(table)
            continue
        if set(table) != {"rule"} or not isinstance(table["rule"], list):
            raise SetupError(f"{name}: a file of rules holds [[rule]] and nothing else")
        rules += [_rule(item, name) for item in table["rule"]]
    if found is None or not rules:
        raise SetupError("a pack of warnings has a measures.toml and rules")
    names = [rule.id for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise SetupError(f"two rules are called {twice}")
    whole = hashlib.sha256()
    for name, data in sorted(files.items()):
        whole.update(name.encode() + b"\0" + len(data).to_bytes(8, "big") + data)
    return Pack(tuple(rules), found, whole.hexdigest())


def _toml(name: str, data: bytes) -> dict[str, Any]:
    if len(data) > MAX_FILE:
        raise SetupError(f"{name} is longer than any file of rules")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{name} cannot be read: {error}") from error


def _rule(data: object, where: str) -> Rule:
    if not isinstance(data, dict) or not set(data) <= _KEYS or not _KEYS - {"none", "more"} <= set(data):
        raise SetupError(f"{where}: a rule has {', '.join(sorted(_KEYS))}")
    name = data["id"]
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise SetupError(f"{where}: {str(name)[:60]!r} is no name of a rule")
    place = f"{where}: {name}"
    if not isinstance(data["table"], str) or data["table"] not in TABLES:
        raise SetupError(f"{place}: unknown table {str(data['table'])[:40]!r}")
    fields = TABLES[data["table"]]
    more = _numbers(data.get("more", {}), fields, place)
    rule = Rule(
        id=name, version=_count(data["version"], place), table=data["table"], score=_count(data["score"], place, 100),
        requirements=_requirements(data["requirements"], place), some=_clauses(data["any"], fields, place),
        none=_clauses(data["none"], fields, place) if "none" in data else (), more=more,
        words={language: _words(data[language], fields, place) for language in ("zh", "en")},
    )  # fmt: skip
    _prove(rule, data["example"], fields, place)
    return rule


def _count(value: object, place: str, most: int = 10**6) -> int:
    if type(value) is not int or not 0 < value <= most:
        raise SetupError(f"{place}: version and score are numbers from 1 (score up to 100)")
    return value


def _requirements(value: object, place: str) -> tuple[str, ...]:
    named = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    if not named or named != value or not all(_REQUIREMENT.fullmatch(item) for item in named):
        raise SetupError(f"{place}: `requirements` names those it serves, as R2.2")
    return tuple(named)


def _clauses(value: object, fields: frozenset[str], place: str) -> tuple[Clause, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= 20:
        raise SetupError(f"{place}: `any` and `none` are lists of clauses")
    return tuple(Clause(_bounds(item, fields, place)) for item in value)


def _bounds(item: object, fields: frozenset[str], place: str) -> dict[str, tuple[int, int]]:
    if not isinstance(item, dict) or not item or not set(item) <= fields:
        raise SetupError(f"{place}: a clause bounds figures of its table: {', '.join(sorted(fields))}")
    found = {}
    for name, bound in item.items():
        if not isinstance(bound, dict) or not bound or not set(bound) <= _BOUNDS:
            raise SetupError(f"{place}: {name} has a `min`, a `max` or both")
        given = _numbers(bound, frozenset(_BOUNDS), place)
        found[name] = (given.get("min", -(10**15)), given.get("max", 10**15))
    return found


def _numbers(value: object, names: frozenset[str], place: str) -> dict[str, int]:
    if not isinstance(value, dict) or not set(value) <= names:
        raise SetupError(f"{place}: figures are some of {', '.join(sorted(names))}")
    if not all(type(item) is int and abs(item) <= 10**15 for item in value.values()):
        raise SetupError(f"{place}: figures are whole numbers")
    return dict(value)


def _words(value: object, fields: frozenset[str], place: str) -> Words:
    if not isinstance(value, dict) or set(value) != set(_WORDS):
        raise SetupError(f"{place}: each language has {', '.join(_WORDS)}")
    for text in value.values():
        if not isinstance(text, str) or not 0 < len(text) <= 600:
            raise SetupError(f"{place}: a text has 1 to 600 characters")
        if any(word in text.casefold() for word in NEVER_SAID):
            raise SetupError(f"{place}: {text[:40]!r} holds a word that stands on no screen")
        if not set(re.findall(r"\{([^}]*)\}", text)) <= fields:
            raise SetupError(f"{place}: {text[:40]!r} names a figure that the table has not")
    return Words(value["title"], value["shown"], value["ordinary"])


def _prove(rule: Rule, examples: object, fields: frozenset[str], place: str) -> None:
    if not isinstance(examples, list) or not 2 <= len(examples) <= 50:
        raise SetupError(f"{place}: a rule has an example that matches and one that does not")
    seen = set()
    for number, item in enumerate(examples, 1):
        if not isinstance(item, dict) or set(item) != {"match", "row"} or not isinstance(item["match"], bool):
            raise SetupError(f"{place}: example {number} has `match` and `row`")
        row = Row(rule.table, "", "", (), _numbers(item["row"], fields, place))
        if (rule.match(row) is not None) is not item["match"]:
            raise SetupError(f"{place}: example {number} does not do as it says")
        seen.add(item["match"])
    if seen != {True, False}:
        raise SetupError(f"{place}: a rule has an example that matches and one that does not")
