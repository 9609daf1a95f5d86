"""The picture for the screen is the latest one, or none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client.proctor.preview import Preview


@pytest.fixture
def both() -> Iterator[tuple[Preview, Preview]]:
    """The window's side and the worker's."""
    window = Preview.create()
    worker = Preview.attach(window.name)
    yield window, worker
    worker.close()
    window.close(unlink=True)


def test_the_window_sees_the_latest_picture_only(both: tuple[Preview, Preview]) -> None:
    """Older ones are gone, and a smaller one after a larger one has its own size."""
    window, worker = both
    assert window.read() is None
    worker.write(1, 4, 2, bytes(24))
    worker.write(2, 2, 2, b"abcdefghijkl")
    assert window.read() == (2, 2, b"abcdefghijkl")


def test_a_camera_that_is_gone_leaves_no_picture(both: tuple[Preview, Preview]) -> None:
    """Nobody studies before a still picture of himself."""
    window, worker = both
    worker.write(1, 2, 2, bytes(12))
    worker.clear()
    assert window.read() is None
