"""The client's end of the pipe: starts the agent, hands over the key, tells what came and when it is gone.

`poll` is called about once a second or more often and never waits. A lost agent is told once, with the reason;
`start` begins a new one, and waits longer each time when agents do not live (`BACKOFF_MS`).
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from agent.errors import AgentError, AgentStartError, PipeClosedError, PipeError
from agent.manifest import ROOT, agent_hash
from agent.messages import (
    FROM_AGENT,
    Beat,
    Bye,
    Camera,
    Cleared,
    Foreground,
    Found,
    Message,
    Note,
    Ping,
    Recheck,
    UseRules,
)
from agent.pipe import KEY_BYTES, TO_AGENT, TO_CLIENT, Opener, Sealer

LOST_MS: Final = 4_500  # two beats and a bit: killing, stopping or starving the agent shows within 5 s
SILENT: Final = "no beat for"
START_MS: Final = 20_000  # the first beat of a fresh process on a slow, cold disk
PING_MS: Final = 2_000
BACKOFF_MS: Final = (0, 1_000, 2_000, 5_000, 10_000, 30_000)  # before the first, second … start without a steady life
OTHER_BEATS: Final = 3  # the first beat after new rules was perhaps on its way already
STEADY_MS: Final = 60_000  # an agent that lived this long was healthy: the next start is the first again
END_S: Final = 2.0
CHUNK: Final = 65_536
NO_WINDOW: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console for a program of Python's


@dataclass(frozen=True, slots=True)
class Lost:
    """No beat for too long, a broken pipe, or a message that does not verify."""

    detail: str


LinkMessage = Beat | Found | Cleared | Note | Lost


def default_command() -> list[str]:
    """How the agent's process is started: by the interpreter that runs the client; a frozen client has it beside it."""
    if getattr(sys, "frozen", False):
        beside = Path(sys.executable).with_name("trueseat-agent").with_suffix(Path(sys.executable).suffix)
        return [str(beside), "watch"]
    return [sys.executable, "-m", "agent", "watch"]


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class AgentLink:
    """One agent process and its authenticated pipe."""

    def __init__(
        self, command: Sequence[str] | None = None, folder: Path = ROOT, clock: Callable[[], int] = _now_ms
    ) -> None:
        self._command = list(command) if command is not None else default_command()
        self._folder = folder
        self._clock = clock
        self._child: _Child | None = None
        self._start_ms: int | None = None  # a start is wanted, not before this
        self._starts = 0
        self._born_ms = 0
        self._told: set[str] = set()  # findings that the client holds open
        self._fresh: set[str] | None = None  # findings of the new agent, until its first beat
        self._camera = ""
        self._ours: bool | None = None
        self._files = ""  # what our own agent's files hash to; "" for a command that is not ours
        self._own = command is None
        self._wanted: UseRules | None = None
        self._installation = ""
        self._others = 0

    @property
    def pid(self) -> int | None:
        """The process id of the running agent, None while there is none."""
        return self._child.process.pid if self._child else None

    def start(self) -> None:
        """Begin a new agent, in place of the running one if there is one; when it may not yet, `poll` does."""
        if self._start_ms is not None:
            return  # it is about to
        self._end(kill=True)
        now = self._clock()
        if self._starts and now - self._born_ms >= STEADY_MS:
            self._starts = 0
        self._start_ms = now + BACKOFF_MS[min(self._starts, len(BACKOFF_MS) - 1)]
        self._starts += 1
        if self._start_ms <= now:
            self._begin(now)

    def poll(self) -> list[LinkMessage]:
        """What the agent said since the last call, in order; `Lost` once when it is gone or cannot be started."""
        now = self._clock()
        if self._start_ms is not None and self._start_ms <= now:
            try:
                self._begin(now)
            except AgentStartError as error:
                return [Lost(f"{error.code} {error}")]
        if self._child is None:
            return []
        messages, problem = self._child.take(now)
        said = [news for message in messages for news in self._account(message)]
        if self._files and any(isinstance(entry, Beat) and entry.agent_hash != self._files for entry in messages):
            problem = "an agent of other files than this client's answers"
            said = [entry for entry in said if not isinstance(entry, Beat)]  # it proves nothing
        if problem is not None:
            self._end(kill=True)
            said.append(Lost(problem))
        return said

    def _begin(self, now: int) -> None:
        """Start the process, or raise `AgentStartError`."""
        self._start_ms, self._born_ms, self._fresh = None, now, set()
        self._files, self._others = agent_hash() if self._own else "", 0
        self._child = _Child(self._command, self._folder, now)
        if self._camera:
            self._child.send(Camera(self._camera))
        if self._ours is not None:
            self._child.send(Foreground(self._ours))
        if self._wanted is not None:
            self._child.send(self._wanted)

    def _account(self, message: LinkMessage) -> list[LinkMessage]:
        """Keep count of open findings: what an agent that died had told is cleared once its successor has looked."""
        match message:
            case Found(rule=rule):
                self._told.add(rule)
                if self._fresh is not None:
                    self._fresh.add(rule)
            case Cleared(rule=rule):
                self._told.discard(rule)
            case Beat():
                stale = sorted(self._told - self._fresh) if self._fresh is not None else []
                self._fresh = None
                self._told.difference_update(stale)
                return [*map(Cleared, stale), message, *map(Note, self._compared(message))]
        return [message]

    def _compared(self, beat: Beat) -> list[str]:
        """What a beat says against the grant: told once, when it is no mere delay."""
        wrong = []
        if self._wanted is not None and beat.rules != self._wanted.sha256:
            wrong.append(f"the agent judges by rules {beat.rules[:16]}…, the grant names {self._wanted.sha256[:16]}…")
        if self._installation and beat.manifest != self._installation:
            wrong.append(f"installed files {beat.manifest[:16]}…, the class names {self._installation[:16]}…")
        self._others = self._others + 1 if wrong else 0
        return wrong if self._others == OTHER_BEATS else []

    def _end(self, kill: bool) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end(kill)

    def recheck(self) -> None:
        """I closed it, check again: every open finding is told anew or cleared by the next looks."""
        self._send(Recheck())

    def camera(self, name: str) -> None:
        """Tell which camera is in use, by the name that the operating system gives it."""
        if name != self._camera:
            self._camera = name
            self._send(Camera(name[:200]))

    def foreground(self, ours: bool) -> None:
        """Tell whether our window has the foreground."""
        if ours != self._ours:
            self._ours = ours
            self._send(Foreground(ours))

    def session(self, rules: UseRules | None, installation: str) -> None:
        """What the grant says of us: the pack to judge by (None: the built-in one), the installed files ("": any).

        Beats that say otherwise become one `Note`.
        """
        self._wanted, self._installation, self._others = rules, installation, 0
        if rules is not None:
            self._send(rules)

    def close(self) -> None:
        """End the agent; nothing of it is left when this returns."""
        self._start_ms = None
        self._send(Bye())
        self._end(kill=False)

    def _send(self, message: Message) -> None:
        if self._child is not None:
            self._child.send(message)


