"""A picture that stands still or comes round again is no camera; people who move, or sit still, are."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from client.proctor.face import Image, frame
from client.proctor.look import Eyes
from client.proctor.repeats import REPEATS, STILL, Repeats

FPS = 12


@pytest.fixture
def clip(faces: Path) -> Callable[[str], list[Image]]:
    """The frames of a clip, about twelve a second."""

    def read(name: str) -> list[Image]:
        file = cv2.VideoCapture(str(faces / "videos" / name))
        every = max(1, round(file.get(cv2.CAP_PROP_FPS) / FPS))
        frames = []
        while (got := file.read())[0]:
            frames.append(frame(got[1]))
        return frames[::every]

    return read


def words(frames: Iterable[Image], eyes: Eyes, seconds: float) -> set[str]:
    """What is said of the picture in so many seconds, with a glance a second, as the worker looks."""
    repeats, said = Repeats(), set()
    jitter = np.random.default_rng(1)
    for i, bgr in enumerate(itertools.islice(frames, int(seconds * FPS))):
        t = 1_000 + i * 1000 // FPS + int(jitter.integers(0, 15))
        if i % FPS == 0:
            found = eyes.glance(bgr, t).faces
            repeats.look(found[0] if found else None)
        repeats.see(bgr, t)
        said.add(repeats.word)
    return said


def recoded(frames: Iterable[Image]) -> Iterator[Image]:
    """Each round through a poor virtual camera: noise that differs, and a codec."""
    chance = np.random.default_rng(2)
    for bgr in frames:
        noisy = cv2.add(bgr, chance.integers(0, 6, bgr.shape, dtype=np.uint8))
        _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 60])
        yield cv2.imdecode(data, cv2.IMREAD_COLOR)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lp_d18.mp4", "sad_WDA_KatieHill_000.mp4"])
def test_a_film_in_a_loop_is_noticed(clip: Callable[[str], list[Image]], eyes: Eyes, name: str) -> None:
    """Within a few rounds, even when every frame is coded anew with new noise."""
    assert REPEATS in words(recoded(itertools.cycle(clip(name))), eyes, 30)


def test_a_still_is_noticed(clip: Callable[[str], list[Image]], eyes: Eyes) -> None:
    """A photograph in place of the camera, or a driver that hangs: after five seconds without any noise."""
    assert STILL in words(itertools.repeat(clip("lp_d0.mp4")[0]), eyes, 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lp_d6.mp4", "lp_d9.mp4", "lp_d13.mp4"])
def test_people_who_talk_move_and_blink_are_never_called_either(
    clip: Callable[[str], list[Image]], eyes: Eyes, name: str
) -> None:
    """Their whole clips, once."""
    frames = clip(name)
    assert words(frames, eyes, len(frames) / FPS) == {""}


@pytest.mark.slow
def test_a_sensor_before_a_still_scene_is_not_a_still_picture(eyes: Eyes) -> None:
    """Somebody who does not move at all, or an empty chair: the noise of the sensor is enough."""
    chance = np.random.default_rng(3)
    scene = np.full((480, 640, 3), 120, np.uint8)
    noisy = (np.clip(scene + chance.normal(0, 0.8, scene.shape), 0, 255).astype(np.uint8) for _ in itertools.count())
    assert words(noisy, eyes, 12) == {""}


@pytest.mark.slow
def test_a_fan_behind_somebody_who_moves_is_not_a_loop(clip: Callable[[str], list[Image]], eyes: Eyes) -> None:
    """What comes round in the room does not matter: the head is what is compared."""

    def with_fan() -> Iterator[Image]:
        for i, bgr in enumerate(clip("lp_d9.mp4")):
            x = int(60 + 50 * np.sin(i / FPS * 2))
            yield cv2.circle(
                cv2.copyMakeBorder(bgr, 0, 0, 200, 0, cv2.BORDER_REPLICATE), (x, 200), 40, (20, 20, 20), -1
            )

    frames = [frame(bgr) for bgr in with_fan()]
    assert words(frames, eyes, len(frames) / FPS) == {""}
