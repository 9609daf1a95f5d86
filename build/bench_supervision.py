"""How long supervision takes beside what it must at least do: `python build/bench_supervision.py [PEOPLE]`.

A draw of PEOPLE (100,000) ranks everybody by one SHA-256; the floor is those hashes alone, same process, same run. Ends
with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ledger.inspection import Listing, draw, parse

FLOOR = 3.0  # sorting and the text of each name included


def main(people: int = 100_000) -> None:
    """Draw, read the list back, hash the same texts bare; print both."""
    names = tuple(sorted(f"{at:032x}" for at in range(people)))
    listing = Listing("bench", "a seed", 50, 2, names, ("staff/a", "staff/b", "staff/c"))
    data = bytes(listing)
    begun = time.perf_counter()
    for name in names:
        sha256(f"trueseat/inspection/v1\nseed\nbench\n{name}\n".encode()).digest()
    bare = time.perf_counter() - begun
    begun = time.perf_counter()
    pairs = draw(listing, "seed")
    drawn = time.perf_counter() - begun
    begun = time.perf_counter()
    assert parse(data) == listing
    read = time.perf_counter() - begun
    figures = {"people": people, "drawn": len(pairs), "draw_s": round(drawn, 3), "hashes_s": round(bare, 3),
               "read_s": round(read, 3), "list_mb": round(len(data) / 1e6, 1)}  # fmt: skip
    print(json.dumps({"name": "inspection", **figures, "floor": FLOOR, "ratio": round(drawn / bare, 2)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
