"""The models and the pack, as the proctor's own tests load them."""

from __future__ import annotations

from tests.client.proctor.conftest import eyes, faces, listed, model_folder, picture, shipped

__all__ = ["eyes", "faces", "listed", "model_folder", "picture", "shipped"]
