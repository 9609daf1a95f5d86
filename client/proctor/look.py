"""Everything that the models say of one frame: the only place where pictures become numbers."""

from __future__ import annotations

import cv2

from client.proctor import face as faces
from client.proctor.face import Detector, Image
from client.proctor.landmarks import Landmarker
from client.proctor.match import Recogniser
from client.proctor.models import ModelSet
from client.proctor.pad import PadModel
from client.proctor.seen import Face, Pose, Seen


class Eyes:
    """The loaded models. The landmarker comes with the first challenge, and `close` must be called before the end."""

    def __init__(self, models: ModelSet) -> None:
        self.models = models
        self._detector = Detector(models.detector)
        self._recogniser = Recogniser(models.recogniser)
        self._pad = PadModel(models.pad) if models.pad else None
        self._landmarker: Landmarker | None = None

    @property
    def landmarker(self) -> Landmarker:
        """The landmark model, loaded at its first use (half a second)."""
        if self._landmarker is None:
            self._landmarker = Landmarker(self.models.landmarks)
        return self._landmarker

    def of_its_own(self) -> tuple[Detector, Landmarker]:
        """A detector and a landmarker for another thread: neither may be used by two at once."""
        return Detector(self.models.detector), Landmarker(self.models.landmarks)

    def glance(self, bgr: Image, t: int) -> Seen:
        """The cheap look of presence: how many faces, where, how lit. An empty picture is looked at twice as finely."""
        found = self._detector.find(bgr, faces.MONITOR_SIDE) or self._detector.find(bgr)
        return self._seen(bgr, t, found)

    def look(self, bgr: Image, t: int, *, pose: bool = False, vector: bool = False, fine: bool = False) -> Seen:
        """The look of a check. `fine` searches at full size, as before enrolling; PAD runs where it is loaded."""
        found = self._detector.find(bgr, faces.MAX_SIDE if fine else faces.MONITOR_SIDE)
        if not found:
            return self._seen(bgr, t, found)
        first = found[0]
        seen_pose = self._pose(bgr, first) if pose else None
        seen_vector = self._recogniser.embed(bgr, first) if vector else None
        live = self._pad.live(bgr, first) if self._pad else None
        return self._seen(bgr, t, found, seen_pose, seen_vector, live)

    def _pose(self, bgr: Image, first: Face) -> Pose | None:
        return self.landmarker.read(bgr, first)

    def _seen(
        self,
        bgr: Image,
        t: int,
        found: tuple[Face, ...],
        pose: Pose | None = None,
        vector: tuple[float, ...] | None = None,
        live: float | None = None,
    ) -> Seen:
        mean, deviation = faces.light(bgr)
        face_light, sharp = faces.face_light_and_sharpness(bgr, found[0]) if found else (0.0, 0.0)
        height, width = bgr.shape[:2]
        return Seen(t, width, height, mean, deviation, found, face_light, sharp, pose, vector, live)

    def close(self) -> None:
        """Close what must not be open when Python ends."""
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None


def engine() -> str:
    """Name and version of what computes the vectors: templates of another engine are not compared."""
    return f"opencv {cv2.__version__}"
