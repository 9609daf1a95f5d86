"""A million bent inputs for every parser of the ledger (`make fuzz-ledger`); prints one line of JSON.

    python -m tests.bench.fuzz [--count 1000000] [--seed N] [--bits]

None may be accepted that was not signed, nothing but our own errors may leave a parser, memory stays where it was. If
atheris is installed (build/requirements/fuzz.txt) a quarter as many more are found by coverage. `--bits`: also flip
every single bit of the smallest whole archive but README.txt, and see each refused (about half an hour).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from ledger.archive import README
from ledger.trust import Trust
from ledger.verify import Options, verify
from tests.bench.hostile import Hostile, bend
from tests.ledger.builder import Classroom
from tests.ledger.memory import Memory

GROWTH_KB = 20_000  # caches that fill and the allocator's own ways; a leak of 100 bytes an input would be 100 MB
WARM = 0.2  # of the inputs come before memory is first looked at


def rss_kb() -> int:
    """The memory that this process holds now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def mutate(count: int, seed: int) -> dict[str, object]:
    """Bend examples at random, form after form; `Accepted` or a foreign error ends the run and shows the input."""
    hostile, rnd = Hostile(), random.Random(seed)
    names = sorted(hostile.seeds)
    of_form = dict.fromkeys(names, 0)
    begin, warm = time.perf_counter(), 0
    for n in range(count):
        name = names[n % len(names)]
        data = bend(rnd.choice(hostile.seeds[name]), rnd)
        try:
            of_form[name] += hostile.check(name, data)
        except Exception as error:
            raise SystemExit(f"input {n} of seed {seed}, {name}: {data!r}: {error!r}") from error
        if n == int(count * WARM):
            warm = rss_kb()
    seconds = time.perf_counter() - begin
    return {
        "inputs": count, "seed": seed, "accepted": 0, "still_of_form": of_form, "per_second": round(count / seconds),
        "memory_growth_kb": rss_kb() - warm,
    }  # fmt: skip


def guided(count: int) -> dict[str, object]:
    """The same check steered by coverage, in a process of its own (libFuzzer never returns)."""
    command = [sys.executable, "-m", "tests.bench.fuzz_atheris", str(count)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr[-4000:])
    return {"inputs": count, "accepted": 0}


def tiny(folder: Path) -> tuple[Memory, Trust]:
    """The smallest whole archive: one session, opened and closed."""
    room = Classroom()
    room.session(room.device(room.learner())).close(check=False).settle(0)
    room.export(folder / "tiny")
    return Memory.of(folder / "tiny"), room.trust()


def _flip(job: tuple[Memory, Trust, str]) -> tuple[int, list[tuple[str, int]]]:
    source, trust, name = job
    content = source.files[name]
    missed = []
    for bit in range(8 * len(content)):
        data = bytearray(content)
        data[bit // 8] ^= 1 << bit % 8
        if not verify(source.changed(name, bytes(data)), trust, Options()).refused:
            missed.append((name, bit))
    return 8 * len(content), missed


def bits() -> dict[str, object]:
    """Flip every bit, one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        source, trust = tiny(Path(folder))
    jobs = [(source, trust, name) for name in source.files if name != README]
    with ProcessPoolExecutor() as pool:
        done = list(pool.map(_flip, jobs))
    return {"flipped": sum(count for count, _ in done), "missed": [one for _, missed in done for one in missed]}


def main() -> int:
    """Run all of it; 1 when something was accepted or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20_261_121)
    parser.add_argument("--bits", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, object] = {"mutated": mutate(arguments.count, arguments.seed)}
    if importlib.util.find_spec("atheris"):
        found["guided"] = guided(arguments.count // 4)
    if arguments.bits:
        found["bits"] = bits()
    grown = found["mutated"]["memory_growth_kb"]  # type: ignore[index]
    ok = grown <= GROWTH_KB and not found.get("bits", {}).get("missed")  # type: ignore[attr-defined]
    print(json.dumps({"ok": ok, **found}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
