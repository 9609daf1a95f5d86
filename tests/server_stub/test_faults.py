"""The disk full, the database away, a client slow or hostile: said in our words, nothing lost, and it goes on."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn

from server_stub import web_guard
from server_stub.domain import fsck
from server_stub.patience import Patient
from tests.server_stub.conftest import Room
from tests.server_stub.learner import Device


def size(room: Room, device: Device) -> int:
    return room.server.records.read(lambda tx: tx.events.progress(device.sid).size)


def fill(room: Room) -> Callable[[], None]:
    """No page more for the records; calling what is returned makes room again. SQLite alone can be told so."""
    with room.server.records.writing() as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def empty() -> None:
        with room.server.records.writing() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")

    return empty


def test_a_full_disk_is_said_and_loses_nothing(room: Room) -> None:
    """507 with a remedy and Retry-After; what was acknowledged stays; with room again the same segment is taken."""
    device = room.learner().ready().open()
    device.send()
    before, empty, sent = size(room, device), fill(room), []
    for _ in range(60):
        device.play(20_000)
        sent.append(device.post(device.body()))
        if sent[-1].status_code != 200:
            break
        device.send()
        before = size(room, device)
    refused = sent[-1]
    assert refused.status_code == 507, refused.text
    said = refused.json()
    assert (said["code"], refused.headers["retry-after"]) == ("TS-S-053", "60")
    assert "device" in said["remedy"]
    assert size(room, device) == before
    empty()
    assert device.post(device.body()).status_code == 200
    assert size(room, device) == len(device.entries)
    assert fsck.check(room.server.people, room.server.records, room.server.keyring) == []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="left out: needs Linux")
def test_a_file_that_may_not_grow_loses_nothing(room: Room, tmp_path: Path) -> None:
    """A quota in a process of its own (RLIMIT_FSIZE): it answers 503 or 507, and what it acknowledged is there."""
    device = room.learner().ready().open()
    device.send()
    room.server.close()
    ready, err = tmp_path / "ready", tmp_path / "err"
    command = [sys.executable, "-m", "server_stub", "serve", str(room.settings.directory), "--port", "0",
               "--ready-file", str(ready)]  # fmt: skip
    with err.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        while not ready.exists():
            assert process.poll() is None, err.read_text()
            time.sleep(0.05)
        import httpx

        device.http = httpx.Client(base_url=ready.read_text().strip(), timeout=300)  # type: ignore[assignment]
        most = max(path.stat().st_size for path in room.settings.directory.glob("records.sqlite*")) + 32 * 1024
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        codes, last = [], len(device.entries)
        for _ in range(60):
            device.play(10_000)
            answer = device.post(device.body())
            codes.append(answer.status_code)
            if answer.status_code != 200:
                break
            last = len(device.entries)
            device.sent = last
    finally:
        process.kill()
        process.wait()
    assert codes[-1] in (503, 507), (codes, answer.text)
    assert answer.json()["code"] in ("TS-S-052", "TS-S-053")
    room.restart()
    assert size(room, device) == last
    device.http = room.http
    device.post(device.body())
    assert fsck.check(room.server.people, room.server.records, room.server.keyring) == []


def test_people_that_are_away_are_said(room: Room) -> None:
    """Signing in with the people's database locked or gone: 503, and it goes on by itself."""
    room.server.people.close()
    path = room.settings.directory / "people.sqlite"
    gone = path.with_suffix(".away")
    path.rename(gone)
    path.mkdir()  # nothing can be opened there
    answer = room.http.post("/v1/sign-in/start", json={"account": "learner"})
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "TS-S-052"
    room.server.people.close()
    path.rmdir()
    gone.rename(path)
    room.clock.now += 60_000
    assert room.http.post("/v1/sign-in/start", json={"account": "learner"}).status_code == 200


@contextlib.contextmanager
def patient(room: Room, head_s: float = 0.3) -> Iterator[int]:
    """The app behind the server's own protocol, with little patience; its port."""

    class Hurried(Patient):
        pass

    Hurried.head_s = head_s
    config = uvicorn.Config(
        room.http.app, port=0, http=Hurried, lifespan="off", log_level="error", timeout_graceful_shutdown=1
    )
    place = config.bind_socket()
    place.listen(64)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    try:
        yield place.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port))
    made.settimeout(120)
    return made


def answer(line: socket.socket) -> bytes:
    """One whole answer, or what came of it before the server hung up."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while chunk := line.recv(65536):
            said += chunk
            head, end, body = said.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            if end and length and len(body) >= int(length[1]):
                break
    return said


def served(port: int) -> socket.socket:
    """A connection on which an honest request was answered; who was stopped for longer than the server waits (a busy
    machine does that) comes again."""
    while True:
        line = connect(port)
        with contextlib.suppress(ConnectionError):
            line.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        said = answer(line)
        if said:
            assert said.startswith(b"HTTP/1.1 200"), said
            return line
        line.close()


def hung_up(line: socket.socket) -> bool:
    """Whether the server closes without a word; a timeout is none."""
    try:
        return line.recv(4096) == b""
    except ConnectionError:
        return True


def drip(line: socket.socket, data: bytes) -> None:
    """Send a part, unless the server has hung up already."""
    with contextlib.suppress(ConnectionError):
        line.sendall(data)


HEADS = {
    "nothing": b"", "half a line": b"GET /v1/he", "headers for ever": b"GET /v1/health HTTP/1.1\r\nHost: x\r\nA: ",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_head_that_never_ends_is_hung_up_on(room: Room, head: bytes) -> None:
    """Slowloris: fifty such connections are closed by the server, and meanwhile others are answered."""
    with patient(room) as port:
        slow = [connect(port) for _ in range(50)]
        for line in slow:
            drip(line, head)
        other = served(port)
        assert all(hung_up(line) for line in slow)
        for line in (*slow, other):
            line.close()


@pytest.mark.slow
def test_a_second_head_that_never_ends_is_hung_up_on(room: Room) -> None:
    """After an honest request on the same connection, too: keep-alive is no way around it."""
    with patient(room) as port:
        line = served(port)
        drip(line, b"GET /v1/health HTTP/1.1\r\nHo")
        assert hung_up(line)
        line.close()


@pytest.mark.slow
def test_a_body_that_drips_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 in our words once the time for a body is over; an honest slow line within it is served."""
    monkeypatch.setattr(web_guard, "BODY_S", 0.4)
    head = b"POST /v1/sign-in/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    with patient(room, 120.0) as port:
        line = connect(port)
        line.sendall(head + b'{"acc')
        refused = answer(line)
        assert refused.startswith(b"HTTP/1.1 408")
        assert b"TS-S-005" in refused
        monkeypatch.setattr(web_guard, "BODY_S", 120.0)
        honest = connect(port)
        honest.sendall(head + b'{"account":')
        honest.sendall(b'"nobody"}')
        assert answer(honest).startswith(b"HTTP/1.1 200")
        line.close()
        honest.close()
