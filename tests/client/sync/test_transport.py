"""A server, or a proxy between, that drips: it holds nobody longer than an exchange may take in all."""

from __future__ import annotations

import pytest

from client.errors import NetworkError
from client.events import SyncState
from client.profile import UnsafeFileSeal
from client.sync.api import LONGEST_S, Api
from client.sync.logbook import Logbook, new_key
from client.sync.outbox import Outbox
from client.sync.transport import SLOWEST, TOTAL, HttpTransport, _read, session
from client.sync.updates import Fetcher, UpdateUnreachableError, _said
from client.sync.uploader import Uploader
from ledger.deadline import Deadline
from ledger.events import Heartbeat
from tests import dripping
from tests.dripping import DROPS, TOTAL_S, certificate, peer

TIMEOUT = (60, 60)  # of one wait: none of them ends by itself
SECRET = "c2VjcmV0LXRva2Vu"


def transport(address, **named):
    return HttpTransport(address, timeout=TIMEOUT, total=TOTAL_S, **named)


def held(said, machine):
    """It ended as a line that is cut, long before the machine was done; and told nothing of what it carried."""
    assert isinstance(said.value, NetworkError)
    assert SECRET not in str(said.value)
    assert machine.drops < DROPS / 2


@pytest.mark.parametrize("part", dripping.ANSWERS)
def test_attack_a_server_that_drips(part):
    """Header, interim answers, body, chunks or trailer, a byte before each wait ends: the whole has its seconds."""
    with peer(part) as machine, pytest.raises(NetworkError) as said:
        transport(machine.url).send("GET", "/v1/health", headers={"Authorization": f"Bearer {SECRET}"})
    held(said, machine)


@pytest.mark.parametrize("part", dripping.ANSWERS)
def test_attack_a_server_that_drips_inside_tls(part, tmp_path):
    """What the line's secrecy hides from us until it is whole is waited for no longer."""
    tls, trusted = certificate(tmp_path)
    with peer(part, tls) as machine, pytest.raises(NetworkError) as said:
        transport(machine.url, ca=trusted).send("GET", "/v1/health", headers={"Authorization": f"Bearer {SECRET}"})
    held(said, machine)


def test_attack_a_handshake_that_drips():
    """Before a single byte of ours is sent."""
    with peer(dripping.handshake) as machine, pytest.raises(NetworkError) as said:
        transport(machine.url.replace("http:", "https:")).send("GET", "/v1/health")
    held(said, machine)


@pytest.mark.parametrize("secret", [False, True])
def test_attack_a_server_that_reads_a_byte_at_a_time(secret, tmp_path, monkeypatch):
    """An upload that is taken drop by drop ends, too, plain or inside TLS."""
    monkeypatch.setattr("client.sync.transport.SLOWEST", 1 << 40)  # its length gives it no time
    tls, trusted = certificate(tmp_path)
    with peer(dripping.reader, tls if secret else None) as machine, pytest.raises(NetworkError) as said:
        transport(machine.url, ca=trusted).send("POST", "/v1/segments", bytes(32 << 20))
    held(said, machine)


def test_attack_a_proxy_that_drips():
    """The proxy's own answer counts as part of the exchange."""
    with peer(dripping.proxy) as machine, pytest.raises(NetworkError) as said:
        transport("https://server.example", proxy=machine.url).send("GET", "/v1/health")
    held(said, machine)


def test_the_learner_sees_a_line_that_is_cut_and_loses_nothing(tmp_path):
    """The uploader under a server that drips: no connection, tried again later, every event still on the disk."""
    seal = UnsafeFileSeal(tmp_path / "secrets")
    outbox, sid = Outbox(tmp_path / "outbox.db"), "0123456789abcdef" * 2
    signer = new_key(seal, "test.trueseat.example", sid)
    outbox.ask(sid, "fe" * 16, "test.trueseat.example/c/one", str(signer.vkey), b"cert")
    outbox.grant(sid, b"grant", "{}")
    book = Logbook(outbox, sid, signer)
    book.write(Heartbeat(1, 1, 1, "ab" * 32, "ab" * 32, "none"), 10, 20)
    book.cut()
    with peer(dripping.body) as machine:
        worker = Uploader(outbox, transport(machine.url), seal, chance=lambda: 0.5)
        worker.live = sid
        assert worker.step() > 0
    (told,) = worker.poll()
    assert isinstance(told, SyncState)
    assert (told.online, told.problem) == (False, "")
    assert len(outbox.events(sid)) == 1
    assert outbox.signed(sid)[0].line is None


