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
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from client import manifest  # noqa: E402
from client.ports import CheckRequest  # noqa: E402
from client.proctor import attacks, check, conditions, evaluate, feed, figures, models, pad  # noqa: E402
from client.proctor.attacks import BONA_FIDE, Clip, Report  # noqa: E402
from client.proctor.check import Person  # noqa: E402
from client.proctor.pad import PadModel, surround  # noqa: E402
from ledger import schedule  # noqa: E402
from ledger.policy import parse, preset  # noqa: E402

DRAWS: Final = 4  # challenges that every attack clip is held against
PULL: Final = 0.3  # how strongly a fit is held near the shipped weights: few people, drawn attacks
TARGETS: Final = {"apcer_clip": 0.10, "bpcer_clip": 0.05, "auc_print": 0.99, "cost": 1.5}
NOISE: Final = 6.0  # grey levels: a webcam in the dark
FRAMED: Final = ("printed_photo", "phone_photo", "screen_replay", "looped_clip")  # what a camera saw of a thing
DIGITAL: Final = ("injected_file", "virtual_camera")  # their frames are those of a living face: no picture tells


# --- weights fitted without a species or a person ---------------------------------------------------------------------


@cache
def row(clip: Clip) -> Any:
    """One clip: near, wide, minus the beat over the knee, one, movement of face and lips; the middle of its frames."""
    now = pad.weights()
    cues, moved, whole = clip.cues(), clip.moved(), now["attempt"]
    near, wide = np.median([c.near for c in cues]), np.median([c.wide or 0.0 for c in cues])
    over = np.median([max(0.0, c.beat - now["both"]["knee"]) for c in cues])
    stiff = (0.0 if part is None else np.clip(part, whole["floor"], whole["roof"]) for part in (moved.own, moved.lips))
    return np.array([near, wide, -over, 1.0, *stiff])


def shipped() -> Any:
    """The shipped weights as those of a row: of a clip that was asked to move."""
    frame, whole = pad.weights()["both"], pad.weights()["attempt"]
    bias = frame["bias"] + whole["lift"]
    return np.array([frame["near"], frame["wide"], frame["beat"], bias, whole["own"], whole["lips"]])


def fit(clips: Sequence[Clip], start: Any) -> Any:
    """Logistic weights near `start`; every species counts the same, and both sides do; none may turn its sign."""
    groups = defaultdict(list)
    for clip in clips:
        if clip.species not in DIGITAL and clip.cues():
            groups[clip.species].append(row(clip))
    real = [kind.startswith(BONA_FIDE) for kind in groups]
    x = np.vstack([np.array(group) for group in groups.values()])
    y = np.concatenate([np.full(len(g), float(r)) for g, r in zip(groups.values(), real, strict=True)])
    weight = np.concatenate(
        [np.full(len(g), 0.5 / len(g) / real.count(r)) for g, r in zip(groups.values(), real, strict=True)]
    )
    best, hold = start.copy(), PULL * np.array([1.0, 1.0, 0.1, 0.1, 0.1, 0.1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(x @ best, -40, 40)))
        slope = x.T @ (weight * (p - y)) + hold * (best - start)
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(hold)
        best = best - np.linalg.solve(bend, slope)
        best[[0, 1, 2, 4, 5]] = np.maximum(best[[0, 1, 2, 4, 5]], 0)
    return best


def left_out(clips: Sequence[Clip], key: Callable[[Clip], str], names: Sequence[str]) -> Report:
    """For each name: weights fitted without it, then its own errors."""
    start = shipped()
    report = {}
    for name in names:
        best = fit([clip for clip in clips if key(clip) != name], start)

        def score(clip: Clip, best: Any = best) -> float:
            return float(1 / (1 + np.exp(-np.clip(row(clip) @ best, -40, 40)))) if clip.cues() else 0.0

        own = attacks.table([clip for clip in clips if key(clip) == name], 0.5, score)
        every = attacks.table([clip for clip in clips if clip.species == BONA_FIDE], 0.5, score)[BONA_FIDE]
        report[name] = own | {"bpcer_clip_all": every["bpcer_clip"], "weights": [round(float(w), 2) for w in best]}
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


# --- signs of a file, and who is turned away --------------------------------------------------------------------------


def pictures(path: Path) -> Iterator[Any]:
    """The frames of one clip."""
    clip = cv2.VideoCapture(str(path))
    while (got := clip.read())[0]:
        yield got[1]
    clip.release()


def signs(folder: Path, clips: Sequence[Clip]) -> Report:
    """Species → clips with signs of a file (`feed.py`), and with as many resting blocks as files have."""
    report: Report = defaultdict(lambda: {"clips": 0, "signs": 0, "same": 0, "least": 1.0, "most": 0.0})
    for clip in clips:
        frames = list(pictures(folder / "videos" / clip.name))
        fed = feed.of([feed.compare(a, b) for a, b in pairwise(frames)])
        found = report[clip.species]
        found["clips"] += 1
        found["signs"] += bool(fed.signs)
        found["same"] += fed.same >= feed.SAME
        found |= {"least": round(min(found["least"], fed.same), 3), "most": round(max(found["most"], fed.same), 3)}
    return dict(report)


def by_condition(folder: Path, clips: Sequence[Clip], threshold: float) -> Report:
    """Bona fide windows turned away in a challenge, by light and by apparent tone of their middle frame."""
    real = [clip for clip in clips if clip.real and clip.lives()]
    report: Report = {}
    for by, label in conditions.BY.items():
        labels = []
        for clip in real:
            frames, middle = list(pictures(folder / "videos" / clip.name)), len(clip.seen) // 2
            faces = clip.seen[middle].faces or evaluate.eyes().glance(frames[middle], 0).faces
            labels.append(label(frames[middle], faces[0]))
        report[by] = conditions.turned_away([clip.whole() for clip in real], labels, threshold)
    return report


