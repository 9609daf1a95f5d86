"""A witness: what it signs, what it refuses, what it never forgets (C2SP tlog-witness, add-checkpoint)."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import checkpoint, note, submission
from ledger.checkpoint import Checkpoint
from ledger.errors import SubmissionError
from ledger.keys import COSIGNATURE, ED25519, Signer, generate
from ledger.tree import Tree, leaf_hash
from server_stub import witness as program
from server_stub.__main__ import main
from server_stub.domain.errors import ServerError, SetupError, UnreadableError
from server_stub.domain.witness import Witness
from server_stub.domain.witness_errors import (
    InconsistentCheckpointError,
    LogSignatureError,
    StaleCheckpointError,
    UnknownLogError,
)
from server_stub.storage.witness import SqliteWatchbook
from tests.tries import tries

ORIGIN = "demo.trueseat.example/c/class-1"


class Log:
    """A class log's tree and key; `fork` gives another history under the same key."""

    def __init__(self, key: Signer | None = None, word: str = "entry") -> None:
        self.key = key or generate(ORIGIN, ED25519)
        self.tree, self.word = Tree(), word
        self.grow(3)

    def grow(self, count: int, word: str | None = None) -> None:
        for _ in range(count):
            self.tree.append(leaf_hash(f"{word or self.word} {len(self.tree)}".encode()))

    def fork(self, at: int) -> Log:
        other = Log.__new__(Log)
        other.key, other.word = self.key, "another"
        other.tree = Tree(self.tree.node(0, i) for i in range(at))
        return other

    def signed(self, size: int | None = None, key: Signer | None = None) -> bytes:
        size = len(self.tree) if size is None else size
        return checkpoint.sign(Checkpoint(ORIGIN, size, self.tree.root_at(size)), key or self.key)

    def request(self, old: int, size: int | None = None) -> bytes:
        size = len(self.tree) if size is None else size
        return submission.build(old, self.tree.consistency_proof(old, size), self.signed(size))


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000

    def __call__(self) -> int:
        return self.now


class Desk:
    """One witness, its file, its clock and a log that it watches."""

    def __init__(self, folder: Path) -> None:
        self.path, self.clock, self.log = folder / "w.sqlite", Clock(), Log()
        self.signer = generate("school.example/w", COSIGNATURE)
        self.open()
        self.book.write(lambda store: store.watch(self.log.key.vkey))

    def open(self) -> None:
        self.book = SqliteWatchbook(self.path)
        self.witness = Witness(self.signer, self.book, self.clock)

    def time_of(self, line: str, size: int | None = None) -> int:
        size = len(self.log.tree) if size is None else size
        found = Checkpoint(ORIGIN, size, self.log.tree.root_at(size))
        return checkpoint.verify_cosignature(found, line, self.signer.vkey)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.book.close()


def test_a_log_that_only_grows_is_signed_with_the_time(desk: Desk) -> None:
    """From size 0 with an empty proof, then on from what it signed."""
    assert desk.time_of(desk.witness.add_checkpoint(desk.log.request(0))) == desk.clock.now
    desk.log.grow(200)
    desk.clock.now += 600
    assert desk.time_of(desk.witness.add_checkpoint(desk.log.request(3))) == desk.clock.now


def test_the_same_checkpoint_again_is_signed_again_with_a_new_time(desk: Desk) -> None:
    """old = size: the proof is empty, and the roots are compared."""
    desk.witness.add_checkpoint(desk.log.request(0))
    desk.clock.now += 30
    assert desk.time_of(desk.witness.add_checkpoint(desk.log.request(3))) == desk.clock.now


def test_its_time_never_falls(desk: Desk) -> None:
    """A clock that is set back does not make the witness contradict its own anchors."""
    first = desk.time_of(desk.witness.add_checkpoint(desk.log.request(0)))
    desk.clock.now -= 1000
    assert desk.time_of(desk.witness.add_checkpoint(desk.log.request(3))) == first


