"""How PAD does on labelled clips, species by species: every rate with n and 95 % interval (ISO/IEC 30107-3).

A pack's `videos.json` labels clips `real` or `spoof`; `species`, `subject` and `synthetic` may stand beside. APCER is
the share of attack presentations taken for living faces, BPCER that of living faces turned away; by frame and by clip
(the median of its frames, as in a lesson).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from client.proctor import figures
from client.proctor.face import Image, frame
from client.proctor.figures import Scores
from client.proctor.look import Eyes
from client.proctor.seen import Cues, Seen, median

Report = dict[str, Any]
BONA_FIDE: Final = "bona_fide"
EVERY_MS: Final = 80  # a lesson looks 12 times a second


@dataclass(frozen=True, slots=True)
class Clip:
    """One presentation: who, what, and what was seen of it, frame by frame."""

    name: str
    species: str  # bona_fide… for living faces
    subject: str
    synthetic: bool
    seen: tuple[Seen, ...]

    @property
    def real(self) -> bool:
        """Tell whether a living face was before the camera."""
        return self.species.startswith(BONA_FIDE)

    def lives(self) -> list[float]:
        """P(live) of every frame with a face."""
        return [one.live for one in self.seen if one.live is not None]

    def cues(self) -> list[Cues]:
        """What each cue said, of every frame with a face."""
        return [one.cues for one in self.seen if one.cues is not None]


def read(pack: Path, eyes: Eyes, told: Callable[[str], None] = lambda _: None) -> list[Clip]:
    """Every clip of the pack that is labelled real or spoof, looked at 12 times a second as in a challenge."""
    labels = json.loads((pack / "videos.json").read_text(encoding="utf-8"))
    found = []
    for name, label in labels.items():
        if label.get("label") not in ("real", "spoof"):
            continue
        told(name)
        species = label.get("species") or (BONA_FIDE if label["label"] == "real" else "attack")
        seen = tuple(_seen(pack / "videos" / name, eyes))
        found.append(Clip(name, species, str(label.get("subject", name)), bool(label.get("synthetic")), seen))
    return found


def _seen(path: Path, eyes: Eyes) -> Iterable[Seen]:
    clip = cv2.VideoCapture(str(path))
    pace, number, due = clip.get(cv2.CAP_PROP_FPS) or 25.0, 0, 0.0
    while clip.grab():
        t = round(number * 1000 / pace)
        number += 1
        if t < due:
            continue
        due = t + EVERY_MS
        there, raw = clip.retrieve()
        if there:
            yield of_challenge(eyes, frame(raw), t)
    clip.release()


def of_challenge(eyes: Eyes, bgr: Image, t: int) -> Seen:
    """The look of a challenge that is not followed: every frame has its P(live)."""
    return eyes.look(bgr, t, pose=True, fine=True)


# --- the tables -------------------------------------------------------------------------------------------------------


def table(clips: Sequence[Clip], threshold: float, score: Callable[[Clip], Sequence[float]] = Clip.lives) -> Report:
    """Species → errors by clip and by frame at `threshold`, and its EER by frame against all bona fide clips."""
    bona = np.array([p for clip in clips if clip.species == BONA_FIDE for p in score(clip)])
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.species].append(clip)
    return {species: _row(group, threshold, bona, score) for species, group in groups.items()}


def _row(group: Sequence[Clip], threshold: float, bona: Scores, score: Callable[[Clip], Sequence[float]]) -> Report:
    scores = [score(clip) for clip in group]
    frames = np.array([p for one in scores for p in one])
    # a clip without a face gives no pass: it counts as an attack refused, or a living face turned away
    middles = np.array([median(one) if len(one) else 0.0 for one in scores])
    real = group[0].real
    wrong, wrong_frames = (
        (middles < threshold, frames < threshold) if real else (middles >= threshold, frames >= threshold)
    )
    by_clip = float(wrong.mean())
    row = {
        "clips": len(group),
        "subjects": len({clip.subject for clip in group}),
        "frames": len(frames),
        "synthetic": any(clip.synthetic for clip in group),
        "bpcer_clip" if real else "apcer_clip": by_clip,
        "clip_95": figures.interval(by_clip, len(group)),
        "bpcer_frame" if real else "apcer_frame": float(wrong_frames.mean()) if len(frames) else 0.0,
    }
    if not real and len(bona) and len(frames):
        row |= {"eer_frame": figures.equal_error(bona, frames)[0], "auc_frame": figures.auc(bona, frames)}
    return row


def overall(clips: Sequence[Clip]) -> Report:
    """EER by frame and by clip, all attacks against all bona fide clips; {} where one kind is not there."""
    sides: Mapping[bool, list[Clip]] = {side: [clip for clip in clips if clip.real == side] for side in (True, False)}
    if not all(any(clip.lives() for clip in side) for side in sides.values()):
        return {}
    frames = {side: np.array([p for clip in group for p in clip.lives()]) for side, group in sides.items()}
    middle = {side: np.array([median(clip.lives()) for clip in group if clip.lives()]) for side, group in sides.items()}
    return {
        "eer_frame": figures.equal_error(frames[True], frames[False])[0],
        "eer_clip": figures.equal_error(middle[True], middle[False])[0],
        "auc_frame": figures.auc(frames[True], frames[False]),
    }
