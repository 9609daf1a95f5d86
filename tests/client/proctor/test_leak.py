"""The short form of the memory bench: whatever the camera gives, a check ends and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from client.proctor.look import Eyes
from tests.client.proctor.leak import run


@pytest.mark.slow
def test_checks_leave_nothing_behind(eyes: Eyes, faces: Path) -> None:
    """Sixty checks on pictures of every kind: each ends, broken ones are refused by our own error, memory stays."""
    picture = cv2.imread(str(next(iter(sorted((faces / "nuaa" / "real").glob("*/*.jpg"))))))
    found = run(eyes, picture, 60)
    assert found["ends"]["refused"] >= 15
    assert sum(found["ends"].values()) == 60 + found["ends"]["refused"]
    assert found["growth_mib"] < 24, "an 8K frame once more would be 100"