@pytest.mark.parametrize("old", [0, 1, 4])
def test_a_request_from_another_size_is_told_the_size(desk: Desk, old: int) -> None:
    """409 with what was signed last: the log proves from there."""
    desk.witness.add_checkpoint(desk.log.request(0))
    desk.log.grow(2)
    with pytest.raises(StaleCheckpointError) as refused:
        desk.witness.add_checkpoint(desk.log.request(old))
    assert refused.value.extra == {"size": 3}


def test_a_size_below_what_was_signed_is_never_signed_again(desk: Desk) -> None:
    """A restored backup of the log cannot have its older end signed as if it were the newest."""
    desk.log.grow(10)
    desk.witness.add_checkpoint(desk.log.request(0))
    with pytest.raises(StaleCheckpointError):
        desk.witness.add_checkpoint(desk.log.request(0, 5))


def test_an_unknown_log_is_not_signed(desk: Desk) -> None:
    """404: it knows only the logs that its keeper named."""
    other = generate("demo.trueseat.example/c/other", ED25519)
    signed = checkpoint.sign(Checkpoint(other.vkey.name, 3, desk.log.tree.root()), other)
    with pytest.raises(UnknownLogError):
        desk.witness.add_checkpoint(submission.build(0, [], signed))


def test_another_key_under_the_logs_name_is_not_signed(desk: Desk) -> None:
    """403: the name alone is nobody's word; unknown lines beside a good one are ignored, not copied."""
    with pytest.raises(LogSignatureError):
        desk.witness.add_checkpoint(submission.build(0, [], desk.log.signed(key=generate(ORIGIN, ED25519))))
    stranger = checkpoint.cosign(Checkpoint(ORIGIN, 3, desk.log.tree.root()), generate("x/w", COSIGNATURE), 1)
    desk.witness.add_checkpoint(submission.build(0, [], note.add(desk.log.signed(), stranger)))
    assert b"x/w" not in desk.witness.last(ORIGIN)


def test_a_bent_signature_is_refused(desk: Desk) -> None:
    """403 for a known key whose signature does not fit."""
    signed = desk.log.signed().replace(b"\n3\n", b"\n4\n")
    with pytest.raises(LogSignatureError):
        desk.witness.add_checkpoint(submission.build(0, [], signed))


def test_two_histories_are_not_both_signed_and_both_are_kept(desk: Desk) -> None:
    """422: the second history does not continue the first, and the proof of it is two signed checkpoints."""
    desk.log.grow(5)
    desk.witness.add_checkpoint(desk.log.request(0))
    other = desk.log.fork(4)
    other.grow(8)
    with pytest.raises(InconsistentCheckpointError):
        desk.witness.add_checkpoint(other.request(8))
    (kept,) = desk.book.write(lambda store: store.contradictions())
    for side in (kept.ours, kept.theirs):
        note.verify(note.parse(side), [desk.log.key.vkey, desk.signer.vkey])
    assert checkpoint.parse(kept.theirs)[0].size == 12


def test_another_root_at_the_size_that_was_signed_is_kept(desk: Desk) -> None:
    """409 by the letter of the specification; and both are kept, whatever old size was stated."""
    desk.log.grow(5)
    desk.witness.add_checkpoint(desk.log.request(0))
    other = desk.log.fork(4)
    other.grow(4)
    for old in (8, 0):
        with pytest.raises(StaleCheckpointError):
            desk.witness.add_checkpoint(other.request(old))
    assert len(desk.book.write(lambda store: store.contradictions())) == 1


@pytest.mark.parametrize("proof", ["none", "bent", "long", "of another size"])
def test_a_proof_that_does_not_lead_there_is_refused(desk: Desk, proof: str) -> None:
    """422 for whatever is no RFC 6962 consistency proof from the signed size."""
    desk.witness.add_checkpoint(desk.log.request(0))
    desk.log.grow(20)
    good = desk.log.tree.consistency_proof(3, 23)
    bent = {
        "none": [], "bent": [bytes(32), *good[1:]], "long": [*good, bytes(32)],
        "of another size": desk.log.tree.consistency_proof(4, 23),
    }[proof]  # fmt: skip
    with pytest.raises(InconsistentCheckpointError):
        desk.witness.add_checkpoint(submission.build(3, bent, desk.log.signed()))


