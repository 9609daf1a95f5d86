"""Measures the shipped chain on a pack of faces, with the shipped thresholds, and prints every figure with its n.

    python -m client.proctor.evaluate --pack DIR [--out report.json]

A pack is shaped like this: `lfw_pairs.csv` (a, b, same, fold), `lfw/<person>/*.jpg`, `pad_images.csv` (path, label,
attack, subject, …), `videos.json` and `videos/`; what is not there is left out. For outsiders the module has a stable
face: `METRIC`, `embed`, `pad`, `video`.
"""

from __future__ import annotations

import argparse
import atexit
import csv
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from client import manifest
from client.errors import ClientError
from client.proctor import attacks, conditions, figures, models
from client.proctor.counting import blinks_in, mouth_opens_in, turned
from client.proctor.face import FrameError, Image, frame
from client.proctor.figures import Scores
from client.proctor.limits import Limits, limits
from client.proctor.look import Eyes, engine
from client.proctor.seen import Face, Seen


class FacePackError(ClientError):
    """A pack of faces names a picture that cannot be read."""

    code = "TS-C-316"
    remedy = "Mend the file, or take its row out of the pack's lists."
    zh = "评测素材包中有图片无法读取。请修复该文件，或从清单中删除对应行。"


METRIC: Final = "cosine"
CURVE: Final = (0.30, 0.363, 0.40, 0.42, 0.45, 0.50, 0.55)
Report = dict[str, Any]


# --- the stable face --------------------------------------------------------------------------------------------------


@cache
def eyes() -> Eyes:
    """The product's models, loaded once, and let go at the latest when Python ends.

    Raises `ModelMissingError` or `WrongModelError` (client/manifest.py says where they are looked for).
    """
    atexit.register(close)
    return Eyes(models.load_set(manifest.load()))


@cache
def shipped() -> Limits:
    """The product's thresholds."""
    return limits(manifest.load())


def close() -> None:
    """Let the models go; the next call of `embed`, `pad` or `video` loads them again."""
    if eyes.cache_info().currsize:
        eyes().close()
        eyes.cache_clear()


def embed(bgr: Image) -> Scores | None:
    """128 numbers of length 1 (to be compared by cosine) of the most prominent face, or None where no face is found.

    A picture is an 8-bit array, grey, BGR or BGRA, from 16 pixels a side to 50 million; `FrameError` for anything else.
    """
    vector = eyes().look(frame(bgr), 0, vector=True, fine=True).vector
    return None if vector is None else np.array(vector)


def pad(bgr: Image) -> float | None:
    """P(living face) of this one picture by every cue, 0…1, or None where no face is found; errors as of `embed`."""
    return eyes().look(frame(bgr), 0, fine=True).live


def video(frames: Iterable[Image], fps: float) -> Report:
    """What happens in a clip: blinks, mouth_opens, yaw_left_max, yaw_right_max (deg), face_counts, pad (of them all).

    `pad` is what an attempt makes of such frames when nobody was asked to move (`pad.attempt`), None where no frame has
    a face. Left and right are the subject's own. One frame is looked at after the other and let go. `FrameError` for
    frames that are no row, a frame that is no picture, an `fps` (frames a second, 0.001 to 1,000) that is no pace.
    """
    every_ms = 1000 / _pace(fps)
    seen = [eyes().look(frame(bgr), round(i * every_ms), pose=True) for i, bgr in enumerate(_row(frames))]
    left, right = turned(one.pose.yaw for one in seen if one.pose is not None)
    return {
        "blinks": blinks_in(seen, shipped()),
        "mouth_opens": mouth_opens_in(seen, shipped()),
        "yaw_left_max": left,
        "yaw_right_max": right,
        "face_counts": [len(one.faces) for one in seen],
        "pad": attacks.whole(seen, asked=False),
    }


def _pace(fps: object) -> float:
    if not isinstance(fps, int | float | np.integer | np.floating) or not 0.001 <= fps < 1_000:
        raise FrameError("a clip without a pace")
    return float(fps)


def _row(frames: object) -> Iterable[Image]:
    if not isinstance(frames, Iterable):
        raise FrameError("no row of frames")
    return frames


