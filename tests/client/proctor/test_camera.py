"""The camera as it is: late, taken, forbidden, pulled out, swapped, virtual, and too dark for its first second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from client.events import CameraState
from client.proctor.camera import BROKEN, STEADY_FRAMES, WARM_FRAMES, DeviceCamera, WarmUp
from client.proctor.devices import BUSY, MISSING, NO_FRAMES, PERMISSION, VIRTUAL, System
from client.proctor.face import Image

PATIENCE = 12_000  # waits of 10 ms: a bound for a broken camera, not a measure of a good one


def grey(level: int) -> Image:
    """A picture of one grey."""
    return np.full((48, 64, 3), level, np.uint8)


class FakeDevice:
    """Gives its frames, the last one for ever; None is a frame that cannot be read. No frames: it cannot be opened."""

    def __init__(self, *frames: Image | None, backend: str = "V4L2") -> None:
        self.frames, self.backend = list(frames), backend
        self.asked: dict[int, float] = {}
        self.released = False

    def isOpened(self) -> bool:  # OpenCV's name
        return bool(self.frames)

    def read(self) -> tuple[bool, object]:
        time.sleep(0.001)
        shown = self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]
        return shown is not None, shown

    def set(self, prop: int, value: float) -> bool:
        self.asked[prop] = value
        return True

    def getBackendName(self) -> str:  # OpenCV's name
        return self.backend

    def release(self) -> None:
        self.released = True


class FakeSystem(System):
    """An operating system with its word about camera 0."""

    def __init__(self, name: str = "Integrated Webcam", why: str = MISSING, virtual: bool = False) -> None:
        super().__init__(Path("/nowhere/else"), Path("/nowhere"))
        self.said, self.why, self.made = name, why, virtual

    def name(self, number: int) -> str:
        return self.said

    def refusal(self, number: int) -> str:
        return self.why

    def virtual(self, number: int) -> bool:
        return self.made


Run = Callable[..., list[CameraState]]


@pytest.fixture
def run() -> Run:
    """Open these devices one after the other until so many states were told."""

    def go(devices: Sequence[FakeDevice], states: int, system: System | None = None) -> list[CameraState]:
        waiting = list(devices)
        camera = DeviceCamera(0, lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0], system, retry_s=0.001)
        camera.start()
        heard: list[CameraState] = []
        for _ in range(PATIENCE):
            heard += camera.states()
            if len(heard) >= states:
                break
            time.sleep(0.01)
        camera.close()
        assert len(heard) >= states, heard
        return heard[:states]

    return go


def test_a_camera_says_its_name_and_backend(run: Run) -> None:
    """As the operating system has them: they stand in the log of every session."""
    (state,) = run([FakeDevice(grey(90))], 1, FakeSystem("Logi C270"))
    assert state == CameraState(True, "Logi C270", "V4L2", False)


def test_a_virtual_camera_is_marked(run: Run) -> None:
    """It works; that a program makes its picture is said."""
    (state,) = run([FakeDevice(grey(90))], 1, FakeSystem("OBS Virtual Camera", virtual=True))
    assert (state.available, state.detail) == (True, VIRTUAL)


@pytest.mark.parametrize("why", [MISSING, PERMISSION, BUSY])
def test_a_camera_that_cannot_be_opened_says_why_once(run: Run, why: str) -> None:
    """Missing, forbidden, taken: one sentence each, not one a try."""
    closed = FakeDevice()
    (first, second) = run([closed, closed, closed, closed, FakeDevice(grey(90))], 2, FakeSystem(why=why))
    assert (first.available, first.detail) == (False, why)
    assert second.available, "and then it is there: no restart was needed"


def test_a_camera_that_is_pulled_out_comes_back_when_it_is_plugged_in(run: Run) -> None:
    """Hot-plug: gone after a second without a frame, opened again, by its own news."""
    pulled = FakeDevice(*[grey(90)] * 20, None)
    states = run([pulled, FakeDevice(), FakeDevice(grey(90))], 4)
    assert [(state.available, state.detail) for state in states] == [
        (True, ""), (False, NO_FRAMES), (False, MISSING), (True, ""),
    ]  # fmt: skip
    assert pulled.released


def test_a_few_broken_frames_are_no_fault(run: Run) -> None:
    """Cables are loose."""
    shaky = FakeDevice(*[grey(90)] * 8, *[None] * (BROKEN - 1), *[grey(90)] * 8, None)
    states = run([shaky, FakeDevice(grey(90))], 2)
    assert [state.available for state in states] == [True, False]


def test_the_first_dark_frames_of_a_camera_are_not_shown_to_anybody() -> None:
    """Exposure settles first: nobody is told of darkness that the camera made."""
    warm = WarmUp()
    rising = [warm.ready(grey(level)) for level in range(5, 120, 5)]
    assert not any(rising)
    settled = [warm.ready(grey(120)) for _ in range(STEADY_FRAMES + 1)]
    assert settled[-1]
    assert warm.ready(grey(3)), "later darkness is real"


def test_a_light_that_never_settles_is_waited_for_only_so_long() -> None:
    """A flickering lamp, or a covered lens: after a second and a half the picture counts as it is."""
    for levels in ([20, 120], [0]):
        warm = WarmUp()
        frames = [warm.ready(grey(levels[i % len(levels)])) for i in range(WARM_FRAMES)]
        assert frames == [False] * (WARM_FRAMES - 1) + [True]


# --- what the operating system says -----------------------------------------------------------------------------------


@pytest.fixture
def system(tmp_path: Path) -> System:
    """Three cameras: built in, a loopback device under /devices/virtual, one that OBS names."""
    classes = tmp_path / "sys/class/video4linux"
    classes.mkdir(parents=True)
    places = {0: ("pci/usb1", "Integrated Webcam"), 1: ("virtual", "Dummy 0x0"), 3: ("pci/usb2", "OBS Virtual Camera")}
    for number, (place, name) in places.items():
        real = tmp_path / f"sys/devices/{place}/video4linux/video{number}"
        real.mkdir(parents=True)
        (real / "name").write_text(f"{name}\n")
        (classes / f"video{number}").symlink_to(real)
    (tmp_path / "dev").mkdir()
    return System(classes, tmp_path / "dev")


def test_the_systems_own_list_names_cameras_without_opening_them(system: System) -> None:
    """Numbers may have holes."""
    assert system.numbers() == [0, 1, 3]
    assert [system.name(number) for number in (0, 3, 9)] == ["Integrated Webcam", "OBS Virtual Camera", "camera 9"]


def test_a_virtual_camera_is_known_by_its_place_or_its_name(system: System) -> None:
    """v4l2loopback lies under /devices/virtual whatever it is called."""
    assert [system.virtual(number) for number in (0, 1, 3, 9)] == [False, True, True, False]


def test_why_a_camera_cannot_be_opened(system: System, tmp_path: Path) -> None:
    """Not there; there, but taken; there, and not ours."""
    node = tmp_path / "dev/video0"
    assert system.refusal(0) == MISSING
    node.write_bytes(b"")
    assert system.refusal(0) == BUSY
    node.chmod(0o000)
    if os.geteuid() != 0:  # root may open anything
        assert system.refusal(0) == PERMISSION
