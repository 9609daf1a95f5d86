"""A rule: what it looks for, what follows, and the words with which a person is told. Malformed rules are refused.

Rules are data (docs/rules.md). Each carries examples that match and that do not; `Rule.prove` holds it to them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

from agent.clause import Clause, Shown, parse_clause
from agent.errors import ExampleError, RuleError
from agent.tables import TABLES, Row, kind_of

LADDER: Final = ("none", "inform", "report", "pause", "block")
# Falco's idea: a young rule does not stop anybody's lesson, whatever it wishes
CAP: Final[Mapping[str, str]] = {"sandbox": "inform", "incubating": "pause", "stable": "block", "deprecated": "none"}
PLATFORMS: Final = ("windows", "darwin", "linux", "android")
SEVERITIES: Final = ("low", "medium", "high")
HELPERS: Final = ("none", "assistive", "vendor")
NEVER_SAID: Final = ("作弊", "违规", "可疑", "cheat", "suspicious", "attack")  # words that no screen may show
MAX_TEXT: Final = 400

_ID = re.compile(r"[a-z][a-z0-9]{0,23}(?:\.[a-z0-9]{1,24}(?:-[a-z0-9]{1,24}){0,4}){1,3}")
_HOLE = re.compile(r"\{([a-z_]{1,20})\}")
_RULE_KEYS: Final = {
    "id", "version", "maturity", "severity", "platforms", "table", "any", "none", "response", "sign_of",
    "false_alarms", "source", "zh", "en", "example",
}  # fmt: skip
_OPTIONAL: Final = {"none", "sign_of", "source", "platforms"}
_EXEMPT_KEYS: Final = {"id", "table", "any", "none", "why", "helper", "judged"}


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What a person reads, in one language; `{field}` stands for a value of the row."""

    title: str
    why: str
    remedy: str

    def filled(self, shown: Mapping[str, object]) -> Words:
        """The same words with the row's values in their places."""

        def put(text: str) -> str:
            return _HOLE.sub(lambda hole: str(shown.get(hole.group(1), "")), text)

        return Words(put(self.title), put(self.why), put(self.remedy))


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A row that the rule must match, or must leave alone."""

    match: bool
    row: Row


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `response` holds for a match; with `sign_of` only once two different signs of that group match."""

    id: str
    version: int
    maturity: str
    severity: str
    platforms: frozenset[str]
    row_type: type[Row]
    some: tuple[Clause, ...]  # one of them must match …
    none: tuple[Clause, ...]  # … and none of these
    response: str
    sign_of: str
    false_alarms: str
    source: str
    zh: Words
    en: Words
    examples: tuple[Example, ...]

    def match(self, row: Row) -> Shown | None:
        """Return what matched, by field, or None."""
        if type(row) is not self.row_type:
            return None
        for clause in self.some:
            shown = clause.match(row)
            if shown is not None:
                return None if any(other.match(row) is not None for other in self.none) else shown
        return None

    def prove(self) -> None:
        """Return quietly when every example agrees; raise `ExampleError` naming the first that does not."""
        for number, example in enumerate(self.examples, 1):
            if (self.match(example.row) is not None) is not example.match:
                wish = "should match" if example.match else "should not match"
                raise ExampleError(f"rule {self.id}: example {number} {wish}")


@dataclasses.dataclass(frozen=True, slots=True)
class Exempt:
    """Programs that no rule may touch: accessibility, input methods, password managers; or known senders of keys."""

    id: str
    row_type: type[Row]
    some: tuple[Clause, ...]
    none: tuple[Clause, ...]
    helper: str  # "assistive" | "vendor": may rightly send input; "none": does not
    judged: bool  # only known as a sender of input: the rules look at it all the same

    def covers(self, row: Row) -> bool:
        """Tell whether `row` is one of these programs."""
        if type(row) is not self.row_type or not any(clause.match(row) is not None for clause in self.some):
            return False
        return all(clause.match(row) is None for clause in self.none)


def parse_rule(data: object, where: str) -> Rule:
    """Read one rule from plain data, or raise `RuleError` naming file, rule and field."""
    table = _table(data, where, _RULE_KEYS, _RULE_KEYS - _OPTIONAL)
    rule_id = _match(_ID, table["id"], f"{where}: id")
    place = f"{where}: rule {rule_id}"
    row_type = _row_type(table, place)
    response, maturity = _one_of(table, "response", LADDER[1:], place), _one_of(table, "maturity", tuple(CAP), place)
    if maturity != "deprecated" and LADDER.index(response) > LADDER.index(CAP[maturity]):
        raise RuleError(f"{place}: a rule of maturity {maturity} may not {response}")
    sign_of = _match(_ID, table["sign_of"], f"{place}: sign_of") if "sign_of" in table else ""
    if sign_of and response == "block":
        raise RuleError(f"{place}: a sign is a weight and never blocks")
    return Rule(
        id=rule_id, version=_count(table["version"], f"{place}: version"), maturity=maturity,
        severity=_one_of(table, "severity", SEVERITIES, place), platforms=_platforms(table, place), row_type=row_type,
        some=_clauses(table["any"], row_type, f"{place}: any"),
        none=_clauses(table["none"], row_type, f"{place}: none") if "none" in table else (),
        response=response, sign_of=sign_of, false_alarms=_text(table["false_alarms"], f"{place}: false_alarms"),
        source=_text(table["source"], f"{place}: source") if "source" in table else "",
        zh=_words(table["zh"], row_type, f"{place}: zh"), en=_words(table["en"], row_type, f"{place}: en"),
        examples=_examples(table["example"], row_type, place),
    )  # fmt: skip


