"""The picture for the screen is the latest one, or none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client.proctor import preview
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
    worker.write(4, 2, bytes(24))
    worker.write(2, 2, b"abcdefghijkl")
    assert window.read() == (2, 2, b"abcdefghijkl")


def test_a_camera_that_is_gone_leaves_no_picture(both: tuple[Preview, Preview]) -> None:
    """Nobody studies before a still picture of himself."""
    window, worker = both
    worker.write(2, 2, bytes(12))
    worker.clear()
    assert window.read() is None


def test_a_picture_can_be_read_at_any_moment_of_the_writing(
    both: tuple[Preview, Preview], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many pictures the camera gives between two that are shown: until the new one is whole it is the last."""
    window, worker = both
    head, seen = preview._HEAD, []

    class Slow:
        """The writer is stopped before and after each line that it writes about a picture."""

        def __getattr__(self, name: str) -> object:
            return getattr(head, name)

        def pack_into(self, *values: object) -> None:
            seen.append(window.read())
            head.pack_into(*values)
            seen.append(window.read())

    worker.write(1, 1, b"abc")
    monkeypatch.setattr(preview, "_HEAD", Slow())
    for text in (b"def", b"ghi"):
        worker.write(1, 1, text)
    assert seen == [(1, 1, b"abc")] * 4 + [(1, 1, b"def")] * 4
