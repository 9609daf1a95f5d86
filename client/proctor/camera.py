"""Opens a camera and keeps its latest frame: whoever reads slowly misses frames, never sees old ones."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final, Protocol

import cv2

from client.events import CameraState
from client.proctor.clock import boot_ms
from client.proctor.face import FrameError, Image, frame
from client.proctor.setup import name_of

WIDTH, HEIGHT, FPS = 640, 480, 30  # what a camera is asked for; it may give something else
RETRY_S: Final = 2.0  # between two tries to open a camera that is not there
BROKEN: Final = 30  # frames in a row that could not be read: about a second


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame: its number since the camera was opened, when it came (ms, boot clock), and the unmirrored picture."""

    number: int
    t: int
    bgr: Image


class Camera(Protocol):
    """A source of frames with its own thread."""

    scripted: bool

    def start(self) -> None: ...
    def latest(self) -> Shot | None: ...
    def states(self) -> list[CameraState]:
        """What happened to the camera since the last call."""

    def follow(self, gesture: str) -> None:
        """What the learner is asked to do: a real camera pays no attention."""

    def close(self) -> None: ...


class Slot:
    """The latest frame and the camera's news, shared between its thread and the reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shot: Shot | None = None
        self._states: list[CameraState] = []
        self._number = 0

    def put(self, bgr: Image) -> None:
        """Replace the latest frame."""
        with self._lock:
            self._number += 1
            self._shot = Shot(self._number, boot_ms(), bgr)

    def tell(self, state: CameraState) -> None:
        """Add news; a camera that is gone leaves no frame behind."""
        with self._lock:
            self._states.append(state)
            if not state.available:
                self._shot = None

    def latest(self) -> Shot | None:
        """The latest frame, or None."""
        with self._lock:
            return self._shot

    def states(self) -> list[CameraState]:
        """The news since the last call."""
        with self._lock:
            news, self._states = self._states, []
            return news


class DeviceCamera:
    """A camera of this machine, by its number. It is opened again whenever it comes back."""

    scripted = False

    def __init__(self, number: int) -> None:
        self._number = number
        self._slot = Slot()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def start(self) -> None:
        """Begin to open the camera; its news say when it is there."""
        self._thread.start()

    def latest(self) -> Shot | None:
        """The latest frame, or None while there is none."""
        return self._slot.latest()

    def states(self) -> list[CameraState]:
        """What happened since the last call."""
        return self._slot.states()

    def follow(self, gesture: str) -> None:
        """A real camera shows whoever sits there."""

    def close(self) -> None:
        """Let the camera go."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(timeout=3)

    def _run(self) -> None:
        told = ""
        while not self._end.is_set():
            device = cv2.VideoCapture(self._number)
            if device.isOpened():
                told = ""
                backend = device.getBackendName()
                self._slot.tell(CameraState(True, name_of(self._number), backend, False))
                self._read(device)
                detail = "the camera stopped giving frames"
            else:
                backend, detail = "none", "no camera could be opened"
            device.release()
            if not self._end.is_set() and detail != told:
                told = detail
                self._slot.tell(CameraState(False, name_of(self._number), backend, False, detail))
            self._end.wait(RETRY_S)

    def _read(self, device: cv2.VideoCapture) -> None:
        device.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worse than none
        broken = 0
        while broken < BROKEN and not self._end.is_set():
            there, raw = device.read()
            try:
                self._slot.put(frame(raw if there else None))
                broken = 0
            except FrameError:
                broken += 1
                time.sleep(1 / FPS)