class _Child:
    """The process, its key, and a thread that reads what it says."""

    def __init__(self, command: Sequence[str], folder: Path, now_ms: int) -> None:
        key = secrets.token_bytes(KEY_BYTES)
        try:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                bufsize=0, creationflags=NO_WINDOW,
            )  # fmt: skip
        except OSError as error:
            raise AgentStartError(str(error)) from error
        if self.process.stdin is None or self.process.stdout is None:
            raise AgentStartError("the process has no pipe")
        self._sink: IO[bytes] = self.process.stdin
        self._source: IO[bytes] = self.process.stdout
        self._sealer = Sealer(key, TO_AGENT)
        self._problem: str | None = None
        self._beaten = False
        self._heard_ms = self._pinged_ms = self._taken_ms = now_ms
        self._inbox: queue.SimpleQueue[LinkMessage | AgentError] = queue.SimpleQueue()
        opener = Opener(key, TO_CLIENT, FROM_AGENT)
        self._reader = threading.Thread(target=self._read, args=(opener,), name="agent-pipe", daemon=True)
        self._reader.start()
        self._write(key)

    def take(self, now_ms: int) -> tuple[list[LinkMessage], str | None]:
        """Messages since the last call, and what is wrong with the child, if anything."""
        if now_ms - self._taken_ms > LOST_MS:  # we ourselves slept: the agent's silence is not its fault
            self._heard_ms = max(self._heard_ms, now_ms - PING_MS)
        self._taken_ms = now_ms
        if now_ms - self._pinged_ms >= PING_MS:
            self._pinged_ms = now_ms
            self.send(Ping())
        messages: list[LinkMessage] = []
        with contextlib.suppress(queue.Empty):
            while True:
                entry = self._inbox.get_nowait()
                if isinstance(entry, AgentError):
                    return messages, self._problem or f"{entry.code} {entry}"
                messages.append(entry)
                if isinstance(entry, Beat):
                    self._heard_ms, self._beaten = now_ms, True
        silence = now_ms - self._heard_ms
        if silence > (LOST_MS if self._beaten else START_MS):
            return messages, f"{SILENT} {silence} ms"
        return messages, self._problem

    def send(self, message: Message) -> None:
        """Send if the pipe stands; a broken one is noticed by the next `take`."""
        if self._problem is None:
            self._write(self._sealer.seal(message))

    def _write(self, data: bytes) -> None:
        # frames are far smaller than the pipe's buffer, and a child that reads nothing is lost before it is full
        try:
            self._sink.write(data)
        except (OSError, ValueError) as error:
            self._problem = f"{PipeClosedError.code} {error}"

    def _read(self, opener: Opener) -> None:
        try:
            while data := os.read(self._source.fileno(), CHUNK):
                for message in opener.feed(data):
                    if isinstance(message, Beat | Found | Cleared | Note):
                        self._inbox.put(message)
            raise PipeClosedError("the agent's process ended")
        except PipeError as error:
            self._inbox.put(error)
        except (OSError, ValueError) as error:
            self._inbox.put(PipeClosedError(str(error)))

    def end(self, kill: bool) -> None:
        """Wait for the process to end, by force if asked or if it does not."""
        with contextlib.suppress(OSError):
            self._sink.close()
        try:
            if kill:
                self.process.kill()
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(END_S)
        self._source.close()
