"""Opens a camera and keeps its latest frame: whoever reads slowly misses frames, never sees old ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import cv2

from client.events import CameraState
from client.proctor.clock import boot_ms
from client.proctor.devices import NO_FRAMES, VIRTUAL, System
from client.proctor.face import FrameError, Image, frame, light

WIDTH, HEIGHT, FPS = 640, 480, 30  # what a camera is asked for; it may give something else
RETRY_S: Final = 2.0  # between two tries to open a camera that is not there
BROKEN: Final = 30  # frames in a row that could not be read: about a second
WARM_FRAMES: Final = 45  # at most a second and a half until the exposure has settled
STEADY_FRAMES: Final = 5
STEADY_LEVELS: Final = 2.0  # grey levels between two frames


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame: its number since the camera was opened, when it came (ms, boot clock), and the unmirrored picture."""

    number: int
    t: int
    bgr: Image


class Camera(Protocol):
    """A source of frames with its own thread."""

    scripted: bool

    def start(self) -> None:
        """Begin to open it; its news say when it is there."""

    def latest(self) -> Shot | None:
        """The latest frame, or None while there is none."""

    def states(self) -> list[CameraState]:
        """What happened to the camera since the last call."""

    def follow(self, gesture: str) -> None:
        """What the learner is asked to do: a real camera pays no attention."""

    def close(self) -> None:
        """Let it go; nothing comes any more."""


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


class Device(Protocol):
    """What OpenCV gives of a camera; a test gives its own."""

    def isOpened(self) -> bool: ...
    def read(self) -> tuple[bool, object]: ...
    def set(self, prop: int, value: float) -> bool: ...
    def getBackendName(self) -> str: ...
    def release(self) -> None: ...


class DeviceCamera:
    """A camera of this machine, by its number. It is opened again whenever it comes back.

    Its news name the device and the backend; a virtual one says so, and one that cannot be opened says why.
    """

    scripted = False

    def __init__(
        self,
        number: int,
        opener: Callable[[int], Device] = cv2.VideoCapture,
        system: System | None = None,
        retry_s: float = RETRY_S,
    ) -> None:
        self._number, self._opener, self._retry_s = number, opener, retry_s
        self._system = system or System()
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
            device = self._opener(self._number)
            if device.isOpened():
                told = ""
                detail = self._serve(device)
            else:
                detail = self._system.refusal(self._number)
            device.release()
            if not self._end.is_set() and detail != told:
                told = detail
                self._slot.tell(CameraState(False, self._system.name(self._number), "none", False, detail))
            self._end.wait(self._retry_s)

    def _serve(self, device: Device) -> str:
        """Give frames until there are none any more; return the word for why."""
        device.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        device.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        device.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worse than none
        name, backend = self._system.name(self._number), device.getBackendName()
        detail = VIRTUAL if self._system.virtual(self._number) else ""
        warm, broken, told = WarmUp(), 0, False
        while broken < BROKEN and not self._end.is_set():
            there, raw = device.read()
            try:
                bgr = frame(raw if there else None)
            except FrameError:
                broken += 1
                self._end.wait(1 / FPS)
                continue
            broken = 0
            if not warm.ready(bgr):
                continue
            self._slot.put(bgr)
            if not told:
                told = True
                self._slot.tell(CameraState(True, name, backend, False, detail))
        return NO_FRAMES


class WarmUp:
    """A camera that was just opened finds its exposure first: those frames are nobody's darkness."""

    def __init__(self) -> None:
        self._before = -1.0
        self._steady = self._frames = 0

    def ready(self, bgr: Image) -> bool:
        """Tell whether the light has settled (or will not) with this frame."""
        if self._frames >= WARM_FRAMES or self._steady >= STEADY_FRAMES:
            return True
        mean = light(bgr)[0]
        self._frames += 1
        self._steady = self._steady + 1 if abs(mean - self._before) < STEADY_LEVELS and mean > 0 else 0
        self._before = mean
        return self._steady >= STEADY_FRAMES or self._frames >= WARM_FRAMES
