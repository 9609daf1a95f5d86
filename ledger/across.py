"""Several archives side by side (verification step 9): what each alone cannot show of its learners and its log.

`verify A B …` verifies each by itself, then compares: no session counts in two classes, no device speaks for two
learners, no learner has more credit than time passed, and two archives of one class are one history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ledger import archive, certificate, checkpoint
from ledger.archive import Source
from ledger.engine import Engine, local
from ledger.errors import InconsistentLogError, LedgerError, VerifyError
from ledger.findings import Finding, Status
from ledger.report import Report, SessionRow
from ledger.steps.session import folder
from ledger.tree import Tree, leaf_hash
from ledger.trust import Trust
from ledger.verify import Options

STEP: Final = "9"
TITLE: Final = "learners across archives"
SLACK_MS: Final = 5_000  # a device's clock is believed within seconds, and cosignatures are cut to them


@dataclass(frozen=True, slots=True)
class Studied:
    """One session with credit: when it began and ended by the server's clock (ms), in which archive."""

    archive: str
    row: SessionRow

    @property
    def began(self) -> int:
        """The grant's time."""
        return self.row.granted_ms

    @property
    def ended(self) -> int:
        """The last cosignature's; times are cut to seconds."""
        return self.row.last * 1000 + 999

    @property
    def credited_ms(self) -> int:
        """What it earned."""
        return self.row.credited_ms or 0


@dataclass(slots=True)
class Across:
    """The reports by archive name, and what comparing them found."""

    reports: dict[str, Report]
    findings: list[Finding] = field(default_factory=list)
    compared: int = 0

    @property
    def status(self) -> Status:
        """How step 9 ended."""
        found = {finding.status for finding in self.findings}
        return next((s for s in (Status.REFUSED, Status.NOT_CREDITED) if s in found), Status.OK)

    @property
    def exit_code(self) -> int:
        """1 when an archive or the comparison is refused."""
        return max([int(self.status is Status.REFUSED), *(report.exit_code for report in self.reports.values())])

    def totals(self) -> dict[str, dict[str, int]]:
        """Learner → archive → credited ms."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for name, report in self.reports.items():
            for row in report.sessions:
                found[row.learner][name] = found[row.learner].get(name, 0) + (row.credited_ms or 0)
        return dict(found)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "archives": {name: report.to_json() for name, report in self.reports.items()},
            "across": {
                "step": STEP, "title": TITLE, "status": str(self.status), "compared": self.compared,
                "findings": [{"status": str(f.status), "message": f.message, "code": f.code} for f in self.findings],
                "learners": self.totals(),
            },
        }  # fmt: skip


def verify_many(sources: dict[str, Source], trust: Trust, options: Options, engine: Engine = local) -> Across:
    """Verify each archive, then compare those of which a class log stands. `--witnessed` files go to their own log.

    `InconsistentLogError` when a witnessed checkpoint is of none of these logs: it would be compared with nothing.
    """
    witnessed = _by_origin(options.witnessed)
    jobs = {}
    for name, source in sources.items():
        mine = [data for data, origin in witnessed if origin == _origin(source)]
        jobs[name] = (source, trust, replace(options, witnessed=mine))
    reports = engine(jobs)
    known = {_origin(source) for source in sources.values()}
    for _, origin in witnessed:
        if origin not in known:
            raise InconsistentLogError(f"a witnessed checkpoint is of {origin}, which is no log of these archives")
    across = Across(reports)
    newest = _histories(across, sources)
    _sessions(across, {name: sources[name] for name in newest})
    _times(across, newest)
    return across


def _by_origin(witnessed: Sequence[bytes]) -> list[tuple[bytes, str]]:
    return [(data, checkpoint.parse(data)[0].origin) for data in witnessed]


def _origin(source: Source) -> str:
    try:
        return checkpoint.parse(source.read(archive.CHECKPOINT))[0].origin
    except LedgerError:
        return ""


def _refuse(across: Across, error: LedgerError) -> None:
    across.findings.append(Finding(STEP, Status.REFUSED, str(error), error.code))


def _histories(across: Across, sources: dict[str, Source]) -> list[str]:
    """Archives of one class are one history; return the newest of each class, which alone is compared further."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, report in across.reports.items():
        if report.checkpoint is not None:
            groups[report.checkpoint.origin].append(name)
    return [_newest(across, sources, names) for names in groups.values()]


def _newest(across: Across, sources: dict[str, Source], names: list[str]) -> str:
    found = {name: report.checkpoint for name in names if (report := across.reports[name]).checkpoint is not None}
    newest = max(names, key=lambda name: found[name].size)
    tree = Tree()
    for data, leaf in archive.read_log(sources[newest], "", found[newest], "class log entry") if names[1:] else ():
        tree.append(leaf if data is None else leaf_hash(data))
    for name in names:
        across.compared += 1
        other = found[name]
        if name != newest and tree.root_at(other.size) != other.root:
            says = f"{other.origin} at size {other.size} and at {found[newest].size}"
            _refuse(across, InconsistentLogError(f"{name} and {newest} are two histories of {says}"))
    return newest


def _sessions(across: Across, sources: dict[str, Source]) -> None:
    """A session counts in one class; a device speaks for one learner."""
    seen: dict[str, str] = {}
    owners: dict[bytes, tuple[str, str]] = {}
    for name, source in sources.items():
        for row in across.reports[name].sessions:
            parsed, signed = certificate.parse(source.read(folder(row.sid) + "device.cert"))
            across.compared += 1
            for what in (row.sid, f"key {parsed.session_key.key.hex()}"):
                if seen.setdefault(what, name) != name:
                    _refuse(across, VerifyError(f"session {row.sid} stands in {seen[what]} and in {name}"))
                    break
            line = signed.signatures[0]
            device = line.name.encode() + line.key_id
            learner, where = owners.setdefault(device, (row.learner, name))
            if learner != row.learner:
                said = f"device {line.name} is learner {learner}'s in {where} and learner {row.learner}'s in {name}"
                across.findings.append(Finding(STEP, Status.NOT_CREDITED, said, sid=row.sid))


def _times(across: Across, names: list[str]) -> None:
    """Nobody studies two lessons at once: in no stretch of time is there more credit than time."""
    by_learner: dict[str, list[Studied]] = defaultdict(list)
    for name in names:
        for row in across.reports[name].sessions:
            if row.learner and row.credited_ms:
                by_learner[row.learner].append(Studied(name, row))
    for learner, sessions in by_learner.items():
        worst = max(_excesses(sessions), default=None, key=lambda found: found[0])
        if worst is not None:
            excess, inside = worst
            where = ", ".join(sorted({item.archive for item in inside}))
            said = f"learner {learner}: {excess} ms more credited in {where} together than time passed there"
            across.findings.append(Finding(STEP, Status.NOT_CREDITED, said))


def _excesses(sessions: list[Studied]) -> Iterator[tuple[int, list[Studied]]]:
    """(ms too much, sessions) of every stretch between a beginning and an end that holds sessions of two archives."""
    for begin in sorted({item.began for item in sessions}):
        later = sorted((item for item in sessions if item.began >= begin), key=lambda item: item.ended)
        total = 0
        for count, item in enumerate(later, 1):
            total += item.credited_ms
            excess = total - (item.ended - begin) - SLACK_MS
            if excess > 0 and len({inside.archive for inside in later[:count]}) > 1:
                yield excess, later[:count]