def parse_exempt(data: object, where: str) -> Exempt:
    """Read one exemption from plain data, or raise `RuleError`."""
    table = _table(data, where, _EXEMPT_KEYS, _EXEMPT_KEYS - {"none", "helper", "judged"})
    place = f"{where}: exempt {_match(_ID, table['id'], f'{where}: id')}"
    row_type = _row_type(table, place)
    helper = _one_of({"helper": "none", **table}, "helper", HELPERS, place)
    judged = table.get("judged", False)
    if not isinstance(judged, bool):
        raise RuleError(f"{place}: judged is true or false")
    _text(table["why"], f"{place}: why")
    none = _clauses(table["none"], row_type, f"{place}: none") if "none" in table else ()
    some = _clauses(table["any"], row_type, f"{place}: any")
    return Exempt(str(table["id"]), row_type, some, none, helper, judged)


def row_from(data: object, row_type: type[Row], where: str) -> Row:
    """Make a row of `row_type` from the plain table of an example, or raise `RuleError` naming the field."""
    if not isinstance(data, Mapping):
        raise RuleError(f"{where}: a row is a table of fields")
    values: dict[str, Any] = {}
    for field, value in data.items():
        kind = kind_of(row_type, str(field))
        fits = {"text": str | list, "number": int, "flag": bool}.get(kind or "", ())
        if kind is None or not isinstance(value, fits) or (kind == "number" and isinstance(value, bool)):
            raise RuleError(f"{where}, field {field!r}: not a {kind or 'field'} of the table {row_type.table!r}")
        several = isinstance(row_type.__dataclass_fields__[str(field)].default, tuple)
        values[str(field)] = value if isinstance(value, int) else _joined(value, several, where)
    return row_type(**values)


def _joined(value: str | list[Any], several: bool, where: str) -> str | tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not all(isinstance(text, str) for text in texts):
        raise RuleError(f"{where}: a list of a row holds texts")
    return tuple(texts) if several else " ".join(texts)


def _table(data: object, where: str, known: set[str], required: set[str]) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise RuleError(f"{where}: expected a table")
    name = f"{where}: {data.get('id')!r}"
    unknown, missing = set(map(str, data)) - known, required - set(data)
    if unknown or missing:
        what = f"unknown field {sorted(unknown)[0]!r}" if unknown else f"missing field {sorted(missing)[0]!r}"
        raise RuleError(f"{name}: {what}")
    return dict(data)


def _row_type(table: Mapping[str, Any], place: str) -> type[Row]:
    return TABLES[_one_of(table, "table", tuple(TABLES), place)]


def _clauses(value: object, row_type: type[Row], place: str) -> tuple[Clause, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 50:
        raise RuleError(f"{place}: expected a list of 1 to 50 clauses")
    return tuple(parse_clause(item, row_type, f"{place} {number}") for number, item in enumerate(value, 1))


def _words(value: object, row_type: type[Row], place: str) -> Words:
    table = _table(value, place, {"title", "why", "remedy"}, {"title", "why", "remedy"})
    words = Words(*(_text(table[key], f"{place}.{key}") for key in ("title", "why", "remedy")))
    for text in (words.title, words.why, words.remedy):
        wrong = next((word for word in NEVER_SAID if word in text.casefold()), None)
        if wrong is not None:
            raise RuleError(f"{place}: the word {wrong!r} may not stand on a screen")
        hole = next((hole for hole in _HOLE.findall(text) if hole not in row_type.identity), None)
        if hole is not None:
            raise RuleError(f"{place}: {{{hole}}} is not one of {', '.join(row_type.identity)}")
    return words


def _examples(value: object, row_type: type[Row], place: str) -> tuple[Example, ...]:
    if not isinstance(value, list) or len(value) > 50:
        raise RuleError(f"{place}: expected a list of examples")
    examples = []
    for number, item in enumerate(value, 1):
        where = f"{place}: example {number}"
        table = _table(item, where, {"match", "row"}, {"match", "row"})
        if not isinstance(table["match"], bool):
            raise RuleError(f"{where}: match is true or false")
        examples.append(Example(table["match"], row_from(table["row"], row_type, where)))
    if {example.match for example in examples} != {True, False}:
        raise RuleError(f"{place}: a rule has an example that matches and one that does not")
    return tuple(examples)


def _platforms(table: Mapping[str, Any], place: str) -> frozenset[str]:
    value = table.get("platforms", list(PLATFORMS))
    if not isinstance(value, list) or not value or not all(name in PLATFORMS for name in value):
        raise RuleError(f"{place}: platforms are some of {', '.join(PLATFORMS)}")
    return frozenset(value)


def _one_of(table: Mapping[str, Any], key: str, allowed: tuple[str, ...], place: str) -> str:
    value = table[key]
    if not isinstance(value, str) or value not in allowed:
        raise RuleError(f"{place}: {key} is one of {', '.join(allowed)}")
    return value


def _count(value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1_000_000:
        raise RuleError(f"{place}: a whole number from 1 on")
    return value


def _match(pattern: re.Pattern[str], value: object, place: str) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None or len(value) > 64:
        raise RuleError(f"{place}: {str(value)[:40]!r} is not of the form group.some-name")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise RuleError(f"{place}: a text of 1 to {MAX_TEXT} characters")
    return value
