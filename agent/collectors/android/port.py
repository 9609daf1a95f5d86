"""What the agent needs of Android, as plain values: the port. `jni.py` is the one adapter; tests script another.

Each method may raise `CollectorError`: that table, or that field of it, is then unknown. Android shows a program little
of others, and that little is what is asked for: no permission is requested for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Build(NamedTuple):
    """What the image says it was built for (android.os.Build)."""

    hardware: str = ""
    product: str = ""
    model: str = ""
    fingerprint: str = ""
    manufacturer: str = ""
    board: str = ""


class Moment(NamedTuple):
    """Three clocks in ms (System.currentTimeMillis, SystemClock.uptimeMillis and elapsedRealtime)."""

    wall: int
    awake: int
    boot: int


class Device(Protocol):
    """One phone or tablet."""

    def packages(self) -> Sequence[str]:
        """Names of the packages that Android lets us see."""

    def secure(self, name: str) -> str | None:
        """A value of Settings.Secure; None where it is not set."""

    def setting(self, name: str) -> str | None:
        """A value of Settings.Global; None where it is not set."""

    def build(self) -> Build:
        """The image."""

    def sensors(self) -> int:
        """How many sensors there are."""

    def displays(self) -> Sequence[str]:
        """Names of the displays that pictures of this device go to, its own first."""

    def cameras(self) -> Sequence[tuple[str, str]]:
        """Number and facing (front | back | external) of each camera."""

    def clocks(self) -> Moment:
        """The clocks now."""

    def debugged(self) -> bool:
        """A debugger of Java code is attached to us."""
