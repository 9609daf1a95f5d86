"""`python -m tests.client.proctor.bench_photo [PACK]`: how small a photo of a check is, and what is left of the face.

Every frame of the pack that a check could judge (webcam frames, portraits, one frame in forty of the living clips, one
LFW picture in sixteen) is cut, compressed and looked at again. The last line is JSON: bytes of the JPEG against its
limit, bytes of the sealed file, and the comparison score of the face before and after.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from client import manifest
from client.proctor import models
from client.proctor.face import Image, frame
from client.proctor.limits import limits
from client.proctor.look import Eyes
from client.proctor.photo import MAX_BYTES, SIDE, around, compress
from client.proctor.quality import hint
from client.proctor.seen import cosine
from ledger.evidence import Taken, seal
from ledger.keys import generate_evidence
from tests.conftest import SHARED

ORIGIN = "demo.trueseat.example/s/" + "ab" * 16


def frames(pack: Path) -> Iterator[Image]:
    """Pictures as a camera would give them."""
    names = sorted((pack / "nuaa" / "real").rglob("*.jpg"))
    names += [*sorted((pack / "diverse").glob("*.jpg")), *sorted((pack / "identities").rglob("*.[jp][pn]g"))]
    names += sorted((pack / "lfw").rglob("*.jpg"))[::16]
    for name in names:
        yield frame(cv2.imread(str(name)))
    for path in sorted((pack / "videos").glob("lp_*.mp4")):
        clip, number = cv2.VideoCapture(str(path)), 0
        while (read := clip.read())[0]:
            number += 1
            if number % 40 == 1:
                yield frame(read[1])
        clip.release()


def eyes_of(pack: Path) -> Eyes:
    """The product's models from the pack."""
    folder = Path(tempfile.mkdtemp())
    for path in (*(pack / "models").iterdir(), pack / "identities" / "astronaut.png"):
        (folder / path.name).symlink_to(path)
    return Eyes(models.load_set(manifest.load(), folder))


def measure(pack: Path) -> dict[str, Any]:
    """All figures."""
    eyes, shipped = eyes_of(pack), limits(manifest.load())
    vkey, _ = generate_evidence("school.example/e")
    sizes, sealed, scores, all_ = [], [], [], 0
    for bgr in frames(pack):
        all_ += 1
        seen = eyes.look(bgr, 0, vector=True)
        if hint(seen, shipped) or seen.vector is None:
            continue
        jpeg = compress(around(bgr, seen.faces))
        sizes.append(len(jpeg))
        sealed.append(len(seal(Taken(0, 0, "0f" * 16, 0, jpeg), ORIGIN, [str(vkey)]).file))
        again = eyes.look(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), 0, vector=True, fine=True)
        scores.append(cosine(seen.vector, again.vector) if again.vector else 0.0)
    eyes.close()
    figures = {f"p{q}": int(np.percentile(sizes, q)) for q in (50, 95)} | {"max": max(sizes)}
    kept = {f"p{q}": round(float(np.percentile(scores, q)), 3) for q in (5, 50)} | {"min": round(min(scores), 3)}
    return {
        "name": "photo", "frames": all_, "judged": len(sizes), "side": SIDE, "jpeg_bytes": figures,
        "limit_bytes": MAX_BYTES, "sealed_bytes_max": max(sealed), "same_person": kept,
        "ratio": round(max(sizes) / MAX_BYTES, 3),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "faces")))
