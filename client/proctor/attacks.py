"""How PAD does on labelled clips, species by species: every rate with n and 95 % interval (ISO/IEC 30107-3).

A pack's `videos.json` labels clips `real` or `spoof`; `species`, `subject` and `synthetic` may stand beside. APCER is
the share of attack presentations taken for living faces, BPCER that of living faces turned away; by frame and by clip
(as an attempt weighs its frames: `asked` as in a challenge, `unasked` as of a film of which nothing is known).
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

from client.proctor import figures, movement, pad
from client.proctor.face import Image, frame
from client.proctor.figures import Scores
from client.proctor.look import Eyes
from client.proctor.movement import Movement
from client.proctor.seen import Cues, Seen

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

    def whole(self, *, asked: bool = True) -> float:
        """P(live) of the clip; one without a face passes nothing."""
        return whole(self.seen, asked=asked) or 0.0

    def moved(self) -> Movement:
        """The face's own movement."""
        return moved(self.seen)

    def cues(self) -> list[Cues]:
        """What each cue said, of every frame with a face."""
        return [one.cues for one in self.seen if one.cues is not None]


def whole(seen: Sequence[Seen], *, asked: bool) -> float | None:
    """P(live) of a row of looks, as an attempt weighs them; None without a face."""
    lives = [one.live for one in seen if one.live is not None]
    return pad.attempt(lives, moved(seen), asked=asked) if lives else None


def moved(seen: Sequence[Seen]) -> Movement:
    """The own movement of the face in a row of looks."""
    return movement.of([posed for posed in map(movement.posed, seen) if posed is not None])


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


def table(clips: Sequence[Clip], threshold: float, score: Callable[[Clip], float] = Clip.whole) -> Report:
    """Species → errors by clip and by frame at `threshold`, and its EER by frame against all bona fide clips."""
    bona = np.array([p for clip in clips if clip.species == BONA_FIDE for p in clip.lives()])
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.species].append(clip)
    return {species: _row(group, threshold, bona, score) for species, group in groups.items()}


def _row(group: Sequence[Clip], threshold: float, bona: Scores, score: Callable[[Clip], float]) -> Report:
    frames = np.array([p for clip in group for p in clip.lives()])
    real = group[0].real
    error = "bpcer" if real else "apcer"

    def wrong(scores: Scores) -> float:
        return float(((scores < threshold) if real else (scores >= threshold)).mean()) if len(scores) else 0.0

    by_clip = wrong(np.array([score(clip) for clip in group]))
    row = {
        "clips": len(group),
        "subjects": len({clip.subject for clip in group}),
        "frames": len(frames),
        "synthetic": any(clip.synthetic for clip in group),
        f"{error}_clip": by_clip,
        "clip_95": figures.interval(by_clip, len(group)),
        f"{error}_unasked": wrong(np.array([clip.whole(asked=False) for clip in group])),
        f"{error}_frame": wrong(frames),
        "frame_95": figures.interval(wrong(frames), max(1, len(frames))),
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
    of = {
        asked: {side: np.array([clip.whole(asked=asked) for clip in group]) for side, group in sides.items()}
        for asked in (True, False)
    }
    return {
        "eer_frame": figures.equal_error(frames[True], frames[False])[0],
        "eer_clip": figures.equal_error(of[True][True], of[True][False])[0],
        "eer_unasked": figures.equal_error(of[False][True], of[False][False])[0],
        "auc_frame": figures.auc(frames[True], frames[False]),
    }