# --- the measurements -------------------------------------------------------------------------------------------------


def faces(pack: Path) -> Report:
    """Verification on all pairs of the pack's people, and on the official pairs of the fold."""
    paths = sorted((pack / "lfw").glob("*/*.jpg"))
    found = {path.relative_to(pack).as_posix(): embed(_picture(path)) for path in paths}
    known = {name: vector for name, vector in found.items() if vector is not None}
    names = list(known)
    report: Report = {"images": len(paths), "no_face": len(paths) - len(names)}
    if not names:
        return report
    people = np.array([name.split("/")[1] for name in names])
    matrix = np.stack([known[name] for name in names])
    scores = matrix @ matrix.T
    upper = np.triu(np.ones_like(scores, dtype=bool), 1)
    same = people[:, None] == people[None, :]
    report["people"] = len(set(people))
    report |= _verification(scores[upper & same], scores[upper & ~same]) | _fold(pack, known)
    for by, label in conditions.BY.items():
        labels = [_labelled(pack / name, label) for name in names]
        report[f"by_{by}"] = conditions.verification(scores, same, labels, shipped().match / 1000)
    return report


def _labelled(path: Path, label: Callable[[Image, Face], str]) -> str:
    picture = frame(_picture(path))
    return label(picture, eyes().glance(picture, 0).faces[0])


def _verification(genuine: Scores, impostor: Scores) -> Report:
    if not len(genuine) or not len(impostor):  # a rate of nothing is no rate
        return {"genuine": len(genuine), "impostor": len(impostor)}
    shipped_at = figures.rates(genuine, impostor, shipped().match / 1000)
    return {
        "genuine": len(genuine),
        "impostor": len(impostor),
        "threshold": shipped_at.threshold,
        "fmr": shipped_at.fmr,
        "fmr_95": figures.interval(shipped_at.fmr, len(impostor)),
        "fnmr": shipped_at.fnmr,
        "fnmr_95": figures.interval(shipped_at.fnmr, len(genuine)),
        "eer": figures.equal_error(genuine, impostor)[0],
        "tar_at_fmr_1e-3": figures.tar_at(genuine, impostor, 1e-3),
        "curve": [
            [t, one.fmr, one.fnmr] for t in CURVE for one in (figures.rates(genuine, impostor, t),)
        ],  # threshold, FMR, FNMR
        "roc": figures.curve(genuine, impostor),
    }


