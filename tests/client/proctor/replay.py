"""How likely does a film of the right person pass a challenge? Computed by the product's own state machine.

    python -m tests.client.proctor.replay [--clips N]

The film shows every gesture, in some order, at some pace, calm in between, round and round; it is the learner's own
face in every frame, and plays from the moment of the order. It does not listen to prompts: whoever answers them with a
film for each, chosen as they come, is not stopped by the order alone (PAD, the camera's name and its picture are for
that; docs/assurance.md). Every draw of two or three gestures is tried, weighted as the schedule draws them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from typing import Final

from client import manifest
from client.ports import CheckRequest
from client.proctor import liveness
from client.proctor.check import waits
from client.proctor.limits import Limits, limits
from client.proctor.liveness import Measure
from client.proctor.seen import Pose
from tests.client.proctor.scenes import CALM, pose

FRAME_MS: Final = 66
DEADLINE_MS: Final = 60_000
GESTURES: Final = tuple(sorted(liveness.GESTURES))
SHOWN: Final[dict[str, Pose]] = {
    "turn_left": pose(yaw=32), "turn_right": pose(yaw=-32), "look_up": pose(pitch=20), "open_mouth": pose(jaw=0.6),
    "smile": pose(smile=0.8), "blink_twice": pose(blink=0.75),
}  # fmt: skip
PACES: Final = ((400, 300), (600, 500), (900, 700), (1_300, 1_200))  # ms of a gesture, ms of calm after it
Film = tuple[Sequence[str], int, int]


def frames(film: Film) -> Iterator[Pose]:
    """The film, for ever: gesture, calm, gesture, calm …"""
    order, lasts, rests = film
    while True:
        for gesture in order:
            for at in range(0, lasts, FRAME_MS):
                open_eyes = gesture == "blink_twice" and lasts / 3 <= at < 2 * lasts / 3
                yield CALM if open_eyes else SHOWN[gesture]
            for _ in range(0, rests, FRAME_MS):
                yield CALM


def passes(film: Film, asked: Sequence[str], by: Limits, nonce: int) -> bool:
    """Does the film pass the challenge that asks for `asked`, with the waits that `nonce` draws?"""
    ordered = CheckRequest(0, 0, "liveness", asked, DEADLINE_MS, f"{nonce:032x}", "record")
    state, now = liveness.begin(asked, 0, waits(ordered, by)), 0
    for shown in frames(film):
        now += FRAME_MS
        if now > DEADLINE_MS or state.over:
            break
        same = 900 if liveness.calm(shown, by) else None
        state = liveness.step(state, Measure(now, shown, True, same), by)
    return state.phase == "passed"


def chance(film: Film, by: Limits) -> float:
    """The share of draws that the film passes: two or three gestures equally often, each order equally."""
    share = 0.0
    for count in (2, 3):
        drawn = list(itertools.permutations(GESTURES, count))
        share += sum(passes(film, asked, by, nonce) for nonce, asked in enumerate(drawn)) / len(drawn) / 2
    return share


def films(count: int) -> Iterator[Film]:
    """Orders of all gestures at every pace, then films of fewer: those without turns, and those of one draw alone."""
    orders = list(itertools.permutations(GESTURES))
    random.Random(1).shuffle(orders)
    for order, pace in zip(orders[:count], itertools.cycle(PACES), strict=False):
        yield order, *pace
    quiet = [gesture for gesture in GESTURES if not gesture.startswith("turn")]
    for pace in PACES:
        yield quiet, *pace
        yield ("turn_left", "look_up"), *pace
        yield ("open_mouth", "blink_twice", "smile"), *pace


def main() -> None:
    """Print the chance of the typical and of the best film."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--clips", type=int, default=60)
    options = parser.parse_args()
    by = limits(manifest.load())
    found = sorted(((chance(film, by), film) for film in films(options.clips)), key=lambda one: one[0])
    best = found[-1]
    middle = found[len(found) // 2][0]
    attempts = 3
    print(json.dumps({
        "name": "replayed film passes a challenge", "films": len(found), "draws": 150, "median": round(middle, 4),
        "best": round(best[0], 4), "best_film": [list(best[1][0]), *best[1][1:]],
        "best_in_three_attempts": round(1 - (1 - best[0]) ** attempts, 4),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
