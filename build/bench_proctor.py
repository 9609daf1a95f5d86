"""The detectors beside the plain reference chain in one run: `make bench-proctor`. One line of JSON at the end.

Faces (LFW fold 1, all pairs), labelled clips with both engines, cost of a look and of a followed frame, the worker's
memory, and the time to the first frame judged. Peers run in an environment of their own (build/requirements/peers.txt);
`--peers PYTHON` names it. Cost is processor time on one core: a busy machine does not bend it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from proctor_bare import Bare

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from client import manifest  # noqa: E402
from client.events import Enrolled, Judged, Look, ProctorRestarted  # noqa: E402
from client.ports import CheckRequest  # noqa: E402
from client.proctor import counting, figures, models  # noqa: E402
from client.proctor.face import MONITOR_SIDE, frame  # noqa: E402
from client.proctor.handle import Proctor  # noqa: E402
from client.proctor.limits import limits  # noqa: E402
from client.proctor.look import Eyes  # noqa: E402
from client.proctor.seen import Seen  # noqa: E402
from client.proctor.setup import ProctorSetup  # noqa: E402
from client.proctor.track import DETECT_MS  # noqa: E402

Report = dict[str, Any]
ENGINES = ("mediapipe", "dnn")
CLIP = "lp_d9.mp4"  # a real person who looks at the camera, with glasses
FPS = 15  # frames a second that a check looks at
ROUNDS = 7


# --- faces ------------------------------------------------------------------------------------------------------------


def faces(pack: Path, peers: Path | None) -> Report:
    """Fold 1 of LFW: the official 600 pairs, and every pair of its pictures."""
    names = [str(path) for path in sorted((pack / "lfw").glob("*/*.jpg"))]
    report = {"ours": _ours(pack, names), "reference": _reference(pack, names)}
    if peers is not None:
        report |= {peer: _peer(pack, names, peers, peer) for peer in ("verifyface", "dlib")}
    return report


def _ours(pack: Path, names: list[str]) -> Report:
    eyes = Eyes(models.load_set(manifest.load(), pack / "models"))
    shipped = limits(manifest.load()).match / 1000
    found, cost = _embedded(names, lambda bgr: eyes.look(frame(bgr), 0, vector=True, fine=True).vector)
    eyes.close()
    report = _verified(pack, found) | {"ms": cost}
    genuine, impostor = _pairs(found)
    rates = figures.rates(genuine, impostor, shipped)
    return report | {"shipped": shipped, "fmr": rates.fmr, "fnmr": rates.fnmr, "impostors": rates.impostors}


def _reference(pack: Path, names: list[str]) -> Report:
    bare = Bare(pack / "models")

    def embed(bgr: Any) -> Any:
        row = bare.find(bgr)
        return None if row is None else bare.embed(bgr, row)

    found, cost = _embedded(names, embed)
    return _verified(pack, found) | {"ms": cost}


def _peer(pack: Path, names: list[str], python: Path, peer: str) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        listed, out = Path(folder) / "list.txt", Path(folder) / "out.npz"
        listed.write_text("\n".join(names))
        script = Path(__file__).with_name("proctor_peers.py")
        subprocess.run([python, script, peer, listed, out], check=True, stdout=sys.stderr, stderr=subprocess.DEVNULL)
        data = np.load(out)
        found = dict(zip(data["names"].tolist(), data["vectors"], strict=True))
        return _verified(pack, found, by_distance=peer == "dlib") | {"ms": float(data["ms"])}


def _embedded(names: list[str], embed: Callable[[Any], Any]) -> tuple[dict[str, Any], float]:
    found, times = {}, []
    for name in names:
        bgr = cv2.imread(name)
        before = time.process_time()
        vector = embed(bgr)
        times.append(time.process_time() - before)
        if vector is not None:
            found[name] = np.array(vector)
    return found, statistics.median(times) * 1000


def _verified(pack: Path, found: dict[str, Any], by_distance: bool = False) -> Report:
    genuine, impostor = _pairs(found, by_distance)
    with (pack / "lfw_pairs.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["fold"] == "1"]
    both = [(row["same"] == "1", found.get(str(pack / row["a"])), found.get(str(pack / row["b"]))) for row in rows]
    scored = [(same, _score(a, b, by_distance)) for same, a, b in both if a is not None and b is not None]
    same, other = (np.array([score for is_same, score in scored if is_same == want]) for want in (True, False))
    return {
        "pictures": len(found),
        "pairs": len(scored),
        "accuracy": figures.best_accuracy(same, other),
        "tar_at_1e-3": figures.tar_at(genuine, impostor, 1e-3),
        "eer": figures.equal_error(genuine, impostor)[0],
    }


def _score(a: Any, b: Any, by_distance: bool) -> float:
    return -float(np.linalg.norm(a - b)) if by_distance else float(a @ b)


def _pairs(found: dict[str, Any], by_distance: bool = False) -> tuple[Any, Any]:
    """Scores of every pair of one person, and of every pair of two."""
    matrix = np.stack(list(found.values())).astype(np.float64)
    people = np.array([Path(name).parent.name for name in found])
    scores = matrix @ matrix.T
    if by_distance:
        square = np.diag(scores)
        scores = -np.sqrt(np.maximum(0, square[:, None] + square[None, :] - 2 * scores))
    upper, same = np.triu(np.ones_like(scores, dtype=bool), 1), people[:, None] == people[None, :]
    return scores[upper & same], scores[upper & ~same]


# --- clips ------------------------------------------------------------------------------------------------------------


def clips(pack: Path) -> Report:
    """What each engine finds in the labelled clips, and how the two agree frame by frame."""
    labels = json.loads((pack / "videos.json").read_text(encoding="utf-8"))
    seen = {engine: {name: _watched(pack, name, engine) for name in labels} for engine in ENGINES}
    report: Report = {engine: _judged(labels, seen[engine], engine) for engine in ENGINES}
    return report | {"agreement": _agreement(*(seen[engine] for engine in ENGINES))}


def _watched(pack: Path, name: str, engine: Any) -> list[Seen]:
    clip = cv2.VideoCapture(str(pack / "videos" / name))
    rate = clip.get(cv2.CAP_PROP_FPS) or 25
    eyes = Eyes(models.load_set(manifest.load(), pack / "models"), engine)
    seen = [eyes.look(frame(bgr), round(i * 1000 / rate), pose=True) for i, bgr in enumerate(_frames(clip))]
    eyes.close()
    clip.release()
    return seen


def _frames(clip: Any) -> Iterator[Any]:
    there, bgr = clip.read()
    while there:
        yield bgr
        there, bgr = clip.read()


def _judged(labels: Report, seen: dict[str, list[Seen]], engine: str) -> Report:
    """How many labels of each kind there are and how many were found; what should not be there is counted as wrong."""
    now = limits(manifest.load(), engine=engine)
    found: Report = {kind: [0, 0] for kind in ("blink", "mouth", "turn_left", "turn_right", "nobody", "multi")}
    wrong = []
    for name, label in labels.items():
        frames = seen[name]
        left, right = counting.turned(one.pose.yaw for one in frames if one.pose is not None)
        there = {
            "blink": counting.blinks_in(frames, now) > 0,
            "mouth": counting.mouth_opens_in(frames, now) > 0,
            "turn_left": left >= now.turn,
            "turn_right": right >= now.turn,
            "nobody": not any(one.faces for one in frames),
            "multi": max(len(one.faces) for one in frames) > 1,
        }
        for kind in set(found) & set(label):
            found[kind][1] += label[kind]
            found[kind][0] += label[kind] and there[kind]
            wrong += [f"{name} {kind}"] * (there[kind] != label[kind])
    return {kind: f"{hits}/{count}" for kind, (hits, count) in found.items()} | {"wrong": wrong}


def _agreement(first: dict[str, list[Seen]], second: dict[str, list[Seen]]) -> Report:
    pairs = [(a.pose, b.pose) for name in first for a, b in zip(first[name], second[name], strict=True)]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    report: Report = {"frames": len(both)}
    for name in ("yaw", "pitch", "blink", "jaw", "smile"):
        values = np.array([(getattr(a, name), getattr(b, name)) for a, b in both])
        report[name] = round(float(np.corrcoef(values.T)[0, 1]), 3)
    return report


# --- cost -------------------------------------------------------------------------------------------------------------


def cost(pack: Path) -> Report:
    """Processor ms on one core: a full look beside its bare calls, a followed frame beside the bare landmarker."""
    keep = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(keep)})
    cv2.setNumThreads(1)
    bare, loaded = Bare(pack / "models"), models.load_set(manifest.load(), pack / "models")
    clip = cv2.VideoCapture(str(pack / "videos" / CLIP))
    pictures = [cv2.resize(bgr, (640, 480)) for bgr, _ in zip(_frames(clip), range(60), strict=False)]
    row = bare.find(pictures[0], MONITOR_SIDE)
    report: Report = {}
    for engine in ENGINES:
        eyes, once = (Eyes(loaded, engine) for _ in range(2))  # one follows, the other one looks anew each time
        calls: dict[str, Callable[[Any, int], Any]] = {
            "find": lambda bgr, _: bare.find(bgr, MONITOR_SIDE),
            "embed": lambda bgr, _: bare.embed(bgr, row),
            "pad": lambda bgr, _: bare.pad(bgr, row),
            "landmarks": lambda bgr, _: bare.landmarks(bgr),
            "full look": lambda bgr, _, eyes=once: eyes.look(bgr, 0, vector=True),
            "challenge frame": lambda bgr, t, eyes=eyes: eyes.look(bgr, t, pose=True),
        }
        followed: list[bool] = []
        times = _timed(pictures, calls, lambda t, eyes=eyes, on=followed: on.append(eyes._track.found_at != t))
        report[engine] = _ratios(times, followed)
        eyes.close()
        once.close()
    bare.close()
    os.sched_setaffinity(0, keep)
    return report


def _timed(
    pictures: list[Any], calls: dict[str, Callable[[Any, int], Any]], after: Callable[[int], None]
) -> dict[str, list[float]]:
    """Each call on each picture, in turn, so that whatever else the machine does falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for i in range(2 * len(pictures)):
        bgr = pictures[i % len(pictures)]
        for name, call in calls.items():
            before = time.process_time()
            call(bgr, (i + 1) * 1000 // FPS)
            times[name].append((time.process_time() - before) * 1000)
        after((i + 1) * 1000 // FPS)
    return times


def _ratios(times: dict[str, list[float]], on: list[bool]) -> Report:
    """Medians; `on` tells which frames of the challenge were followed. The mean is over all of them."""
    middle = {name: statistics.median(values[10:]) for name, values in times.items()}
    challenge = times["challenge frame"][10:]
    followed = statistics.median(ms for ms, is_followed in zip(challenge, on[10:], strict=True) if is_followed)
    bare = middle["find"] + middle["embed"] + middle["pad"]
    report = {f"{name} ms": round(value, 1) for name, value in middle.items()}
    return report | {
        "followed frame ms": round(followed, 1),
        "followed of all": round(sum(on) / len(on), 2),
        "detected every ms": DETECT_MS,
        "full look / bare calls": round(middle["full look"] / bare, 3),
        "followed frame / bare landmarker": round(followed / middle["landmarks"], 3),
        "challenge mean / bare landmarker": round(statistics.mean(challenge) / middle["landmarks"], 3),
    }


# --- memory and start -------------------------------------------------------------------------------------------------


def memory(pack: Path) -> Report:
    """Resident MiB of the real worker: looking, after a match, after a challenge (where it is largest)."""
    return {engine: _resident(pack, engine) for engine in ENGINES}


def _resident(pack: Path, engine: Any) -> Report:
    proctor = Proctor(ProctorSetup("test", f"file:{pack / 'videos' / CLIP}", pack / "models", engine=engine))
    proctor.start()
    report: Report = {}
    try:
        _until(proctor, Look)
        report["looking"] = _rss(proctor)
        proctor.enrol((), 60_000)
        _until(proctor, Enrolled)
        proctor.set_reference(proctor.take_template())
        for kind, gestures, deadline_ms in (("match", (), 60_000), ("liveness", ("turn_left", "look_up"), 6_000)):
            proctor.begin(CheckRequest(1, 0, kind, gestures, deadline_ms, "00" * 16, "record"))
            _until(proctor, Judged)
            report[kind] = _rss(proctor)
    finally:
        proctor.close()
    return report


def _rss(proctor: Proctor) -> int:
    process = proctor._process
    assert process is not None
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) // 1024


def _until(proctor: Proctor, kind: type[Any]) -> Any:
    """Poll until a signal of `kind` comes; a worker that dies ends the bench."""
    while True:
        for news in proctor.poll():
            if isinstance(news, ProctorRestarted):
                raise SystemExit(f"the worker died: {news.detail}")
            if isinstance(news, kind):
                return news
        time.sleep(0.005)


def start(pack: Path) -> Report:
    """Seconds from nothing to the first frame judged, beside a plain script that imports, loads and looks once."""
    clip, script = pack / "videos" / CLIP, Path(__file__).with_name("proctor_bare.py")
    plain, ours = [], []
    for _ in range(ROUNDS):
        before = time.monotonic()
        subprocess.run([sys.executable, script, pack / "models", clip], check=True, capture_output=True)
        plain.append(time.monotonic() - before)
        proctor = Proctor(ProctorSetup("test", f"file:{clip}", pack / "models"))
        before = time.monotonic()
        proctor.start()
        _until(proctor, Look)
        ours.append(time.monotonic() - before)
        proctor.close()
    report = {"plain s": statistics.median(plain), "ours s": statistics.median(ours)}
    return report | {"ratio": round(report["ours s"] / report["plain s"], 3)}


# --- the command ------------------------------------------------------------------------------------------------------


def main() -> None:
    """Measure, print each part, close with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, default=ROOT.parent / "shared" / "faces")
    parser.add_argument("--peers", type=Path, help="the Python of the peers' environment; without it they are left out")
    parser.add_argument("--only", choices=("faces", "clips", "cost", "memory", "start"))
    args = parser.parse_args()
    pack = args.pack.resolve()
    parts: dict[str, Callable[[], Report]] = {
        "start": lambda: start(pack),
        "memory": lambda: memory(pack),
        "cost": lambda: cost(pack),
        "clips": lambda: clips(pack),
        "faces": lambda: faces(pack, args.peers),
    }
    report: Report = {"name": "bench-proctor"}
    for name, measure in parts.items():
        if args.only in (None, name):
            report[name] = measure()
            print(f"{name}: {json.dumps(report[name], indent=2, default=float)}", file=sys.stderr, flush=True)
    print(json.dumps(report | {"met": met(report)}, default=float))


def met(report: Report) -> Report:
    """Each target of the design that was measured in this run: reached or not."""
    said: Report = {}
    if "faces" in report:
        ours, plain = report["faces"]["ours"], report["faces"]["reference"]
        said["accuracy not below the reference"] = ours["accuracy"] >= plain["accuracy"]
        said["TAR at FMR 1e-3 not below the reference"] = ours["tar_at_1e-3"] >= plain["tar_at_1e-3"]
        said["FMR at the shipped threshold <= 0.15 %"] = ours["fmr"] <= 0.0015
    if "clips" in report:
        said |= {f"every label found, {engine}": not report["clips"][engine]["wrong"] for engine in ENGINES}
    if "cost" in report:
        ours = report["cost"]["mediapipe"]
        said["full look <= 1.25 x the bare calls"] = ours["full look / bare calls"] <= 1.25
        said["followed frame <= 1.3 x the bare landmarker"] = ours["followed frame / bare landmarker"] <= 1.3
    if "memory" in report:
        said |= {f"memory <= 330 MiB, {engine}": max(report["memory"][engine].values()) <= 330 for engine in ENGINES}
    if "start" in report:
        said["first frame <= 1.5 x import, load, look"] = report["start"]["ratio"] <= 1.5
    return said


if __name__ == "__main__":
    main()