def test_what_is_asked_for_by_its_length_has_its_time(monkeypatch):
    """A piece of a course on a slow line comes, although it takes longer than a question may."""
    monkeypatch.setattr("client.sync.transport.SLOWEST", 0.1)

    def slow(machine, line):
        line.recv(65_536)
        line.sendall(b"HTTP/1.1 206 Partial\r\nContent-Length: 20\r\n\r\n")
        machine.drip(line, bytes(20))

    with peer(slow) as machine:
        reply = transport(machine.url).send("GET", "/v1/courses/x/f", headers={"Range": "bytes=0-19"})
    assert (reply.status, len(reply.body)) == (206, 20)


class Slow:
    """An answer that brings so many bytes a second, by the deadline's own clock."""

    def __init__(self, rate, seconds):
        self.now, self._rate, self._seconds = 0.0, rate, seconds
        self.deadline = Deadline(lambda: self.now)

    def iter_content(self, _size):
        for _ in range(self._seconds):
            self.now += 1
            self.deadline.cut(None)  # as each wait of a socket
            yield bytes(self._rate)


@pytest.mark.parametrize(
    ("rate", "seconds", "whole"),
    [(2 * SLOWEST, 300, True), (SLOWEST // 4, 300, False), (1, 61, False), (2 * SLOWEST, 1900, False)],
)
def test_a_long_answer_is_waited_for_while_it_keeps_coming(rate, seconds, whole):
    """The copy of a class on a slow line: what came by then earns more time, up to half an hour; a drip earns none."""
    answer = Slow(rate, seconds)
    answer.deadline.begin(TOTAL)
    if whole:
        assert len(_read(answer, answer.deadline, LONGEST_S)) == rate * seconds
        return
    with pytest.raises(TimeoutError):
        _read(answer, answer.deadline, LONGEST_S)
    assert answer.now <= LONGEST_S


def test_an_ordinary_answer_earns_nothing():
    """Who did not ask for much waits no longer than for little."""
    answer = Slow(1 << 20, 61)
    answer.deadline.begin(TOTAL)
    with pytest.raises(TimeoutError):
        _read(answer, answer.deadline, TOTAL)


def test_attack_a_long_answer_that_drips():
    """It has said nothing that would earn it more time: half an hour is for those who send."""
    with peer(dripping.body) as machine, pytest.raises(NetworkError) as said:
        Api(transport(machine.url)).long("/v1/classes/one/copy")
    held(said, machine)


def test_the_line_serves_the_next_exchange(tmp_path):
    """A connection is kept, and each exchange on it has its own time; TLS as well."""
    tls, trusted = certificate(tmp_path)
    lines = []

    def twice(_machine, line):
        lines.append(line)
        for _ in range(2):
            line.recv(65_536)
            line.sendall(dripping.OK)

    with peer(twice, tls) as machine:
        way = HttpTransport(machine.url, ca=trusted)
        assert [way.send("GET", "/v1/health").body for _ in range(2)] == [b"{}", b"{}"]
        way.close()
    assert len(lines) == 1


def test_a_certificate_is_still_asked_for(tmp_path):
    """Nobody's, or another name's: no exchange."""
    tls, trusted = certificate(tmp_path)
    with peer(dripping.body, tls) as machine:
        for address, ca in ((machine.url, None), (machine.url.replace("127.0.0.1", "localhost"), trusted)):
            with pytest.raises(NetworkError):
                HttpTransport(address, ca=ca).send("GET", "/v1/health")
    assert machine.drops == 0


def test_a_name_that_is_none_is_a_line_that_is_cut():
    """A label longer than the name system knows is one sentence, not a traceback."""
    with pytest.raises(NetworkError):
        transport(f"http://{'a' * 70}.example").send("GET", "/")


def test_attack_a_repository_of_updates_that_drips_its_header():
    """The updater asks the same connections: it gives up, and the version in use stays."""
    with peer(dripping.header) as machine:
        fetcher = Fetcher(session(), patience=TOTAL_S)
        with pytest.raises(UpdateUnreachableError):
            _said(lambda: b"".join(fetcher.fetch(f"{machine.url}/metadata/timestamp.json")))
    assert machine.drops < DROPS / 2


@pytest.mark.parametrize("part", [dripping.body, dripping.chunks])
def test_attack_a_repository_of_updates_that_drips(part):
    """A body or the frames of its chunks, however they are cut."""
    with peer(part) as machine:
        fetcher = Fetcher(session(), patience=TOTAL_S)
        with pytest.raises(UpdateUnreachableError):
            _said(lambda: b"".join(fetcher.fetch(f"{machine.url}/metadata/timestamp.json")))
    assert machine.drops < DROPS / 2
