"""Precision and recall of every early warning on labelled synthetic cohorts: `python build/bench_warnings.py`.

Rules were tuned on seed 1; what is printed is of other seeds. Each session is made of real events; the figures come
from the events as values, and for every 200th session also from its signed bytes (certificate, grant, canonical events,
checkpoints, cosignatures), read as the server reads them: both must agree. Closes with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from server_stub.domain.warnings import trace
from server_stub.domain.warnings.judge import inspect
from server_stub.domain.warnings.rule import load
from tests.server_stub.cohort_kinds import GOOD, MEANT, make
from tests.server_stub.cohorts import Maker

RULES = Path(__file__).resolve().parent.parent / "server_stub" / "warnings"
SIZES = {
    "honest": 1200, "no-face": 400, "accommodation": 400, "classroom": 120, "carrier": 200, "idler": 120,
    "script": 160, "substitute": 120, "several": 120, "cameo": 80, "organised": 40, "together": 80, "tools": 60,
    "abroad": 60,
}  # fmt: skip
RECALL_OF = ("script", "substitute", "idler", "several")
FLOOR, MOST = 0.95, 0.005
EVERY = 200  # sessions of which one is signed, too


@dataclass
class Result:
    """Counts over all seeds."""

    learners: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    by_rule: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sessions: int = 0
    signed: int = 0

    def recall(self, label: str) -> float:
        """The share of this label's learners about whom there is a warning."""
        return self.warned[label] / self.learners[label] if self.learners[label] else 0.0


def run(seed: int, sizes: dict[str, int], result: Result) -> None:
    """One seed: make the cohorts, inspect them, count."""
    maker = make(seed, sizes, EVERY)
    pack = load(RULES)
    label = {person.name: person.label for person in maker.people}
    result.learners.update(label.values())
    result.sessions += sum(len(person.traces) for person in maker.people)
    result.signed += check_signed(maker)
    named: dict[str, set[str]] = defaultdict(set)
    for match in inspect(maker.world(), pack):
        for learner in match.row.learners:
            named[learner].add(match.rule.id)
    for learner, rules in named.items():
        result.warned[label[learner]] += 1
        for rule in rules:
            result.by_rule[rule][label[learner]] += 1


def check_signed(maker: Maker) -> int:
    """Sign some sessions for real and read them back; how many. An `AssertionError` where the figures differ."""
    count = 0
    for person in maker.people:
        for tape in person.tapes:
            read = trace.read(tape.blank(), tape.signed().segments())
            assert read == tape.trace(), f"{person.label}: the signed session says something else"
            count += 1
    return count


def report(result: Result) -> dict[str, object]:
    """Print both tables; the line of JSON as a value."""
    print(f"{result.sessions} sessions of {result.learners.total()} learners; {result.signed} of them signed, too\n")
    print(f"{'rule':28} {'named':>6} {'meant':>6} {'precision':>10} {'recall':>8}  whom else it named")
    for rule, named in sorted(result.by_rule.items()):
        meant = sum(named[label] for label in MEANT.get(rule, ()))
        all_meant = sum(result.learners[label] for label in MEANT.get(rule, ()))
        others = ", ".join(f"{label} {n}" for label, n in sorted(named.items()) if label not in MEANT.get(rule, ()))
        share = meant / all_meant if all_meant else 0.0
        print(f"{rule:28} {named.total():6} {meant:6} {meant / named.total():10.3f} {share:8.3f}  {others}")
    print(f"\n{'cohort':16} {'learners':>9} {'warned':>7} {'share':>8}")
    for label, count in result.learners.items():
        print(f"{label:16} {count:9} {result.warned[label]:7} {result.recall(label):8.4f}")
    recall = {label: round(result.recall(label), 4) for label in RECALL_OF}
    false = {label: round(result.recall(label), 4) for label in GOOD}
    good = all(value >= FLOOR for value in recall.values()) and all(value <= MOST for value in false.values())
    return {"name": "warnings", "recall": recall, "recall_floor": FLOOR, "honest_warned": false, "most": MOST,
            "reached": good}  # fmt: skip


def main() -> None:
    """All seeds asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--share", type=float, default=1.0, help="of the cohorts' sizes")
    options = parser.parse_args()
    result, begun = Result(), time.monotonic()
    for seed in options.seeds:
        run(seed, {label: max(4, int(size * options.share)) for label, size in SIZES.items()}, result)
    line = report(result)
    print(f"\nseeds {options.seeds}, {time.monotonic() - begun:.0f} s\n")
    print(json.dumps(line))


if __name__ == "__main__":
    main()
