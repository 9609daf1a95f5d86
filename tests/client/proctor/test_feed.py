"""A sensor never gives the same frame twice; a file in its place does, or has bars, and only that is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from client.proctor import presence
from client.proctor.feed import KEPT, LEAST, Fed, Feed
from client.proctor.limits import Limits
from tests.client.proctor.scenes import seen
from tests.client.proctor.test_pad import skin

FPS = 30


def scene(i: int) -> Any:
    """A soft picture that wanders a little: the `i`th of a film without any noise."""
    return np.roll(SOFT, i % 40, axis=1)


def sensor(i: int, sigma: float = 1.2) -> Any:
    """The same through a sensor."""
    return np.clip(scene(i) + sigma * NOISE[i % len(NOISE)], 0, 255).astype(np.uint8)


def pulled(i: int) -> Any:
    """A file of 25 pictures a second that a program shows as 30: every sixth comes twice."""
    return sensor(i * 25 // 30)


def boxed(i: int) -> Any:
    """A film of another shape in the camera's frame."""
    framed = np.zeros_like(SOFT)
    framed[:, 20:140] = sensor(i)[:, :120]
    return framed


def squeezed(i: int) -> Any:
    """A sensor's noise that a codec took away in every block that rests."""
    before = sensor(0)
    before[40:80, 40:80] = sensor(i)[40:80, 40:80]
    return before


def watched(make: Callable[[int], Any], seconds: float = 35, every: int = 1) -> Fed | None:
    """So many seconds of a camera, of whose frames the reader sees each `every`th."""
    feed = Feed()
    for i in range(0, int(seconds * FPS), every):
        feed.see(i + 1, make(i), i * 1000 // FPS)
    return feed.fed()


SOFT = skin(4, noise=0)[:120, :160]
NOISE = np.random.default_rng(1).normal(0, 1, (97, *SOFT.shape)).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.6, 1.2, 4.0])
def test_a_sensor_has_no_signs(sigma: float) -> None:
    """From a fine camera to a poor one: noise in every block, no frame twice, no bar."""
    found = watched(lambda i: sensor(i, sigma))
    assert found is not None
    assert found.signs == ()
    assert found.doubled == 0
    assert found.bars == 0
    assert found.same < 0.02


def test_a_file_at_another_pace_comes_twice() -> None:
    """25 pictures a second as 30: one pair in six is the same to the last bit."""
    found = watched(pulled)
    assert found is not None
    assert found.signs == ("doubled",)
    assert found.doubled == pytest.approx(1 / 6, abs=0.08)


def test_a_film_of_another_shape_has_bars() -> None:
    """A box around it that no lens draws."""
    found = watched(boxed)
    assert found is not None
    assert found.signs == ("bars",)
    assert found.bars == pytest.approx(20 / 160, abs=0.01)


def test_resting_blocks_alone_are_no_sign() -> None:
    """Cameras that polish their picture do it, too: written down, and counted beside another sign only."""
    found = watched(squeezed)
    assert found is not None
    assert found.same > 0.5
    assert found.signs == ()
    assert Fed(0.2, 0.4, 0.0).signs == ("doubled", "same")


def test_a_still_and_a_covered_lens_are_not_said_to_be_files() -> None:
    """They have words of their own (`repeats.py`, the hints)."""
    still = watched(lambda _: sensor(3))
    dark = watched(lambda _: np.zeros_like(SOFT))
    assert still is not None
    assert dark is not None
    assert (still.signs, dark.signs) == ((), ())


def test_presence_tells_the_signs_to_the_session(shipped: Limits) -> None:
    """Words only, and none where nothing was seen; the figures stay here."""
    assert presence.look(seen(), shipped, fed=Fed(0.2, 0.4, 0.0)).fed == "doubled same"
    assert presence.look(seen(), shipped, fed=Fed(0.0, 0.4, 0.0)).fed == ""
    assert presence.look(seen(), shipped).fed == ""


def test_frames_that_were_missed_make_no_pair() -> None:
    """A busy machine sees every other frame: nothing is compared, and nothing is said."""
    assert watched(pulled, every=2) is None


def test_nothing_is_said_too_early() -> None:
    """Half a minute, and what lies further back is forgotten."""
    assert watched(pulled, seconds=10) is None
    feed = Feed()
    for i in range(60 * FPS):
        feed.see(i + 1, pulled(i) if i < 20 * FPS else sensor(i), i * 1000 // FPS)
    found = feed.fed()
    assert found is not None
    assert found.signs == ()
    assert LEAST < KEPT
