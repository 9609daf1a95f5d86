"""All that may befall a machine, in the order of the table that `build/bench_crash.py` prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.client.crash import processes, rounds
from tests.client.crash.power import library
from tests.client.crash.ward import Outcome, Ward
from tests.client.world import MachineSide


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to be hurt, and the kind of machine that it takes; `apart`: the client is a process of its own."""

    name: str
    round: Callable[[Ward], None]
    machine: type[MachineSide] = MachineSide
    apart: bool = False

    def run(self, folder: Path, count: int, seed: int) -> Outcome:
        """So many rounds on one machine, and the sum."""
        if self.apart:
            return processes.run(self.name, self.round, folder, count, seed)
        ward = Ward(folder, seed, self.machine)
        try:
            ward.live(5_000)
            for _ in range(count):
                self.round(ward)
            return ward.finish(self.name, count)
        finally:
            ward.close()

    @property
    def missing(self) -> str:
        """Why it cannot run here, "" when it can."""
        if self.apart:
            return processes.unavailable()
        return "" if self.round is not rounds.power_cut or library() else "this Python's SQLite shows no VFS"


SCENARIOS = (
    Scenario("client killed", processes.killed, apart=True),
    Scenario("power cut", rounds.power_cut),
    Scenario("disk full", processes.disk_full, apart=True),
    Scenario("database damaged", rounds.corrupted),
    Scenario("clock change", rounds.clock_moved, rounds.SkewedMachine),
    Scenario("suspend and resume", rounds.asleep),
    Scenario("camera unplugged", rounds.unplugged, rounds.HurtMachine),
    Scenario("graphics context lost", rounds.picture_lost, rounds.HurtMachine),
    Scenario("server down", rounds.server_down),
    Scenario("answers lost or doubled", rounds.lossy),
)
