"""The plain reference chain: the calls that anybody would write, and nothing of the product. Read by bench_proctor.py.

YuNet at 640 pixels, the largest face, OpenCV's own alignment, SFace, MiniFASNetV2, and FaceLandmarker in VIDEO mode.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import cv2
import numpy as np

YUNET, SFACE = "face_detection_yunet_2023mar_int8bq.onnx", "face_recognition_sface_2021dec_int8bq.onnx"
LANDMARKS = "face_landmarker.task"
PADS = ("MiniFASNetV2-made.onnx", "MiniFASNetV2.onnx")
SIDE = 640


class Bare:
    """The models, each called bare."""

    def __init__(self, folder: Path, score: float = 0.7) -> None:
        self.detector = cv2.FaceDetectorYN.create(str(folder / YUNET), "", (SIDE, SIDE), score, 0.3, 50)
        self.aligner = cv2.FaceRecognizerSF.create(str(folder / SFACE), "")
        self.recogniser = cv2.dnn.readNetFromONNX(str(folder / SFACE))
        pad = next(folder / name for name in PADS if (folder / name).exists())
        self.pad_net = cv2.dnn.readNetFromONNX(str(pad))
        self._task, self._time = folder / LANDMARKS, 0
        self._landmarker: Any = None
        self._mp: Any = None

    def find(self, bgr: Any, side: int = SIDE) -> Any:
        """The largest face as YuNet's row in pixels of `bgr`, or None."""
        scale = side / max(bgr.shape[:2])
        small = bgr if scale == 1 else cv2.resize(bgr, None, fx=scale, fy=scale)
        self.detector.setInputSize((small.shape[1], small.shape[0]))
        rows = self.detector.detect(small)[1]
        if rows is None:
            return None
        row = max(rows, key=lambda row: row[2] * row[3])
        return np.concatenate([row[:14] / scale, row[14:]])

    def embed(self, bgr: Any, row: Any) -> Any:
        """128 numbers of length 1."""
        aligned = self.aligner.alignCrop(bgr, row)
        self.recogniser.setInput(cv2.dnn.blobFromImage(aligned, 1, (112, 112), (0, 0, 0), swapRB=True), "data")
        vector = self.recogniser.forward().ravel()
        return vector / np.linalg.norm(vector)

    def pad(self, bgr: Any, row: Any) -> float:
        """P(live) of the face, the crop 2.7 boxes wide."""
        height, width = bgr.shape[:2]
        x, y, w, h = row[:4]
        scale = min(2.7, (width - 1) / w, (height - 1) / h)
        left = min(max(x + w / 2 - w * scale / 2, 0), width - 1 - w * scale)
        top = min(max(y + h / 2 - h * scale / 2, 0), height - 1 - h * scale)
        crop = bgr[int(top) : int(top + h * scale) + 1, int(left) : int(left + w * scale) + 1]
        self.pad_net.setInput(cv2.dnn.blobFromImage(cv2.resize(crop, (80, 80)), 1, (80, 80), (0, 0, 0)))
        raw = np.exp(self.pad_net.forward().ravel())
        return float(raw[1] / raw.sum())

    def landmarks(self, bgr: Any) -> Any:
        """FaceLandmarker's answer for the next frame of a film."""
        if self._landmarker is None:
            self._load()
        self._time += 33
        rgb = np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        return self._landmarker.detect_for_video(
            self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=rgb), self._time
        )

    def _load(self) -> None:
        for name in ("matplotlib", "matplotlib.pyplot"):  # seconds that nobody needs, in neither of both
            sys.modules.setdefault(name, types.ModuleType(name))
        sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]  # type: ignore[attr-defined]
        import mediapipe

        self._mp, vision = mediapipe, mediapipe.tasks.vision
        options = vision.FaceLandmarkerOptions(
            base_options=mediapipe.tasks.BaseOptions(model_asset_buffer=self._task.read_bytes()),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=1,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def close(self) -> None:
        """An open landmarker raises while Python ends."""
        if self._landmarker is not None:
            self._landmarker.close()


def main() -> None:
    """One whole look from nothing: `python build/proctor_bare.py MODELS CLIP` (bench_proctor.py takes its time)."""
    folder, clip = Path(sys.argv[1]), sys.argv[2]
    cv2.setNumThreads(1)
    bare = Bare(folder)
    bgr = cv2.VideoCapture(clip).read()[1]
    row = bare.find(bgr, 320)
    bare.embed(bgr, row)
    bare.pad(bgr, row)
    print("looked", flush=True)


if __name__ == "__main__":
    main()
