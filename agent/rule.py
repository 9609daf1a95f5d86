"""A rule: what it looks for, what follows, and the words with which a person is told. Malformed rules are refused.

Rules are data (docs/rules.md). Each carries examples that match and that do not; `Rule.prove` holds it to them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

from agent.clause import Clause, Shown
from agent.errors import ExampleError, RuleError
from agent.form import ID, clauses_of, count_of, match_of, one_of, row_type_of, table_of, text_of
from agent.tables import Row, kind_of

LADDER: Final = ("none", "inform", "report", "pause", "block")
# Falco's idea: a young rule does not stop anybody's lesson, whatever it wishes
CAP: Final[Mapping[str, str]] = {"sandbox": "inform", "incubating": "pause", "stable": "block", "deprecated": "none"}
PLATFORMS: Final = ("windows", "darwin", "linux", "android")
SEVERITIES: Final = ("low", "medium", "high")
HELPERS: Final = ("none", "assistive", "vendor")
NEVER_SAID: Final = ("作弊", "违规", "可疑", "cheat", "suspicious", "attack")  # words that no screen may show

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
    table = table_of(data, where, _RULE_KEYS, _RULE_KEYS - _OPTIONAL)
    rule_id = match_of(ID, table["id"], f"{where}: id")
    place = f"{where}: rule {rule_id}"
    row_type = row_type_of(table, place)
    response, maturity = one_of(table, "response", LADDER[1:], place), one_of(table, "maturity", tuple(CAP), place)
    if maturity != "deprecated" and LADDER.index(response) > LADDER.index(CAP[maturity]):
        raise RuleError(f"{place}: a rule of maturity {maturity} may not {response}")
    sign_of = match_of(ID, table["sign_of"], f"{place}: sign_of") if "sign_of" in table else ""
    if sign_of and response == "block":
        raise RuleError(f"{place}: a sign is a weight and never blocks")
    return Rule(
        id=rule_id, version=count_of(table["version"], f"{place}: version"), maturity=maturity,
        severity=one_of(table, "severity", SEVERITIES, place), platforms=_platforms(table, place), row_type=row_type,
        some=clauses_of(table["any"], row_type, f"{place}: any"),
        none=clauses_of(table["none"], row_type, f"{place}: none") if "none" in table else (),
        response=response, sign_of=sign_of, false_alarms=text_of(table["false_alarms"], f"{place}: false_alarms"),
        source=text_of(table["source"], f"{place}: source") if "source" in table else "",
        zh=_words(table["zh"], row_type, f"{place}: zh"), en=_words(table["en"], row_type, f"{place}: en"),
        examples=_examples(table["example"], row_type, place),
    )  # fmt: skip


def parse_exempt(data: object, where: str) -> Exempt:
    """Read one exemption from plain data, or raise `RuleError`."""
    table = table_of(data, where, _EXEMPT_KEYS, _EXEMPT_KEYS - {"none", "helper", "judged"})
    place = f"{where}: exempt {match_of(ID, table['id'], f'{where}: id')}"
    row_type = row_type_of(table, place)
    helper = one_of({"helper": "none", **table}, "helper", HELPERS, place)
    judged = table.get("judged", False)
    if not isinstance(judged, bool):
        raise RuleError(f"{place}: judged is true or false")
    text_of(table["why"], f"{place}: why")
    none = clauses_of(table["none"], row_type, f"{place}: none") if "none" in table else ()
    some = clauses_of(table["any"], row_type, f"{place}: any")
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





def _words(value: object, row_type: type[Row], place: str) -> Words:
    table = table_of(value, place, {"title", "why", "remedy"}, {"title", "why", "remedy"})
    words = Words(*(text_of(table[key], f"{place}.{key}") for key in ("title", "why", "remedy")))
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
        table = table_of(item, where, {"match", "row"}, {"match", "row"})
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



