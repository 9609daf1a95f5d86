"""Writes that come at the same time share one commit, whatever database is below.

Whoever holds the lock works for all who wait, each in a savepoint of its own, and nobody is answered before the disk
has it.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

from server_stub.domain.errors import ServerError
from server_stub.domain.ports import Transaction
from server_stub.storage.classlog import SqlLogStore
from server_stub.storage.connection import Connection
from server_stub.storage.eventstore import SqlEventStore
from server_stub.storage.evidence import SqlPhotoIndex
from server_stub.storage.witnessed import SqlWitnessedStore

T = TypeVar("T")
_MAX_GROUP = 64


class _Stores:
    """All stores on one connection; made once, since they hold nothing else."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.log = SqlLogStore(connection)
        self.events = SqlEventStore(connection)
        self.witnessed = SqlWitnessedStore(connection)
        self.photos = SqlPhotoIndex(connection)


class _Transaction:
    """One use of them."""

    __slots__ = ("events", "log", "photos", "undo", "witnessed")

    def __init__(self, stores: _Stores) -> None:
        self.log, self.events = stores.log, stores.events
        self.witnessed, self.photos = stores.witnessed, stores.photos
        self.undo: list[Callable[[], object]] = []

    def on_undo(self, forget: Callable[[], object]) -> None:
        self.undo.append(forget)


@dataclass(slots=True)
class _Waiting:
    """One write that waits for the disk, and what became of it."""

    job: Callable[[Transaction], Any]
    done: bool = False
    result: Any = None
    error: BaseException | None = None
    tx: _Transaction | None = None


class GroupedRecords(ABC):
    """`domain.ports.Records` on connections of whatever kind. One that failed is never used again."""

    begin_write: ClassVar[str]
    begin_read: ClassVar[str]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._idle: list[_Stores] = []  # lent to one reader at a time, whatever thread it runs in
        self._writes: _Stores | None = _Stores(self.connect())

    @abstractmethod
    def connect(self) -> Connection:
        """A new connection, or an error of ours."""

    @abstractmethod
    def translated(self, error: BaseException) -> ServerError | None:
        """What an error of the driver means; None for one that is the program's own fault."""

    @abstractmethod
    def scrub(self) -> None:
        """Leave nothing of what was deleted in the database's files."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """The writer, alone, outside a transaction."""
        with self._lock:
            yield self._write_on().connection

    @property
    def _writer(self) -> Connection:
        return self._write_on().connection

    def _write_on(self) -> _Stores:
        if self._writes is None:
            self._writes = _Stores(self.connect())
        return self._writes

    def write(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` alone; return when what it wrote is on the disk. An error undoes all of it."""
        [found] = self.write_all([job])
        if isinstance(found, BaseException):
            raise found
        return found

    def write_all(self, jobs: Sequence[Callable[[Transaction], T]]) -> list[T | BaseException]:
        """The same for many, each by itself, with as few commits as can be: what each gave, or why it was undone."""
        mine = [_Waiting(job) for job in jobs]
        self._queue.extend(mine)
        with self._lock:
            while not all(item.done for item in mine):
                self._write_group()
        return [cast(T, item.result) if item.error is None else item.error for item in mine]

    def _write_group(self) -> None:
        """Everything that waits now, in the order in which it came, and one COMMIT for it."""
        group = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_GROUP))]
        try:
            stores = self._write_on()
            with self._transaction(stores, self.begin_write):
                for item in group:
                    self._in_savepoint(stores, item)
        except BaseException as error:  # nothing of the group is on the disk: nobody may believe otherwise
            said = self._failed(error)
            for item in group:
                _undo(item)
                item.error = item.error or said
        for item in group:
            item.done = True

    def _failed(self, error: BaseException) -> BaseException:
        """What is said of an error of the whole group; a connection that may be broken is thrown away."""
        meant = self.translated(error)
        if meant is not None and self._writes is not None:
            with contextlib.suppress(Exception):
                self._writes.connection.close()
            self._writes = None
        if meant is not None:
            meant.__cause__ = error
        return meant or error

    def _in_savepoint(self, stores: _Stores, item: _Waiting) -> None:
        connection = stores.connection
        connection.execute("SAVEPOINT one")
        item.tx = _Transaction(stores)
        try:
            item.result = item.job(item.tx)
        except Exception as error:
            item.error = self.translated(error) or error
            _undo(item)
            if item.error is not error:
                item.error.__cause__ = error
                raise  # the disk or the line: no savepoint helps, nobody of this group is answered
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")

    def read(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` over one committed state."""
        try:
            stores = self._idle.pop()
        except IndexError:
            stores = _Stores(self.connect())
        try:
            with self._transaction(stores, self.begin_read) as tx:
                result = job(tx)
        except BaseException as error:
            meant = self.translated(error)
            if meant is None:
                self._idle.append(stores)
                raise
            stores.connection.close()
            raise meant from error
        self._idle.append(stores)
        return result

    @contextlib.contextmanager
    def _transaction(self, stores: _Stores, begin: str) -> Iterator[_Transaction]:
        connection = stores.connection
        connection.execute(begin)
        tx = _Transaction(stores)
        try:
            yield tx
            connection.execute("COMMIT")
        except BaseException:
            for forget in tx.undo:
                forget()
            with contextlib.suppress(Exception):  # what went wrong is raised, not that it cannot be undone twice
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close every connection; the data stays whole without this too."""
        for stores in (self._writes, *self._idle):
            if stores is not None:
                with contextlib.suppress(Exception):
                    stores.connection.close()


def _undo(item: _Waiting) -> None:
    if item.tx is not None:
        for forget in item.tx.undo:
            forget()
        item.tx = None
