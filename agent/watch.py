"""The watch: looks when it is due, tells what is new and what is gone, and beats. Time and sources come from outside.

A look is never longer than its collectors; findings change only through `_tell`. While the cause stands a finding is
told once; it is cleared when the cause was absent for `HOLD_MS`, or at once when the learner asks for a new look.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from agent.collectors import Collector, Context
from agent.engine import Engine, Finding, Match, settle
from agent.errors import AgentError, CollectorError
from agent.messages import Beat, Camera, Cleared, Foreground, Found, Message, Note, Recheck, UseRules
from agent.rule import LADDER
from agent.tables import InputRow, ProcessRow, Row
from agent.text import clean
from agent.watchdog import Cost, Watchdog

BEAT_MS: Final = 2_000
HOLD_MS: Final = 10_000  # a tool that runs for a moment every second must not make the player start and stop
MANIFEST_MS: Final = 300_000
MEMO: Final = 4_096  # rows whose judgement is remembered: processes seldom change


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What the watch needs of the machine; tests script it."""

    send: Callable[[Message], None]
    uptime_ms: Callable[[], int]
    cost: Callable[[], Cost]
    installation_hash: Callable[[], str]
    load_rules: Callable[[UseRules], tuple[Engine, str]]  # the engine of a class's pack, and the pack's hash


@dataclasses.dataclass(slots=True)
class _Open:
    finding: Finding
    seen_ms: int


class Watch:
    """One session's guard. Call `step` when `due_ms` is reached, and `handle` for every message of the client."""

    def __init__(
        self, engine: Engine, sources: Sequence[Collector], context: Context, around: Surroundings,
        rules: str, agent_hash: str, now_ms: int,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._sources = sources
        self._context = context
        self._around = around
        self._rules, self._agent_hash = rules, agent_hash
        self._judge = lru_cache(MEMO)(engine.matches)
        self._due = dict.fromkeys((source.name for source in sources), now_ms)
        self._rows: dict[str, Sequence[Row]] = {}
        self._unknown: set[str] = set()
        self._open: dict[str, _Open] = {}
        self._dog = Watchdog(now_ms, around.cost())
        self._beat, self._beat_ms = 0, now_ms
        self._manifest, self._manifest_ms = around.installation_hash(), now_ms

    @property
    def due_ms(self) -> int:
        """When `step` has something to do next."""
        return min(self._beat_ms, *self._due.values()) if self._due else self._beat_ms

    def handle(self, message: Message, now_ms: int) -> None:
        """Take what the client said; a recheck looks at everything at once."""
        match message:
            case Camera(name):
                self._context.camera = name
                self._soon("cameras", now_ms)
            case Foreground(ours):
                self._context.in_client = ours
            case UseRules():
                self._use(message, now_ms)
            case Recheck():
                self._look(self._sources, now_ms)
                self._tell(now_ms, hold_ms=0, again=True)
            case _:
                pass

    def _use(self, wanted: UseRules, now_ms: int) -> None:
        """Judge by the class's pack from now on; one that cannot be used is refused, and the refusal recorded."""
        if wanted.sha256 == self._rules:
            return
        try:
            engine, sha256 = self._around.load_rules(wanted)
        except AgentError as error:
            self._around.send(Note(clean(f"rules {wanted.sha256[:16]}… refused: {error.code} {error}")))
            return
        self._engine, self._rules, self._context.texts = engine, sha256, engine.texts
        self._soon("scripts", now_ms)
        self._judge = lru_cache(MEMO)(engine.matches)
        self._tell(now_ms, hold_ms=0, again=False)
        self._send_beat(now_ms)

    def step(self, now_ms: int) -> None:
        """Run what is due, tell what changed, beat."""
        due = [source for source in self._sources if self._due[source.name] <= now_ms]
        if due:
            self._look(due, now_ms)
            self._tell(now_ms, HOLD_MS, again=False)
        if now_ms >= self._beat_ms:
            self._send_beat(now_ms)

    def _look(self, sources: Sequence[Collector], now_ms: int) -> None:
        for source in sources:
            self._due[source.name] = now_ms + source.every_ms * self._dog.slowdown
            try:
                self._rows[source.name] = source.look(now_ms)
                self._unknown.discard(source.name)
            except CollectorError as error:
                self._rows[source.name] = ()
                if source.name not in self._unknown:
                    self._unknown.add(source.name)
                    self._around.send(Note(clean(f"{source.name}: unknown ({error})")))

    def _tell(self, now_ms: int, hold_ms: int, again: bool) -> None:
        findings = {finding.rule: finding for finding in settle(self._matches())}
        for rule, finding in findings.items():
            known = self._open.get(rule)
            worse = known is None or LADDER.index(finding.response) > LADDER.index(known.finding.response)
            self._open[rule] = _Open(finding if worse or known is None else known.finding, now_ms)
            if worse or again:
                self._around.send(found(self._open[rule].finding))
        for rule, known in list(self._open.items()):
            if rule not in findings and now_ms - known.seen_ms >= hold_ms:
                del self._open[rule]
                self._around.send(Cleared(rule))

    def _matches(self) -> list[Match]:
        processes = [row for row in self._rows.get("processes", ()) if isinstance(row, ProcessRow)]
        matches: list[Match] = []
        for rows in self._rows.values():
            for row in rows:
                if isinstance(row, InputRow):
                    row = dataclasses.replace(row, helper=self._engine.helper(processes))  # noqa: PLW2901
                matches.extend(self._judge(row))
        return matches

    def _send_beat(self, now_ms: int) -> None:
        if now_ms - self._manifest_ms >= MANIFEST_MS:
            self._manifest, self._manifest_ms = self._around.installation_hash(), now_ms
        said = self._dog.step(now_ms, self._around.cost(), len(self._rows.get("processes", ())))
        if said is not None:
            self._around.send(Note(said))
        uptime = self._around.uptime_ms()
        self._around.send(Beat(self._beat, now_ms, uptime, self._rules, self._agent_hash, self._manifest))
        self._beat += 1
        self._beat_ms = now_ms + BEAT_MS

    def _soon(self, name: str, now_ms: int) -> None:
        if name in self._due:
            self._due[name] = now_ms


def found(finding: Finding) -> Found:
    """The message that carries a finding."""
    zh, en = finding.zh, finding.en
    return Found(
        finding.rule, finding.version, finding.severity, finding.response, finding.evidence,
        zh.title, en.title, zh.why, en.why, zh.remedy, en.remedy,
    )  # fmt: skip
