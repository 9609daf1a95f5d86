"""Windows and pointer of a real X desktop: who is in front, who took it unasked, and a pointer that no hand moves."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.collectors import Context
from agent.collectors.linux.pointer import REST_MS, Pointer
from agent.collectors.linux.windows import Windows
from agent.collectors.linux.x11 import XServer, login_session
from agent.engine import Engine
from agent.errors import CollectorError
from agent.tables import DisplayRow, InputRow, ProcessRow, WindowRow
from tests.desktop import x_server

pytestmark = pytest.mark.x11
MOTION = 6  # MotionNotify, for XTEST


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Xvfb with a window manager; DISPLAY while the module runs."""
    home: Path = tmp_path_factory.mktemp("home")
    with x_server("xdotool", home=home, size="640x480x24") as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", name)
        yield name


class Bot:
    """A program of a few lines that moves the pointer, or shows windows under any process number."""

    def __init__(self) -> None:
        import xcffib
        import xcffib.xproto
        import xcffib.xtest

        self.connection: Any = xcffib.connect()
        self.test: Any = self.connection(xcffib.xtest.key)
        self.root = self.connection.get_setup().roots[0].root

    def warp(self, x: int) -> None:
        self.connection.core.WarpPointer(0, self.root, 0, 0, 0, 0, x, 100)
        self.connection.core.GetInputFocus().reply()  # the server has done everything before this

    def move(self, x: int) -> None:
        self.test.FakeInput(MOTION, 0, 0, self.root, x, 100, 0, is_checked=True).check()

    def window(self, pid: int, above: bool = False) -> None:
        core, screen = self.connection.core, self.connection.get_setup().roots[0]
        number = self.connection.generate_id()
        core.CreateWindow(24, number, self.root, 0, 0, 90, 90, 0, 1, screen.root_visual, 0, [])
        self.put(number, "_NET_WM_PID", "CARDINAL", 32, [pid])
        self.put(number, "WM_CLASS", "STRING", 8, b"notes\0Notes\0")
        if above:
            self.put(number, "_NET_WM_STATE", "ATOM", 32, [self.atom("_NET_WM_STATE_ABOVE")])
        core.MapWindow(number)
        self.connection.flush()

    def put(self, window: int, name: str, kind: str, width: int, values: Any) -> None:
        core = self.connection.core
        core.ChangeProperty(0, window, self.atom(name), self.atom(kind), width, len(values), values)

    def atom(self, name: str) -> int:
        return int(self.connection.core.InternAtom(False, len(name), name).reply().atom)


def test_a_pointer_that_is_warped_on_a_beat_is_reported(desktop: str, engine: Engine) -> None:
    """XWarpPointer leaves no event of any device; the agent sees that the pointer is elsewhere and nothing moved."""
    pointer, bot, now = Pointer(XServer(), Context()), Bot(), 0
    assert pointer.collect(now) == []
    rows: Any = []
    for turn in range(9):
        bot.warp(50 + 20 * turn)
        now += 30_000
        rows = pointer.collect(now)
    (row,) = rows
    assert isinstance(row, InputRow)
    assert (row.sources, row.regular, row.injected) == (("pointer warp",), True, 0)
    assert [(f.rule, f.response) for f in engine.judge([row])] == [("input.pointer-loop", "report")]


def test_a_pointer_that_a_device_moves_is_a_hand_s(desktop: str) -> None:
    """Motion of any device, and the agent looks away for a while; nothing is kept of it."""
    pointer, bot, now = Pointer(XServer(), Context()), Bot(), 0
    for turn in range(12):
        bot.move(100 + 10 * turn)
        time.sleep(0.02)
        now += REST_MS // 2
        assert pointer.collect(now) == []


class Wayland(XServer):
    """An X server that Wayland runs for old programs."""

    def devices(self) -> dict[int, str]:
        return {6: "xwayland-pointer:16", 7: "xwayland-keyboard:16"}


def test_on_wayland_nobody_knows_who_moves_the_pointer(desktop: str) -> None:
    """Its X server's pointer jumps from window to window by itself: unknown, never a finding."""
    pointer = Pointer(Wayland(), Context())
    for now in (0, 2_000):
        with pytest.raises(CollectorError):
            pointer.collect(now)


def seen(table: Windows, *pids: int) -> list[WindowRow]:
    """Look until windows of these processes and no others are there, the last of them in front; the bound only ends a
    broken test. Windows of before are listed until the window manager has taken note of their end."""
    rows: list[WindowRow] = []
    for now in range(0, 120_000, 100):
        with contextlib.suppress(CollectorError):
            rows = [row for row in table.collect(now) if isinstance(row, WindowRow)]
            front = [row.pid for row in rows if row.foreground]
            if sorted(row.pid for row in rows) == sorted(pids) and front == [pids[-1]]:
                return rows
        time.sleep(0.1)
    raise AssertionError(f"the windows never came: {rows}")


class Hand(XServer):
    """A server whose hand last touched a device `idle` ms ago."""

    def __init__(self, idle: int) -> None:
        super().__init__()
        self._idle = idle

    def idle_ms(self) -> int | None:
        return self._idle


@pytest.mark.parametrize(("idle", "taken"), [(60_000, 1), (500, 0)])
def test_a_window_that_comes_in_front_is_counted_if_no_hand_asked(desktop: str, idle: int, taken: int) -> None:
    """Client in front, then another program's window: taken once, unless a key or button was touched just now."""
    context = Context(client_pid=os.getpid())
    table = Windows(Hand(idle), context, lambda: [ProcessRow(name="notes", pid=4711)])
    bot = Bot()
    bot.window(os.getpid())
    (own,) = seen(table, os.getpid())
    assert (own.pid, own.kind, own.taken) == (os.getpid(), "Notes", 0)
    bot.window(4711, above=True)
    rows = seen(table, os.getpid(), 4711)
    (other,) = [row for row in rows if row.pid == 4711]
    assert (other.program, other.foreground, other.topmost) == ("notes", True, True)
    assert other.taken == taken
    assert not hasattr(other, "title")
    bot.connection.disconnect()


def test_without_a_window_manager_windows_are_unknown(desktop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No list, no guess."""
    with x_server(size="640x480x24") as bare:
        monkeypatch.setenv("DISPLAY", bare)
        with pytest.raises(CollectorError):
            Windows(XServer(), Context()).collect(0)
        assert XServer().idle_ms() is not None


@pytest.mark.parametrize(
    ("said", "remote"),
    [
        ("UID=1000\nREMOTE=1\nTYPE=x11\nSERVICE=xrdp-sesman\n", True),
        ("REMOTE=0\nTYPE=wayland\nSERVICE=gdm-password\n", False),
        ("REMOTE=1\nTYPE=tty\nSERVICE=sshd\n", None),  # a terminal from afar that shows windows here
        ("", None), ("TYPE=x11\n", None), ("\0=\n==\nREMOTE", None),
    ],
)  # fmt: skip
def test_the_login_service_knows_a_remote_desktop(
    said: str, remote: bool | None, tmp_path: Path, engine: Engine
) -> None:
    """Only a desktop that it calls remote is one; a missing or odd file is unknown."""
    for name, text in {"proc/self/sessionid": "7\n", "run/systemd/sessions/7": said}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    found, service = login_session(tmp_path)
    assert found is remote
    findings = engine.judge([DisplayRow(remote=found, session_name=service)])
    assert [finding.response for finding in findings] == (["pause"] if remote else [])
    assert login_session(tmp_path / "none") == (None, "")
