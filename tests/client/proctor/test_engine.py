"""One package owns `cv2/`: two of them overwrite each other without a word (docs/adr/0001-opencv-contrib.md)."""

from __future__ import annotations

from importlib import metadata

import cv2

from client.proctor.look import engine


def test_one_package_owns_cv2() -> None:
    """And it is the one that MediaPipe brings."""
    owners = {
        dist.metadata["Name"].lower()
        for dist in metadata.distributions()
        if (dist.metadata["Name"] or "").lower().startswith("opencv")
    }
    assert owners == {"opencv-contrib-python"}


def test_the_engine_that_runs_is_the_one_that_was_installed() -> None:
    """What `cv2` says of itself is what its package says, and what templates record."""
    installed = metadata.version("opencv-contrib-python").split(".")[:3]
    assert cv2.__version__.split(".")[:3] == installed
    assert engine() == f"opencv {cv2.__version__}"
