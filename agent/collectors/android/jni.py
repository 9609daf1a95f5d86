"""The port by way of Java: the classes of Android that pyjnius finds. Whatever Java throws is unknown."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from agent.collectors.android.port import Build, Moment
from agent.errors import CollectorError

FACINGS: Final = {0: "front", 1: "back", 2: "external"}  # CameraCharacteristics.LENS_FACING_…
ALL_SENSORS: Final = -1  # Sensor.TYPE_ALL
MAX_ENTRIES: Final = 5_000
Value = TypeVar("Value")


class JavaDevice:
    """This phone or tablet, by the activity (or service) that Python runs in."""

    def __init__(self, find: Callable[[str], Any] | None = None) -> None:
        try:
            self._find = find if find is not None else importlib.import_module("jnius").autoclass
        except ImportError as error:
            raise CollectorError("android: no Java here") from error

    def packages(self) -> Sequence[str]:
        """Those that Android lets us see."""
        return self._ask(lambda: [str(entry.packageName) for entry in _each(self._installed())])

    def secure(self, name: str) -> str | None:
        """A value of Settings.Secure."""
        return self._ask(
            lambda: _text(self._java("android.provider.Settings$Secure").getString(self._resolver(), name))
        )

    def setting(self, name: str) -> str | None:
        """A value of Settings.Global."""
        return self._ask(
            lambda: _text(self._java("android.provider.Settings$Global").getString(self._resolver(), name))
        )

    def build(self) -> Build:
        """The image."""

        def read() -> Build:
            build = self._java("android.os.Build")
            names = ("HARDWARE", "PRODUCT", "MODEL", "FINGERPRINT", "MANUFACTURER", "BOARD")
            return Build(*(_text(getattr(build, name)) or "" for name in names))

        return self._ask(read)

    def sensors(self) -> int:
        """How many there are."""
        return self._ask(lambda: int(self._service("sensor").getSensorList(ALL_SENSORS).size()))

    def displays(self) -> Sequence[str]:
        """Their names, the device's own first."""
        return self._ask(lambda: [str(entry.getName()) for entry in self._service("display").getDisplays()])

    def cameras(self) -> Sequence[tuple[str, str]]:
        """Number and facing."""

        def read() -> list[tuple[str, str]]:
            manager = self._service("camera")
            key = self._java("android.hardware.camera2.CameraCharacteristics").LENS_FACING
            numbers = [str(number) for number in manager.getCameraIdList()]
            facings = [manager.getCameraCharacteristics(number).get(key) for number in numbers]
            return [(number, _facing(facing)) for number, facing in zip(numbers, facings, strict=True)]

        return self._ask(read)

    def clocks(self) -> Moment:
        """The clocks now."""

        def read() -> Moment:
            clock = self._java("android.os.SystemClock")
            wall = self._java("java.lang.System").currentTimeMillis()
            return Moment(int(wall), int(clock.uptimeMillis()), int(clock.elapsedRealtime()))

        return self._ask(read)

    def debugged(self) -> bool:
        """A debugger of Java code is attached."""
        return self._ask(lambda: bool(self._java("android.os.Debug").isDebuggerConnected()))

    def _java(self, name: str) -> Any:
        return self._find(name)

    def _here(self) -> Any:
        """The activity, or the service of python-for-android that runs us."""
        activity = self._java("org.kivy.android.PythonActivity").mActivity
        return activity if activity is not None else self._java("org.kivy.android.PythonService").mService

    def _resolver(self) -> Any:
        return self._here().getContentResolver()

    def _service(self, name: str) -> Any:
        return self._here().getSystemService(name)

    def _installed(self) -> Any:
        return self._here().getPackageManager().getInstalledPackages(0)

    def _ask(self, read: Callable[[], Value]) -> Value:
        try:
            return read()
        except Exception as error:  # pyjnius raises JavaException, AttributeError, TypeError and others
            raise CollectorError(f"android: {type(error).__name__} {str(error)[:200]}") from error


def _each(listed: Any) -> list[Any]:
    return [listed.get(index) for index in range(min(int(listed.size()), MAX_ENTRIES))]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _facing(value: Any) -> str:
    number = value.intValue() if hasattr(value, "intValue") else value
    return FACINGS.get(number, "") if isinstance(number, int) else ""
