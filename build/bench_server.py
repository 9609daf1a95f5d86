"""Ingest beside its bare floor in one run: `python build/bench_server.py`; closes with one line of JSON.

The floor is what nobody can leave out on one core: parse the segment, check its signature, hash its entries into the
tree, and keep its bytes under one fsynced group commit of 32. The server is the real program with one worker; the
segments are signed by devices beforehand and sent over keep-alive connections by this process, which shares the cores.
Two ratios: of segments a second by the clock (what other programs take of the cores counts too), and of the processes'
own CPU time. The server cosigns and decides on orders as well, which the floor does not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ledger import checkpoint, events, names, note, segment
from ledger.checkpoint import Checkpoint
from ledger.events import Event, Heartbeat, Opened
from ledger.keys import ED25519, Vkey
from ledger.tree import Tree, leaf_hash
from server_stub import setup
from server_stub.app import Server, create_app
from server_stub.settings import Settings
from tests.server_stub.conftest import POLICY, make_course
from tests.server_stub.learner import CLASS, HASH, SERVER, Clock, Codes, Device, Learner

GROUP = 32
STORED = 200_000


@dataclass
class Lesson:
    """One session's segments, signed and ready to be sent in their order."""

    sid: str
    bodies: list[bytes]


def open_sessions(folder: Path, count: int) -> tuple[Settings, list[Device]]:
    """A server's data directory with so many learners, each with an open session."""
    from fastapi.testclient import TestClient

    from ledger.policy import preset

    policy = preset("demo")
    for old, new in POLICY.items():
        policy = policy.replace(old, new)
    settings, clock, codes = Settings(folder / "data", SERVER), Clock(time.time_ns() // 1_000_000), Codes()
    setup.make_directory(settings)
    setup.make_class_key(settings, CLASS)
    server = Server(settings, clock, codes)
    server.class_maker.make(setup.ClassPlan(CLASS, "Bench", make_course(folder / "course"), policy), clock)
    for at in range(count):
        setup.add_learner(server.people, CLASS, f"learner{at}", f"Learner {at}")
    server.close()
    app = create_app(settings, clock, sender=codes)
    http = TestClient(app)
    devices = []
    for at in range(count):
        clock.now += 2_000
        devices.append(Learner(http, codes, clock, f"learner{at}").ready().open())
    app.state.server.close()
    return settings, devices


def lesson(device: Device, segments: int, size: int) -> Lesson:
    """The session's next segments, `size` events each."""
    made, tree, old = [], Tree(), 0
    entries = [device.entries[0]]
    first = events.decode(device.entries[0])
    assert isinstance(first.body, Opened)
    tree.append(leaf_hash(entries[0]))
    for _ in range(segments):
        while len(tree) - old < size:
            seq = len(tree)
            beat = Heartbeat(seq, seq * 600, seq * 600, HASH, HASH, "none")
            data = events.encode(Event(seq, 1_795_000_000_000, seq * 600, device.sid, secrets.token_hex(16), beat))
            entries.append(data)
            tree.append(leaf_hash(data))
        signed = checkpoint.sign(Checkpoint(device.key.vkey.name, len(tree), tree.root()), device.key)
        made.append(segment.build(old, signed, entries[old:]))
        old = len(tree)
    return Lesson(device.sid, made)


def floor(lessons: list[Lesson], devices: list[Device], folder: Path) -> tuple[float, float]:
    """(segments a second, CPU µs a segment) of what must be done, on one core, without a network."""
    keys = {device.sid: device.key.vkey for device in devices}
    path = folder / f"floor-{secrets.token_hex(4)}.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE segment (sid, old, body)")
    trees = {item.sid: Tree() for item in lessons}
    order = [(item.sid, item.bodies[at]) for at in range(len(lessons[0].bodies)) for item in lessons]
    begun, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(order), GROUP):
        db.execute("BEGIN IMMEDIATE")
        for sid, body in order[start : start + GROUP]:
            _take(sid, body, keys[sid], trees[sid], db)
        db.execute("COMMIT")
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    db.close()
    return len(order) / spent, cpu / len(order) * 1e6


def _take(sid: str, body: bytes, key: Vkey, tree: Tree, db: sqlite3.Connection) -> None:
    given = segment.parse(body)
    note.verify(given.note, [Vkey(names.session_origin(SERVER, sid), ED25519, key.key)], others=True)
    for entry in given.entries:
        events.decode(entry)
        tree.append(leaf_hash(entry))
    assert tree.root() == given.checkpoint.root
    sha256(body).hexdigest()
    db.execute("INSERT INTO segment VALUES (?, ?, ?)", (sid, given.old, body))


