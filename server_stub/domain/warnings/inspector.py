"""Inspects by the clock: reads what came, judges it, keeps each warning as a paper of its class, and reports each day.

A warning opens nothing by itself. It stands open until a person sets it aside for a stated reason or opens a review
case from it; both leave an audit leaf before they happen. New signed events after that may open it again.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

from ledger import grant
from ledger.bodies import Reversal, Verdict
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.office import class_place
from server_stub.domain.papers import Paper, changed, fresh
from server_stub.domain.ports import Transaction
from server_stub.domain.reveal import known
from server_stub.domain.said import said
from server_stub.domain.warnings import trace
from server_stub.domain.warnings.judge import World, inspect
from server_stub.domain.warnings.networks import Networks
from server_stub.domain.warnings.rows import Ref
from server_stub.domain.warnings.rule import Match, Pack
from server_stub.domain.warnings.shared import Roster
from server_stub.domain.warnings.trace import Trace
from server_stub.domain.work import Bench, day_of

WARNING: Final = "warning"
REPORT: Final = "self-inspection"
EVERY_MS: Final = 300_000  # what is new is judged so often
LATE_MS: Final = 60_000  # heard of again, for what was being written when the last inspection read
MAX_LEARNERS: Final = 200  # named by one warning
_log = logging.getLogger("server_stub")


class Traces(Protocol):
    """Keeps what was read of sessions; every method is one transaction of its own."""

    def put(self, traces: Collection[Trace]) -> None: ...
    def get(self, sids: Collection[str]) -> dict[str, Trace]: ...
    def since(self, granted_at: int) -> Iterator[Trace]:
        """All sessions that were granted then (ms) or later."""

    def forget(self, learner: str) -> int:
        """Erase what is kept of a learner; how many sessions it was."""


@dataclass(frozen=True, slots=True)
class Warned:
    """What a warning says. `refs`: the signed events that show it; `ordinary` in the rule's words of that version."""

    rule: str
    version: int
    pack: str  # sha256 of all rules and measures
    requirements: tuple[str, ...]
    score: int
    key: str
    learners: tuple[str, ...]
    others: int  # learners of other classes that it concerns, too
    values: Mapping[str, int]
    refs: tuple[Ref, ...]
    words: Mapping[str, Mapping[str, str]]
    first_at: int
    last_at: int
    decided_by: str = ""
    decided_at: int = 0
    reason: str = ""
    case: str = ""
    decided_leaf: int = -1  # the highest `granted` leaf that was known when it was decided
    opened_again: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One day's self-inspection (R2.6)."""

    day: str
    at: int
    pack: str
    sessions: int
    learners: int
    classes: int
    found: Mapping[str, int]  # rule → open warnings
    by_class: Mapping[str, int]  # class → open warnings
    new: int
    set_aside: int
    cases: int
    feedback: tuple[Mapping[str, str], ...] = field(default_factory=tuple)  # at, by, text


