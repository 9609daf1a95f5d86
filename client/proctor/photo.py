"""The photo of a check: one small picture of the learner, sealed in the detectors' process before it goes anywhere.

Only sealed bytes leave here: the picture itself is in this process's memory alone, and gone with the attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2

from client.errors import ClientError
from client.events import Judged
from client.ports import CheckRequest, Sealing
from client.proctor.face import Image
from client.proctor.limits import Limits
from client.proctor.quality import hint, weight
from client.proctor.seen import Face, Seen

if TYPE_CHECKING:
    from ledger.evidence import Sealed

AROUND: Final = 2.5  # times the face: head, shoulders, and the edge of a picture that is held up; not the room
SIDE: Final = 256  # pixels: a face of about 100; larger ones say no more to the recogniser (docs/privacy.md)
QUALITIES: Final = (70, 60, 50, 40, 30, 20)  # the first that fits; below 70 nothing is gained for a face of this size
MAX_BYTES: Final = 30_000  # of the JPEG, whatever the camera saw
BLOCKS: Final = 6  # squares across a face that is not the learner's: nobody knows it again


class PhotoError(ClientError):
    """A photo that a check asked for could not be made or sealed."""

    code = "TS-C-315"
    remedy = "Go on: the next attempt takes its own photo; if it happens again, tell the school."
    zh = "本次核验照片未能生成。请继续学习，下一次核验会重新拍摄；如反复出现，请联系学校。"


@dataclass(frozen=True, slots=True)
class _Best:
    """The look that counts most so far: how much, when (ms, boot clock), the picture around the face."""

    weight: float
    t: int
    picture: Image


class Photographer:
    """Keeps the best look of one attempt, and seals it when a person or the verifier may need it."""

    def __init__(self, request: CheckRequest, sealing: Sealing, limits: Limits) -> None:
        self._request, self._sealing, self._limits = request, sealing, limits
        self._best: _Best | None = None

    def look(self, bgr: Image, seen: Seen) -> None:
        """Keep this frame if it can be judged and is better than those before: near, sharp, well lit, facing."""
        worth = weight(seen)
        if worth > (self._best.weight if self._best else 0.0) and not hint(seen, self._limits):
            self._best = _Best(worth, seen.t, around(bgr, seen.faces))

    def seal(self, judged: Judged) -> Sealed | None:
        """The photo of an attempt that was judged; None for one that was not, or that never saw a face well."""
        best, self._best = self._best, None
        if best is None or judged.result == "inconclusive":
            return None
        from ledger import evidence  # not before a photo is there: see client/ports.py

        request = self._request
        mono = max(0, best.t - self._sealing.opened_at)
        taken = evidence.Taken(request.check, request.attempt, request.nonce, mono, compress(best.picture))
        try:
            return evidence.seal(taken, self._sealing.origin, self._sealing.recipients)
        except evidence.EvidenceError as error:
            raise PhotoError(str(error)) from error


def around(bgr: Image, faces: tuple[Face, ...]) -> Image:
    """A square copy around the first face, at most `SIDE` pixels; every other face in it is made of a few squares."""
    height, width = bgr.shape[:2]
    first = faces[0]
    half = AROUND * max(first.w, first.h) / 2
    x, y = first.x + first.w / 2, first.y + first.h / 2
    left, top = max(0, round(x - half)), max(0, round(y - half))
    right, low = min(width, round(x + half)), min(height, round(y + half))
    cut = bgr[top:low, left:right].copy()
    for face in faces[1:]:
        _hide(cut, face, left, top)
    scale = min(1.0, SIDE / max(cut.shape[:2]))
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    return cv2.resize(cut, size, interpolation=cv2.INTER_AREA)


def _hide(cut: Image, face: Face, left: int, top: int) -> None:
    """Paint over a face that nobody asked for, in place."""
    x, y = max(0, round(face.x - left)), max(0, round(face.y - top))
    part = cut[y : max(0, round(face.y + face.h - top)), x : max(0, round(face.x + face.w - left))]
    if part.size:
        few = cv2.resize(part, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(few, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST)


def compress(picture: Image) -> bytes:
    """The picture as a JPEG of at most `MAX_BYTES` that holds nothing but the picture, or `PhotoError`."""
    for quality in QUALITIES:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
        if done and len(data) <= MAX_BYTES:
            return bytes(data.tobytes())
    raise PhotoError(f"no JPEG of {MAX_BYTES} bytes can be made of this picture")
