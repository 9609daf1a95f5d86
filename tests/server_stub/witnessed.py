"""A server whose class log is watched: honest witnesses in memory, and those that are down, slow or lie."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi.testclient import TestClient

from ledger import trust
from ledger.checkpoint import Checkpoint
from ledger.keys import COSIGNATURE, Vkey, generate
from ledger.tree import Tree, leaf_hash
from ledger.trust import Trust
from server_stub.app import create_app
from server_stub.domain.errors import ServerError
from server_stub.domain.gather import REST_MS, Reply
from server_stub.domain.witness import Witness
from server_stub.domain.witness_errors import StaleCheckpointError
from server_stub.settings import write_private
from server_stub.storage.witness import SqliteWatchbook
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Learner

Bend = Callable[[Reply, bytes], Reply]  # what came of an honest answer; given the request, too
TWO_OF_THREE_AND_THE_EXTERNAL_ONE = "group near any school employer\ngroup quorum all near bureau\nquorum quorum\n"
NAMES = ("school", "employer", "bureau")


def answer(witness: Witness, body: bytes) -> Reply:
    """What the witness's HTTP address answers."""
    try:
        return Reply(200, witness.add_checkpoint(body).encode() + b"\n")
    except StaleCheckpointError as error:
        return Reply(409, f"{error.extra['size']}\n".encode())
    except ServerError as error:
        return Reply(error.status, str(error).encode())


@dataclass
class Net:
    """`domain.gather.Witnesses` in memory; `bends` says who is down, slow or lies."""

    witnesses: dict[str, Witness] = field(default_factory=dict)
    bends: dict[str, Bend] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add_checkpoint(self, url: str, body: bytes) -> Reply:
        self.asked.append(url)
        reply = answer(self.witnesses[url], body)
        return self.bends[url](reply, body) if url in self.bends else reply

    def stop(self, name: str) -> None:
        """From now on nothing answers at its address."""

        def down(_reply: Reply, _body: bytes) -> Reply:
            raise ConnectionRefusedError("connection refused")

        self.bends[url(name)] = down

    def start(self, name: str) -> None:
        """It answers honestly again."""
        self.bends.pop(url(name))


def url(name: str) -> str:
    return f"http://{name}.example"


@dataclass
class Watched:
    """A room, its witnesses by name, and the way between them."""

    room: Room
    net: Net
    witnesses: dict[str, Witness]
    books: dict[str, SqliteWatchbook]
    learner: Learner | None = None  # who studies in the stories

    def at(self, size: int) -> Checkpoint:
        """The honest log's checkpoint at an earlier size."""
        return Checkpoint(self.key.name, size, Tree(map(leaf_hash, self.entries()[:size])).root())

    @property
    def trust(self) -> Trust:
        return self.room.server.keyring.trust(CLASS)

    @property
    def key(self) -> Vkey:
        return self.room.server.keyring.log(CLASS).vkey

    def gather(self) -> bool:
        """One round a few seconds later: what was written at this moment is witnessed, too."""
        self.room.server.gatherer.sweep()
        self.room.clock.now += REST_MS
        return self.room.server.gatherer.gather(CLASS)

    def entries(self) -> list[bytes]:
        return self.room.server.records.read(lambda tx: tx.log.entries(CLASS, 0, tx.log.size(CLASS)))

    def anchors(self) -> list[int]:
        """The indexes of anchors in the class log."""
        return [i for i, entry in enumerate(self.entries()) if entry.startswith(self.key.name.encode() + b"\n")]


@contextmanager
def watched(room: Room, folder: Path, quorum: str = TWO_OF_THREE_AND_THE_EXTERNAL_ONE) -> Iterator[Watched]:
    """Name three witnesses to the room's server, one of them external, and open it anew."""
    net, witnesses, books = Net(), {}, {}
    lines = ""
    for name in NAMES:
        signer = generate(f"{name}.example/w", COSIGNATURE)
        books[name] = SqliteWatchbook(folder / f"{name}.sqlite")
        books[name].write(lambda store: store.watch(room.server.keyring.log(CLASS).vkey))
        witnesses[name] = net.witnesses[url(name)] = Witness(signer, books[name], lambda: room.clock.now // 1000)
        lines += f"witness {name} {signer.vkey} {url(name)}\n"
    write_private(room.settings.witnesses, (lines + quorum).encode())
    trust.parse(room.settings.witnesses.read_bytes())
    room.server.close()
    app = create_app(room.settings, room.clock, sender=room.codes, witnesses=net)
    room.http = TestClient(app, raise_server_exceptions=False)
    room.server = app.state.server
    try:
        yield Watched(room, net, witnesses, books)
    finally:
        for book in books.values():
            book.close()


def hanging(until: threading.Event, answered: list[float]) -> Bend:
    """An answer that comes only after `until` (or five minutes, for a broken test); `answered` tells that it came."""

    def bend(reply: Reply, _body: bytes) -> Reply:
        until.wait(300)
        answered.append(time.monotonic())
        return reply

    return bend
