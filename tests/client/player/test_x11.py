"""On a real X server with a real window manager: what takes the screen from the lesson is seen, and named."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.desktop import x_server

pytestmark = pytest.mark.x11


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Xvfb on a free number, with openbox."""
    home = tmp_path_factory.mktemp("home")
    with x_server("xdotool", "wmctrl", home=home, size="1366x900x24") as name:
        yield name


class Desk:
    """The probe's window, other windows, and what the probe says."""

    def __init__(self, display: str, home: Path) -> None:
        import xcffib
        import xcffib.xproto as xp

        self.env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
        self.env.pop("WAYLAND_DISPLAY", None)
        self.xp, self.x = xp, xcffib.connect(display=display)
        self.root = self.x.get_setup().roots[0].root
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.last: dict[str, Any] = {}
        self.others: list[int] = []
        self.program = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/client/player/x11_window.py"), str(home)],
            env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.program.stdout is not None
        for line in self.program.stdout:
            self.said.put(json.loads(line))

    def sees(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the probe's word is as wanted (ten minutes are for busy machines, no limit of the product)."""
        end = time.monotonic() + 600
        while not (self.last and wanted(self.last)):
            try:
                self.last = self.said.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"last word of the probe: {self.last}") from None
        return self.last

    def in_front(self) -> dict[str, Any]:
        """Wait until our window is in front, whole."""
        return self.sees(lambda o: o["focused"] and o["covered"] == 0 and not o["minimised"])

    def run(self, *argv: str) -> None:
        """A desktop command."""
        subprocess.run(argv, env=self.env, check=True, capture_output=True, timeout=600)

    def window(self, x: int, y: int, width: int, height: int, name: str, override: bool = False) -> None:
        """Another program's window."""
        xp, wid = self.xp, self.x.generate_id()
        mask, values = xp.CW.BackPixel | xp.CW.OverrideRedirect, [0x336699, int(override)]
        self.x.core.CreateWindow(
            0, wid, self.root, x, y, width, height, 0, xp.WindowClass.InputOutput, 0, mask, values
        )  # fmt: skip
        for atom, text in ((xp.Atom.WM_CLASS, f"{name}\0{name}\0"), (xp.Atom.WM_NAME, name)):
            self.x.core.ChangeProperty(xp.PropMode.Replace, wid, atom, xp.Atom.STRING, 8, len(text), text)
        hints = [1 | 4, x, y, width, height] + [0] * 13  # USPosition | PPosition
        self.x.core.ChangeProperty(
            xp.PropMode.Replace, wid, xp.Atom.WM_NORMAL_HINTS, xp.Atom.WM_SIZE_HINTS, 32, 18, hints
        )
        self.x.core.MapWindow(wid)
        self.x.flush()
        self.others.append(wid)

    def clear(self) -> None:
        """Close the other windows."""
        while self.others:
            self.x.core.DestroyWindow(self.others.pop())
        self.x.flush()

    def close(self) -> None:
        """End the program and the connection."""
        assert self.program.stdin is not None
        self.program.stdin.write("\n")
        self.program.stdin.close()
        self.program.wait(600)
        self.x.disconnect()