def test_a_proof_from_zero_is_empty(desk: Desk) -> None:
    """422: nothing can be proven about nothing."""
    with pytest.raises(InconsistentCheckpointError):
        desk.witness.add_checkpoint(submission.build(0, [bytes(32)], desk.log.signed()))


def test_what_was_signed_survives_a_restart(desk: Desk) -> None:
    """Persisted before it was answered: a witness that forgets could be led to sign a second history."""
    line = desk.witness.add_checkpoint(desk.log.request(0))
    desk.book.close()
    desk.open()
    assert line.encode() in desk.witness.last(ORIGIN)
    with pytest.raises(StaleCheckpointError):
        desk.witness.add_checkpoint(desk.log.fork(1).request(0))


def test_nothing_is_answered_that_could_not_be_persisted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: no signature leaves, and the size stays where it was."""
    monkeypatch.setattr(
        "server_stub.storage.witness.SqliteWatchStore.remember",
        lambda *_: (_ for _ in ()).throw(OSError("disk full")),
    )
    with pytest.raises(OSError, match="disk full"):
        desk.witness.add_checkpoint(desk.log.request(0))
    monkeypatch.undo()
    with pytest.raises(UnknownLogError):
        desk.witness.last(ORIGIN)


def test_many_at_once_leave_one_history(desk: Desk) -> None:
    """Check and persist are one step: of two forks sent at the same time one is signed."""
    desk.witness.add_checkpoint(desk.log.request(0))
    forks = [desk.log.fork(3) for _ in range(6)]
    for n, fork in enumerate(forks):
        fork.grow(n + 1, f"history {n}")
    signed: list[str] = []

    def send(fork: Log) -> None:
        with contextlib.suppress(ServerError):
            signed.append(desk.witness.add_checkpoint(fork.request(3)))

    threads = [threading.Thread(target=send, args=(fork,)) for fork in forks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 1


@pytest.mark.parametrize(
    "bend",
    [
        lambda body: b"",
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0", b"old 9"),
        lambda body: body.replace(b"old 0\n", b"old 0\r\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n" * 64),
        lambda body: body[:-1],
        lambda body: body + b"x" * 80_000,
    ],
)
def test_an_unreadable_request_is_a_bad_request(desk: Desk, bend: object) -> None:
    """400, an old size beyond the checkpoint's too."""
    with pytest.raises(UnreadableError):
        desk.witness.add_checkpoint(bend(desk.log.request(0)))  # type: ignore[operator]


def test_a_request_reads_as_it_was_written() -> None:
    """Round trip, with the longest proof that the format allows."""
    log = Log()
    data = submission.build(2, [bytes([n]) * 32 for n in range(63)], log.signed())
    assert bytes(submission.parse(data)) == data
    with pytest.raises(SubmissionError):
        submission.parse(submission.build(2, [bytes(32)] * 64, log.signed()))


@settings(max_examples=tries(300), deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 20))
def test_whatever_comes_only_our_error_leaves_the_parser(data: bytes, at: int, cut: int) -> None:
    """Fuzz: noise alone, and noise inside a good request."""
    good = GOOD.request(0)
    for body in (data, good[:at] + data + good[at + cut :]):
        with contextlib.suppress(SubmissionError):
            assert bytes(submission.parse(body)) == body


GOOD = Log(generate(ORIGIN, ED25519))


