"""`UnsafeScriptedCamera`: stands in for a camera in the demonstration and the tests, and says so in every event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import cv2

from client.events import CameraState
from client.proctor.camera import Shot, Slot
from client.proctor.clock import boot_ms
from client.proctor.face import FrameError, Image, frame
from client.proctor.puppet import Puppet
from client.proctor.setup import CameraChoice, ScriptedCameraRefusedError

FPS: Final = 15.0  # of pictures and of the puppet; a clip keeps its own
MAX_FPS: Final = 30.0
PICTURES: Final = (".png", ".jpg", ".jpeg")
BACKEND: Final = "scripted"


class UnsafeScriptedCamera:
    """Frames of a clip, of pictures or of the puppet, at the pace of a camera."""

    scripted = True

    def __init__(self, choice: CameraChoice, mode: str, puppet: Callable[[], Puppet] | None = None) -> None:
        if mode not in ("demo", "test") or not choice.scripted:
            raise ScriptedCameraRefusedError("a scripted camera exists only in the demonstration and the tests")
        self._choice = choice
        self._make_puppet = puppet
        self._gesture = ""
        self._slot = Slot()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted camera", daemon=True)

    def start(self) -> None:
        """Begin to play; the first frame comes soon after."""
        self._thread.start()

    def latest(self) -> Shot | None:
        """The latest frame, or None."""
        return self._slot.latest()

    def states(self) -> list[CameraState]:
        """What happened since the last call."""
        return self._slot.states()

    def follow(self, gesture: str) -> None:
        """Tell the puppet what the learner is asked to do. Clips and pictures do not listen."""
        self._gesture = gesture

    def close(self) -> None:
        """Stop playing."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)

    def _run(self) -> None:
        name = f"{self._choice.kind} {Path(self._choice.path).name}".strip()[:80]
        detail, told = "the script is over", False
        try:
            for bgr, pause in self._played():
                self._slot.put(bgr)
                if not told:
                    self._slot.tell(CameraState(True, name, BACKEND, True))
                    told = True
                if self._end.wait(pause):
                    return
        except FrameError as error:
            detail = str(error)
        self._slot.tell(CameraState(False, name, BACKEND, True, detail))

    def _played(self) -> Iterator[tuple[Image, float]]:
        yield from self._frames()
        while self._choice.kind == "file":
            yield from self._frames()

    def _frames(self) -> Iterator[tuple[Image, float]]:
        """Each picture, and how long it stands."""
        path = Path(self._choice.path)
        if self._choice.kind == "puppet":
            return self._puppet()
        return _pictures(path) if path.is_dir() or path.suffix.lower() in PICTURES else _clip(path)

    def _puppet(self) -> Iterator[tuple[Image, float]]:
        if self._make_puppet is None:
            raise FrameError("no puppet was made")
        puppet = self._make_puppet()
        while True:
            now = boot_ms()
            puppet.follow(self._gesture, now)
            yield puppet.picture(now), 1 / FPS


def _pictures(path: Path) -> Iterator[tuple[Image, float]]:
    names = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES) if path.is_dir() else [path]
    if not names:
        raise FrameError(f"no pictures in {path.name}")
    for name in names:
        yield frame(cv2.imread(str(name), cv2.IMREAD_COLOR)), 1 / FPS


def _clip(path: Path) -> Iterator[tuple[Image, float]]:
    clip = cv2.VideoCapture(str(path))
    try:
        pace = clip.get(cv2.CAP_PROP_FPS)
        pause = 1 / min(pace, MAX_FPS) if pace > 1 else 1 / FPS
        there, raw = clip.read()
        if not there:
            raise FrameError(f"no clip: {path.name}")
        while there:
            yield frame(raw), pause
            there, raw = clip.read()
    finally:
        clip.release()
