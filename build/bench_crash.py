"""Never lose a minute: every way to be hurt, so many times at random moments; closes with one line of JSON.

`python build/bench_crash.py [--rounds N] [--seed N] [--only WORD]`. The client's own outbox, uploader and study against
the real server; SIGKILL and the full disk (RLIMIT_FSIZE) with the client as a process of its own over HTTP, the power
cut below SQLite and fsync: only what was synced is sure to survive. The sum of each is taken at the server: an archive
is exported and verified, and compared with every event that the device ever signed. Exit 1 when anything is lost, is
counted twice, or is in doubt.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.client.crash.scenarios import SCENARIOS
from tests.client.crash.ward import Outcome

TITLES = ("rounds", "sessions", "events", "credited s", "lost", "forks", "twice ms", "beyond ms", "apart ms", "took s")


def main() -> int:
    """Run, print a table and the line; 0 when everything is whole."""
    warnings.simplefilter("ignore")  # libraries' own plans for their next versions
    options = _options()
    print(f"{'':<26}" + "".join(f"{title:>11}" for title in TITLES))
    found: list[Outcome] = []
    for scenario in SCENARIOS:
        if options.only not in scenario.name:
            continue
        if scenario.missing:
            print(f"{scenario.name:<26} left out: {scenario.missing}")
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found.append(scenario.run(Path(folder), options.rounds, options.seed))
        print(_row(found[-1], time.monotonic() - began), flush=True)
    total = {name: sum(getattr(one, name) for one in found) for name in ("rounds", "sessions", "events", "credited_ms")}
    wrong = {name: sum(getattr(one, name) for one in found) for name in Outcome.WRONG}
    figures = {"name": "crash", "scenarios": len(found), **total, **wrong, "limit": 0}
    print(json.dumps({**figures, "ok": bool(found) and all(one.clean for one in found)}))
    return 0 if found and all(one.clean for one in found) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="scenarios with this word in their name")
    return parser.parse_args()


def _row(one: Outcome, seconds: float) -> str:
    values = (
        one.rounds, one.sessions, one.events, one.credited_ms // 1000, one.lost, one.forks, one.doubled_ms,
        one.beyond_ms, one.disagreed_ms, round(seconds),
    )  # fmt: skip
    doubt = "" if not (one.refused or one.stuck) else f"  refused {one.refused}, stuck {one.stuck}"
    return f"{one.name:<26}" + "".join(f"{value:>11,}" for value in values) + doubt


if __name__ == "__main__":
    sys.exit(main())