def fill(settings: Settings, count: int) -> None:
    """So many stored segments of other sessions."""
    db = sqlite3.connect(settings.records)
    body = secrets.token_bytes(600)
    rows = ((f"{at // 100:032x}", at % 100, at % 100 + 1, body, 0) for at in range(count))
    with db:
        db.executemany("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", rows)
    db.close()


class Line:
    """One keep-alive connection; requests one after the other."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def post(self, sid: str, body: bytes) -> float:
        """Send a segment; how long (s) its answer took."""
        begun = time.perf_counter()
        head = f"POST /v1/sessions/{sid}/segments HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        data = await self.reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"refused: {data[:300]!r}")
        return time.perf_counter() - begun


async def drive(port: int, lessons: list[Lesson], part: slice, rate: float | None = None) -> tuple[float, list[float]]:
    """Send these segments of all sessions, each session on its line; (segments a second, latencies). `rate`: so many
    a second at even distances, else as fast as answers come."""
    lines = [Line(port) for _ in lessons]
    await asyncio.gather(*(line.open() for line in lines))
    took: list[float] = []
    count = len(lessons[0].bodies[part])
    begun = time.perf_counter()

    async def run(at: int, line: Line, item: Lesson) -> None:
        for turn, body in enumerate(item.bodies[part]):
            if rate is not None:
                due = begun + (turn * len(lessons) + at) / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            took.append(await line.post(item.sid, body))

    await asyncio.gather(*(run(at, line, item) for at, (line, item) in enumerate(zip(lines, lessons, strict=True))))
    spent = time.perf_counter() - begun
    for line in lines:
        line.writer.close()
    return count * len(lessons) / spent, took


def measure(size: int, sessions: int, segments: int, stored: int) -> dict[str, float]:
    """One size of segment: floor, the server, its latency at half that load."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings, devices = open_sessions(folder, sessions)
        lessons = [lesson(device, segments, size) for device in devices]
        bare = floor(lessons, devices, folder)
        if stored:
            fill(settings, stored)
        ready = folder / "ready"
        command = [sys.executable, "-m", "server_stub", "serve", str(settings.directory), "--port", "0",
                   "--ready-file", str(ready)]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not ready.exists():
                time.sleep(0.05)
            port = int(ready.read_text().rpartition(":")[2])
            asyncio.run(drive(port, lessons, slice(0, 2)))  # warm
            half, worker = segments // 2, psutil.Process(process.pid)
            before = sum(worker.cpu_times()[:2])
            full, _ = asyncio.run(drive(port, lessons, slice(2, half)))
            cpu = (sum(worker.cpu_times()[:2]) - before) / (sessions * (half - 2)) * 1e6
            again = floor(lessons, devices, folder)  # before and after: the machine has other work, too
            _, took = asyncio.run(drive(port, lessons, slice(half, segments), rate=full / 2))
        finally:
            process.terminate()
            process.wait()
    took.sort()
    p50, p99 = (round(took[int(len(took) * part)] * 1000, 1) for part in (0.5, 0.99))
    rate, least = ((one + other) / 2 for one, other in zip(bare, again, strict=True))
    return {"floor": round(rate), "server": round(full), "ratio": round(rate / full, 2), "floor_cpu_us": round(least),
            "server_cpu_us": round(cpu), "cpu_ratio": round(cpu / least, 2), "p50_ms": p50, "p99_ms": p99}  # fmt: skip


def main() -> None:
    """Segments of 10 and 50 events; then with 200,000 stored ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=32)
    parser.add_argument("--segments", type=int, default=40)
    options = parser.parse_args()
    found = {}
    for title, size, stored in (("10", 10, 0), ("50", 50, 0), ("10_stored", 10, STORED)):
        found[title] = measure(size, options.sessions, options.segments, stored)
        print(f"{title:>10}: {found[title]}", flush=True)
    flat = round(found["10_stored"]["server"] / found["10"]["server"], 2)
    cpu = round(found["10_stored"]["server_cpu_us"] / found["10"]["server_cpu_us"], 2)
    times = {title: found[title]["cpu_ratio"] for title in ("10", "50")}
    print(json.dumps({"name": "server ingest, one worker", "cores": os.cpu_count(), "load": os.getloadavg()[0],
                      "segments_per_second": found, "times_the_floor_cpu": times, "wanted": 2,
                      "flat_to_200000": flat, "flat_to_200000_cpu": cpu, "p99_wanted_ms": 250}))  # fmt: skip


if __name__ == "__main__":
    main()
