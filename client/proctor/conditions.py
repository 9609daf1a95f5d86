"""Errors by light and by apparent skin tone: whoever is turned away more often should be seen in the figures.

Apparent tone is what the picture shows, not who somebody is: the individual typology angle (ITA) of the cheeks' colour,
which light and white balance move. Three coarse bins, so that each has people in it; every figure with its n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np

from client.proctor import figures
from client.proctor.face import Image, face_light_and_sharpness
from client.proctor.figures import Scores
from client.proctor.seen import Face

TONES: Final = ((41.0, "light"), (10.0, "middle"), (-91.0, "dark"))  # ITA from here on, in degrees
LIGHTS: Final = ((150.0, "bright"), (100.0, "even"), (-1.0, "dim"))  # mean of the face, 0…255
GREY, COLOURED = "grey", 2.0  # below so much colour (a* and b* together) a picture shows no tone at all
CHEEK: Final = 0.12  # of the face's width: the square that is read below each eye


def tone(bgr: Image, face: Face) -> str:
    """The bin of the cheeks' apparent tone; `GREY` where the picture shows none."""
    side = max(2, round(face.w * CHEEK))
    found = []
    for eye, mouth in ((face.points[0], face.points[3]), (face.points[1], face.points[4])):
        x, y = round((eye[0] + mouth[0]) / 2 - side / 2), round((eye[1] + mouth[1]) / 2 - side / 2)
        square = bgr[max(0, y) : max(0, y + side), max(0, x) : max(0, x + side)]
        if square.size:
            lab = cv2.cvtColor(square.astype(np.float32) / 255, cv2.COLOR_BGR2LAB).reshape(-1, 3)
            found.append(np.median(lab, axis=0))
    if not found:
        return GREY
    lightness, green, blue = (float(value) for value in np.mean(found, axis=0))
    if math.hypot(green, blue) < COLOURED:
        return GREY
    return _bin(math.degrees(math.atan2(lightness - 50, max(blue, 1e-3))), TONES)


def light(bgr: Image, face: Face) -> str:
    """The bin of the face's brightness."""
    return _bin(face_light_and_sharpness(bgr, face)[0], LIGHTS)


def _bin(value: float, bins: Iterable[tuple[float, str]]) -> str:
    return next(name for least, name in bins if value >= least)


def verification(scores: Scores, same: Scores, labels: Sequence[str], threshold: float) -> Mapping[str, Any]:
    """FNMR and FMR among pictures of one bin: like is compared with like, which is the harder half."""
    names, report = np.array(labels), {}
    for name in sorted(set(labels)):
        both = np.triu(np.outer(names == name, names == name), 1)
        genuine, impostor = scores[both & same], scores[both & ~same]
        report[name] = {"images": int((names == name).sum())} | _rates(genuine, impostor, threshold)
    return report


def _rates(genuine: Scores, impostor: Scores, threshold: float) -> dict[str, Any]:
    found: dict[str, Any] = {"genuine": len(genuine), "impostor": len(impostor)}
    if len(genuine):
        share = float((genuine < threshold).mean())
        found |= {"fnmr": share, "fnmr_95": figures.interval(share, len(genuine))}
    if len(impostor):
        share = float((impostor >= threshold).mean())
        found |= {"fmr": share, "fmr_95": figures.interval(share, len(impostor))}
    return found


def turned_away(lives: Sequence[float], labels: Sequence[str], threshold: float) -> Mapping[str, Any]:
    """BPCER by frame of each bin."""
    report = {}
    for name in sorted(set(labels)):
        own = [live for live, label in zip(lives, labels, strict=True) if label == name]
        share = sum(live < threshold for live in own) / len(own)
        report[name] = {"frames": len(own), "bpcer": share, "bpcer_95": figures.interval(share, len(own))}
    return report


Labels = Mapping[str, Callable[[Image, Face], str]]
BY: Final[Labels] = {"light": light, "tone": tone}
