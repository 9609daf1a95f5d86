"""Real models and real faces for the tests of the proctor, loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client import manifest
from client.manifest import Manifest
from client.proctor import models
from client.proctor.limits import Limits, limits


@pytest.fixture(scope="session")
def faces(shared: Path) -> Path:
    """The pack of faces."""
    return shared / "faces"


@pytest.fixture(scope="session")
def listed() -> Manifest:
    """The shipped manifest."""
    return manifest.load()


@pytest.fixture(scope="session")
def shipped(listed: Manifest) -> Limits:
    """The shipped thresholds."""
    return limits(listed)


@pytest.fixture(scope="session")
def model_folder(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every model of the manifest and the demonstration's portrait in one folder (links into the pack)."""
    folder = tmp_path_factory.mktemp("models")
    for path in (*(faces / "models").iterdir(), faces / "identities" / "astronaut.png"):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def eyes(listed: Manifest, model_folder: Path) -> Iterator[Any]:
    """The product's models, loaded once for all tests."""
    from client.proctor.look import Eyes

    loaded = Eyes(models.load_set(listed, model_folder))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def picture(faces: Path) -> Callable[[str], Any]:
    """Read a picture of the pack as the camera would give it."""
    import cv2

    from client.proctor.face import frame

    return lambda name: frame(cv2.imread(str(faces / name)))
