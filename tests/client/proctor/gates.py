"""The figures behind the quality gates: what real faces read, and how many of them each gate would turn away.

    python -m tests.client.proctor.gates [--pack DIR]

Portraits (LFW), webcam frames (NUAA, two people), portraits of varied skin, and the same frames spoiled as rooms and
cameras spoil them. One line of JSON closes it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from client import manifest
from client.proctor import models, quality
from client.proctor.face import Image, frame
from client.proctor.limits import Limits, limits
from client.proctor.look import Eyes
from client.proctor.seen import Seen

PERCENTILES: Final = (0, 1, 5, 50, 95, 99, 100)
SPOILED: Final[dict[str, Callable[[Image], Image]]] = {
    "as it is": lambda bgr: bgr,
    "light of a third": lambda bgr: (bgr * 0.33).astype(np.uint8),
    "light of a tenth": lambda bgr: (bgr * 0.1).astype(np.uint8),
    "blurred by 2": lambda bgr: cv2.GaussianBlur(bgr, (0, 0), 2),
    "blurred by 5": lambda bgr: cv2.GaussianBlur(bgr, (0, 0), 5),
    "a third of the size": lambda bgr: cv2.resize(bgr, None, fx=0.33, fy=0.33, interpolation=cv2.INTER_AREA),
}
READ: Final[dict[str, Callable[[Seen], float]]] = {
    "size": lambda seen: seen.faces[0].h / max(seen.width, seen.height),
    "light": lambda seen: seen.face_light,
    "sharp": lambda seen: seen.sharp,
    "turn": lambda seen: abs(seen.faces[0].turn),
    "lower": lambda seen: seen.lower,
}


def sets(pack: Path) -> dict[str, list[Path]]:
    """The pictures of the pack, by where they come from."""
    return {
        "lfw": sorted((pack / "lfw").glob("*/*.jpg")),
        "webcam": sorted((pack / "nuaa/real").glob("*/*.jpg")),
        "skin": sorted((pack / "diverse").iterdir()),
    }


def row(values: Sequence[float]) -> list[float]:
    """Percentiles of one figure."""
    return [round(float(value), 3) for value in np.percentile(values, PERCENTILES)]


def measure(eyes: Eyes, paths: Sequence[Path], by: Limits, spoil: Callable[[Image], Image]) -> dict[str, Any]:
    """What is read of these pictures, and the word that each of them would get."""
    seen = [eyes.look(frame(spoil(frame(cv2.imread(str(path))))), 0, vector=True, fine=True) for path in paths]
    words = Counter(quality.hint(one, by) or "good" for one in seen)
    faces = [one for one in seen if one.faces]
    return {"n": len(seen), "words": dict(words)} | {
        name: row([read(one) for one in faces]) for name, read in READ.items() if faces
    }


def main() -> None:
    """Measure, print, close with one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pack", type=Path, default=Path(__file__).resolve().parents[4] / "shared" / "faces")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    eyes, by = Eyes(models.load_set(manifest.load(), options.pack / "models")), limits(manifest.load())
    good: dict[str, float] = {}
    print(f"percentiles {PERCENTILES}")
    for name, paths in sets(options.pack).items():
        for how, spoil in SPOILED.items():
            if name == "lfw" and how != "as it is":
                continue  # portraits are no webcam: their light and size say nothing about rooms
            found = measure(eyes, paths, by, spoil)
            good[f"{name}, {how}"] = round(found["words"].get("good", 0) / found["n"], 3)
            print(f"{name}, {how}: n {found['n']}, {found['words']}")
            for figure in READ:
                print(f"    {figure:6} {found.get(figure)}")
    eyes.close()
    print(json.dumps({"name": "quality gates", "good": good}))


if __name__ == "__main__":
    main()
