"""The same verification by several processes: registrations are independent once the class log stands.

The report is the same, byte for byte, as with one process: shares are put together in the order of registrations.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from ledger.archive import Source
from ledger.findings import Findings
from ledger.steps.bodies import Documents, Reader
from ledger.steps.classlog import VerifiedClass
from ledger.steps.overview import Overview
from ledger.steps.registrations import Registrations, Share

PORTIONS: Final = 8  # for each process: enough that none waits long for the last, few enough to send


@dataclass(frozen=True, slots=True)
class Task:
    """What every process needs to know, sent to it once."""

    source: Source
    verified: VerifiedClass
    documents: Documents
    overview: Overview


_task: Task  # this process's own, in a worker


def collect_seldom() -> None:
    """For a process that only verifies: events form no cycles, and looking for some all the time costs a thirtieth."""
    gc.set_threshold(200_000, 20, 20)


def _begin(task: Task) -> None:
    global _task  # noqa: PLW0603 - a worker process has no other place to be told in
    _task = task
    collect_seldom()


def _work(portion: list[list[str]]) -> Share:
    """One portion on a desk of its own, so that a share holds what came of it and nothing else."""
    reader = Reader(_task.source, _task.verified.log, Findings())
    reader.found.merge(_task.documents)
    desk = Registrations(_task.source, _task.verified, reader, _task.overview)
    for registration in portion:
        desk.take(registration)
    return desk.share()


def shares(task: Task, registrations: Sequence[list[str]], jobs: int) -> Iterator[Share]:
    """Verify all registrations with `jobs` processes; yield what came of them, in order."""
    step = max(1, -(-len(registrations) // (jobs * PORTIONS)))
    portions = [list(registrations[i : i + step]) for i in range(0, len(registrations), step)]
    context = multiprocessing.get_context("spawn")  # the same on every platform, and safe beside threads
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(task,)) as pool:
        yield from pool.map(_work, portions)