class Inspector:
    """Looks at everything that was heard; `places` come from the office's tree."""

    def __init__(self, bench: Bench, logs: ClassLogs, traces: Traces, pack: Pack, networks: Networks) -> None:
        self.bench, self.pack, self.networks = bench, pack, networks
        self._logs, self._traces = logs, traces
        self._heard = self._at = 0
        self._lock = threading.Lock()

    def sweep(self) -> int:
        """Inspect when it is time and something new was heard, report when a day has ended; how many warnings."""
        now = self.bench.clock()
        if now - self._at < EVERY_MS:
            return 0
        with self._lock:
            count = self.inspect() if self._read(now) or not self._at else 0
            self._at = now
            self._report(now)
        return count

    def now(self) -> int:
        """Read and judge at once, whenever the last time was."""
        with self._lock:
            now = self.bench.clock()
            self._read(now)
            self._at = now
            return self.inspect()

    def inspect(self) -> int:
        """Judge everything of the window now; how many warnings are new or say something new."""
        found = inspect(self._world(), self.pack)
        return sum(self._keep(match) for match in found)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self, now: int) -> int:
        """Read on in every session that was heard of since the last time; how many there were."""
        since = max(self._heard - LATE_MS, now - self.pack.measures.window_ms if not self._heard else 0)
        heard = dict(self.bench.read(lambda tx: tx.events.heard(since)))
        kept = self._traces.get(heard)
        changed_ = [sid for sid, size in heard.items() if sid not in kept or kept[sid].size != size]
        for at in range(0, len(changed_), 100):
            part = changed_[at : at + 100]
            self._traces.put(self.bench.read(partial(self._traced, sids=part, kept=kept)))
        self._heard = now
        return len(changed_)

    @staticmethod
    def _traced(tx: Transaction, sids: Sequence[str], kept: Mapping[str, Trace]) -> list[Trace]:
        found = []
        for sid in sids:
            session = known(tx, sid)
            address = grant.parse(session.grant)[0].seen
            one = kept.get(sid) or Trace(sid, session.learner, session.class_id, session.device, session.granted_at,
                                         session.leaf, address)  # fmt: skip
            one.forks = len(tx.events.forks(sid))
            found.append(trace.read(one, tx.events.segments(sid)))
        return found

    def _world(self) -> World:
        now = self.bench.clock()
        since, erased = now - max(self.pack.measures.window_ms, 2 * self.pack.measures.week_ms), self.bench.erased()
        traces = [item for item in self._traces.since(since) if item.granted_at > erased.get(item.learner, -1)]
        tree, rosters = self.bench.office.tree(), []
        places: dict[str, set[str]] = {}
        for item in self.bench.people.classes():
            learners = frozenset(one.learner for one in self.bench.people.registrations(class_id=item.class_id))
            rosters.append(Roster(item.class_id, item.made, learners))
            for key in tree.chain(class_place(item.class_id))[1:]:
                if key.startswith("institution/"):
                    places.setdefault(key, set()).add(item.class_id)
        for duty in self.bench.registry.duties():
            if duty.role == "teacher" and duty.place.startswith("class/"):
                places.setdefault(f"teacher/{duty.account}", set()).add(duty.place.partition("/")[2])
        found = {key: frozenset(classes) for key, classes in places.items()}
        return World(traces, rosters, now, self.networks, found, self._earlier([item.class_id for item in rosters]))

    def _earlier(self, classes: Sequence[str]) -> dict[str, tuple[Ref, ...]]:
        """Learner → the sessions on which a verdict stands."""

        def read(tx: Transaction) -> dict[str, tuple[Ref, ...]]:
            found: dict[str, tuple[Ref, ...]] = {}
            for class_id in classes:
                ruled = list(said(tx, self._logs.log(tx, class_id), "verdict", "reversal"))
                back = {body.verdict for _, body in ruled if isinstance(body, Reversal)}
                for digest, body in ruled:
                    if isinstance(body, Verdict) and digest not in back:
                        session = known(tx, body.sid)
                        one = Ref(class_id, session.leaf, body.sid, body.from_)
                        found[body.learner] = (*found.get(body.learner, ()), one)
            return found

        return self.bench.read(read)

    # --- keeping ------------------------------------------------------------------------------------------------------

    def _keep(self, match: Match) -> int:
        return sum(self._keep_at(match, place, learners) for place, learners in self._places(match).items())

    def _places(self, match: Match) -> dict[str, tuple[str, ...]]:
        """Where the warning belongs, and whom it names there: nobody reads of learners of others' classes."""
        row = match.row
        if row.class_id:
            return {class_place(row.class_id): row.learners}
        if row.table == "place":
            return {row.key if row.key.startswith("institution/") else "": ()}
        homes: dict[str, set[str]] = {}
        for learner in row.learners:
            for item in self.bench.people.registrations(learner=learner):
                if any(ref.class_id == item.class_id for ref in match.refs):
                    homes.setdefault(class_place(item.class_id), set()).add(learner)
        return {place: tuple(sorted(learners)) for place, learners in homes.items()}

    def _keep_at(self, match: Match, place: str, learners: tuple[str, ...]) -> int:
        now, row, rule = self.bench.clock(), match.row, match.rule
        name = hashlib.sha256(f"{rule.id}\n{row.table}\n{row.key}\n{place}".encode()).hexdigest()[:32]
        words = {lang: {"title": said_.title, "shown": said_.shown, "ordinary": said_.ordinary}
                 for lang, said_ in rule.words.items()}  # fmt: skip
        refs = tuple(ref for ref in match.refs if not row.learners or class_place(ref.class_id) == place)
        value = Warned(
            rule.id, rule.version, self.pack.digest, rule.requirements, match.score, row.key, learners[:MAX_LEARNERS],
            len(row.learners) - len(learners), dict(row.values), refs, words, now, now,
        )  # fmt: skip
        before = self.bench.papers.get(WARNING, name)
        if before is None:
            about = learners[0] if len(learners) == 1 else ""
            self.bench.papers.put(replace(fresh(WARNING, place, about, "open", now, value), paper=name))
            return 1
        return self._again(before, value)

    def _again(self, before: Paper, value: Warned) -> int:
        """The same thing, seen again: its figures are brought up to date; only new events open it again."""
        old = before.read(Warned)
        if (old.values, old.version, old.refs) == (value.values, value.version, value.refs):
            return 0
        kept = replace(
            value, first_at=old.first_at, decided_by=old.decided_by, decided_at=old.decided_at, reason=old.reason,
            case=old.case, decided_leaf=old.decided_leaf, opened_again=old.opened_again,
        )  # fmt: skip
        newer = max((ref.leaf for ref in value.refs), default=-1) > old.decided_leaf
        if before.state == "aside" and newer and value.score >= old.score:
            kept = replace(kept, opened_again=old.opened_again + 1)
            self.bench.papers.put(changed(before, value.last_at, kept, "open"))
            return 1
        self.bench.papers.put(changed(before, value.last_at, kept))
        return 0

    # --- the daily report ---------------------------------------------------------------------------------------------

    def _report(self, now: int) -> None:
        """One report a day, of the day that has just begun; it is made again by nobody."""
        day = day_of(now).isoformat()
        name = hashlib.sha256(f"{REPORT}\n{day}".encode()).hexdigest()[:32]
        if self.bench.papers.get(REPORT, name) is not None:
            return
        made = self.report(day, now)
        self.bench.papers.put(replace(fresh(REPORT, "", "", "new", now, made), paper=name))

    def report(self, day: str, now: int) -> Report:
        """What stands open now, by rule and class."""
        papers = self.bench.papers.find(WARNING, limit=100_000)
        open_ = [paper for paper in papers if paper.state == "open"]
        rules = Counter(paper.read(Warned).rule for paper in open_)
        classes = Counter(paper.place for paper in open_)
        seen = [(item.learner, item.class_id) for item in self._traces.since(now - self.pack.measures.window_ms)]
        day_ms = 86_400_000
        return Report(
            day, now, self.pack.digest, len(seen), len({learner for learner, _ in seen}),
            len({class_id for _, class_id in seen}), dict(sorted(rules.items())), dict(sorted(classes.items())),
            sum(paper.made > now - day_ms for paper in papers),
            sum(p.state == "aside" and p.changed > now - day_ms for p in papers),
            sum(p.state == "case" and p.changed > now - day_ms for p in papers),
        )  # fmt: skip
