"""Is this a living face or a picture of one? Two networks and the beat of two grids, weighed into one calibrated score.

MiniFASNetV2 sees 2.7 face boxes, MiniFASNetV1SE four: the rim of a print, a hand, a bezel. Both are their makers' own
weights. `pad.json` holds how much each counts; 0.5 is where a person should be asked to do something. Over a whole
attempt it also counts whether the face moved by itself (`movement.py`). A signal, never a verdict.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import cv2
import numpy as np

from client.proctor import cues
from client.proctor.face import Image
from client.proctor.models import Model, pad_weights
from client.proctor.movement import Movement
from client.proctor.seen import Cues, Face

NEAR: Final = 2.7  # face boxes that MiniFASNetV2 was trained on
WIDE: Final = 4.0  # and MiniFASNetV1SE
LIVE: Final = 1  # their classes: 0 flat spoof, 1 living face, 2 other spoof
WIDE_MS: Final = 300  # the wide look and the beat of a followed face hold so long: a quarter of their cost
SURE: Final = 8.0  # log odds beyond which a network says nothing more
NOISY: Final = 2.0  # grey levels of the sensor's noise from which a crop is averaged down, not sampled
CLEAR: Final = 6.0  # and a frame in an attempt


class PadModel:
    """The networks through cv2.dnn; BGR 0…255 without any scaling, as they were trained. `wide` may be absent.

    `noisy`: grey levels of a sensor's noise from which a crop is averaged.
    """

    def __init__(self, near: Model, wide: Model | None = None, noisy: float = NOISY) -> None:
        self._noisy = noisy
        self._near = _net(near)
        self._wide = _net(wide) if wide else None
        self._weights = weights()["both" if wide else "near"]
        self._held: tuple[int, float | None, float, bool] | None = None

    def look(self, bgr: Image, face: Face, t: int) -> Cues:
        """What each cue says of the frame at `t` ms; the wide look and the beat may be those of a moment before."""
        if self._held is None or not 0 < t - self._held[0] < WIDE_MS:
            noisy = cues.noise(bgr, face) > self._noisy
            wide = _odds(self._wide, bgr, face, WIDE, noisy) if self._wide is not None else None
            self._held = (t, wide, cues.beat(bgr, face), noisy)
        _, wide, beat, noisy = self._held
        return Cues(_odds(self._near, bgr, face, NEAR, noisy), wide, beat)

    def live(self, found: Cues) -> float:
        """P(living face) by all cues, 0…1; calibrated so that 0.5 turns few living faces away."""
        now = self._weights
        odds = now["bias"] + now["near"] * found.near - now["beat"] * max(0.0, found.beat - now["knee"])
        odds += now["wide"] * found.wide if found.wide is not None else 0.0
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, odds))))


@cache
def weights() -> dict[str, dict[str, float]]:
    """How much each cue counts: of a frame by `both` networks or by `near` alone, and of an `attempt`."""
    return {name: part for name, part in json.loads(pad_weights()).items() if isinstance(part, dict)}


def attempt(lives: Sequence[float], movement: Movement, *, asked: bool) -> float:
    """P(living face) of a row of frames, 0…1: their middle log odds, and the face's own movement where it is known.

    Who was asked to move and is stiff counts as a picture; who only sat there (not `asked`) may be stiff for a while.
    """
    now, total = weights()["attempt"], _middle([_clear(p) for p in lives])
    total += now["lift"] if asked and movement.own is not None else 0.0
    own = "own" if movement.lips is not None else "alone"
    for weight, found in ((now[own], movement.own), (now["lips"], movement.lips)):
        moved = 0.0 if found is None else max(now["floor"], min(now["roof"], found))
        total += weight * moved * (1.0 if asked else now["unasked"])
    return 1 / (1 + math.exp(-total))


def _middle(odds: Sequence[float]) -> float:
    """The mean of the middle half: steadier than the median, and no single odd frame speaks for all."""
    cut = max(len(odds) // 4, int(len(odds) > 2))
    kept = sorted(odds)[cut : len(odds) - cut]
    return sum(kept) / len(kept) if kept else -CLEAR


def _clear(p: float) -> float:
    return max(-CLEAR, min(CLEAR, math.log(max(p, 1e-9) / max(1 - p, 1e-9))))


def _net(model: Model) -> Any:
    return cv2.dnn.readNetFromONNX(np.frombuffer(model.data, np.uint8))


def _odds(net: Any, bgr: Image, face: Face, boxes: float, noisy: bool) -> float:
    """Log odds of a living face against all else, within ±`SURE`.

    The crop is sampled as in training; in a `noisy` picture it is averaged: noise looks like the grain of a print.
    """
    left, top, right, low = surround(face, bgr.shape[1], bgr.shape[0], boxes)
    way = cv2.INTER_AREA if noisy else cv2.INTER_LINEAR
    crop = cv2.resize(bgr[top : low + 1, left : right + 1], (80, 80), interpolation=way)
    net.setInput(cv2.dnn.blobFromImage(crop, 1.0, (80, 80), (0, 0, 0), swapRB=False))
    raw = net.forward().ravel().astype(np.float64)
    odds = raw[LIVE] - np.logaddexp.reduce(np.delete(raw, LIVE))
    return float(np.clip(odds, -SURE, SURE))


def surround(face: Face, width: int, height: int, boxes: float = NEAR) -> tuple[int, int, int, int]:
    """The crop's inclusive edges (left, top, right, low): so many boxes, *shifted* into the frame, never clipped."""
    scale = min(boxes, (width - 1) / face.w, (height - 1) / face.h)
    w, h = face.w * scale, face.h * scale
    left = min(max(face.x + face.w / 2 - w / 2, 0.0), width - 1 - w)
    top = min(max(face.y + face.h / 2 - h / 2, 0.0), height - 1 - h)
    return max(0, int(left)), max(0, int(top)), min(width - 1, int(left + w)), min(height - 1, int(top + h))
