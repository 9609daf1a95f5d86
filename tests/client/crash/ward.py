"""A learner's machine that is hurt again and again, and the sum at the end: nothing signed lost, nothing counted twice.

`Ward` lives a lesson on (as a learner does who presses the one button that is offered), remembers every checkpoint
that the device signed, and judges by what the server can show afterwards.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from client.study import Study
from client.sync.outbox import Outbox
from ledger import segment
from ledger.credit import Credit
from ledger.intervals import Intervals
from tests.client.world import TICK, MachineSide, World

HOUR = 3_600_000
LOOK_EVERY = 10  # ticks between two looks of the learner at the screen


@dataclass
class Book:
    """Everything that the device ever signed: by session the events under its longest checkpoint."""

    signed: dict[str, list[bytes]] = field(default_factory=dict)
    forked: list[str] = field(default_factory=list)

    def note(self, outbox: Outbox) -> None:
        """Take in what stands in the records now; what was signed before must be the beginning of it."""
        for kept in outbox.sessions():
            last = outbox.signed(kept.sid)
            if not last:
                continue
            known = self.signed.get(kept.sid, [])
            if last[-1].size <= len(known):
                continue
            events = outbox.events(kept.sid, 0, last[-1].size)
            if events[: len(known)] != known:
                self.forked.append(kept.sid)
            self.signed[kept.sid] = events


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one loop. Every number that `WRONG` names ought to be 0."""

    WRONG: ClassVar = ("lost", "forks", "doubled_ms", "beyond_ms", "disagreed_ms", "refused", "stuck")
    name: str
    rounds: int
    sessions: int
    events: int  # signed by the device
    credited_ms: int
    lost: int  # signed events that the server does not have
    forks: int
    doubled_ms: int  # credited more than once
    beyond_ms: int  # credited beyond what was ever shown
    disagreed_ms: int  # between device, server and verifier
    refused: int  # 1 when the archive does not verify
    stuck: int  # sessions whose records go no further

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, nothing in doubt."""
        return not any(getattr(self, name) for name in self.WRONG)

    @classmethod
    def sum(cls, found: list[Outcome]) -> Outcome:
        """All of them as one, under the first one's name; there is at least one."""
        numbers = [one.name for one in fields(cls) if one.name != "name"]
        return cls(found[0].name, **{name: sum(getattr(one, name) for one in found) for name in numbers})


