"""Turns a face into 128 numbers (SFace): the same person lies near, another one far."""

from __future__ import annotations

import cv2
import numpy as np

from client.proctor.face import Image, upright
from client.proctor.models import Model
from client.proctor.seen import Face, Vector


class Recogniser:
    """SFace through cv2.dnn. (`cv2.FaceRecognizerSF.feature` cannot run the block-quantised file on OpenCV 5.)"""

    def __init__(self, model: Model) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model.data, np.uint8))

    def embed(self, bgr: Image, face: Face) -> Vector:
        """The template or probe of one face, of length 1."""
        blob = cv2.dnn.blobFromImage(upright(bgr, face), 1.0, (112, 112), (0, 0, 0), swapRB=True)
        self._net.setInput(blob, "data")
        raw = self._net.forward().ravel()
        return tuple((raw / max(float(np.linalg.norm(raw)), 1e-9)).tolist())
