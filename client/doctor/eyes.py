"""The camera and the light on whoever sits there: one picture is looked at, and forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from client import manifest
from client.config import Config
from client.doctor.found import Found

if TYPE_CHECKING:
    from client.proctor.camera import Camera

WAIT_S: Final = 6.0  # a slow camera needs three until its first picture
STEP_S: Final = 0.05

OpenCamera = Callable[[int], "Camera"]


def look(
    config: Config, opener: OpenCamera | None = None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Found]:
    """The camera of the settings, and the light that its first steady picture shows."""
    from client.proctor.setup import devices

    number = int(config.camera) if config.camera.isdigit() else 0
    if opener is None and number not in devices():
        yield from _none("missing")
        return
    try:
        camera = (opener or _device)(number)
    except ImportError:  # OpenCV's own libraries
        yield from _none("broken")
        return
    camera.start()
    try:
        yield from _looked(camera, sleep)
    finally:
        camera.close()


def listed(_config: Config) -> Iterator[Found]:
    """What the system knows of cameras, when none is to be opened."""
    from client.proctor.setup import devices

    count = len(devices())
    if not count:
        yield from _none("missing")
        return
    yield Found("camera", "listed", facts={"count": count})
    yield Found("light", "unknown", "warn")


def _device(number: int) -> Camera:
    from client.proctor.camera import DeviceCamera

    return DeviceCamera(number)


def _looked(camera: Camera, sleep: Callable[[float], None]) -> Iterator[Found]:
    """Wait for the camera's first word, then for the light of one picture."""
    for _ in range(round(WAIT_S / STEP_S)):
        told, shot = camera.states(), camera.latest()
        if told and not told[-1].available:
            yield from _none(told[-1].detail or "missing")
            return
        if told and shot is not None:
            from client.proctor.face import light

            yield _camera(told[-1].name, told[-1].detail)
            yield _light(light(shot.bgr)[0])
            return
        sleep(STEP_S)
    yield from _none("no_frames")


def _camera(name: str, detail: str) -> Found:
    if detail == "virtual":
        return Found("camera", "virtual", "warn")
    return Found("camera", "good", facts={"name": name})


def _light(level: float) -> Found:
    """By the limits that faces are judged with: a picture darker than they allow shows no face that they do."""
    limits = manifest.load().values()
    if level < limits["dark"]:
        return Found("light", "dark", "warn")
    return Found("light", "bright", "warn") if level > limits["bright"] else Found("light", "good")


def _none(how: str) -> Iterator[Found]:
    """A camera that is there and cannot be used is to be mended; one that is not there leaves the way by code."""
    yield Found("camera", how, "warn" if how == "missing" else "fail")
    yield Found("light", "unknown", "warn")
