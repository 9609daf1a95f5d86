"""Injected input on a real X server: a loop of xdotool is found by what it does, whatever it is called."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil
import pytest

from agent.collectors import Context
from agent.collectors.linux.x11 import Display, Inputs, XServer
from agent.engine import Engine
from agent.errors import CollectorError
from agent.link import AgentLink
from agent.messages import Cleared, Found
from agent.tables import DisplayRow, InputRow

pytestmark = pytest.mark.x11

Q = 24  # a key, by its number on any PC
LOOP = """
import subprocess, time
while True:
    subprocess.run(['x'+'dotool', *'{words}'.split()])
    time.sleep({pause})
"""


def loop(words: str, pause: float) -> subprocess.Popen[bytes]:
    """A bot of a few lines, as a learner would write it; its command line does not name the tool whole."""
    return subprocess.Popen([sys.executable, "-c", LOOP.format(words=words, pause=pause)])


def until(poll: Callable[[], Sequence[object]], wanted: Callable[[object], bool]) -> list[object]:
    said: list[object] = []
    for _ in range(900):
        said += poll()
        if any(wanted(message) for message in said):
            return said
        time.sleep(0.2)
    raise AssertionError(f"never came; heard {said}")


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_a_loop_that_clicks_gives_a_finding_that_pauses_and_ends_with_it(display: str) -> None:
    """The whole way: xdotool on the X server → XInput2 → rules → pipe; cleared after the loop was ended."""
    link = AgentLink()
    link.start()
    bot = loop("mousemove 100 100 click 1", 0.7)
    try:
        said = until(link.poll, lambda message: isinstance(message, Found) and message.rule == "input.loop")
        found = next(message for message in said if isinstance(message, Found) and message.rule == "input.loop")
        assert found.response == "pause"
        assert found.evidence["sources"] == "Virtual core XTEST pointer"
        assert "我已关闭" in found.remedy_zh
        end(bot)
        until(link.poll, lambda message: isinstance(message, Cleared) and message.rule == "input.loop")
    finally:
        end(bot)
        pid = link.pid
        link.close()
    assert pid is None or not psutil.pid_exists(pid)


def test_keys_are_seen_by_their_time_and_never_by_their_name(display: str, engine: Engine) -> None:
    """A loop of keys is regular; nothing that is kept or told says which key it was."""
    import xcffib
    import xcffib.xtest

    connection = xcffib.connect()
    keys, root = connection(xcffib.xtest.key), connection.get_setup().roots[0].root
    for _ in range(40):  # on a machine that does other things as well not every loop keeps its beat
        inputs = Inputs(XServer(), Context())
        start = time.monotonic_ns() // 1_000_000
        assert inputs.collect(start) == []
        began = time.monotonic()
        for turn in range(13):
            time.sleep(max(0.0, began + 0.4 * turn - time.monotonic()))
            for what in (2, 3):  # pressed, released
                keys.FakeInput(what, Q, 0, root, 0, 0, 0, is_checked=True).check()
        row = inputs.collect(time.monotonic_ns() // 1_000_000)[0]
        assert isinstance(row, InputRow)
        if row.regular and row.acts == 13:
            break
    connection.disconnect()
    assert (row.acts, row.regular, row.sources) == (13, True, ("Virtual core XTEST keyboard",))
    assert [finding.rule for finding in engine.judge([row])] == ["input.loop"]
    assert inputs.collect(start + 60_000)[0].ongoing is False  # type: ignore[union-attr]
    assert inputs.collect(start + 3_600_000) == []


def test_a_virtual_screen_of_a_test_machine_is_no_remote_desktop(display: str, engine: Engine) -> None:
    """Xvfb carries its own mouse and keyboard: no finding."""
    rows = Display(XServer()).collect(0)
    assert isinstance(rows[0], DisplayRow)
    assert rows[0].local_devices == 2
    assert "XTEST" in rows[0].x_extensions
    assert not engine.judge(rows)


def test_without_an_x_server_input_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No display: the source says so."""
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(CollectorError):
        Inputs(XServer(), Context()).collect(0)
