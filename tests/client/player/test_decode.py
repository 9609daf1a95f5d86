"""Pictures as the screen wants them: three planes for a GPU, or finished pixels where a program draws the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from client.player.decode import Picture, Sight

BT709, BT601 = (1.5748, 0.1873, 0.4681, 1.8556), (1.402, 0.3441, 0.7141, 1.772)


def frame_of(path: Path, number: int) -> Any:
    with av.open(str(path)) as box:
        for at, frame in enumerate(box.decode(video=0)):
            if at == number:
                return frame
    raise AssertionError("a shorter file")


def plane(picture: Picture, number: int, height: int, width: int) -> Any:
    rows = np.frombuffer(picture.planes[number], np.uint8)[: picture.strides[number] * height]
    return rows.reshape(height, -1)[:, :width].astype(float) / 255


def by_the_book(picture: Picture) -> Any:
    """ITU-R BT.601 and BT.709 in floats: the oracle."""
    h, w = picture.height, picture.width
    y = plane(picture, 0, h, w)
    u, v = (plane(picture, n, h // 2, w // 2).repeat(2, 0).repeat(2, 1) - 128 / 255 for n in (1, 2))
    if not picture.full_range:
        y, u, v = (y - 16 / 255) * 255 / 219, u * 255 / 224, v * 255 / 224
    a, b, c, d = BT709 if picture.hd else BT601
    return np.clip(np.stack([y + a * v, y - b * u - c * v, y + d * u], -1), 0, 1) * 255


def check_colours(path: Path, number: int) -> None:
    frame = frame_of(path, number)
    sight = Sight(0.0)
    planes, pixels = sight.see(frame), sight.see(frame, (frame.width, frame.height))
    assert planes is not None
    assert pixels is not None
    assert (pixels.width, pixels.height) == (frame.width, frame.height)
    found = np.frombuffer(pixels.planes[0], np.uint8).reshape(pixels.height, -1, 4)[:, : pixels.width, :3]
    difference = abs(found.astype(float) - by_the_book(planes))
    assert difference.mean() < 2.5
    assert np.percentile(difference, 99) < 6, "edges of colour are smoothed, nothing else differs"


@pytest.mark.slow
def test_finished_pixels_have_the_colours_of_the_standard(demo_course: Path) -> None:
    """Without a GPU the learner sees the same colours: BT.709 for the demo lesson."""
    check_colours(demo_course / "lesson.mp4", 740)


def test_an_old_camera_keeps_its_colours_too(shared: Path) -> None:
    """BT.601, limited range."""
    check_colours(shared / "faces/videos/lp_d0.mp4", 30)


@pytest.mark.parametrize("box", [(968, 544), (360, 203), (1280, 720), (1920, 1016), (16, 16)])
def test_a_picture_comes_in_the_screens_own_size(demo_course: Path, box: tuple[int, int]) -> None:
    """As large as fits, times and range as of the planes, rows as long as their stride says."""
    frame = frame_of(demo_course / "lesson.mp4", 3)
    picture = Sight(0.0).see(frame, box)
    assert picture is not None
    assert picture.width == box[0] or picture.height == box[1]
    assert (round(picture.at_ms), round(picture.until_ms)) == (120, 160)
    assert memoryview(picture.planes[0]).nbytes >= picture.size >= picture.width * picture.height * 4
