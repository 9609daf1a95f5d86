"""A server that dies between the disk and the answer: no double cosignature, no fork, no lost order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ledger import checkpoint, note, segment
from ledger.checkpoint import Checkpoint
from tests.server_stub.conftest import Room
from tests.server_stub.learner import Clock, Device, Learner

DYING = """
import os, sys
import uvicorn
from pathlib import Path
from server_stub.app import create_app
from server_stub.settings import load

app = create_app(load(Path(sys.argv[1])))

async def dies_before_it_answers(scope, receive, send):
    async def last(message):
        if scope["type"] == "http" and scope["path"].endswith("/segments"):
            os.kill(os.getpid(), 9)
        await send(message)
    await app(scope, receive, last)

config = uvicorn.Config(dies_before_it_answers, host="127.0.0.1", port=0, log_level="error", lifespan="off")
socket = config.bind_socket()
Path(sys.argv[2]).write_text(f"http://127.0.0.1:{socket.getsockname()[1]}")
uvicorn.Server(config).run([socket])
"""


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def running(command: list[str], ready: Path, started: list[subprocess.Popen[bytes]]) -> str:
    """Start a server; return its URL once it answers."""
    started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
    while True:
        if started[-1].poll() is not None:
            raise AssertionError("the server did not start")
        try:
            url = ready.read_text().strip()
            if url and httpx.get(f"{url}/v1/health").status_code == 200:
                return url
        except (OSError, httpx.HTTPError):
            pass
        time.sleep(0.05)


@pytest.mark.slow
def test_a_server_killed_before_its_answer_gives_the_same_answer_afterwards(
    room: Room, tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    """SIGKILL after the commit: the device sends the segment again to the restarted server and gets what was kept."""
    room.clock.now = time.time_ns() // 1_000_000
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    body, kept = prepare(device), room.settings.directory
    ready = tmp_path / "dying"
    url = running([sys.executable, "-c", DYING, str(kept), str(ready)], ready, processes)
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{url}/v1/sessions/{device.sid}/segments", content=body, timeout=None)
    assert processes[-1].wait() == -signal.SIGKILL
    stored = room.server.records.read(lambda tx: tx.events.progress(device.sid))
    assert stored.size == len(device.entries)

    ready = tmp_path / "ready"
    url = running(
        [sys.executable, "-m", "server_stub", "serve", str(kept), "--port", "0", "--ready-file", str(ready)],
        ready, processes,
    )  # fmt: skip
    answers = [httpx.post(f"{url}/v1/sessions/{device.sid}/segments", content=body, timeout=300) for _ in range(2)]
    assert [answer.content for answer in answers] == [stored.answer] * 2
    answer = segment.parse_answer(stored.answer)
    mine = Checkpoint(device.key.vkey.name, len(device.tree), device.tree.root())
    time_ = checkpoint.verify_cosignature(mine, answer.cosignature, room.server.keyring.cosigner.vkey)
    assert time_ == note.parse_line(answer.cosignature).time
    segments = room.server.records.read(lambda tx: [time for time, _ in tx.events.segments(device.sid)])
    assert len(segments) == 2


def prepare(device: Device) -> bytes:
    device.play(2_000)
    return device.body()


@pytest.mark.slow
def test_the_program_serves_a_lesson_over_real_http(tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    """`init`, `serve`, sign-in by the printed code, a session, its receipt: the commands as a person types them."""
    root = Path(__file__).resolve().parents[2]
    kept, ready, said = tmp_path / "data", tmp_path / "ready", tmp_path / "said"
    command = [sys.executable, "-m", "server_stub"]
    made = subprocess.run(
        [*command, "init", str(kept), "--server-name", "test.trueseat.example", "--learner", "learner:学员甲",
         "--course", str(root / "client/player/demo_course"), "--policy", str(root / "ledger/presets/demo.toml")],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert f"Trust file  {kept / 'class.trust'}" in made.stdout
    with said.open("wb") as printed:
        serve = [*command, "serve", str(kept), "--port", "0", "--ready-file", str(ready)]
        process = subprocess.Popen(serve, stderr=printed, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    processes.append(process)
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.05)

    class Printed(dict[str, str]):
        def __missing__(self, account: str) -> str:
            return said.read_text().rsplit(f"development code for {account}: ", 1)[1][:6]

    class Codes:
        sent = Printed()

    clock = Clock(time.time_ns() // 1_000_000)
    with httpx.Client(base_url=ready.read_text().strip(), timeout=300) as http:
        device = Learner(http, Codes(), clock).ready().open()  # type: ignore[arg-type]
        device.send()
        device.close()
        assert http.get(f"/v1/sessions/{device.sid}/receipt").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait() in (0, -signal.SIGTERM)
