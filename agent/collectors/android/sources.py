"""The tables of a phone or tablet: what runs beside the lesson as far as Android shows it, its clocks, its displays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from agent.clocks import clock_row
from agent.collectors import Context
from agent.collectors.android.port import Device, Moment
from agent.collectors.android.settings import abstract_sockets, services, switched_on
from agent.errors import CollectorError
from agent.tables import AndroidRow, CameraRow, ClockRow, DisplayRow, Row

SERVICES: Final = "enabled_accessibility_services"
DEBUGGING: Final = "adb_enabled"
MAX_BYTES: Final = 1024 * 1024
MAX_PACKAGES: Final = 2_000
Value = TypeVar("Value")
Other = TypeVar("Other")


class Phone:
    """One row: packages, accessibility services, debugging, and what the image was built for."""

    def __init__(self, device: Device, sockets: Path = Path("/proc/net/unix")) -> None:
        self._device, self._sockets = device, sockets

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; `CollectorError` where not even the image is told."""
        device = self._device
        build = device.build()
        return [
            AndroidRow(
                packages=tuple(_or(device.packages, ())[:MAX_PACKAGES]),
                services=services(_or(lambda: device.secure(SERVICES), None)), sockets=self._listening(),
                adb=switched_on(_or(lambda: device.setting(DEBUGGING), None)), hardware=build.hardware,
                product=build.product, model=build.model, fingerprint=build.fingerprint,
                sensors=_or(device.sensors, None),
            )
        ]  # fmt: skip

    def _listening(self) -> tuple[str, ...]:
        try:
            with self._sockets.open("rb") as file:
                return abstract_sockets(file.read(MAX_BYTES))
        except OSError:
            return ()  # closed to programs since Android 10: unknown


class Displays:
    """One row: where pictures of this device go."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; a cast to another screen and a display that a program made are further names."""
        return [DisplayRow(devices=tuple(self._device.displays()[:64]))]


class Cameras:
    """One row a camera; phones have no others than their own, but for those that are plugged in."""

    def __init__(self, device: Device, context: Context) -> None:
        self._device, self._context = device, context

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The rows."""
        found = list(self._device.cameras())[:64]
        return [CameraRow(name, facing, f"camera {name}", name == self._context.camera) for name, facing in found]


class Clocks:
    """How far the clocks advanced since the last look."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._last: Moment | None = None

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """One row, or none as long as there is nothing to compare with."""
        now, before = self._device.clocks(), self._last
        self._last = now
        if before is None:
            return []
        wall, awake, boot = (later - earlier for earlier, later in zip(before, now, strict=True))
        row: ClockRow = clock_row(wall, awake, boot, None)
        return [row]


def _or(ask: Callable[[], Value], unknown: Other) -> Value | Other:
    try:
        return ask()
    except CollectorError:
        return unknown
