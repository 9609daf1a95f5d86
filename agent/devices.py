"""Whose input device is it: a hand's at this machine, a remote server's, or a program's. Pure, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# devices that programs, not hands, write to; Xephyr's and VirtualBox's "virtual mouse" carry real hands
SYNTHETIC: Final = ("xtest", "uinput", "ydotool", "dotool", "evemu")
REMOTE_DEVICES: Final = ("vnc", "xrdp", "remote", "nomachine", "nx mouse")


def synthetic(device: str) -> bool:
    """Tell whether an input device is one that programs write to."""
    return any(word in device.casefold() for word in SYNTHETIC)


def is_hand(device: str) -> bool:
    """Tell whether a hand moves this device: no server's own "virtual core" device, and none that programs write to."""
    return not device.casefold().startswith("virtual core") and not synthetic(device)


def local_devices(devices: Sequence[str]) -> int | None:
    """How many of `devices` are a hand's own at this machine; None when nothing is known."""
    if not devices:
        return None
    return sum(not any(word in name.casefold() for word in REMOTE_DEVICES) for name in devices if is_hand(name))
