"""The cameras of Linux: the video devices that the kernel lists, and which driver makes their picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agent.collectors import Context
from agent.tables import CameraRow, Row


class Cameras:
    """One row a video device; none where there is no camera."""

    def __init__(self, context: Context, root: Path = Path("/sys/class/video4linux")) -> None:
        self._context = context
        self._root = root

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """All video devices; the one whose name or number the client uses is `selected`."""
        try:
            devices = sorted(self._root.iterdir())
        except OSError:
            return []
        return [self._row(device) for device in devices[:64]]

    def _row(self, device: Path) -> CameraRow:
        try:
            name = (device / "name").read_bytes()[:256].decode("utf-8", "replace").strip()
        except OSError:
            name = ""
        path = os.path.realpath(device)
        driver = os.path.realpath(device / "device/driver").rsplit("/", 1)[-1]
        if driver == "driver":  # no driver link: a device that no hardware stands behind
            driver = "v4l2 loopback" if "/devices/virtual/" in path else ""
        chosen = self._context.camera in (name, f"/dev/{device.name}", device.name) and self._context.camera != ""
        return CameraRow(name=name, driver=driver, path=path, selected=chosen)
