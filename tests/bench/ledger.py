"""How close verification is to what the hardware must do: `make bench-ledger` (the long form), one line of JSON.

    python -m tests.bench.ledger [--events 1000000] [--keep DIR]

Floor = SHA-256 of every event + every signature that the verifier checks, each called bare, on one core, in the same
run. `ratio` = time of the verifier / floor: on one core by the processor's clock, on two by the wall's. Two shapes:
50 events a segment and 10 (1,000,000 events in 20,000 and in 100,000 segments). Each measurement is a process of its
own; the least of `--rounds` is taken, because whatever else runs on the machine only ever adds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.big_class import make

SHAPES = {"long segments": (20, 50), "short segments": (100, 10)}  # segments a session, events a segment
TARGETS = {"stdlib": 6.0, "orjson": 3.5, "two cores": 2.0}
EVENTS_A_SESSION = 1_000


def child(*arguments: str) -> Any:
    """Run one measurement in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.ledger_child", *arguments], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout)


Measured = dict[str, dict[str, Any]]  # "floor", "stdlib", "orjson", "two cores": the quickest run of each


def ratio(runs: Measured, name: str) -> float:
    """The verifier's time in floors."""
    return round(float(runs[name]["seconds"] / runs["floor"]["seconds"]), 2)


def measure(folder: Path, shape: str, events: int, rounds: int, enough: float = 0) -> dict[str, Any]:
    """Make one shape; measure the floor, and the verifier in its three settings, in turn, `rounds` times; fewer once
    the ratios on one core are below `enough` of their targets."""
    segments, each = SHAPES[shape]
    archive = folder / shape.replace(" ", "-")
    made = make(archive, events // EVENTS_A_SESSION, segments, each)
    where = str(archive)
    settings = {"floor": ("floor", where), "stdlib": ("verify", where, "--stdlib"), "orjson": ("verify", where),
                "two cores": ("verify", where, "--jobs", "2")}  # fmt: skip
    runs: Measured = {}
    for _ in range(rounds):
        for name, arguments in settings.items():
            ran = child(*arguments)
            assert name == "floor" or ran["credited_ms"] == made["credited_ms"], "the figures differ"
            runs[name] = min(runs.get(name, ran), ran, key=lambda one: one["seconds"])
        if all(ratio(runs, name) <= TARGETS[name] * enough for name in ("stdlib", "orjson")):
            break
    floor = runs["floor"]
    found = {"shape": shape, **made, "signatures": floor["signatures"], "floor_s": round(floor["seconds"], 2)}
    for name, target in TARGETS.items():
        ran = runs[name]
        found[name] = {
            "s": round(ran["seconds"], 2), "ratio": ratio(runs, name), "target": target,
            "peak_mb": round(ran["peak_kb"] / 1024),
        }  # fmt: skip
    return found


def main() -> int:
    """Make the archives, measure, print one line; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="make the archives here and leave them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        shapes = [measure(folder, shape, arguments.events, arguments.rounds) for shape in SHAPES]
    tree, memory = child("tree"), child("memory")
    ok = all(shape[name]["ratio"] <= target for shape in shapes for name, target in TARGETS.items())
    ok &= all(shape["orjson"]["peak_mb"] <= 300 for shape in shapes) and memory["bytes_a_session"] <= 1024
    ok &= tree["append_ratio"] <= 2 and tree["proof_ms"] <= 1 and tree["reopen_ms"] <= 10
    machine = f"{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(json.dumps({"ok": ok, "shapes": shapes, "tree": tree, "memory": memory, "machine": machine}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
