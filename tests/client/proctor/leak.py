"""Does the proctor grow? Thousands of checks in one process, on pictures of every size and kind, by the real models.

    python -m tests.client.proctor.leak [--checks 10000]

Each check is a whole attempt: one look of every model (detector, recogniser, landmarks, PAD) at a picture that is big,
small, grey, transparent, noise, empty or broken, and the attempt's own frames up to its result. Resident memory is read
after a tenth of them, when every buffer has been allocated, and at the end. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import psutil

from client import manifest
from client.ports import CheckRequest
from client.proctor import check, models
from client.proctor.check import Person
from client.proctor.face import FrameError, frame
from client.proctor.limits import limits
from client.proctor.look import Eyes
from client.proctor.repeats import Repeats
from tests.client.proctor.scenes import ANNA
from tests.client.proctor.scenes import seen as scene

WARM: Final = 0.1  # of the checks, before memory is read the first time
MIB: Final = 1024 * 1024


def pictures(face: Any) -> Iterator[Any]:
    """What cameras give, and what they should not: for ever, in turn."""
    chance = np.random.default_rng(5)
    kinds: tuple[Any, ...] = (
        face,
        cv2.resize(face, None, fx=2, fy=2),
        cv2.cvtColor(face, cv2.COLOR_BGR2GRAY),
        cv2.cvtColor(face, cv2.COLOR_BGR2BGRA),
        np.zeros((480, 640, 3), np.uint8),
        np.full((17, 640), 200, np.uint8),
        np.full((480, 640), np.nan),
        np.zeros((0, 0, 3), np.uint8),
        None,
        face[:, ::-1],
    )
    for i in itertools.count():
        kind = kinds[i % len(kinds)]
        noisy = kind is not None and kind.dtype == np.uint8 and kind.size and i % 3 == 0
        yield cv2.add(kind, chance.integers(0, 8, kind.shape, dtype=np.uint8)) if noisy else kind
        if i % 500 == 0:
            yield np.zeros((4320, 7680, 3), np.uint8)  # 8K, seldom: it is slow to make


def run(eyes: Eyes, face: Any, checks: int) -> dict[str, Any]:
    """Make so many checks; return how many ended how, and memory in MiB before and after."""
    process, by = psutil.Process(), limits(manifest.load())
    known = Person(ANNA, eyes.models.hashes(), {}, True)
    ends: dict[str, int] = {}
    before = 0.0
    for i, raw in enumerate(itertools.islice(pictures(face), checks)):
        if i == max(1, int(checks * WARM)):
            gc.collect()
            before = process.memory_info().rss / MIB
        kind = "match" if i % 2 else "liveness"
        ordered = CheckRequest(i, 0, kind, ("turn_left",) if kind == "liveness" else (), 3_000, f"{i:032x}", "record")
        attempt, repeats, now = check.attempt(ordered, known, by, 0), Repeats(), 0
        try:
            bgr = frame(raw)
            attempt.feed(eyes.look(bgr, 66, pose=True, vector=True, fine=i % 7 == 0))
            repeats.see(bgr, 66)
        except FrameError:
            ends["refused"] = ends.get("refused", 0) + 1
        while attempt.result is None:
            now += 66
            attempt.feed(scene(now + 66))
            attempt.tick(now)
        ends[attempt.result.result] = ends.get(attempt.result.result, 0) + 1
    gc.collect()
    after = process.memory_info().rss / MIB
    return {
        "name": "memory over checks", "checks": checks, "ends": ends, "rss_mib": [round(before, 1), round(after, 1)],
        "growth_mib": round(after - before, 1), "bytes_a_check": round((after - before) * MIB / (checks * (1 - WARM))),
    }  # fmt: skip


def main() -> None:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--pack", type=Path, default=Path(__file__).resolve().parents[4] / "shared" / "faces")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    eyes = Eyes(models.load_set(manifest.load(), options.pack / "models"))
    picture = cv2.imread(str(next(iter(sorted((options.pack / "nuaa" / "real").glob("*/*.jpg"))))))
    found = run(eyes, picture, options.checks)
    eyes.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
