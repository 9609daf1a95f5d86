"""SIGKILL at every statement of taking a segment, in a loop: nothing acknowledged is lost, nothing counts twice.

A child process opens the data directory as a server does and takes one segment; it kills itself at the n-th SQL
statement of its writing connection (BEGIN, every insert, COMMIT), or just before it answers. The parent then plays the
device: it sends the same segment again, as a client does that got no answer.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ledger import segment
from ledger.checkpoint import Checkpoint, verify_cosignature
from ledger.events import Closed, Cosigned
from server_stub.app import Server
from server_stub.domain.reveal import known
from tests.server_stub.conftest import Room
from tests.server_stub.learner import Clock, Codes, Device

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="left out: needs fork"),
]
ROUNDS = 6 if os.environ.get("TRUESEAT_LONG") else 1


def killed_at(room: Room, sid: str, body: bytes, statement: int, said: Path) -> bool:
    """Take the segment in a child that dies at this statement (0: never); whether it died. `said`: its answer."""
    child = os.fork()
    if child == 0:  # nothing of the parent's is used from here on but values
        try:
            server = Server(room.settings, Clock(room.clock.now), Codes())
            _arm(server, statement)
            said.write_bytes(server.services.segments.accept(sid, body, "127.0.0.1"))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _arm(server: Server, statement: int) -> None:
    seen = 0

    def count(_sql: str) -> None:
        nonlocal seen
        seen += 1
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    if statement:
        server.records._writer.set_trace_callback(count)


def state(room: Room, sid: str) -> tuple[int, int, int]:
    """Events taken, segments kept, events in those segments: as the files have it."""

    def read(tx: object) -> tuple[int, int, int]:
        kept = [segment.parse_kept(body).entries for _, body in tx.events.segments(sid)]  # type: ignore[attr-defined]
        return tx.events.progress(sid).size, len(kept), sum(map(len, kept))  # type: ignore[attr-defined]

    return room.server.records.read(read)


def take(device: Device, answer: bytes) -> None:
    """What a client does with an answer: verify it, note it as the next event, go on."""
    parsed = segment.parse_answer(answer)
    device.sent = len(device.entries)
    if not device.closed:
        device.add(Cosigned(device.sent, parsed.cosignature, parsed.seen))
        if parsed.ordered is not None:
            device.answer(parsed.ordered)


def test_a_server_killed_anywhere_in_a_segment_loses_and_doubles_nothing(room: Room, tmp_path: Path) -> None:
    """Every statement of the transaction in turn, a new segment each; the last one closes the session."""
    device = room.learner().ready().open()
    device.send()
    died, statement = 0, 0
    for _ in range(ROUNDS):
        statement = 0
        while True:
            statement += 1
            device.play(1_000)
            before, body = state(room, device.sid), device.body()
            said = tmp_path / f"answer-{died}-{statement}"
            dead = killed_at(room, device.sid, body, statement, said)
            after = state(room, device.sid)
            assert after[0] in (before[0], len(device.entries)), "a segment is taken whole or not at all"
            assert after[0] == after[2], "every event stands once in the segments that are kept"
            first = room.server.services.segments.accept(device.sid, body, "127.0.0.1")
            again = room.server.services.segments.accept(device.sid, body, "127.0.0.1")
            assert first == again
            assert not said.exists() or said.read_bytes() == first, "an acknowledged answer stays the answer"
            assert state(room, device.sid)[0] == len(device.entries)
            mine = Checkpoint(device.key.vkey.name, len(device.tree), device.tree.root())
            verify_cosignature(mine, segment.parse_answer(first).cosignature, room.server.keyring.cosigner.vkey)
            take(device, first)
            if not dead:
                break
            died += 1
    assert died >= 5 * ROUNDS
    device.close()
    figure = room.server.records.read(lambda tx: tx.events.progress(device.sid))
    assert (figure.state, figure.size) == ("closed", len(device.entries))
    assert room.server.records.read(lambda tx: known(tx, device.sid).sid) == device.sid


def test_a_server_killed_while_a_session_closes_reveals_once(room: Room, tmp_path: Path) -> None:
    """The last segment brings a checkpoint and the seed into the class log: each once, wherever the process dies."""
    statement, died, learner = 0, 0, room.learner().ready()
    logs = room.server.services.logs
    while True:
        statement += 1 if os.environ.get("TRUESEAT_LONG") else 9
        room.clock.now += 31_000
        device = learner.open()
        device.send()
        device.play(1_000)
        device.add(Closed("ended"))
        device.closed = True
        body = device.body()
        dead = killed_at(room, device.sid, body, statement, tmp_path / f"closing-{statement}")
        room.server.services.segments.accept(device.sid, body, "127.0.0.1")
        record = room.server.records.read(lambda tx, sid=device.sid: logs.log(tx, "class-1").sessions[sid])
        assert record.revealed is not None
        room.server.services.sweep()
        assert not room.server.records.read(lambda tx, sid=device.sid: tx.events.progress(sid).unsettled)
        if not dead:
            break
        died += 1
    assert died >= 3