def _fold(pack: Path, known: dict[str, Scores]) -> Report:
    with (pack / "lfw_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["a"] in known and row["b"] in known]
    score = {True: [], False: []}  # type: dict[bool, list[float]]
    for row in rows:
        score[row["same"] == "1"].append(float(known[row["a"]] @ known[row["b"]]))
    genuine, impostor = np.array(score[True]), np.array(score[False])
    if not rows:
        return {"fold_pairs": 0}
    return {
        "fold_pairs": len(rows),
        "fold_accuracy_at_threshold": figures.accuracy(genuine, impostor, shipped().match / 1000),
        "fold_accuracy_best": figures.best_accuracy(genuine, impostor),
    }


def presentation(pack: Path) -> Report:
    """PAD on single frames of real people and printed photos."""
    with (pack / "pad_images.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = [(row["label"] == "real", pad(_picture(pack / row["path"]))) for row in rows]
    real = np.array([value for label, value in scores if label and value is not None])
    living = [
        pack / row["path"] for row, (label, value) in zip(rows, scores, strict=True) if label and value is not None
    ]
    by = {
        f"by_{name}": conditions.turned_away(list(real), [_labelled(p, label) for p in living], shipped().pad / 1000)
        for name, label in conditions.BY.items()
    }
    print_ = np.array([value for label, value in scores if not label and value is not None])
    threshold = shipped().pad / 1000
    report: Report = {
        "real": len(real),
        "printed": len(print_),
        "people": len({row.get("subject") for row in rows}),
        "no_face": sum(value is None for _, value in scores),
        "threshold": threshold,
    }
    for error, wrong in (("apcer", print_ >= threshold), ("bpcer", real < threshold)):
        if len(wrong):  # a rate of nothing is no rate
            share = float(wrong.mean())
            report |= {f"{error}_frame": share, f"{error}_95": figures.interval(share, len(wrong))}
    if len(real) and len(print_):
        report |= {"auc": figures.auc(real, print_), "roc": figures.curve(real, print_)}
    return report | by


def presentations(pack: Path) -> Report:
    """PAD on the pack's clips that are labelled real or spoof, species by species."""
    found = attacks.read(pack, eyes())
    return attacks.table(found, shipped().pad / 1000) | attacks.overall(found)


def clips(pack: Path) -> Report:
    """What the models read in each labelled clip, beside its labels."""
    labels = json.loads((pack / "videos.json").read_text(encoding="utf-8"))
    report = {}
    for name, label in labels.items():
        clip = cv2.VideoCapture(str(pack / "videos" / name))
        read = video(_frames(clip), clip.get(cv2.CAP_PROP_FPS) or 25)
        counts = read.pop("face_counts")
        report[name] = read | {"faces": [min(counts), round(float(np.mean(counts)), 2), max(counts)], "label": label}
        clip.release()
    return report


def speed(pack: Path) -> Report:
    """Median and 95th percentile of the two looks of the product, in ms, on one 640 × 480 picture."""
    cv2.setNumThreads(1)
    picture = frame(_picture(next(iter(sorted((pack / "nuaa").glob("real/*/*.jpg"))))))
    looks: dict[str, Callable[[], Seen]] = {
        "glance": lambda: eyes().glance(picture, 0),
        "look_match": lambda: eyes().look(picture, 0, vector=True),
        "look_challenge": lambda: eyes().look(picture, 0, pose=True),
    }
    report = {}
    for name, look in looks.items():
        times = []
        for _ in range(60):
            before = time.perf_counter()
            look()
            times.append((time.perf_counter() - before) * 1000)
        report[name] = [round(float(np.percentile(times[5:], q)), 1) for q in (50, 95)]
    return report


def _picture(path: Path) -> Image:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FacePackError(f"no picture: {path.name}")
    return picture


def _frames(clip: cv2.VideoCapture) -> Iterator[Image]:
    there, raw = clip.read()
    while there:
        yield raw
        there, raw = clip.read()


NEEDS: Final[dict[Callable[[Path], Report], tuple[str, ...]]] = {
    faces: ("lfw", "lfw_pairs.csv"),
    presentation: ("pad_images.csv",),
    presentations: ("videos.json",),
    clips: ("videos.json",),
    speed: ("nuaa",),
}


# --- the command ------------------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(
        prog="python -m client.proctor.evaluate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--pack", type=Path, required=True, help="folder of faces, shaped as above")
    parser.add_argument("--out", type=Path, help="write the whole report as JSON")
    parser.add_argument("--only", choices=[part.__name__ for part in NEEDS], help="measure one thing")
    options = parser.parse_args(argv)
    parts = [
        part
        for part, needs in NEEDS.items()
        if options.only in (None, part.__name__) and all((options.pack / name).exists() for name in needs)
    ]
    if not parts:
        parser.error(f"nothing to measure in {options.pack}: it is no pack of the shape above")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)  # not after some minutes of measuring
    try:
        report = _measured(options.pack, parts)
    except (ClientError, OSError) as error:
        print("\n".join(str(line) for line in (error, getattr(error, "remedy", "")) if line), file=sys.stderr)
        return 1
    finally:
        close()
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def _measured(pack: Path, parts: Sequence[Callable[[Path], Report]]) -> Report:
    report: Report = {"engine": engine(), "models": eyes().models.hashes(), "manifest": manifest.load().digest}
    for part in parts:
        report[part.__name__] = part(pack)
        _show(part.__name__, report[part.__name__])
    return report


def _show(title: str, part: Report) -> None:
    print(f"\n{title}" + ("" if part else "\n  nothing in this pack is labelled for it"))
    for name, value in part.items():
        if name == "roc":  # for plots
            continue
        print(f"  {name:28} {_line(value)}")


def _line(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.5f}"
    if isinstance(value, dict):
        return "  ".join(f"{name} {_line(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_line(item) for item in value) + "]"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
