"""What an employer's own software may do on its devices: allowed by name, until a day, and named in every session.

An entry stands in the class's rules pack (`[[allow]]`, docs/rules.md). It never hides: a finding that it covers is
still recorded, lowered to `inform`, with the entry's id and the employer in its evidence. Of a row with several values
(maps, pids) only those that the entry names are forgiven; whatever else a rule finds in the row stands.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import Any, Final

from agent.clause import Clause
from agent.errors import RuleError
from agent.form import ID, clauses_of, match_of, row_type_of, table_of, text_of
from agent.rule import Rule
from agent.tables import Row

LOWERED: Final = "inform"  # what a covered finding is worth
MAX_RULES: Final = 50
DAY_MS: Final = 86_400_000
_KEYS: Final = {"id", "employer", "table", "any", "rules", "expires", "why"}
# a name is anybody's to take: where a program lies, or who signed it, is not
BOUND: Final[Mapping[str, frozenset[str]]] = {
    "processes": frozenset({"exe", "signer"}),
    "networks": frozenset({"issuer"}),
    "ourselves": frozenset({"maps"}),
    "extensions": frozenset({"id"}),
}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclasses.dataclass(frozen=True, slots=True)
class Allow:
    """One entry: rows of `row_type` that fit a clause are expected by `employer` until `until_ms` (exclusive)."""

    id: str
    employer: str
    row_type: type[Row]
    some: tuple[Clause, ...]
    rules: frozenset[str]
    until_ms: int

    def forgives(self, rule: Rule, row: Row) -> bool:
        """Whether `rule`, which matches `row`, does so only for what this entry names."""
        if rule.id not in self.rules or type(row) is not self.row_type:
            return False
        clause = next((clause for clause in self.some if clause.match(row) is not None), None)
        return clause is not None and (rest := _without(row, clause)) is not row and rule.match(rest) is None


def parse_allow(data: object, where: str) -> Allow:
    """Read one entry from plain data, or raise `RuleError` naming the place."""
    table = table_of(data, where, _KEYS, _KEYS)
    place = f"{where}: allow {match_of(ID, table['id'], f'{where}: id')}"
    row_type = row_type_of(table, place)
    needed = BOUND.get(row_type.table)
    if needed is None:
        raise RuleError(f"{place}: nothing of the table {row_type.table!r} can be allowed")
    clauses = clauses_of(table["any"], row_type, f"{place}: any")
    if any(not needed & {condition.field for condition in clause.conditions} for clause in clauses):
        raise RuleError(f"{place}: every clause names one of {', '.join(sorted(needed))}")
    text_of(table["why"], f"{place}: why")
    return Allow(
        str(table["id"]), text_of(table["employer"], f"{place}: employer")[:100], row_type, clauses,
        _rules(table["rules"], place), day_end_ms(table["expires"], f"{place}: expires"),
    )  # fmt: skip


def day_end_ms(value: object, place: str) -> int:
    """The end of a day `YYYY-MM-DD` (UTC) in ms since the epoch, or `RuleError`."""
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise RuleError(f'{place}: a day such as "2027-06-30"')
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError as error:
        raise RuleError(f"{place}: {error}") from error
    return (day - datetime.date(1970, 1, 1)).days * DAY_MS + DAY_MS


def _rules(value: Any, place: str) -> frozenset[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_RULES:
        raise RuleError(f"{place}: rules is a list of 1 to {MAX_RULES} rule ids")
    return frozenset(match_of(ID, item, f"{place}: rules") for item in value)


def _without(row: Row, clause: Clause) -> Row:
    """`row` without the values that `clause` names; of a row that is one thing nothing is left."""
    kept: dict[str, tuple[str, ...]] = {}
    for condition in clause.conditions:
        value = getattr(row, condition.field)
        if isinstance(value, tuple):
            kept[condition.field] = tuple(text for text in value if condition.holds((text,)) is None)
    whole = len(kept) < len(clause.conditions)
    return type(row)() if whole else dataclasses.replace(row, **kept)  # type: ignore[arg-type]
