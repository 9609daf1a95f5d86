"""The short form of `make bench-ledger`: ratios within one run, with room for a busy machine."""

from __future__ import annotations

from pathlib import Path

from tests.bench import ledger
from tests.bench.ledger import child

ROOM = 1.6  # what a small class pays more for its class log and for starting, and a busy machine for caches


def test_verification_stays_close_to_what_the_hardware_must_do(tmp_path: Path) -> None:
    """20,000 events: verifying costs at most a small multiple of hashing them and checking their signatures.

    Up to six rounds, the least of each: a neighbour on the same core can double one run's time, never halve it.
    """
    found = ledger.measure(tmp_path, "long segments", 20_000, 6, ROOM)
    assert found["stdlib"]["ratio"] <= ledger.TARGETS["stdlib"] * ROOM, found
    assert found["orjson"]["ratio"] <= ledger.TARGETS["orjson"] * ROOM, found
    assert found["orjson"]["peak_mb"] <= 100, found


def test_a_tree_appends_and_proves_fast() -> None:
    """A leaf costs at most two bare hashes twice over; a proof, also from tiles, at most a millisecond.

    Up to six rounds, the least of each, as above.
    """
    limits = {"append_ratio": 2 * ROOM, "proof_ms": ROOM, "reopen_ms": 10 * ROOM}
    least: dict[str, float] = {}
    for _ in range(6):
        run = child("tree", "--leaves", "100000")
        least = {name: min(least.get(name, run[name]), run[name]) for name in limits}
        if all(least[name] <= limit for name, limit in limits.items()):
            return
    raise AssertionError(f"{least} beyond {limits}")
