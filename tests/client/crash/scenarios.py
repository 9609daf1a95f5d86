"""All that may befall a machine, in the order of the table that `build/bench_crash.py` prints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from tests.client.crash import processes, rounds
from tests.client.crash.power import library
from tests.client.crash.ward import Outcome, Ward
from tests.client.world import MachineSide


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to be hurt, and the kind of machine that it takes.

    `apart`: the client is a process of its own. `most`: rounds on one machine, then a new one is set up: where every
    round goes through all the records again, a hundred rounds on one machine are mostly the reading of old records.
    """

    name: str
    round: Callable[[Ward], None]
    machine: type[MachineSide] = MachineSide
    apart: bool = False
    most: int = 100

    def run(self, folder: Path, count: int, seed: int) -> Outcome:
        """So many rounds, on as many machines as they take, and the sum."""
        done = range(0, count, self.most)
        return Outcome.sum([self._machine(folder / str(n), min(self.most, count - n), seed + n) for n in done])

    def _machine(self, folder: Path, count: int, seed: int) -> Outcome:
        folder.mkdir()
        if self.apart:
            return processes.run(self.name, self.round, folder, count, seed)
        with start_blocking_portal() as portal, closing(Ward(folder, seed, self.machine, portal=portal)) as ward:
            ward.live(5_000)
            for _ in range(count):
                self.round(ward)
            return ward.finish(self.name, count)

    @property
    def missing(self) -> str:
        """Why it cannot run here, "" when it can."""
        if self.apart:
            return processes.unavailable()
        return "" if self.round is not rounds.power_cut or library() else "this Python's SQLite shows no VFS"


SCENARIOS = (
    Scenario("client killed", processes.killed, apart=True),
    Scenario("power cut", rounds.power_cut),
    Scenario("disk full", processes.disk_full, apart=True, most=20),
    Scenario("database damaged", rounds.corrupted, most=20),
    Scenario("clock change", rounds.clock_moved, rounds.SkewedMachine),
    Scenario("suspend and resume", rounds.asleep),
    Scenario("camera unplugged", rounds.unplugged, rounds.HurtMachine),
    Scenario("graphics context lost", rounds.picture_lost, rounds.HurtMachine),
    Scenario("server down", rounds.server_down),
    Scenario("answers lost or doubled", rounds.lossy),
)
