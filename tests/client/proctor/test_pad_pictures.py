"""Real pictures through the product's own eyes and checks: the living face passes, its printed photo is a finding."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import pytest

from client.events import Judged
from client.ports import CheckRequest
from client.proctor import check
from client.proctor.check import Person
from client.proctor.face import Image, frame
from client.proctor.limits import Limits
from client.proctor.look import Eyes

WHO = "0011"
FRAME_MS = 250


def pictures(faces: Path, kind: str) -> list[Image]:
    """A person before a webcam (`real`), or a printed photo of the same person in a hand (`spoof`)."""
    return [frame(cv2.imread(str(path))) for path in sorted((faces / "nuaa" / kind / WHO).glob("*.jpg"))]


@pytest.fixture(scope="module")
def learner(faces: Path, eyes: Eyes) -> Person:
    """Enrolled from the first pictures."""
    looks = [eyes.look(one, 0, vector=True, fine=True).vector for one in pictures(faces, "real")[:6]]
    mean = np.mean([look for look in looks if look], axis=0)
    return Person(tuple(mean / np.linalg.norm(mean)), {}, {}, True)


def glance(shown: list[Image], eyes: Eyes, learner: Person, shipped: Limits) -> tuple[Judged, set[str]]:
    """Look at the pictures over and over until the attempt is judged; what was asked for, too."""
    request, asked = CheckRequest(1, 0, "match", (), 20_000, "07" * 16, "gate"), set()
    attempt = check.attempt(request, learner, shipped, 0)
    for i, bgr in enumerate(cycle(shown)):
        t = FRAME_MS * (i + 1)
        asked.add(attempt.prompt(t).gesture)
        wants = attempt.wants(t)
        attempt.feed(eyes.look(bgr, t, pose=wants.pose, vector=wants.vector, fine=wants.fine))
        attempt.tick(t)
        if attempt.result is not None:
            break
    assert attempt.result is not None
    return attempt.result, asked


@pytest.mark.slow
def test_a_person_passes_and_a_printed_photo_of_the_same_person_is_a_finding(
    faces: Path, eyes: Eyes, learner: Person, shipped: Limits
) -> None:
    """The recogniser knows both; PAD passes the one at a glance, asks the other to turn, and says why it stays in
    doubt: the print's texture, and a face that does not move by itself. A question for a person, not a verdict."""
    judged, asked = glance(pictures(faces, "real")[6:], eyes, learner, shipped)
    assert (judged.result, judged.doubts, asked) == ("passed", (), {"look"})
    judged, asked = glance(pictures(faces, "spoof"), eyes, learner, shipped)
    assert judged.scores["pad_before"] < judged.scores["pad_threshold"]
    assert judged.scores["asked"] == 1
    assert asked & {"turn_left", "turn_right"}
    assert judged.result == "inconclusive"
    assert {"texture", "stiff"} <= set(judged.doubts)
