"""The client as a process of its own that is killed, or whose disk is full; the server as another one, on real HTTP.

Both are forked from here and share one clock in memory: the client moves it tick by tick, the server reads it. So a
lesson of a minute takes a second, and what is signed of time is what passed. The client writes every size that it has
signed to a pipe at once: what it said before it died must be at the server in the end.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import resource
import select
import signal
import socket
import struct
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from client.errors import DiskError
from client.ports import Transport
from client.study import Study
from client.sync.outbox import Outbox
from client.sync.transport import HttpTransport
from server_stub.app import create_app
from tests.client.crash.ward import Outcome, Ward
from tests.client.world import TICK, MachineSide, World
from tests.scripted import FakeClock
from tests.simulator import Simulator

_SIGNED = struct.Struct("<32sI")
FULL, BROKEN = 3, 4  # how a client's process ended: its disk took no more; by an error that nobody expected


class SharedClock(FakeClock):
    """One pair of clocks for all processes that are forked from here."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 24)
        self.shown = 0
        self.now, self.wall_ms = 50_000, 1_795_000_000_000

    def _get(self, place: int) -> int:
        return int(struct.unpack_from("<q", self._shared, place)[0])

    @property
    def now(self) -> int:  # type: ignore[override]
        """The steady clock, ms."""
        return self._get(0)

    @now.setter
    def now(self, value: int) -> None:
        struct.pack_into("<q", self._shared, 0, value)

    @property
    def wall_ms(self) -> int:  # type: ignore[override]
        """The wall's, ms since the epoch."""
        return self._get(8)

    @wall_ms.setter
    def wall_ms(self, value: int) -> None:
        struct.pack_into("<q", self._shared, 8, value)

    @property
    def shown(self) -> int:
        """For how long any process showed a moving picture, ms."""
        return self._get(16)

    @shown.setter
    def shown(self, value: int) -> None:
        struct.pack_into("<q", self._shared, 16, value)


class SayingOutbox(Outbox):
    """Tells every checkpoint that it kept, at once."""

    said = -1  # where to, a file number

    def sign(self, sid: str, old: int, size: int, note: bytes) -> None:
        super().sign(sid, old, size, note)
        if self.said >= 0:
            os.write(self.said, _SIGNED.pack(sid.encode(), size))


class HttpMachine(MachineSide):
    """A machine whose line is a real socket once `address` is known."""

    outbox_of = SayingOutbox
    address = ""

    def _line(self) -> Simulator | Transport:
        return HttpTransport(self.address) if self.address else super()._line()


@contextlib.contextmanager
def served(world: World) -> Iterator[str]:
    """The world's server in a process of its own; its address. Afterwards the world has it back."""
    world.server.close()
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whatever the parent does about it, until uvicorn listens
        with _ends():
            _serve(world, bound)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        bound.close()
        world.start()


def _serve(world: World, bound: socket.socket) -> None:
    import uvicorn

    app = create_app(world.settings, world.clock.wall, sender=world.codes)
    config = uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=2)
    uvicorn.Server(config).run([bound])


@contextlib.contextmanager
def _ends() -> Iterator[None]:
    """The end of a forked process: nothing of the parent's is cleaned up, no test goes on in it."""
    try:
        yield
    finally:
        os._exit(0)


Hurt = Callable[[int, int, Ward], None]  # (process, its pipe, ward): while the client lives


def lives(ward: Ward, hurt: Hurt, *, room: int = 0) -> bool:
    """One life of the client in a process, until `hurt` ends it or its disk is full; whether it said that it is.

    `room`: bytes that each of its files may still grow by, 0 for no limit. A client that falls over is an error.
    """
    ward.pc.outbox.close()
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ear)
        with _ends():
            _life(ward, mouth, room)
    os.close(mouth)
    hurt(child, ear, ward)
    said = _hear(ear)
    _, status = os.waitpid(child, 0)
    ward.said |= said
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (0, FULL), "the client fell over: see above"
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == FULL


