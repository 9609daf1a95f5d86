"""What the operating system says of its cameras: names, which are virtual, and why one cannot be opened."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Final

CLASS: Final = Path("/sys/class/video4linux")
NODES: Final = Path("/dev")
# Words of `CameraState.detail`: why there is no picture, or what is odd about the camera that gives it.
MISSING, PERMISSION, BUSY, NO_FRAMES, VIRTUAL = "missing", "permission", "busy", "no_frames", "virtual"
_VIRTUAL: Final = re.compile(
    r"virtual|v4l2 ?loopback|loopback|dummy video|\bobs\b|manycam|droidcam|iriun|epoccam|xsplit|snap ?camera|虚拟", re.I
)


class System:
    """Linux's word through /sys and /dev; where it does not tell (Windows, macOS) nothing is guessed."""

    def __init__(self, classes: Path = CLASS, nodes: Path = NODES) -> None:
        self._classes, self._nodes = classes, nodes

    def numbers(self) -> list[int]:
        """The cameras that the OS lists, without opening any; where it cannot list them, number 0."""
        if not self._classes.parent.is_dir():
            return [0]
        return sorted(int(path.name[5:]) for path in self._classes.glob("video*") if path.name[5:].isdigit())

    def name(self, number: int) -> str:
        """The name that the OS gives the device, where it tells; else its number."""
        try:
            text = (self._classes / f"video{number}" / "name").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return f"camera {number}"
        return text.strip()[:80] or f"camera {number}"

    def virtual(self, number: int) -> bool:
        """Tell whether a program makes the picture: by the device's place among the OS's, or by its name."""
        try:
            place = str((self._classes / f"video{number}").resolve(strict=True))
        except OSError:
            place = ""
        return "/devices/virtual/" in place or _VIRTUAL.search(self.name(number)) is not None

    def refusal(self, number: int) -> str:
        """The word for why number cannot be opened: missing, permission, busy; `missing` where nobody can tell."""
        node = self._nodes / f"video{number}"
        try:
            handle = os.open(node, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            return {errno.EACCES: PERMISSION, errno.EPERM: PERMISSION, errno.EBUSY: BUSY}.get(error.errno or 0, MISSING)
        os.close(handle)
        return BUSY  # it is there and may be opened, and still gives no stream: another program holds it
