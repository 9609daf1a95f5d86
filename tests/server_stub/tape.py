"""One session as its events, made by habits and a seed; and the same events signed for real, segment by segment.

The fast form gives `Event` values to `trace.take`; the signed form gives the bytes that a server would have accepted:
certificate, grant, canonical events, session checkpoints, cosignatures. A test holds the two to the same figures.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ledger import certificate, checkpoint, events, grant, names, note, segment
from ledger.certificate import Certificate
from ledger.checkpoint import Checkpoint
from ledger.events import (
    Answered,
    Body,
    Closed,
    Cosigned,
    Event,
    Fault,
    Finding,
    Heartbeat,
    Opened,
    Ordered,
    Paused,
    Played,
    Presence,
    Question,
    Resumed,
)
from ledger.grant import Grant
from ledger.keys import COSIGNATURE, ED25519, P256, generate
from ledger.tree import Tree, leaf_hash
from server_stub.domain.warnings import trace as traces
from server_stub.domain.warnings.trace import Trace
from tests.server_stub.learner import HASH, SERVER

SEGMENT_MS = 30_000
BEAT_MS = 10_000  # the real agent beats every 2 s; a fifth of its beats says the same


@dataclass
class Line:
    """How a device is connected: segments wait while it is off line."""

    off: list[tuple[int, int]] = field(default_factory=list)  # mono [from, to)
    delay_ms: int = 300

    def arrives(self, mono: int) -> int:
        return max([mono, *(end for begin, end in self.off if begin <= mono < end)]) + self.delay_ms


@dataclass
class Agent:
    """How even the beats are: the chance that one is a ms or more off, and by how much."""

    rough: float = 0.3
    by_ms: float = 2.0
    boot_at: int = 0  # of the machine


class Tape:
    """Writes one session. Times in ms; `begun` by the server's clock."""

    def __init__(
        self, rng: random.Random, learner: str, class_id: str, begun: int, address: str, line: Line, agent: Agent
    ) -> None:
        self.rng, self.learner, self.class_id, self.begun, self.address = rng, learner, class_id, begun, address
        self.line, self.agent = line, agent
        self.sid = rng.randbytes(16).hex()
        self.segments: list[tuple[int, list[Event]]] = []  # POSIX seconds, events
        self.now = self.seq = 0
        self.position = self.checks = self.beat = 0
        self.unit = "u1"
        self._open: list[Event] = []
        self._ends = SEGMENT_MS
        self._beats_at = 500
        self._skew = rng.randrange(1, 40)
        self.seen = address
        self.add(Opened("", "", "client 1", "agent 1", "none", False))
        self.add(Presence(1))

    def add(self, body: Body) -> None:
        salt = f"{self.seq:032x}"
        self._open.append(Event(self.seq, self.begun + self.now, self.now, self.sid, salt, body))
        self.seq += 1

    def beats(self) -> None:
        """The beats that are due by now."""
        while self._beats_at <= self.now:
            off = round(abs(self.rng.gauss(0, self.agent.by_ms))) if self.rng.random() < self.agent.rough else 0
            agent_mono = self._beats_at + off
            late = self._skew + (self.rng.randrange(0, 3) if self.agent.rough else 0)
            uptime = max(0, self.begun + self._beats_at + off - self.agent.boot_at)
            self.beat += 1
            beat = Heartbeat(self.beat, agent_mono, uptime, HASH, HASH, "none")
            self._open.append(
                Event(self.seq, self.begun + self.now, max(self._last(), agent_mono + late), self.sid,
                      f"{self.seq:032x}", beat)
            )  # fmt: skip
            self.seq += 1
            self._beats_at += BEAT_MS
        self.now = max(self.now, self._last())

    def _last(self) -> int:
        return self._open[-1].mono if self._open else 0

    def play(self, ms: int, rate: int = 1000, media: float = 1.0) -> None:
        """Let it play; `media` above 1 shows more than that time allows."""
        while ms > 0:
            start = self.now
            step = max(1, min(ms, self._ends - start, self._beats_at + 60 - start))
            self.now = start + step
            shown = max(1, int(step * rate / 1000 * media))
            self.add(Played(self.unit, self.position, self.position + shown, rate, start, max(1, step // 40)))
            self.position += shown
            ms -= step
            self.beats()
            if self.now >= self._ends:
                self.cut()

    def wait(self, ms: int) -> None:
        """Time passes and nothing plays; segments go up all the same."""
        until = self.now + ms
        while self.now < until:
            self.now = min(until, self._ends)
            self.beats()
            if self.now >= self._ends:
                self.cut()

    def cut(self) -> None:
        """A segment ends; its answer is the next event."""
        time = (self.begun + self.line.arrives(self.now)) // 1000 + 1
        if self.segments:
            time = max(time, self.segments[-1][0])
        self.segments.append((time, self._open))
        self._open = []
        self.add(Cosigned(self.seq, "", self.seen))
        self._ends = self.now + SEGMENT_MS

    def pause(self, because: str, ms: int) -> None:
        if because == "absent":
            self.add(Presence(0))
        self.add(Paused(self.unit, self.position, because))
        self.wait(ms)
        if because == "absent":
            self.add(Presence(1))
        self.add(Resumed(self.unit, self.position))

    def glimpse(self, ms: int, rate: int) -> None:
        """The face is not seen for a while, shorter than the grace: the lesson plays on."""
        self.add(Presence(0))
        self.play(ms, rate)
        self.add(Presence(1))

    def check(self, took_ms: int, result: str = "passed", reason: str = "ok", kind: str = "match") -> None:
        """One ordered check with its one answer."""
        i, nonce = self.checks, self.rng.randbytes(16).hex()
        self.checks += 1
        self.cut()
        self.add(Ordered(i, 0, nonce, 60_000))
        self.add(Paused(self.unit, self.position, "check"))
        self.wait(took_ms)
        self.add(Answered(i, 0, kind, result, reason, {"match": 700}, {}, None))
        self.add(Resumed(self.unit, self.position))

    def question(self, item: str, think_ms: int, attempt: int = 1) -> None:
        self.wait(think_ms)
        self.add(Question(self.unit, item, attempt, ""))

    def find(self, rule: str, response: str) -> None:
        self.add(Finding(rule, 1, "high" if response in ("pause", "block") else "medium", response, {}))

    def fault(self, what: str) -> None:
        self.add(Fault(what, "no beat"))

    def close(self) -> None:
        self.cut()
        self._open = []
        self.seq -= 1
        self.add(Closed("ended"))
        self.segments.append((self.segments[-1][0] + 1, self._open))

    # --- the two forms ------------------------------------------------------------------------------------------------

    def blank(self, device: str = "") -> Trace:
        """The trace before its first event, as the server's store knows the session."""
        return Trace(self.sid, self.learner, self.class_id, device, self.begun, 1, self.address)

    def trace(self) -> Trace:
        """The figures, from the events as values."""
        found = self.blank()
        for time, said in self.segments:
            traces.take(found, said, time * 1000)
        return found

    def signed(self) -> Signed:
        """The same session as its device would have sent it: every byte signed."""
        return Signed(self)


class Signed:
    """Certificate, grant and segments of one tape, by keys made for it."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.cosigner = generate(names.cosigner(SERVER), COSIGNATURE)
        grants = generate(names.grant(SERVER), ED25519)
        device = generate(names.device(SERVER, "cd" * 16), P256)
        self.key = generate(names.session_origin(SERVER, tape.sid), ED25519)
        origin = names.class_origin(SERVER, tape.class_id)
        self.cert = certificate.sign(
            Certificate(origin, self.key.vkey, tape.learner, certificate.parse_previous("none")), device
        )
        given = Grant(
            tape.sid, note.digest(note.parse(self.cert).text), origin, tape.learner, tape.learner, "ab" * 16,
            tape.begun, tape.begun + 10**6, tape.begun + 10**9, HASH, HASH, HASH, HASH, HASH, HASH, HASH, (),
            {"session_ms": 14_400_000, "offline_ms": 3_600_000}, {"missed": 0, "mismatched": 0, "made_up": 0}, (),
            tape.address,
        )  # fmt: skip
        self.grant = grant.sign(given, grants)

    def segments(self) -> Iterator[tuple[int, bytes]]:
        """(cosigned time, body) in their order."""
        tree, line, size = Tree(), "", 0
        for time, said in self.tape.segments:
            entries = []
            for event in said:
                body = event.body
                if isinstance(body, Opened):
                    body = replace(body, grant=self.grant.decode(), cert=self.cert.decode())
                if isinstance(body, Cosigned):
                    body = replace(body, line=line, size=size)
                entries.append(events.encode(event._replace(body=body)))
                tree.append(leaf_hash(entries[-1]))
            stated = Checkpoint(self.key.vkey.name, len(tree), tree.root())
            signed = checkpoint.sign(stated, self.key)
            yield time, segment.build(len(tree) - len(entries), signed, entries)
            line = checkpoint.cosign(stated, self.cosigner, time)
            size = len(tree)
