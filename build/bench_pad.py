"""PAD on the attack range: `python build/bench_pad.py [--pack DIR] [--range FOLDER] [--out report.json]`.

Makes the range where it is not there (build/attack_range.py, some minutes), looks at every clip by the product's own
code and prints: errors by species, by clip and by frame, with n and 95 % intervals; the same for each species and each
person that the weights were not fitted on; how many attack clips pass PAD *and* a drawn challenge; the printed photos
of the pack, which are real; the cost of a frame beside MiniFASNetV2 alone. Closes with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from client import manifest  # noqa: E402
from client.ports import CheckRequest  # noqa: E402
from client.proctor import attacks, check, evaluate, figures, models  # noqa: E402
from client.proctor.attacks import BONA_FIDE, Clip, Report  # noqa: E402
from client.proctor.check import Person  # noqa: E402
from client.proctor.pad import PadModel, surround  # noqa: E402
from client.proctor.seen import Cues  # noqa: E402
from ledger import schedule  # noqa: E402
from ledger.policy import parse, preset  # noqa: E402

DRAWS: Final = 4  # challenges that every attack clip is held against
PULL: Final = 0.3  # how strongly a fit is held near the shipped weights: few people, drawn attacks
TARGETS: Final = {"apcer_clip": 0.10, "bpcer_clip": 0.05, "auc_print": 0.99, "cost": 1.5}
DIGITAL: Final = ("injected_file", "virtual_camera")  # their frames are those of a living face: no picture tells


# --- weights fitted without a species or a person ---------------------------------------------------------------------


def rows(cues: Sequence[Cues], knee: float) -> Any:
    """One row a frame: near, wide, minus the beat over the knee, one."""
    return np.array([(c.near, c.wide or 0.0, -max(0.0, c.beat - knee), 1.0) for c in cues]).reshape(-1, 4)


def fit(clips: Sequence[Clip], start: Any, knee: float) -> Any:
    """Logistic weights near `start`; every species counts the same, and both sides do; none may turn its sign."""
    kinds = sorted({clip.species for clip in clips if clip.species not in DIGITAL})
    blocks = [rows([c for clip in clips if clip.species == kind for c in clip.cues()], knee) for kind in kinds]
    real = [kind.startswith(BONA_FIDE) for kind in kinds]
    x, y = np.vstack(blocks), np.concatenate([np.full(len(b), float(r)) for b, r in zip(blocks, real, strict=True)])
    weight = np.concatenate([np.full(len(b), 0.5 / len(b) / real.count(r)) for b, r in zip(blocks, real, strict=True)])
    now, hold = start.copy(), PULL * np.array([1.0, 1.0, 0.1, 0.1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ now, -40, 40)))
        slope = x.T @ (weight * (p - y)) + hold * (now - start)
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(hold)
        now = now - np.linalg.solve(bend, slope)
        now[:3] = np.maximum(now[:3], 0)
    return now


def left_out(clips: Sequence[Clip], key: Callable[[Clip], str], names: Sequence[str]) -> Report:
    """For each name: weights fitted without it, then its own errors."""
    shipped = json.loads(models.pad_weights())["both"]
    start = np.array([shipped["near"], shipped["wide"], shipped["beat"], shipped["bias"]])
    report = {}
    for name in names:
        weights = fit([clip for clip in clips if key(clip) != name], start, shipped["knee"])

        def score(clip: Clip, now: Any = weights) -> list[float]:
            return list(1 / (1 + np.exp(-np.clip(rows(clip.cues(), shipped["knee"]) @ now, -40, 40))))

        own = attacks.table([clip for clip in clips if key(clip) == name], 0.5, score)
        every = attacks.table([clip for clip in clips if clip.species == BONA_FIDE], 0.5, score)[BONA_FIDE]
        report[name] = own | {"bpcer_clip_all": every["bpcer_clip"], "weights": [round(float(w), 2) for w in weights]}
    return report


# --- the whole check: PAD while a challenge runs ----------------------------------------------------------------------


def passes(clip: Clip, seed: int) -> bool:
    """Tell whether a clip played over and over passes one liveness check whose recogniser always says yes."""
    policy = parse(preset("standard"))
    nonce = schedule.H(f"{clip.name}/{seed}".encode(), "bench")[: schedule.NONCE_BYTES]
    gestures = schedule.drawn(nonce, 1, policy, "liveness").gestures
    same = (1.0, *(0.0,) * 127)
    request = CheckRequest(1, 0, "liveness", gestures, 60_000, nonce.hex(), "gate")
    attempt = check.attempt(request, Person(same, {}, {}, True), evaluate.shipped(), 0)
    at, length = 0, clip.seen[-1].t + 80 if clip.seen else 80
    while attempt.result is None:
        for one in clip.seen or ():
            now = at + one.t + 1
            attempt.feed(replace(one, t=now, vector=same))
            attempt.tick(now)
            if attempt.result is not None:
                break
        at += length
        attempt.tick(at)
    return attempt.result.result == "passed"


def full_check(clips: Sequence[Clip]) -> Report:
    """Species → share of (clip, challenge) pairs that pass both."""
    report = {}
    for species in sorted({clip.species for clip in clips if not clip.real}):
        tried = [passes(clip, seed) for clip in clips if clip.species == species for seed in range(DRAWS)]
        report[species] = {"tries": len(tried), "passed": sum(tried)}
    return report


# --- what it costs ----------------------------------------------------------------------------------------------------


def cost(pack: Path) -> Report:
    """Median ms of the processor for a frame by MiniFASNetV2 alone and by all cues, at 12 looks a second."""
    cv2.setNumThreads(1)
    picture = cv2.imread(str(next(iter(sorted((pack / "nuaa").glob("real/*/*.jpg"))))))
    found = models.load_set(manifest.load())
    face = evaluate.eyes().glance(picture, 0).faces[0]
    assert found.pad is not None
    alone = cv2.dnn.readNetFromONNX(np.frombuffer(found.pad.data, np.uint8))
    judge = PadModel(found.pad, found.pad_wide)

    def near(_i: int) -> None:
        left, top, right, low = surround(face, picture.shape[1], picture.shape[0])
        alone.setInput(cv2.dnn.blobFromImage(cv2.resize(picture[top : low + 1, left : right + 1], (80, 80))))
        alone.forward()

    times: dict[str, list[float]] = {"alone": [], "all": []}
    for turn in range(60):
        for name, look in (("alone", near), ("all", lambda i: judge.look(picture, face, i * 80))):
            before = time.process_time()
            for i in range(turn * 9 + 1, turn * 9 + 10):
                look(i)
            times[name].append((time.process_time() - before) / 9 * 1000)
    middle = {name: float(np.median(values)) for name, values in times.items()}
    return {"alone_ms": middle["alone"], "all_ms": middle["all"], "ratio": middle["all"] / middle["alone"]}


# --- the report -------------------------------------------------------------------------------------------------------


def measure(clips: Sequence[Clip], pack: Path) -> Report:
    """Everything, as one tree."""
    threshold = evaluate.shipped().pad / 1000
    species = sorted({clip.species for clip in clips if not clip.real and clip.species not in DIGITAL})
    people = sorted({clip.subject for clip in clips if clip.species == BONA_FIDE})
    seen_by_a_camera = [clip for clip in clips if clip.species not in (*DIGITAL, f"{BONA_FIDE}_again")]
    return {
        "threshold": threshold,
        "species": attacks.table(clips, threshold),
        "overall": attacks.overall(seen_by_a_camera),
        "roc": {kind: roc(clips, kind) for kind in species},
        "without_species": left_out(clips, lambda clip: clip.species, species),
        "without_person": left_out(clips, lambda clip: clip.subject, people),
        "full_check": full_check(clips),
        "prints": evaluate.presentation(pack),
        "cost": cost(pack),
    }


def roc(clips: Sequence[Clip], species: str) -> list[tuple[float, float]]:
    """(APCER, BPCER) by frame over the thresholds, for plots."""
    live = {kind: [p for clip in clips if clip.species == kind for p in clip.lives()] for kind in (BONA_FIDE, species)}
    return figures.curve(np.array(live[BONA_FIDE]), np.array(live[species]))


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    yield f"{'species':22}{'clips':>6}{'frames':>7}  {'wrong by clip (95 %)':24}{'by frame':>7}{'EER':>8}  challenge"
    for name, row in report["species"].items():
        clip, by_frame = (row.get(f"apcer_{k}", row.get(f"bpcer_{k}")) for k in ("clip", "frame"))
        low, high = row["clip_95"]
        both = report["full_check"].get(name)
        tail = f"{both['passed']} of {both['tries']}" if both else ""
        eer = f"{row['eer_frame']:.3f}" if "eer_frame" in row else ""
        mark = " (drawn)" if row["synthetic"] else ""
        said = f"{clip:.3f} ({low:.2f}-{high:.2f})"
        yield f"{name + mark:30}{row['clips']:>4}{row['frames']:>6}  {said:22}{by_frame:>9.3f}{eer:>8}  {tail}"
    for title in ("without_species", "without_person"):
        yield title
        for name, found in report[title].items():
            errors = {
                s: row.get("apcer_clip", row.get("bpcer_clip")) for s, row in found.items() if isinstance(row, dict)
            }
            yield f"  {name:24} {errors}  bona fide turned away {found['bpcer_clip_all']:.3f}  {found['weights']}"
    for title in ("overall", "prints", "cost"):
        yield f"{title}  " + "  ".join(
            f"{name} {value:.4g}" for name, value in report[title].items() if isinstance(value, int | float)
        )


def closing(report: Report) -> Report:
    """The one line: figures beside their targets."""
    of = report["species"]
    worst = {s: row["apcer_clip"] for s, row in of.items() if "apcer_clip" in row}
    both = {s: round(row["passed"] / row["tries"], 3) for s, row in report["full_check"].items()}
    found = {
        "apcer_clip": worst, "bpcer_clip": of[BONA_FIDE]["bpcer_clip"],
        "eer_frame": round(report["overall"]["eer_frame"], 4),
        "passes_challenge_too": both, "auc_print": report["prints"]["auc"], "cost": round(report["cost"]["ratio"], 2),
    }  # fmt: skip
    over = sorted(species for species, rate in worst.items() if rate > TARGETS["apcer_clip"])
    return {"name": "pad", "figures": found, "targets": TARGETS, "over_target": over}


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pack", type=Path, default=ROOT.parent / "shared" / "faces")
    parser.add_argument("--range", type=Path, default=ROOT / ".work" / "attack_range")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not (options.range / "videos.json").is_file():
        making = [sys.executable, str(ROOT / "build" / "attack_range.py"), "--pack", str(options.pack)]
        subprocess.run([*making, "--out", str(options.range)], check=True)
    clips = attacks.read(options.range, evaluate.eyes())
    report = measure(clips, options.pack)
    evaluate.close()
    print("\n".join(lines(report)))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(closing(report)))


if __name__ == "__main__":
    main()
