"""Finds faces (YuNet) and brings one upright to 112 × 112; measures light and sharpness on the way."""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from client.errors import ClientError
from client.proctor.models import Model
from client.proctor.seen import Face

Image = NDArray[Any]  # 8 bits, blue green red

MAX_SIDE: Final = 640  # what every frame is brought to: larger ones cost time and add no accuracy at a desk's distance
MONITOR_SIDE: Final = 320  # enough to count and to follow
MIN_SIDE: Final = 16  # a smaller picture shows no face
MAX_PIXELS: Final = 50_000_000  # an 8K frame has 33 million
SCORE: Final = 0.7  # the detector's own confidence; OpenCV's sample uses 0.9 and loses turned heads
NMS: Final = 0.3
TOP: Final = 50
# Where the five points of a face lie in the recogniser's input (ArcFace's layout, 112 × 112).
UPRIGHT: Final = (38.2946 + 51.6963j, 73.5318 + 51.5014j, 56.0252 + 71.7366j, 41.5493 + 92.3655j, 70.7299 + 92.2041j)
MIDDLE: Final = sum(UPRIGHT) / len(UPRIGHT)


class FrameError(ClientError):
    """The camera gave something that is no picture."""

    code = "TS-C-310"
    remedy = "Unplug the camera and plug it in again, or choose another one."
    zh = "摄像头画面无法读取。请重新插拔摄像头，或更换一个摄像头。"


def frame(raw: object) -> Image:
    """Return any 8-bit picture (grey, colour or with alpha) as BGR of at most `MAX_SIDE`, or raise `FrameError`."""
    if not isinstance(raw, np.ndarray) or raw.dtype != np.uint8 or raw.ndim not in (2, 3):
        raise FrameError("not an 8-bit picture")
    height, width = raw.shape[:2]
    channels = raw.shape[2] if raw.ndim == 3 else 1
    if min(height, width) < MIN_SIDE or height * width > MAX_PIXELS or channels not in (1, 3, 4):
        raise FrameError(f"a picture of {width} × {height} × {channels}")
    if max(height, width) > MAX_SIDE:
        scale = MAX_SIDE / max(height, width)
        size = (max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale)))
        raw = cv2.resize(raw, size, interpolation=cv2.INTER_AREA)
    if channels == 1:
        return cv2.cvtColor(raw, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(raw, cv2.COLOR_BGRA2BGR) if channels == 4 else np.ascontiguousarray(raw)


class Detector:
    """YuNet on verified bytes."""

    def __init__(self, model: Model) -> None:
        data = np.frombuffer(model.data, np.uint8)
        self._net = cv2.FaceDetectorYN.create(
            "onnx", data, np.empty(0, np.uint8), (MAX_SIDE, MAX_SIDE), SCORE, NMS, TOP
        )

    def find(self, bgr: Image, side: int = MAX_SIDE) -> tuple[Face, ...]:
        """All faces, the most prominent first, looked for at `side` pixels on the longer edge."""
        height, width = bgr.shape[:2]
        scale = side / max(height, width)
        small = bgr if scale == 1 else cv2.resize(bgr, (round(width * scale), round(height * scale)))
        self._net.setInputSize((small.shape[1], small.shape[0]))
        rows = self._net.detect(small)[1]
        found = [] if rows is None else [_face(row, scale) for row in rows if np.isfinite(row).all()]
        return tuple(sorted(found, key=lambda face: -prominence(face, width, height)))


def prominence(face: Face, width: int, height: int) -> float:
    """Who is meant by this picture: large counts, and so does the middle (a passer-by may be nearer)."""
    off = math.hypot((face.x + face.w / 2) / width - 0.5, (face.y + face.h / 2) / height - 0.5)
    return face.h * max(0.1, 1 - off)


def _face(row: NDArray[np.float32], scale: float) -> Face:
    values = [float(value) / scale for value in row[:14]]
    points = tuple((values[i], values[i + 1]) for i in range(4, 14, 2))
    return Face(values[0], values[1], values[2], values[3], points, float(row[14]))


def upright(bgr: Image, face: Face) -> Image:
    """The face at 112 × 112 with eyes and mouth where the recogniser expects them (least-squares similarity)."""
    points = [complex(x, y) for x, y in face.points]
    middle = sum(points) / len(points)
    size = sum(abs(point - middle) ** 2 for point in points)
    turn = sum((p - middle).conjugate() * (q - MIDDLE) for p, q in zip(points, UPRIGHT, strict=True)) / max(size, 1e-6)
    move = MIDDLE - turn * middle
    matrix = np.array([[turn.real, -turn.imag, move.real], [turn.imag, turn.real, move.imag]])
    return cv2.warpAffine(bgr, matrix, (112, 112), flags=cv2.INTER_LINEAR)


def lower_edges(bgr: Image, face: Face) -> float:
    """How much there is to see of mouth and chin, beside what there is around the eyes; a cloth over them has little.

    Edges and not colours: the figure means the same on every skin, and a beard has more of them, not fewer.
    """
    grey = cv2.cvtColor(upright(bgr, face), cv2.COLOR_BGR2GRAY)
    above = float(np.abs(cv2.Laplacian(grey[40:64, 26:86], cv2.CV_32F)).mean())
    below = float(np.abs(cv2.Laplacian(grey[78:106, 38:74], cv2.CV_32F)).mean())
    return below / max(10.0, above)


def light(bgr: Image) -> tuple[float, float]:
    """Mean and deviation of the whole picture's brightness, 0…255."""
    mean, deviation = cv2.meanStdDev(cv2.cvtColor(bgr[::4, ::4], cv2.COLOR_BGR2GRAY))
    return float(mean[0][0]), float(deviation[0][0])


def face_light_and_sharpness(bgr: Image, face: Face) -> tuple[float, float]:
    """Mean brightness (0…255) of the middle of the face, and the deviation of its edges at a fixed size of 96 × 96."""
    height, width = bgr.shape[:2]
    left, top = max(0, round(face.x + face.w * 0.15)), max(0, round(face.y + face.h * 0.15))
    right, low = min(width, round(face.x + face.w * 0.85)), min(height, round(face.y + face.h * 0.85))
    if right - left < 4 or low - top < 4:
        return 0.0, 0.0
    grey = cv2.resize(
        cv2.cvtColor(bgr[top:low, left:right], cv2.COLOR_BGR2GRAY), (96, 96), interpolation=cv2.INTER_AREA
    )
    return float(grey.mean()), float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))[1][0][0])
