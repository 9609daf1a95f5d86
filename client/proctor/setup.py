"""What the proctor is started with: where its models lie, which camera, and whether that camera may be scripted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from client.errors import ClientError
from client.proctor.devices import System

Mode = Literal["normal", "demo", "test"]
Engine = Literal["mediapipe", "dnn"]  # what reads the landmarks: MediaPipe, or OpenCV alone
_SCRIPTED: Final = ("file", "once", "puppet")


class ScriptedCameraRefusedError(ClientError):
    """A scripted camera was asked for outside the demonstration and the tests."""

    code = "TS-C-312"
    remedy = "Use a real camera; a scripted one exists only in the demonstration."
    zh = "正式学习必须使用真实摄像头；脚本画面仅用于演示。"


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """A device number, or what stands in for a camera: a `file` (looped), the same `once`, or the animated `puppet`."""

    kind: Literal["device", "file", "once", "puppet"]
    number: int = 0
    path: str = ""

    @property
    def scripted(self) -> bool:
        """Tell whether anything but a camera of this machine gives the frames."""
        return self.kind != "device"


@dataclass(frozen=True, slots=True)
class ProctorSetup:
    """`camera`: a device number ("0"), or outside mode `normal` also "file:PATH", "once:PATH" or "puppet".

    `models` None = where the manifest says. `log` takes what the libraries print; None throws it away. `presence_ms` is
    the time between two glances, `checks_per_s` the frames a second that a check looks at. `sparing`: keep nothing in
    memory between two checks that only checks need.
    """

    mode: Mode = "normal"
    camera: str = "0"
    models: Path | None = None
    log: Path | None = None
    presence_ms: int = 1_000
    checks_per_s: int = 15
    engine: Engine = "mediapipe"
    sparing: bool = False

    def choice(self) -> CameraChoice:
        """Return the camera that `camera` names, or raise `ScriptedCameraRefusedError`."""
        return choose(self.camera, self.mode)


def choose(camera: str, mode: Mode) -> CameraChoice:
    """Return what `camera` names; only the demonstration and the tests may script one."""
    if re.fullmatch(r"[0-9]{1,2}", camera):
        return CameraChoice("device", int(camera))
    kind, _, path = camera.partition(":")
    if kind not in _SCRIPTED or mode not in ("demo", "test"):
        raise ScriptedCameraRefusedError(f"no camera of this machine: {camera[:80]!r}")
    if bool(path) == (kind == "puppet"):
        raise ScriptedCameraRefusedError(f"not a scripted camera: {camera[:80]!r}")
    return CameraChoice("file" if kind == "file" else "once" if kind == "once" else "puppet", path=path)


def devices() -> list[int]:
    """The numbers of the cameras that the OS lists, without opening any; where it cannot list them, number 0."""
    return System().numbers()


def name_of(number: int) -> str:
    """The name that the OS gives the device, where it tells (Linux); else its number."""
    return System().name(number)
