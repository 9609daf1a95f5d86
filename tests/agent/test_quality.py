"""The rules against real samples: nearly all positives at their action, no honest person beyond theirs.

Run with `-s` to read the table. The shared pack was not written by the authors of the rules; `samples.jsonl` beside
this file is the room's own collection of further tools and further innocent look-alikes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agent.__main__ import main
from agent.manifest import ROOT
from agent.pack import Pack
from agent.prove import Tally, idle
from agent.rule import LADDER
from agent.samples import BLIND

Rows = list[tuple[dict[str, Any], dict[str, Any]]]


def judged(path: Path) -> Rows:
    """Samples of `path` with the answers of `python -m agent judge`, as a supervisor would run it."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "judge", str(path)], cwd=ROOT, capture_output=True, check=True, text=True
    )
    samples = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [sample["id"] for sample in samples]
    return list(zip(samples, answers, strict=True))


def fits(sample: dict[str, Any], answer: dict[str, Any]) -> bool:
    action = LADDER.index(answer["action"])
    if sample["label"] == "positive":
        return action >= LADDER.index(sample["min_action"])
    return action <= LADDER.index(sample["max_action"])


def table(rows: Rows) -> str:
    """Recall and false alarms by kind of sample."""
    count: Counter[tuple[str, str, bool]] = Counter()
    for sample, answer in rows:
        count[sample["kind"], sample["label"], fits(sample, answer)] += 1
    text = [f"{'kind':16} {'found':>9} {'quiet':>9}"]
    for kind in sorted({sample["kind"] for sample, _ in rows}):
        sums = [(count[kind, label, True], count[kind, label, False]) for label in ("positive", "negative")]
        text.append(f"{kind:16} " + " ".join(f"{good:4}/{good + bad:<4}" for good, bad in sums))
    return "\n".join(text)


@pytest.fixture(scope="module")
def shared_rows(shared: Path) -> Rows:
    return judged(shared / "samples/agent/samples.jsonl")


@pytest.fixture(scope="module")
def own_rows(own_samples: Path) -> Rows:
    return judged(own_samples)


def test_every_positive_that_the_agent_can_see_reaches_its_action(shared_rows: Rows) -> None:
    """Recall on the shared pack; what only the server or a page can see is left to them, and says so."""
    print("\n" + table(shared_rows))
    seen = [row for row in shared_rows if row[0]["label"] == "positive" and row[0]["kind"] not in BLIND]
    assert not [sample["id"] for sample, answer in seen if not fits(sample, answer)]


def test_no_honest_person_is_accused(shared_rows: Rows) -> None:
    """Not one negative of the shared pack goes beyond what is allowed for it."""
    innocent = [row for row in shared_rows if row[0]["label"] == "negative"]
    assert not [sample["id"] for sample, answer in innocent if not fits(sample, answer)]


def test_the_blind_kinds_say_why(shared_rows: Rows) -> None:
    """`server_log` and `page_probe` are answered none, with a note."""
    blind = [answer for sample, answer in shared_rows if sample["kind"] in BLIND]
    assert blind
    assert all(answer["action"] == "none" and answer["note"] for answer in blind)


def test_further_tools_and_further_look_alikes(own_rows: Rows) -> None:
    """Tools, remote programs, emulators, cameras and scripts beyond the pack, and 200 ordinary programs beside them."""
    print("\n" + table(own_rows))
    assert not [(sample["id"], answer["action"]) for sample, answer in own_rows if not fits(sample, answer)]


def test_accessibility_is_never_even_mentioned(shared_rows: Rows, own_rows: Rows) -> None:
    """Screen readers, on-screen keyboards, input methods and password managers: no finding at all."""
    theirs = {"accessibility", "ime", "android_accessibility"}
    people = [answer for sample, answer in shared_rows + own_rows if sample["category"] in theirs]
    assert len(people) >= 20
    assert all(answer["findings"] == [] for answer in people)


def test_every_rule_earns_its_place(pack: Pack, shared_rows: Rows, own_rows: Rows) -> None:
    """A rule above `inform` that hits no positive of either collection cannot ship, whatever its maturity."""
    positives = [answer for sample, answer in shared_rows + own_rows if sample["label"] == "positive"]
    tally = Tally(hit={finding["rule"] for answer in positives for finding in answer["findings"]})
    assert idle(pack, tally) == []


def test_a_rule_that_accuses_the_honest_does_not_ship(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`rules test` on a sample that goes beyond its action: exit 1, the sample named."""
    row = {"name": "chromedriver", "exe": "/usr/bin/chromedriver", "cmdline": ["chromedriver"], "pid": 1}
    sample = {"id": "N1", "label": "negative", "os": "linux", "kind": "process_table", "data": [row]}
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps({**sample, "max_action": "none"}) + "\n", "utf-8")
    assert main(["rules", "test", str(path)]) == 1
    assert "beyond its max_action: N1 (pause)" in capsys.readouterr().out
    path.write_text(json.dumps(sample) + "\n", "utf-8")
    assert main(["rules", "test", str(path)]) == 2, "a sample that wishes nothing proves nothing"
