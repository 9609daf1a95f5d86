"""Writes that come at the same time share one commit, and none of them what went wrong with another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server_stub.domain.ports import Transaction
from server_stub.storage.database import SqliteRecords


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqliteRecords]:
    found = SqliteRecords(tmp_path / "records.sqlite")
    yield found
    found.close()


def statements(records: SqliteRecords) -> list[str]:
    seen: list[str] = []
    records._writer.set_trace_callback(seen.append)
    return seen


def at_once(records: SqliteRecords, jobs: list[Callable[[Transaction], object]]) -> list[object]:
    """Run jobs so that all but the first wait while the first one writes; each one's result or error."""
    found: list[object] = [None] * len(jobs)
    begun, go = threading.Event(), threading.Event()

    def first(tx: Transaction) -> object:
        begun.set()
        go.wait()
        return jobs[0](tx)

    def run(at: int, job: Callable[[Transaction], object]) -> None:
        try:
            found[at] = records.write(job)
        except Exception as error:
            found[at] = error

    threads = [threading.Thread(target=run, args=(0, first))]
    threads[0].start()
    begun.wait()
    for at, job in enumerate(jobs[1:], 1):
        threads.append(threading.Thread(target=run, args=(at, job)))
        threads[-1].start()
        while len(records._queue) < at:
            pass
    go.set()
    for thread in threads:
        thread.join()
    return found


def put(digest: str) -> Callable[[Transaction], object]:
    def job(tx: Transaction) -> object:
        tx.log.put_body("class-1", digest, digest.encode())
        return digest

    return job


def body(records: SqliteRecords, digest: str) -> bytes | None:
    return records.read(lambda tx: tx.log.body(digest))


def test_who_waits_shares_a_commit(records: SqliteRecords) -> None:
    """Nine writes, two commits: the first one's, and one for the eight that waited meanwhile."""
    seen = statements(records)
    assert at_once(records, [put(str(n)) for n in range(9)]) == [str(n) for n in range(9)]
    assert seen.count("COMMIT") == 2
    assert all(body(records, str(n)) for n in range(9))


def test_one_that_fails_takes_nobody_along(records: SqliteRecords) -> None:
    """Its own savepoint is rolled back, what memory derived from it is forgotten; the others are on the disk."""
    forgotten: list[str] = []

    def fails(tx: Transaction) -> object:
        tx.on_undo(lambda: forgotten.append("mine"))
        put("gone")(tx)
        raise ValueError("mine")

    def keeps(tx: Transaction) -> object:
        tx.on_undo(lambda: forgotten.append("not mine"))
        return put("kept")(tx)

    found = at_once(records, [put("first"), keeps, fails, put("last")])
    assert isinstance(found[2], ValueError)
    assert (found[1], found[3]) == ("kept", "last")
    assert forgotten == ["mine"]
    assert [body(records, name) is not None for name in ("first", "kept", "gone", "last")] == [True, True, False, True]


def test_a_commit_that_fails_is_believed_by_nobody(records: SqliteRecords) -> None:
    """The disk refuses the commit: every one of the group hears it, and everything derived is forgotten."""
    forgotten: list[int] = []

    def derives(at: int) -> Callable[[Transaction], object]:
        def job(tx: Transaction) -> object:
            tx.on_undo(lambda: forgotten.append(at))
            return put(str(at))(tx)

        return job

    records.write(put("before"))
    records._writer.set_authorizer(
        lambda action, what, *_: sqlite3.SQLITE_DENY if (action, what) == (22, "COMMIT") else sqlite3.SQLITE_OK
    )
    found = at_once(records, [derives(0), derives(1), derives(2)])
    records._writer.set_authorizer(None)
    assert all(isinstance(item, sqlite3.Error) for item in found)
    assert sorted(forgotten) == [0, 1, 2]
    assert body(records, "0") is None
    records.write(put("after"))
    assert body(records, "after") == b"after"
