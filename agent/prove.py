"""May these rules ship: every rule against its own examples, and all of them against real samples. Pure.

A rule that contradicts an example, a sample that a rule over-reacts on, a positive that none reaches, and a rule above
`inform` that hits no positive at all are each a reason that they may not.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from agent.errors import AgentError, CollectorError, SampleError
from agent.judge import judge_lines
from agent.pack import Pack
from agent.rule import LADDER
from agent.samples import BLIND
from agent.texts import Reader

SPARE: Final = 1  # positives of a collection by other hands that may be missed


@dataclasses.dataclass(slots=True)
class Tally:
    """What a collection of samples came to."""

    seen: Counter[tuple[str, str, bool]] = dataclasses.field(default_factory=Counter)  # kind, label, as wished
    missed: list[str] = dataclasses.field(default_factory=list)  # positives below their action
    harsh: list[str] = dataclasses.field(default_factory=list)  # negatives beyond theirs
    hit: set[str] = dataclasses.field(default_factory=set)  # rules that a positive met

    def lines(self) -> Iterator[str]:
        """A table by kind, then every sample that is not as wished."""
        yield f"{'kind':16} {'found':>9} {'quiet':>9}"
        for kind in sorted({kind for kind, _, _ in self.seen}):
            good = [self.seen[kind, label, True] for label in ("positive", "negative")]
            bad = [self.seen[kind, label, False] for label in ("positive", "negative")]
            sums = " ".join(f"{good[side]:4}/{good[side] + bad[side]:<4}" for side in (0, 1))
            yield f"{kind:16} {sums}{'   (another sees these)' if kind in BLIND else ''}"
        yield from (f"missed: {name}" for name in self.missed)
        yield from (f"beyond its max_action: {name}" for name in self.harsh)


def examples(pack: Pack) -> Iterator[str]:
    """What is wrong with each rule or text that contradicts one of its own examples."""
    for prove in (*(rule.prove for rule in pack.rules), *(text.prove for text in pack.texts)):
        try:
            prove()
        except CollectorError:
            return  # texts cannot be tried without yara-x: `untried` says so
        except AgentError as error:
            yield f"{error.code}: {error}"


def untried(pack: Pack) -> str:
    """Why the texts of a pack were not tried on this machine, "" if they were."""
    try:
        Reader(pack.texts)
    except CollectorError as error:
        return str(error)
    except AgentError:
        return ""
    return ""


def samples(pack: Pack, lines: Iterable[bytes], tally: Tally) -> None:
    """Judge the samples of one collection; raises `SampleError` for a line without label and action."""
    kept = [line for line in lines if line.strip()]
    for line, answer in zip(kept, judge_lines(kept, pack), strict=True):
        sample = _labelled(line, answer)
        label, name = sample["label"], f"{sample['id']} ({answer['action']})"
        if label == "positive":
            tally.hit |= {finding["rule"] for finding in answer["findings"]}
            good = LADDER.index(answer["action"]) >= LADDER.index(sample["min_action"])
            if not good and sample["kind"] not in BLIND:
                tally.missed.append(name)
        else:
            good = LADDER.index(answer["action"]) <= LADDER.index(sample["max_action"])
            if not good:
                tally.harsh.append(name)
        tally.seen[sample["kind"], label, good] += 1


def idle(pack: Pack, tally: Tally) -> list[str]:
    """Rules above `inform` that hit no positive; what merely informs is met on honest machines."""
    judged = [rule for rule in pack.rules if rule.maturity != "deprecated" and rule.response != "inform"]
    return [rule.id for rule in judged if rule.id not in tally.hit]


def _labelled(line: bytes, answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise SampleError(f"line {answer['line']}: {answer['error']['message']}")
    sample: dict[str, Any] = json.loads(line)
    wish = {"positive": "min_action", "negative": "max_action"}.get(str(sample.get("label")), "")
    if sample.get(wish) not in LADDER:
        raise SampleError(f"sample {str(sample.get('id'))[:40]!r} has no label and action to be held to")
    return sample
