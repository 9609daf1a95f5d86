"""The same reading by OpenCV alone, for phones and old computers: no mediapipe anywhere.

MediaPipe's own networks out of its own file run in `cv2.dnn`: an upright square around the found face → 478 landmarks →
52 blendshapes; the head's turn by solvePnP on MediaPipe's canonical head. One thread, about the cost of MediaPipe's.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from client.proctor import task
from client.proctor.face import Image
from client.proctor.landmarks import Points, Reading, pose
from client.proctor.models import Model
from client.proctor.seen import Face, Pose

SIDE: Final = 256  # pixels of the network's input
AROUND: Final = 1.5  # face boxes in that square, as MediaPipe cuts it
PRESENT: Final = 0.5  # below, the network says that this is no face (MediaPipe's default)
POINTS: Final = 478
FAR: Final = 12.0  # focal length in face widths: nearly parallel rays, for a camera of which nothing is known
# The landmarks that the second network reads, in its order (MediaPipe's face_blendshapes_graph.cc).
READ: Final = np.array(
    [
        0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78,
        80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152,
        153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246,
        249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312,
        314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381,
        382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472,
        473, 474, 475, 476, 477,
    ]
)  # fmt: skip
SHAPES: Final = {  # where its answer holds what is judged
    "eyeBlinkLeft": 9, "eyeBlinkRight": 10, "jawOpen": 25, "mouthSmileLeft": 44, "mouthSmileRight": 45,
}  # fmt: skip
_UPRIGHT: Final = np.diag([1.0, -1.0, -1.0])  # y up and z to the camera ↔ OpenCV's y down and z away


class DnnLandmarker:
    """`Landmarks` in cv2.dnn. The square is cut anew around each face: no tracker that follows somebody else."""

    def __init__(self, model: Model) -> None:
        found = task.read(model.data)
        self._landmarks = _net_of_many_outputs(found.landmarks)
        self._shapes = cv2.dnn.readNetFromTFLite(np.frombuffer(found.shapes, np.uint8))
        self._head = found.head @ _UPRIGHT

    def read(self, bgr: Image, face: Face) -> Reading | None:
        """Pose and landmarks of `face`, or None where the network sees no face there."""
        points = self._find(bgr, face)
        if points is None:
            return None
        turn = rotation(self._head, points, FAR * max(face.w, face.h))
        return None if turn is None else Reading(self._pose(turn, points), points)

    def _find(self, bgr: Image, face: Face) -> Points | None:
        square, back = upright_square(bgr, face)
        self._landmarks.setInput(cv2.dnn.blobFromImage(square, 1 / 255, (SIDE, SIDE), swapRB=True))
        found, present = self._landmarks.forward(["Identity", "Identity_1"])
        there = 1 / (1 + math.exp(-min(60.0, max(-60.0, float(np.ravel(present)[0])))))
        raw = np.asarray(found, np.float64).reshape(POINTS, 3)
        if not there >= PRESENT or not np.isfinite(raw).all():
            return None
        flat = np.column_stack([raw[:, :2], np.ones(POINTS)]) @ back.T
        return np.column_stack([flat, raw[:, 2] * math.hypot(back[0, 0], back[1, 0])])

    def _pose(self, turn: NDArray[Any], points: Points) -> Pose:
        self._shapes.setInput(points[READ, :2].astype(np.float32)[None])
        found = np.ravel(self._shapes.forward())
        return pose(turn, {name: float(found[at]) for name, at in SHAPES.items()})

    def close(self) -> None:
        """Nothing is held open."""


def _net_of_many_outputs(tflite: bytes) -> Any:
    """OpenCV 5's newer graph engine gives only the last output of a TFLite network, so the older one must be asked for.

    It hears that only beside a file's name (5.0.0 ignores it beside a buffer): the bytes lie in a private folder.
    """
    older = [cv2.dnn.ENGINE_CLASSIC] if hasattr(cv2.dnn, "ENGINE_CLASSIC") else []  # OpenCV 4 has no other
    with tempfile.TemporaryDirectory(prefix="trueseat-") as folder:
        path = Path(folder) / task.LANDMARKS
        path.write_bytes(tflite)
        return cv2.dnn.readNetFromTFLite(str(path), *older)


def upright_square(bgr: Image, face: Face) -> tuple[Image, NDArray[np.float64]]:
    """The face at 256 × 256 with its eyes level, black where the frame ends, and the way back (2 × 3)."""
    (rx, ry), (lx, ly) = face.points[0], face.points[1]
    angle, scale = math.atan2(ly - ry, lx - rx), max(face.w, face.h, 1.0) * AROUND / SIDE
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    x, y, half = face.x + face.w / 2, face.y + face.h / 2, SIDE / 2
    back = np.array([[cos, -sin, x - half * (cos - sin)], [sin, cos, y - half * (sin + cos)]])
    return cv2.warpAffine(bgr, back, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP), back


def rotation(head: Points, points: Points, focal: float) -> NDArray[np.float64] | None:
    """How the head (`_UPRIGHT` applied) is turned so that a camera sees it as `points`; None without a solution.

    The camera looks straight at the face: the turn is against the line of sight and not against the screen's middle.
    """
    seen = points[: len(head), :2]
    middle = seen.mean(axis=0)
    camera = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
    solved, turn, _ = cv2.solvePnP(head, np.ascontiguousarray(seen), camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not solved or not np.isfinite(turn).all():
        return None
    return np.asarray(_UPRIGHT @ cv2.Rodrigues(turn)[0] @ _UPRIGHT, np.float64)