class Ward:
    """One learner, one machine, one server."""

    def __init__(self, folder: Path, seed: int, machine: type[MachineSide] = MachineSide, **options: Any) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.world = World(folder, units=(("pass", 4 * HOUR),), **options)
        self.pc = machine(self.world, folder / "pc", self.world.sign_in())
        self.book = Book()
        self.said: set[tuple[str, int]] = set()  # (session, size) that a process told before it died
        self.study: Study = self.pc.study()
        self.machines = 0
        self.shown_ms = 0  # how long the picture moved in all, by this machine's clock

    def live(self, ms: int) -> None:
        """Let a learner study for so long: every button that the screen offers is pressed."""
        for tick in range(0, ms, TICK):
            self.pc.clock.advance(TICK)
            self.shown_ms += TICK if self.pc.player.playing else 0
            self.study.tick()
            if tick % (LOOK_EVERY * TICK) == 0:
                self._press()
        self.book.note(self.pc.outbox)

    def some(self, least: int, most: int) -> int:
        """A moment between two, in ms."""
        return self.chance.randrange(least, most, TICK)

    def _press(self) -> None:
        study = self.study
        if study.over or (study.problem is not None and study.sid):
            self.book.note(self.pc.outbox)
            self.start()  # the learner opens the window again
            return
        button = study.view().button
        if button is not None:
            study.press(button.what)

    def start(self, folder: Path | None = None) -> None:
        """A new process finds nothing but the files; the learner presses Start."""
        self.pc.outbox.close()
        self.pc = self.pc.restart(folder)
        self.study = self.pc.study()

    def move(self) -> Path:
        """A new folder for this machine's data, the place of the one before."""
        self.machines += 1
        return self.folder / f"pc{self.machines}"

    def left(self, folder: Path) -> None:
        """Forget the folder that the machine had before."""
        if folder != self.pc.folder:
            shutil.rmtree(folder, ignore_errors=True)

    # --- the sum ------------------------------------------------------------------------------------------------------

    def finish(self, name: str, rounds: int) -> Outcome:
        """End the lesson in peace, send everything, and compare what the device signed with what the server shows."""
        self.live(20_000)
        self.study.press("end")
        for _ in range(1_800):
            self.pc.clock.advance(TICK)
            self.shown_ms += TICK if self.pc.player.playing else 0
            self.study.tick()
            if self.study.view().phase == "done":
                break
        self.pc.outbox.close()
        self.pc = self.pc.restart()  # whatever is left is sent by the next start
        self._send()
        self.book.note(self.pc.outbox)
        return self.judged(name, rounds)

    def _send(self) -> None:
        for _ in range(60):
            self.pc.clock.advance(2_000)
            self.world.server.services.sweep()
            self.pc.uploader.next_at = 0
            self.pc.uploader.poll()
            if all(kept.seed or kept.problem for kept in self.pc.outbox.sessions()):
                return

    def judged(self, name: str, rounds: int) -> Outcome:
        """The comparison."""
        world, kept = self.world, self.pc.outbox.sessions()
        here = {sid: entries_of(world, sid) for sid in self.book.signed}
        lost = sum(lost_of(events, here[sid]) for sid, events in self.book.signed.items())
        lost += sum(max(0, size - len(entries_of(world, sid))) for sid, size in self.said)
        report = world.verified()
        found: Credit = self.pc.lesson().credit()[0]
        settled = world.server.records.read(
            lambda tx: sum(tx.events.progress(sid).settled_ms for sid in tx.events.sessions())
        )
        figures = {report.credited_ms, found.credited_ms, settled}
        return Outcome(
            name=name,
            rounds=rounds,
            sessions=len(self.book.signed),
            events=sum(map(len, self.book.signed.values())),
            credited_ms=report.credited_ms,
            lost=lost,
            forks=len(self.book.forked) + sum(self.forks(sid) for sid in self.book.signed),
            doubled_ms=doubled(found),
            beyond_ms=max(0, report.credited_ms - self.shown_ms),
            disagreed_ms=max(figures) - min(figures),
            refused=int(report.exit_code != 0),
            stuck=sum(1 for one in kept if one.problem or one.state != "sent"),
        )

    def forks(self, sid: str) -> int:
        """Evidence at the server that one history of this device contradicts another."""
        return len(self.world.server.records.read(lambda tx: tx.events.forks(sid)))

    def close(self) -> None:
        """Give everything back."""
        self.pc.outbox.close()
        self.world.close()


def entries_of(world: World, sid: str) -> list[bytes]:
    """Every event of a session that the server has, in order."""

    def read(tx: Any) -> list[bytes]:
        if tx.events.session(sid) is None:
            return []
        return [entry for _, body in tx.events.segments(sid) for entry in segment.parse_kept(body).entries]

    return world.server.records.read(read)


def lost_of(signed: list[bytes], here: list[bytes]) -> int:
    """How many of the signed events do not stand at their place."""
    return sum(1 for place, event in enumerate(signed) if place >= len(here) or here[place] != event)


def doubled(found: Credit) -> int:
    """Ms that more than one session was given, or one session twice."""
    parts: dict[str, list[tuple[int, int]]] = {}
    for session in found.sessions:
        for part in session.credited:
            parts.setdefault(part.unit, []).append((part.from_, part.to))
    return sum(sum(b - a for a, b in given) - Intervals(given).total for given in parts.values())
