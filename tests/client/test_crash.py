"""Hurt at random moments, again and again: no signed event is lost, and no millisecond is counted twice.

The long form, a hundred rounds and more of each, is `make bench-crash`; this is the same code with a few.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from client.sync import journal
from client.sync.outbox import Outbox
from tests.client.crash import rounds
from tests.client.crash.scenarios import SCENARIOS, Scenario
from tests.client.world import MachineSide

ROUNDS = 100 if os.environ.get("TRUESEAT_LONG") else 4


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nothing_signed_is_lost_and_nothing_counts_twice(scenario: Scenario, tmp_path: Path) -> None:
    """Whatever it is: the server has every event that the device signed, the archive verifies, device, server and
    verifier name the same figure, and it is no more than was shown."""
    if scenario.missing:
        pytest.skip(f"left out: {scenario.missing}")
    outcome = scenario.run(tmp_path, ROUNDS, seed=7)
    assert outcome.clean, outcome
    assert outcome.events > 10


class HastyOutbox(Outbox):
    """Half of the mistake that the power cut is there to find: a database that does not wait for the disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._db.execute("PRAGMA synchronous=OFF")


class HastyMachine(MachineSide):
    """A machine with that mistake."""

    outbox_of = HastyOutbox


def hasty_append(path: Path, data: bytes) -> None:
    """The other half: copies beside the database that do not wait either."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)


@pytest.mark.slow
def test_a_client_that_does_not_wait_for_its_disk_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rounds by a client that trusts the page cache lose records or fork: the power cut is no pretence."""
    monkeypatch.setattr(journal, "append_private", hasty_append)
    scenario = Scenario("hasty", rounds.power_cut, HastyMachine)
    if scenario.missing:
        pytest.skip(f"left out: {scenario.missing}")

    def clean(seed: int) -> bool:
        (tmp_path / str(seed)).mkdir()
        return scenario.run(tmp_path / str(seed), 12, seed).clean

    assert not all(clean(seed) for seed in range(3, 11)), "a hundred power cuts, and nothing was lost"
