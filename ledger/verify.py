"""Verify a class archive against a trust file, offline: numbered steps, each with its own word on how it ended.

0 the trust file (the caller read it; never one from the archive) · 1 class checkpoint · 2 class log, entry by entry,
and the documents it names · 3 keys, certificates, grants · 4 every event hashed again · 5 receipts, earlier prefixes,
nothing left out · 6 form, order and times of events · 7 checks against the revealed seeds · 8 credited time, also
within witnessed time, points, and the summaries · 9 several archives: `ledger.across` · 10 sealed evidence (records.md,
"Verification").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger import fingerprint, parallel, summary
from ledger.archive import SUMMARIES, Source
from ledger.errors import LedgerError, RootMismatchError
from ledger.findings import Findings, Refused, Status
from ledger.keys import Vkey
from ledger.report import Report
from ledger.steps import overview, timestamps
from ledger.steps.bodies import Reader, check_no_stray, read_all, summarise_missing
from ledger.steps.classlog import VerifiedClass, verify_class
from ledger.steps.overview import Overview
from ledger.steps.points import check_stated
from ledger.steps.registrations import Registrations
from ledger.steps.unsent import is_unsent, verify_unsent
from ledger.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the verifier brings: authority keys that vouch for supervisors, checkpoints kept by witnesses.

    `partial`: one learner's own copy, other sessions are only listed. `summaries` False: they are still to be written.
    `tsa`: certificates (PEM) of time-stamp authorities. `jobs`: how many processes share the work, with one result.
    """

    authority: tuple[Vkey, ...] = ()
    witnessed: Sequence[bytes] = ()
    partial: bool = False
    summaries: bool = True
    tsa: bytes = b""
    jobs: int = 1


_DEFAULT = Options()


def verify(source: Source, trust: Trust, options: Options = _DEFAULT) -> Report:
    """Do every step that can be done and report each; `ArchiveError` only when the archive cannot be read at all."""
    findings = Findings()
    findings.count("0")
    findings.reach("0")
    report = Report(findings)
    if options.partial and is_unsent(source):
        verify_unsent(source, findings)
        return report
    try:
        verified = verify_class(source, trust, options.witnessed, findings)
    except Refused:
        return report
    report.checkpoint = verified.seen.checkpoint
    report.witnesses = {key.name: time for key, time in verified.seen.times.items()}
    report.quorum = trust.quorum
    report.fingerprints = fingerprint.of_all(trust, verified.log.origin, options.authority)
    try:
        _Run(source, verified, options, report).all()
    except LedgerError as error:  # a link, a folder without files, a file that cannot be read
        findings.refuse("5", error)
    return report


class _Run:
    """One verification after the class log stands."""

    def __init__(self, source: Source, verified: VerifiedClass, options: Options, report: Report) -> None:
        self._source, self._verified, self._options, self._report = source, verified, options, report
        self._findings = report.findings
        self._reader = Reader(source, verified.log, self._findings)
        self._complete = False

    def all(self) -> None:
        """Steps 2 (documents) to 10."""
        findings = self._findings
        documents = read_all(self._reader, self._options.authority)
        self._report.people, self._report.vouchers = documents.people, documents.vouchers
        self._report.exams, self._report.tests = documents.exams, documents.tests
        sessions = overview.survey(self._source, self._verified, findings, partial=self._options.partial)
        self._registrations(sessions)
        check_no_stray(self._reader)
        self._report.timestamps = timestamps.check(self._source, self._verified, self._options.tsa, findings)
        if self._options.partial:
            summarise_missing(findings)
        overview.check_top(self._source, findings)
        if self._options.summaries:
            self._compare_summaries()

    def _registrations(self, sessions: Overview) -> None:
        """Steps 3 to 8 and 10, here or in processes of their own."""
        desk = Registrations(self._source, self._verified, self._reader, sessions)
        if self._options.jobs == 1:
            for registration in sessions:
                desk.take(registration)
        else:
            task = parallel.Task(self._source, self._verified, self._reader.found, sessions)
            for share in parallel.shares(task, list(sessions), self._options.jobs):
                desk.merge(share)
        done = desk.close()
        self._report.sessions, self._report.units, self._report.points = done.sessions, done.units, done.points
        self._complete = done.complete

    def _compare_summaries(self) -> None:
        """Step 8, last part: the derived files are what follows from the rest."""
        if not self._complete or self._findings.refused:
            self._findings.add("8 summary", Status.NOT_CHECKABLE, "not every figure could be computed")
            self._findings.reach("8 summary")
            return
        for name, expected in summaries(self._report).items():
            try:
                with self._findings.step("8 summary"):
                    if self._source.digest(name) != summary.digest(expected):
                        raise RootMismatchError(self._differs(name))
            except Refused:
                continue


    def _differs(self, name: str) -> str:
        """What is wrong with a summary, as exactly as can be said."""
        said = f"{name} is not what the archive gives"
        if name != SUMMARIES[1] or not self._report.points:
            return said
        return check_stated(self._source.read(name), self._report.points) or said


def summaries(report: Report) -> dict[str, Iterator[bytes]]:
    """The bytes of summary.csv and summary.json that follow from a report, piece by piece."""
    assert report.checkpoint is not None
    csv, json = ((row.line() for row in report.sessions) for _ in SUMMARIES)
    made = (
        summary.to_csv(csv),
        summary.to_json(report.checkpoint, json, report.units, report.vouchers, report.results),
    )
    return dict(zip(SUMMARIES, made, strict=True))
