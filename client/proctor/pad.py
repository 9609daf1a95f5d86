"""Is this a living face or a picture of one? MiniFASNetV2, one frame at a time: a signal, never a verdict."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from client.proctor.face import Image
from client.proctor.models import Model
from client.proctor.seen import Face

SCALE: Final = 2.7  # the model was trained on crops of 2.7 face boxes
LIVE: Final = 1  # its classes: 0 flat spoof, 1 living face, 2 other spoof


class PadModel:
    """MiniFASNetV2 through cv2.dnn; BGR 0…255 without any scaling, as it was trained."""

    def __init__(self, model: Model) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model.data, np.uint8))

    def live(self, bgr: Image, face: Face) -> float:
        """P(living face) of this one frame, 0…1."""
        left, top, right, low = surround(face, bgr.shape[1], bgr.shape[0])
        crop = cv2.resize(bgr[top : low + 1, left : right + 1], (80, 80))
        self._net.setInput(cv2.dnn.blobFromImage(crop, 1.0, (80, 80), (0, 0, 0), swapRB=False))
        raw = self._net.forward().ravel().astype(np.float64)
        spread = np.exp(raw - raw.max())
        return float(spread[LIVE] / spread.sum())


def surround(face: Face, width: int, height: int) -> tuple[int, int, int, int]:
    """The crop's inclusive edges (left, top, right, low): `SCALE` boxes, *shifted* into the frame, never clipped."""
    scale = min(SCALE, (width - 1) / face.w, (height - 1) / face.h)
    w, h = face.w * scale, face.h * scale
    left = min(max(face.x + face.w / 2 - w / 2, 0.0), width - 1 - w)
    top = min(max(face.y + face.h / 2 - h / 2, 0.0), height - 1 - h)
    return max(0, int(left)), max(0, int(top)), min(width - 1, int(left + w)), min(height - 1, int(top + h))
