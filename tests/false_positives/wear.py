"""Puts on real faces what the pack has no pictures of: drawn by the landmarks, so that it sits where it is worn.

Drawn things are not worn things: these show that presence does not depend on a bare face, not how a given mask reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np

from client.proctor.face import Image

Points = Any  # 478 landmarks in pixels of the picture: x, y, depth
Worn = Callable[[Image, Points], Image]

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
MASK: Final = (
    6, 351, 346, 345, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93,
    234, 116, 117, 122,
)  # fmt: skip  # from the bridge of the nose over both cheeks to the chin
RIGHT_EYE, LEFT_EYE, BROWS = (33, 133), (362, 263), (70, 300)


def _corners(points: Points, names: tuple[int, ...]) -> Any:
    return points[list(names), :2].round().astype(np.int32)


def _painted(bgr: Image, shape: Any, colour: tuple[int, int, int]) -> Image:
    """Fill `shape` with `colour`, with the folds and the light that were there, weakly, and a soft edge."""
    cover = np.zeros(bgr.shape[:2], np.uint8)
    cv2.fillPoly(cover, [shape], 255)
    soft = cv2.GaussianBlur(cover, (0, 0), max(1.0, bgr.shape[0] / 320))[..., None] / 255.0
    grey = cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (0, 0), 5)[..., None].astype(np.float32)
    level = max(40.0, float(grey[cover > 0].mean())) if cover.any() else 128.0
    cloth = np.array(colour, np.float32) * (0.6 + 0.4 * grey / level)
    return np.clip(bgr * (1 - soft) + cloth * soft, 0, 255).astype(np.uint8)


def dust_mask(colour: tuple[int, int, int] = (230, 225, 215)) -> Worn:
    """A mask from the bridge of the nose to below the chin, with its straps."""

    def wear(bgr: Image, points: Points) -> Image:
        worn = _painted(bgr, _corners(points, MASK), colour)
        for cheek, ear in ((116, 127), (345, 356)):
            a, b = _corners(points, (cheek, ear))
            cv2.line(worn, tuple(map(int, a)), tuple(map(int, b)), colour, 2)
        return worn

    return wear


def headscarf(colour: tuple[int, int, int] = (120, 60, 40)) -> Worn:
    """Cloth around the whole face, over hair, ears and neck, low on the forehead."""

    def wear(bgr: Image, points: Points) -> Image:
        oval = _corners(points, OVAL)
        centre = oval.mean(axis=0)
        inner = ((oval - centre) * (0.97, 0.9) + centre).round().astype(np.int32)
        outer = ((oval - centre) * (1.45, 1.35) + centre).round().astype(np.int32)
        around = np.zeros(bgr.shape[:2], np.uint8)
        cv2.fillPoly(around, [outer], 255)
        low = int(oval[:, 1].max())
        width = int((oval[:, 0].max() - oval[:, 0].min()) * 0.7)
        x = int(centre[0])
        cv2.fillPoly(
            around,
            [np.array([(x - width, low), (x + width, low), (x + width, bgr.shape[0]), (x - width, bgr.shape[0])])],
            255,
        )
        cv2.fillPoly(around, [inner], 0)
        soft = cv2.GaussianBlur(around, (0, 0), 2)[..., None] / 255.0
        return np.clip(bgr * (1 - soft) + np.array(colour, np.float32) * soft, 0, 255).astype(np.uint8)

    return wear


def hearing_aids(bgr: Image, points: Points) -> Image:
    """A case behind each ear and a tube into it."""
    worn = bgr.copy()
    size = max(3, int(np.linalg.norm(points[10, :2] - points[152, :2]) / 14))
    for ear, way in ((234, -1), (454, 1)):
        x, y = (int(v) for v in points[ear, :2])
        cv2.ellipse(worn, (x + way * size, y - size), (size // 2 + 1, size), 15 * way, 0, 360, (170, 190, 205), -1)
        cv2.line(worn, (x + way * size, y), (x, y + size), (200, 210, 215), max(1, size // 4))
    return worn


def eye_patch(bgr: Image, points: Points) -> Image:
    """One eye under a black patch, with its band across the forehead."""
    worn = bgr.copy()
    outer, inner = (points[name, :2] for name in RIGHT_EYE)
    centre, wide = (outer + inner) / 2, float(np.linalg.norm(outer - inner))
    middle = (int(centre[0]), int(centre[1]))
    cv2.ellipse(worn, middle, (int(wide * 0.95), int(wide * 0.8)), 0, 0, 360, (15, 15, 15), -1)
    for end in (points[127, :2], points[297, :2]):
        cv2.line(worn, middle, (int(end[0]), int(end[1])), (15, 15, 15), max(2, int(wide / 9)))
    return worn


def glasses(bgr: Image, points: Points) -> Image:
    """Thick frames, with the glare of a screen on one lens."""
    worn = bgr.copy()
    wide = float(np.linalg.norm(points[33, :2] - points[133, :2]))
    centres = []
    for eye in (RIGHT_EYE, LEFT_EYE):
        centre = (points[eye[0], :2] + points[eye[1], :2]) / 2
        middle = (int(centre[0]), int(centre[1]))
        centres.append(middle)
        cv2.ellipse(worn, middle, (int(wide * 0.9), int(wide * 0.7)), 0, 0, 360, (25, 25, 30), max(2, int(wide / 7)))
    cv2.line(worn, centres[0], centres[1], (25, 25, 30), max(1, int(wide / 10)))
    glare = worn.copy()
    x, y = centres[0]
    cv2.rectangle(glare, (x - int(wide / 2), y - int(wide / 3)), (x, y), (255, 245, 230), -1)
    return cv2.addWeighted(glare, 0.5, worn, 0.5, 0)


WORN: Final[dict[str, Worn]] = {
    "glasses": glasses,
    "dust mask, white": dust_mask(),
    "dust mask, blue": dust_mask((190, 150, 90)),
    "dust mask, black": dust_mask((35, 35, 35)),
    "headscarf": headscarf(),
    "headscarf, light": headscarf((210, 205, 220)),
    "hearing aids": hearing_aids,
    "eye patch": eye_patch,
}