def in_noise(pack: Path, folder: Path, clips: Sequence[Clip]) -> Report:
    """Frames turned away and taken for living, clean and in a sensor's noise, by averaged crops and by sampled ones."""
    found, draw = models.load_set(manifest.load()), np.random.default_rng(4)
    assert found.pad is not None
    judges = {"averaged": PadModel(found.pad, found.pad_wide), "sampled": PadModel(found.pad, found.pad_wide, 99.0)}
    scores: dict[tuple[str, bool], list[float]] = {(name, real): [] for name in judges for real in (True, False)}
    report: Report = {}
    for real in (True, False):
        frames = list(_frames_of(pack, folder, clips, real=real))
        report["living" if real else "attacks"] = len(frames)
        for sigma in (0.0, NOISE):
            noisy = [np.clip(one + draw.normal(0, sigma, one.shape), 0, 255).astype(np.uint8) for one in frames]
            seen = [(one, faces[0]) for one in noisy if (faces := evaluate.eyes().glance(one, 0).faces)]
            for name, judge in judges.items():
                lives = [judge.live(judge.look(one, face, 0)) for one, face in seen]
                scores[name, real] += lives
                wrong = float((np.array(lives) < 0.5).mean())
                report[f"{name}_{'bpcer' if real else 'apcer'}_{sigma:.0f}"] = wrong if real else 1 - wrong
    for name in judges:
        report[f"{name}_eer_both"] = figures.equal_error(*(np.array(scores[name, real]) for real in (True, False)))[0]
    return report


def _frames_of(pack: Path, folder: Path, clips: Sequence[Clip], *, real: bool) -> Iterator[Any]:
    """Two frames of every such clip, and every third picture of the pack's people or their prints."""
    for clip in clips:
        if clip.real if real else clip.species in FRAMED:
            yield from list(pictures(folder / "videos" / clip.name))[10:30:15]
    for path in sorted((pack / "nuaa" / ("real" if real else "spoof")).glob("*/*.jpg"))[::3]:
        yield cv2.imread(str(path))


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


def measure(clips: Sequence[Clip], pack: Path, folder: Path) -> Report:
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
        "signs_of_a_file": signs(folder, clips),
        "windows_by": by_condition(folder, clips, threshold),
        "in_noise": in_noise(pack, folder, clips),
        "prints": evaluate.presentation(pack),
        "cost": cost(pack),
    }


def roc(clips: Sequence[Clip], species: str) -> list[tuple[float, float]]:
    """(APCER, BPCER) by frame over the thresholds, for plots."""
    live = {kind: [p for clip in clips if clip.species == kind for p in clip.lives()] for kind in (BONA_FIDE, species)}
    return figures.curve(np.array(live[BONA_FIDE]), np.array(live[species]))


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    yield f"{'species':30}{'clips':>5}{'frames':>7}  {'wrong, asked':22}{'unasked':>8}{'by frame':>9}{'EER':>7}  film"
    for name, found in report["species"].items():
        clip, unasked, by_frame = (
            found.get(f"apcer_{k}", found.get(f"bpcer_{k}")) for k in ("clip", "unasked", "frame")
        )
        low, high = found["clip_95"]
        both = report["full_check"].get(name)
        tail = f"{both['passed']} of {both['tries']}" if both else ""
        eer = f"{found['eer_frame']:.3f}" if "eer_frame" in found else ""
        mark = " (drawn)" if found["synthetic"] else ""
        said = f"{clip:.3f} ({low:.2f}-{high:.2f})"
        yield (
            f"{name + mark:30}{found['clips']:>5}{found['frames']:>7}  {said:22}{unasked:>8.3f}"
            f"{by_frame:>9.3f}{eer:>7}  {tail}"
        )
    for title in ("without_species", "without_person"):
        yield title
        for name, found in report[title].items():
            errors = {
                s: round(one.get("apcer_clip", one.get("bpcer_clip")), 3)
                for s, one in found.items()
                if isinstance(one, dict)
            }
            yield f"  {name:24} {errors}  bona fide turned away {found['bpcer_clip_all']:.3f}  {found['weights']}"
    yield "signs of a file: clips, with signs, with resting blocks, least and most of these"
    for name, found in report["signs_of_a_file"].items():
        counts = f"{found['clips']:>3} {found['signs']:>3} {found['same']:>3}"
        yield f"  {name:24} {counts}  {found['least']} {found['most']}"
    for by, bins in report["windows_by"].items():
        said = "  ".join(f"{name} {one['bpcer']:.3f} of {one['frames']}" for name, one in bins.items())
        yield f"windows turned away by {by}: {said}"
    for title in ("overall", "in_noise", "prints", "cost"):
        yield f"{title}  " + "  ".join(
            f"{name} {value:.4g}" for name, value in report[title].items() if isinstance(value, int | float)
        )


def closing(report: Report) -> Report:
    """The one line: figures beside their targets."""
    of = report["species"]
    worst = {s: one["apcer_clip"] for s, one in of.items() if "apcer_clip" in one}
    both = {s: round(one["passed"] / one["tries"], 3) for s, one in report["full_check"].items()}
    found = {
        "apcer_clip": worst, "bpcer_clip": of[BONA_FIDE]["bpcer_clip"],
        "bpcer_poor_camera": of.get(f"{BONA_FIDE}_again", {}).get("bpcer_clip"),
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
    report = measure(clips, options.pack, options.range)
    evaluate.close()
    print("\n".join(lines(report)))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(closing(report)))


if __name__ == "__main__":
    main()
