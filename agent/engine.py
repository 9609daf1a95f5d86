"""The engine: rows × rules → findings. Pure: no clock, no file, no operating system.

Each row is judged alone (so a collector may ask only about what is new), then `settle` weighs the matches together:
a sign counts little by itself, two independent ones count fully. An exempt program is never judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Final

from agent.allow import LOWERED
from agent.clause import Shown
from agent.pack import Pack
from agent.rule import CAP, LADDER, Exempt, Rule, Words
from agent.tables import ProcessRow, Row
from agent.text import clean

NEEDED_SIGNS: Final = 2  # one look-alike (a Dell with a VM's flag) is a coincidence
ALONE: Final = "inform"  # what a single sign is worth
MAX_ROWS: Final = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """One rule matched one row; `evidence` is what may leave the machine. `allowed`: an employer's entry covers it."""

    rule: Rule
    evidence: Mapping[str, str | int | bool | None]
    allowed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """待核实情况: a rule matched; a person decides what it means."""

    rule: str
    version: int
    severity: str
    response: str
    evidence: Mapping[str, str | int | bool | None]
    zh: Words
    en: Words


class Engine:
    """The rules of one pack for one platform; entries of its allow-list count until their day, seen at `at_ms`."""

    def __init__(self, pack: Pack, platform: str = "any", at_ms: int = 0) -> None:
        rules = [rule for rule in pack.rules if rule.maturity != "deprecated"]
        if platform != "any":
            rules = [rule for rule in rules if platform in rule.platforms]
        self._by_table: dict[str, list[Rule]] = {}
        for rule in rules:
            self._by_table.setdefault(rule.row_type.table, []).append(rule)
        self._exempt = pack.exempt
        self.texts = pack.texts
        self._allow = tuple(entry for entry in pack.allow if at_ms < entry.until_ms)

    def matches(self, row: Row) -> tuple[Match, ...]:
        """All rules that match `row`, with the evidence of each; nothing for an exempt program."""
        if any(not exempt.judged and exempt.covers(row) for exempt in self._exempt):
            return ()
        found = ((rule, rule.match(row)) for rule in self._by_table.get(row.table, ()))
        return tuple(self._match(rule, row, shown) for rule, shown in found if shown is not None)

    def _match(self, rule: Rule, row: Row, shown: Shown) -> Match:
        evidence = _evidence(row, shown)
        entry = next((entry for entry in self._allow if entry.forgives(rule, row)), None)
        if entry is None:
            return Match(rule, evidence)
        return Match(rule, {**evidence, "allowed": entry.id, "employer": clean(entry.employer)}, allowed=True)

    def helper(self, processes: Iterable[ProcessRow]) -> str:
        """Who of `processes` may rightly send keys: "assistive", "vendor" or "none" for nobody known."""
        senders = [exempt for exempt in self._exempt if exempt.helper != "none"]
        kinds = {exempt.helper for row in processes for exempt in senders if exempt.covers(row)}
        return "assistive" if "assistive" in kinds else "vendor" if "vendor" in kinds else "none"

    def judge(self, rows: Iterable[Row]) -> tuple[Finding, ...]:
        """Judge all rows together; the gravest finding first, one a rule."""
        return settle(match for row in rows for match in self.matches(row))


def settle(matches: Iterable[Match]) -> tuple[Finding, ...]:
    """Weigh matches against each other: one finding a rule, the gravest first."""
    first: dict[str, Match] = {}
    count: dict[str, int] = {}
    for match in matches:
        known = first.setdefault(match.rule.id, match)
        if known.allowed and not match.allowed:  # the employer's own program beside one that is not
            first[match.rule.id] = match
        count[match.rule.id] = count.get(match.rule.id, 0) + 1
    signs: dict[str, int] = {}
    for match in first.values():
        if match.rule.sign_of and not match.allowed:
            signs[match.rule.sign_of] = signs.get(match.rule.sign_of, 0) + 1
    findings = [_finding(match, count[name], signs.get(match.rule.sign_of, 0)) for name, match in first.items()]
    return tuple(sorted(findings, key=lambda finding: (-LADDER.index(finding.response), finding.rule)))


def gravest(findings: Iterable[Finding]) -> str:
    """The highest response among `findings`, "none" where there is none."""
    return max((finding.response for finding in findings), key=LADDER.index, default="none")


def _finding(match: Match, rows: int, signs: int) -> Finding:
    rule = match.rule
    response = min(rule.response, CAP[rule.maturity], key=LADDER.index)
    evidence = dict(match.evidence)
    if rule.sign_of:
        evidence["signs"] = signs
        if signs < NEEDED_SIGNS:
            response = min(response, ALONE, key=LADDER.index)
    if match.allowed:
        response = min(response, LOWERED, key=LADDER.index)
    if rows > 1:
        evidence["rows"] = min(rows, MAX_ROWS)
    return Finding(
        rule.id, rule.version, rule.severity, response, evidence, rule.zh.filled(evidence), rule.en.filled(evidence)
    )


def _evidence(row: Row, shown: Shown) -> dict[str, str | int | bool | None]:
    """Only what matched and what identifies the row: never the rest of a command line."""
    fields: dict[str, str | int | bool | None] = {"table": row.table}
    for name in row.identity:
        value = getattr(row, name)
        if isinstance(value, tuple):
            value = ", ".join(value[:8])
        if value not in ("", None):
            fields[name] = clean(value) if isinstance(value, str) else value
    for name, found in shown.items():
        fields.setdefault(name, clean(found) if isinstance(found, str) else found)
    return fields


__all__ = ["Engine", "Exempt", "Finding", "Match", "gravest", "settle"]
