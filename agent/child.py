"""`python -m agent watch`: the child of the client. The pipe is stdin and stdout; the key comes first, through stdin.

It ends when the client says so, when the pipe closes, or when nothing was heard from the client for `SILENCE_MS`: it
runs only while a session is open. Nothing else is written to the pipe: stdout is moved away before any rule is loaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import sys
import threading
import time
from typing import Final

from agent.collectors import Context, collectors, parent_pid, platform, uptime_ms
from agent.collectors import harden as harden_process
from agent.engine import Engine
from agent.errors import AgentError, CollectorError, PackError, PipeClosedError, PipeError
from agent.manifest import agent_hash, installation_hash
from agent.messages import FROM_CLIENT, Bye, Message, UseRules
from agent.pack import MAX_BYTES, Pack, load_class
from agent.pipe import KEY_BYTES, TO_AGENT, TO_CLIENT, Opener, Sealer
from agent.watch import Surroundings, Watch
from agent.watchdog import give_back, measure

SILENCE_MS: Final = 60_000  # a screen may hang for long; a client that is gone has closed the pipe
CHUNK: Final = 65_536
PR_SET_DUMPABLE: Final = 4


def run(pack: Pack) -> int:
    """Guard until the client ends; the exit code is 0 for a clean end, 3 for a broken pipe."""
    source, sink = take_pipe()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the client, which then ends us
    harden()
    try:
        key = read_exactly(source, KEY_BYTES)
        inbox: queue.SimpleQueue[Message | AgentError] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(source, Opener(key, TO_AGENT, FROM_CLIENT), inbox), daemon=True).start()
        _guard(pack, Sealer(key, TO_CLIENT), sink, inbox)
    except PipeError:
        return 3
    return 0


def _guard(pack: Pack, sealer: Sealer, sink: int, inbox: queue.SimpleQueue[Message | AgentError]) -> None:
    def send(message: Message) -> None:
        write_all(sink, sealer.seal(message))

    context = Context(client_pid=parent_pid(), texts=pack.texts)
    around = Surroundings(send, _uptime_ms, measure, installation_hash, load_rules)
    engine = Engine(pack, platform())
    watch = Watch(engine, collectors(context), context, around, pack.sha256, agent_hash(), now_ms())
    heard = now_ms()
    watch.step(heard)  # the first look at everything loads libraries and reads much
    give_back()
    while now_ms() - heard < SILENCE_MS:
        watch.step(now_ms())
        with contextlib.suppress(queue.Empty):
            message = inbox.get(timeout=max(0.05, (watch.due_ms - now_ms()) / 1000))
            heard = now_ms()
            if isinstance(message, AgentError):
                raise message
            if isinstance(message, Bye):
                return
            watch.handle(message, now_ms())


def load_rules(wanted: UseRules) -> tuple[Engine, str]:
    """The engine of the pack that the grant names, and its hash; raises `PackError` or `RuleError`."""
    try:
        with open(wanted.path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PackError(f"the pack cannot be read: {error}") from error
    pack = load_class(data, wanted.sha256, wanted.at)
    return Engine(pack, platform(), wanted.at), pack.sha256


def _read(source: int, opener: Opener, inbox: queue.SimpleQueue[Message | AgentError]) -> None:
    try:
        while data := os.read(source, CHUNK):
            for message in opener.feed(data):
                inbox.put(message)
        inbox.put(Bye())
    except (OSError, AgentError) as error:
        inbox.put(error if isinstance(error, AgentError) else PipeClosedError(str(error)))


def take_pipe() -> tuple[int, int]:
    """Move the pipe away from stdin and stdout, so that no stray print or read of a library touches it."""
    source, sink = os.dup(0), os.dup(1)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(2, 1)
    os.close(quiet)
    return source, sink


def harden() -> None:
    """Closed to programs of the same user: no ptrace, no core dump (Linux: PR_SET_DUMPABLE 0; Windows: an access list).

    Root and administrators still can.
    """
    with contextlib.suppress(CollectorError):
        harden_process()
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def read_exactly(source: int, size: int) -> bytes:
    """Read `size` bytes or raise `PipeClosedError`."""
    data = b""
    while len(data) < size:
        try:
            piece = os.read(source, size - len(data))
        except OSError as error:
            raise PipeClosedError(str(error)) from error
        if not piece:
            raise PipeClosedError(f"the pipe ended after {len(data)} of {size} bytes")
        data += piece
    return data


def write_all(sink: int, data: bytes) -> None:
    """Write all of `data` or raise `PipeClosedError`."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(sink, view) :]
        except OSError as error:
            raise PipeClosedError(str(error)) from error


def now_ms() -> int:
    """The agent's monotonic clock."""
    return time.monotonic_ns() // 1_000_000


def _uptime_ms() -> int:
    """The kernel's uptime where it tells it, else our own clock."""
    try:
        return uptime_ms()
    except CollectorError:
        return now_ms()