def _life(ward: Ward, mouth: int, room: int) -> None:
    logging.disable()  # the parent's log files are not this machine's, and may be larger than its disk has room
    try:
        os._exit(FULL if _study(ward, mouth, room) else 0)
    except DiskError:
        os._exit(FULL)  # before there was a window: the program says so and ends
    except BaseException:
        traceback.print_exc()
        os._exit(BROKEN)


def _study(ward: Ward, mouth: int, room: int) -> bool:
    """What the process does: start on the files, study, press what is offered, for an hour of the shared clock.

    True when the disk took no more.
    """
    SayingOutbox.said = mouth
    if room:
        largest = max((path.stat().st_size for path in ward.pc.folder.rglob("*") if path.is_file()), default=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, resource.RLIM_INFINITY))
    pc = ward.pc.restart()
    clock = pc.clock
    assert isinstance(clock, SharedClock)
    study: Study = pc.study()
    os.write(mouth, _SIGNED.pack(b"0" * 32, 0))  # up
    for tick in range(36_000):
        pc.clock.advance(TICK)
        clock.shown += TICK if pc.player.playing else 0
        study.tick()
        if study.over or isinstance(study.problem, DiskError):
            return not study.over
        button = study.view().button if tick % 10 == 0 else None
        if button is not None:
            study.press(button.what)
    return False


def _hear(ear: int) -> set[tuple[str, int]]:
    data = bytearray()
    while piece := os.read(ear, 1 << 16):
        data += piece
    os.close(ear)
    whole = len(data) - len(data) % _SIGNED.size
    pairs = {(sid.decode(), size) for sid, size in _SIGNED.iter_unpack(bytes(data[:whole]))}
    return pairs - {("0" * 32, 0)}


def kill_soon(child: int, _ear: int, ward: Ward) -> None:
    """SIGKILL while it starts, or at some moment of the minutes of lesson after that, however quick the machine is."""
    chance, clock = ward.chance, ward.pc.clock
    if chance.randrange(5) == 0:
        time.sleep(0.4 * chance.random())
    else:
        handle, until = os.pidfd_open(child), clock.now + chance.randrange(chance.choice((2_000, 20_000, 120_000)))
        while clock.now < until and not select.select([handle], [], [], 0.001)[0]:
            pass
        os.close(handle)
    os.kill(child, signal.SIGKILL)


def until_full(child: int, _ear: int, _ward: Ward) -> None:
    """Wait until it gave up; the bound only ends a broken test."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(child)
        ended = select.select([handle], [], [], 600)[0]
        os.close(handle)
        if not ended:
            os.kill(child, signal.SIGKILL)


def killed(ward: Ward) -> None:
    """One life that ends by SIGKILL."""
    lives(ward, kill_soon)


def disk_full(ward: Ward) -> None:
    """Lives on a disk that takes no more after a while, until one has met it; then somebody frees some space."""
    room = ward.chance.randrange(2_000, 40_000)
    assert any(lives(ward, until_full, room=room) for _ in range(10)), "the disk never filled up"


def run(name: str, one: Callable[[Ward], None], folder: Path, rounds: int, seed: int) -> Outcome:
    """So many lives one after the other, and the sum."""
    clock = SharedClock()
    ward = Ward(folder, seed, HttpMachine, clock=clock)
    try:
        ward.pc.outbox.close()
        with served(ward.world) as address:
            HttpMachine.address = address
            try:
                for _ in range(rounds):
                    one(ward)
            finally:
                HttpMachine.address = ""
        ward.start()
        ward.shown_ms += clock.shown
        return ward.finish(name, rounds)
    finally:
        ward.close()


def unavailable() -> str:
    """Why these cannot run here, "" when they can."""
    return "" if hasattr(os, "fork") and hasattr(os, "pidfd_open") else "needs fork and pidfd"
