"""A shelf of archives: which there are in a folder, and all of them in one table after their reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ledger import words
from ledger.archive import CHECKPOINT, Source, open_source
from ledger.errors import ArchiveError, LedgerError
from ledger.report import Report

Sources = dict[str, Source]
Unreadable = dict[str, LedgerError]


def archives(paths: Sequence[Path]) -> list[Path]:
    """The archives that are meant: each path itself, or, of a folder that is none, those that lie in it.

    `ArchiveError` for a folder that is no archive and holds none.
    """
    found: list[Path] = []
    for path in paths:
        inside = [] if _is_archive(path) or not path.is_dir() else sorted(filter(_may_be, path.iterdir()))
        if path.is_dir() and not _is_archive(path) and not inside:
            raise ArchiveError(f"{path} is no archive and holds none")
        found += inside or [path]
    return found


def _is_archive(path: Path) -> bool:
    return (path / CHECKPOINT).is_file() or (path / "sessions").is_dir()


def _may_be(path: Path) -> bool:
    return path.suffix == ".zip" if path.is_file() else _is_archive(path)


def open_all(paths: Sequence[Path]) -> tuple[Sources, Unreadable]:
    """Open each by its path; what cannot be opened does not keep the others from being read."""
    sources: Sources = {}
    unreadable: Unreadable = {}
    for path in paths:
        if str(path) in sources or str(path) in unreadable:
            raise ArchiveError("an archive is named twice")
        try:
            sources[str(path)] = open_source(path)
        except LedgerError as error:
            unreadable[str(path)] = error
    return sources, unreadable


def table(reports: Mapping[str, Report], unreadable: Unreadable) -> str:
    """One line an archive: verdict, learners, sessions, credited time."""
    lines = [f"{'verdict':<14}{'learners':>9}{'sessions':>9}{'credited':>16}  archive"]
    for name, report in reports.items():
        verdict = "REFUSED" if report.refused else "ok" if report.checkpoint else "not checkable"
        people = len({row.learner for row in report.sessions})
        credited = words.length(report.credited_ms)
        lines.append(f"{verdict:<14}{people:>9}{len(report.sessions):>9}{credited:>16}  {words.shown(name)}")
    lines += [f"{'UNREADABLE':<14}{'':>34}  {words.shown(f'{name} ({error})')}" for name, error in unreadable.items()]
    return "\n".join(lines) + "\n"