@pytest.fixture(scope="module")
def desk(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Our window, in front."""
    made = Desk(display, tmp_path_factory.mktemp("kivy"))
    made.in_front()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _in_front(desk: Desk) -> Iterator[None]:
    """Each test begins with our window in front and leaves no other behind."""
    desk.run("xdotool", "search", "--class", "TrueSeat", "windowactivate")
    desk.in_front()
    yield
    desk.clear()


def test_in_front_both_truths_agree(desk: Desk) -> None:
    """Nothing in the way: focused, nothing covered, system and toolkit of one mind."""
    assert desk.sees(lambda o: o["source"] == "x11+sdl" and o["focused"])["active_app"] is None


def test_another_program_takes_the_focus(desk: Desk) -> None:
    """A new window beside ours takes the keyboard: not focused, and it is named."""
    desk.window(0, 0, 100, 100, "Notepad")
    seen = desk.sees(lambda o: not o["focused"] and o["active_app"])  # for a moment the manager gives it to nobody
    assert seen["active_app"] == "Notepad"


def test_minimised(desk: Desk) -> None:
    """Iconified by the window manager."""
    desk.run("xdotool", "search", "--class", "TrueSeat", "windowminimize")
    seen = desk.sees(lambda o: o["minimised"] and not o["focused"])  # the manager does one after the other
    assert (seen["minimised"], seen["focused"]) == (True, False)


def test_another_desktop(desk: Desk) -> None:
    """The learner is on desktop 2, the lesson is not."""
    desk.run("wmctrl", "-s", "1")
    seen = desk.sees(lambda o: o["other_desktop"] and not o["focused"])  # the manager does one after the other
    assert (seen["other_desktop"], seen["focused"]) == (True, False)
    desk.run("wmctrl", "-s", "0")
    desk.in_front()


def test_an_always_on_top_window_that_takes_no_focus(desk: Desk) -> None:
    """The one that sends no event at all: our window stays active and is covered all the same, by whom is said."""
    desk.window(300, 200, 500, 400, "Movie")
    desk.sees(lambda o: not o["focused"])
    desk.run("wmctrl", "-x", "-r", "Movie", "-b", "add,above")
    desk.run("xdotool", "search", "--class", "TrueSeat", "windowactivate")
    seen = desk.sees(lambda o: o["focused"] and o["covered"] > 0)
    assert seen["active_app"] == "Movie"
    assert seen["covered"] > 200


def test_a_window_that_no_manager_lists(desk: Desk) -> None:
    """Override-redirect: in no client list, seen by asking the root for its children."""
    desk.window(283, 150, 400, 300, "Overlay", override=True)
    seen = desk.sees(lambda o: o["covered"] > 0)
    assert (seen["focused"], seen["active_app"]) == (True, "Overlay")
    assert 200 <= seen["covered"] <= 260


def test_pushed_over_the_edge_of_the_screen(desk: Desk) -> None:
    """Half of our window is beyond the screen: nobody can study what nobody can see."""
    desk.run("wmctrl", "-x", "-r", "TrueSeat", "-e", "0,966,150,-1,-1")
    seen = desk.sees(lambda o: o["covered"] > 400)
    assert seen["active_app"] is None
    desk.run("wmctrl", "-x", "-r", "TrueSeat", "-e", "0,200,150,-1,-1")


def test_the_first_look_after_a_window_covers_us_sees_it(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """No look that begins after the window is there misses it: with ten looks a second that is far below 300 ms."""
    waits = []
    for _ in range(5):
        desk.in_front()
        desk.window(283, 150, 400, 300, "Overlay", override=True)
        desk.x.core.GetInputFocus().reply()  # the server has done everything before this
        there = time.monotonic()
        seen = desk.sees(lambda o: o["covered"] > 0)
        assert seen["before"] <= there, "a look began after the window was there, and did not see it"
        waits.append((seen["told"] - there) * 1000)
        desk.clear()
    with capsys.disabled():
        print(f" [covered and told after {max(waits):.0f} ms at most, looks every 50 ms]", end="")


def test_a_locker_over_everything_is_a_locked_screen(desk: Desk) -> None:
    """By its window's class: the lesson says "locked", not that something covers it."""
    desk.window(0, 0, 1366, 900, "i3lock", override=True)
    assert desk.sees(lambda o: o["locked"])["covered"] == 1000
    desk.clear()
    assert desk.sees(lambda o: not o["locked"])["locked"] is None, "X11 has no word for a screen that is not locked"


def test_the_screen_saver_is_a_locked_screen(desk: Desk) -> None:
    """MIT-SCREEN-SAVER says that it is on."""
    desk.x.core.ForceScreenSaver(desk.xp.ScreenSaver.Active)
    desk.x.flush()
    desk.sees(lambda o: o["locked"])
    desk.x.core.ForceScreenSaver(desk.xp.ScreenSaver.Reset)
    desk.x.flush()
    desk.sees(lambda o: not o["locked"])