# --- as a program -----------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[program.WitnessServer, Log, Path]]:
    log, directory = Log(), tmp_path / "witness"
    assert main(["witness", "init", str(directory), "--name", "school.example", "--log", str(log.key.vkey)]) == 0
    witness, book = program.open_witness(directory)
    server = program.WitnessServer(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server, log, directory
    server.shutdown()
    thread.join()
    server.server_close()
    book.close()


def ask(server: program.WitnessServer, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=120)  # type: ignore[misc]
    connection.request(method, path, body)
    reply = connection.getresponse()
    found = reply.status, reply.headers["Content-Type"], reply.read()
    connection.close()
    return found


def in_the_end(server: program.WitnessServer) -> int:
    """What an honest one is answered, who asks again when its own short time was over."""
    for _ in range(20):
        with contextlib.suppress(ConnectionError, http.client.RemoteDisconnected):
            return ask(server, "GET", "/")[0]
    raise AssertionError("hung up on each time")


def test_over_http_it_answers_as_c2sp_says(served: tuple[program.WitnessServer, Log, Path]) -> None:
    """Status, content type and body of each answer."""
    server, log, _ = served
    status, _, body = ask(server, "POST", "/add-checkpoint", log.request(0))
    assert status == 200
    assert body.startswith("— school.example/w ".encode())
    assert body.endswith(b"\n")
    log.grow(1)
    assert ask(server, "POST", "/add-checkpoint", log.request(0)) == (409, "text/x.tlog.size", b"3\n")
    assert ask(server, "POST", "/add-checkpoint", log.request(3))[0] == 200
    assert ask(server, "POST", "/add-checkpoint", b"old 1\n\nnonsense")[0] == 400
    assert ask(server, "POST", "/add-checkpoint", b"x" * 100_000)[0] == 413
    assert ask(server, "POST", "/elsewhere", log.request(3))[0] == 404
    assert ask(server, "GET", f"/checkpoint/{ORIGIN}")[2].startswith(log.signed())
    assert ask(server, "GET", "/checkpoint/nobody")[0] == 404
    assert ask(server, "GET", "/")[2].decode().startswith("school.example/w+")


def test_attack_many_who_never_finish_asking(
    served: tuple[program.WitnessServer, Log, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Eighty connections that say nothing more hold the places that there are, for their time, and no thread more
    than that; whoever asks then is answered."""
    server, _, _ = served
    monkeypatch.setattr(program, "_LASTS_S", 0.5)
    before, most = threading.active_count(), 2 * program._MAX_AT_ONCE + 8  # a place is a connection and its end
    slow = [socket.create_connection(server.server_address[:2], timeout=120) for _ in range(80)]
    try:
        for each in slow:
            each.sendall(b"POST /add-checkpoint HTTP/1.1\r\n")
        assert in_the_end(server) == 200
        assert threading.active_count() - before <= most
    finally:
        for each in slow:
            each.close()
    assert capfd.readouterr().err == ""


def test_key_and_memory_are_its_keepers_alone(
    served: tuple[program.WitnessServer, Log, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """0600; and the last checkpoint can be printed for `verify --witnessed`."""
    server, log, directory = served
    ask(server, "POST", "/add-checkpoint", log.request(0))
    assert {path.name: path.stat().st_mode & 0o077 for path in directory.iterdir() if path.stat().st_mode & 0o077} == {}
    capsys.readouterr()
    assert main(["witness", "checkpoint", str(directory), ORIGIN]) == 0
    assert capsys.readouterr().out.startswith(f"{ORIGIN}\n3\n")


def test_a_directory_is_made_once_and_a_log_has_one_key(tmp_path: Path) -> None:
    """A second key under a known name, or a key that is no class log's, is refused."""
    program.make_witness(tmp_path / "w", "school.example")
    with pytest.raises(SetupError):
        program.make_witness(tmp_path / "w", "school.example")
    program.watch(tmp_path / "w", str(Log().key.vkey))
    with pytest.raises(SetupError):
        program.watch(tmp_path / "w", str(Log().key.vkey))
    with pytest.raises(SetupError):
        program.watch(tmp_path / "w", str(generate("demo.trueseat.example/g", ED25519).vkey))
