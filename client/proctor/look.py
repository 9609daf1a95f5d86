"""Everything that the models say of one frame: the only place where pictures become numbers."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from client.proctor import face as faces
from client.proctor import rigid, track
from client.proctor.face import Detector, Image
from client.proctor.landmarks import Landmarker, Landmarks, Reading
from client.proctor.match import Recogniser
from client.proctor.models import Model, ModelSet
from client.proctor.pad import PadModel
from client.proctor.rigid import Shape
from client.proctor.seen import Cues, Face, Pose, Seen
from client.proctor.setup import Engine

PAD_MS: Final = 120  # P(live) of a followed face so often: every second frame of a challenge


class Eyes:
    """The loaded models. The landmarks come with the first challenge, and `close` must be called before the end."""

    def __init__(self, models: ModelSet, engine: Engine = "mediapipe") -> None:
        """The networks keep what they need of the bytes; only names and hashes of the large ones are kept here."""
        self._engine: Engine = engine
        self._detector = Detector(models.detector)
        self._fine: Detector | None = None
        self._recogniser = Recogniser(models.recogniser)
        self._pad = PadModel(models.pad, models.pad_wide) if models.pad else None
        near, wide = models.pad and _light(models.pad), models.pad_wide and _light(models.pad_wide)
        self.models = replace(models, recogniser=_light(models.recogniser), pad=near, pad_wide=wide)
        self._landmarker: Landmarks | None = None
        self._track: track.Track | None = None
        self._pad_at = 0

    @property
    def landmarker(self) -> Landmarks:
        """The landmark model, loaded at its first use (half a second)."""
        if self._landmarker is None:
            self._landmarker = self._open()
        return self._landmarker

    def _open(self) -> Landmarks:
        if self._engine == "mediapipe":
            return Landmarker(self.models.landmarks)
        from client.proctor.dnn_landmarks import DnnLandmarker

        return DnnLandmarker(self.models.landmarks)

    def of_its_own(self) -> tuple[Detector, Landmarks]:
        """A detector and a landmarker for another thread: neither may be used by two at once."""
        return Detector(self.models.detector), self._open()

    def glance(self, bgr: Image, t: int) -> Seen:
        """The cheap look of presence: how many faces, where, how lit. An empty picture is looked at twice as finely."""
        return self._seen(bgr, t, self._find(bgr) or self._find(bgr, fine=True))

    def look(self, bgr: Image, t: int, *, pose: bool = False, vector: bool = False, fine: bool = False) -> Seen:
        """The look of a check. `fine` searches at full size, as before enrolling; PAD runs where it is loaded.

        Between two detections a frame that is wanted for its pose alone is followed: see `track.DETECT_MS`.
        """
        if pose and not vector and not fine:
            followed = self._follow(bgr, t)
            if followed is not None:
                return followed
        found = self._find(bgr, fine)
        self._track = None
        if not found:
            return self._seen(bgr, t, found)
        first = found[0]
        reading = self._read(bgr, t, found) if pose else None
        seen_vector = self._recogniser.embed(bgr, first) if vector else None
        seen = self._seen(bgr, t, found, reading.pose if reading else None, seen_vector, self._cues(bgr, t, first))
        seen = replace(seen, shape=_shape(reading)) if reading else seen
        return replace(seen, lower=faces.lower_edges(bgr, first)) if vector else seen

    def _find(self, bgr: Image, fine: bool = False) -> tuple[Face, ...]:
        """All faces. The network holds 20 MB at full size, so a second one does that and is let go afterwards."""
        if fine:
            self._fine = self._fine or Detector(self.models.detector)
            return self._fine.find(bgr, faces.MAX_SIDE)
        found = self._detector.find(bgr, faces.MONITOR_SIDE)
        self._fine = None if found else self._fine
        return found

    def _follow(self, bgr: Image, t: int) -> Seen | None:
        """The look at a frame by landmarks alone; None where the detector must say again who is there."""
        now = self._track
        if now is None or not now.fresh(t):
            return None
        reading = self.landmarker.read(bgr, now.face)
        if reading is None:
            return None
        self._track = now = now.moved(reading.points, t)
        cues = self._cues(bgr, t, now.face) if t - self._pad_at >= PAD_MS else None
        return replace(self._seen(bgr, t, (now.face, *now.others), reading.pose, None, cues), shape=_shape(reading))

    def _read(self, bgr: Image, t: int, found: tuple[Face, ...]) -> Reading | None:
        reading = self.landmarker.read(bgr, found[0])
        if reading is not None:
            self._track = track.begin(t, found, reading.points)
        return reading

    def _cues(self, bgr: Image, t: int, first: Face) -> Cues | None:
        self._pad_at = t
        return self._pad.look(bgr, first, t) if self._pad else None

    def _seen(
        self,
        bgr: Image,
        t: int,
        found: tuple[Face, ...],
        pose: Pose | None = None,
        vector: tuple[float, ...] | None = None,
        cues: Cues | None = None,
    ) -> Seen:
        mean, deviation = faces.light(bgr)
        face_light, sharp = faces.face_light_and_sharpness(bgr, found[0]) if found else (0.0, 0.0)
        height, width = bgr.shape[:2]
        live = self._pad.live(cues) if self._pad and cues else None
        return Seen(t, width, height, mean, deviation, found, face_light, sharp, pose, vector, live, cues)

    def rest(self) -> None:
        """Let the landmark model go until the next challenge."""
        self._track = None
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def close(self) -> None:
        """Close what must not be open when Python ends."""
        self.rest()


def _shape(reading: Reading) -> Shape:
    return reading.points[: rigid.POINTS].astype(np.float32)


def _light(model: Model) -> Model:
    return replace(model, data=b"")


def engine() -> str:
    """Name and version of what computes the vectors: templates of another engine are not compared."""
    return f"opencv {cv2.__version__}"


def versions(engine: str) -> dict[str, int]:
    """Versions of the engines as numbers (5.0.0 → 5000000), for the figures of a signed result.

    `mediapipe` stands there where it read the landmarks, `dnn` (of the same version as `opencv`) where OpenCV did.
    """
    found = {"opencv": cv2.__version__}
    loaded = sys.modules.get("mediapipe")
    if engine == "dnn":
        found["dnn"] = cv2.__version__
    elif loaded is not None:
        found["mediapipe"] = str(getattr(loaded, "__version__", "0"))
    return {name: _number(text) for name, text in found.items()}


def _number(text: str) -> int:
    parts = [int("".join(c for c in part if c.isdigit()) or 0) for part in text.split(".")[:3]]
    major, minor, patch = [*parts, 0, 0, 0][:3]
    return major * 1_000_000 + minor * 1_000 + patch
