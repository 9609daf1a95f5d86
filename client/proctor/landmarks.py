"""Reads head pose, eyes and mouth of one face: what every engine answers, and the engine MediaPipe.

MediaPipe is imported late: it costs half a second. `dnn_landmarks.py` is the same without it.
"""

from __future__ import annotations

import math
import sys
import types
from dataclasses import dataclass
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from client.proctor.face import Image
from client.proctor.models import Model
from client.proctor.seen import Face, Pose

AROUND: Final = 2.0  # face boxes in the crop: room for a full profile and for the model's own detector

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """The pose of one face and its 478 landmarks in pixels of the frame (x, y, depth towards the camera negative)."""

    pose: Pose
    points: Points


class Landmarks(Protocol):
    """An engine that reads a face which was found before."""

    def read(self, bgr: Image, face: Face) -> Reading | None:
        """Pose and landmarks of `face`, or None where the model loses it (a full profile, a hand)."""

    def close(self) -> None:
        """Must be called before the process ends."""


def _mediapipe() -> Any:
    """Import mediapipe without matplotlib, which it loads and never needs here (2 s and 40 MB)."""
    if "mediapipe" not in sys.modules and "matplotlib" not in sys.modules:
        stub, plot = types.ModuleType("matplotlib"), types.ModuleType("matplotlib.pyplot")
        stub.pyplot = plot  # type: ignore[attr-defined]
        sys.modules.update({"matplotlib": stub, "matplotlib.pyplot": plot})
    import mediapipe

    return mediapipe


class Landmarker:
    """FaceLandmarker on single images around a face found before: no tracker that follows somebody else."""

    def __init__(self, model: Model) -> None:
        self._mp = _mediapipe()
        vision = self._mp.tasks.vision
        options = vision.FaceLandmarkerOptions(
            base_options=self._mp.tasks.BaseOptions(model_asset_buffer=model.data),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=1,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._net = vision.FaceLandmarker.create_from_options(options)

    def read(self, bgr: Image, face: Face) -> Reading | None:
        """Pose and landmarks of `face`, or None where the model loses it (a full profile, a hand)."""
        crop, left, top = around(bgr, face)
        rgb = np.ascontiguousarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB))
        result = self._net.detect(self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=rgb))
        if not result.face_landmarks:
            return None
        turn = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
        shape = {item.category_name: item.score for item in result.face_blendshapes[0]}
        points = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]], np.float64)
        return Reading(pose(turn, shape), points * crop.shape[0] + (left, top, 0))

    def close(self) -> None:
        """Must be called before the process ends: an open landmarker raises while Python shuts down."""
        self._net.close()


def pose(turn: NDArray[Any], shape: dict[str, float]) -> Pose:
    """The pose that a rotation (x to the right of the frame, y up, z to the camera) and the blendshapes tell."""
    return Pose(
        yaw=math.degrees(math.atan2(-turn[2, 0], math.hypot(turn[0, 0], turn[1, 0]))),
        pitch=-math.degrees(math.atan2(turn[2, 1], turn[2, 2])),
        blink=min(shape["eyeBlinkLeft"], shape["eyeBlinkRight"]),
        jaw=shape["jawOpen"],
        smile=min(shape["mouthSmileLeft"], shape["mouthSmileRight"]),
    )


def around(bgr: Image, face: Face) -> tuple[Image, int, int]:
    """A square around the face with black where the frame ends, and its left and top edge in the frame."""
    side = max(16, round(max(face.w, face.h) * AROUND))
    left, top = round(face.x + face.w / 2 - side / 2), round(face.y + face.h / 2 - side / 2)
    height, width = bgr.shape[:2]
    square = np.zeros((side, side, 3), np.uint8)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    if x1 > x0 and y1 > y0:
        square[y0 - top : y1 - top, x0 - left : x1 - left] = bgr[y0:y1, x0:x1]
    return square, left, top
