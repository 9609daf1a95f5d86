"""Windows' notification: what is asked of the shell, call by call, and the same on Wine's shell for real."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.balloon import (
    ADD,
    DELETE,
    HAS_ICON,
    HAS_INFO,
    MODIFY,
    SET_VERSION,
    TEXT,
    TITLE,
    Balloon,
    IconData,
    units,
)
from client.notify import Silent, notifier
from tests.conftest import ROOT
from tests.desktop import x_server
from tests.wine import turn


class Shell:
    """A scripted shell: it knows an icon once it was added, as explorer does; `alive` False: none runs."""

    def __init__(self) -> None:
        self.alive, self.known = True, False
        self.asked: list[tuple[int, int, str, str]] = []
        self.windows = 0

    def window(self) -> int:
        self.windows += 1
        return 7

    def icon(self) -> int:
        return 9

    def notify(self, message: int, data: IconData) -> bool:
        assert (data.size, data.window, data.number) == (ctypes.sizeof(IconData), 7, 1)
        self.asked.append((message, data.flags, text(data.title), text(data.info)))
        if not self.alive or (message != ADD and not self.known):
            return False
        self.known = message != DELETE
        return True


def text(room: Any) -> str:
    return b"".join(unit.to_bytes(2, "little") for unit in room).decode("utf-16-le").rstrip("\0")


def test_a_reminder_is_an_icon_and_its_balloon() -> None:
    """The first needs the icon; the second says something else on it; at the end the icon goes."""
    shell = Shell()
    balloon = Balloon(shell)
    assert balloon.tell("TrueSeat", "到了您设定的学习时间（19:30）。")
    assert [one[0] for one in shell.asked] == [MODIFY, ADD, SET_VERSION, MODIFY]
    assert shell.asked[1][1] & HAS_ICON
    assert shell.asked[3][1] & HAS_INFO
    assert shell.asked[3][2:] == ("TrueSeat", "到了您设定的学习时间（19:30）。")
    assert balloon.tell("TrueSeat", "19:45")
    assert [one[0] for one in shell.asked[4:]] == [MODIFY]
    balloon.close()
    balloon.close()
    assert [one[0] for one in shell.asked[5:]] == [DELETE]
    assert shell.windows == 1


def test_a_shell_that_was_restarted_gets_the_icon_again() -> None:
    """Explorer fell over and came back without our icon: the next reminder is shown all the same."""
    shell = Shell()
    balloon = Balloon(shell)
    balloon.tell("a", "b")
    shell.known = False
    assert balloon.tell("a", "c")
    assert shell.known
    balloon.close()


def test_without_a_shell_it_is_a_plain_no() -> None:
    """A kiosk without explorer: the reminder stands in the window alone, and nothing is taken away at the end."""
    shell = Shell()
    shell.alive = False
    balloon = Balloon(shell)
    assert not balloon.tell("a", "b")
    balloon.close()
    assert DELETE not in [one[0] for one in shell.asked]


def test_a_system_without_these_calls_is_silent() -> None:
    """What is no Windows has no such library: nobody is told that there is a way."""
    assert isinstance(notifier("win32", balloon=_missing), Silent)
    assert notifier("win32", balloon=lambda: Balloon(Shell())).here


def _missing() -> Balloon:
    raise AttributeError("WinDLL")


def test_the_structure_is_the_one_of_windows() -> None:
    """NOTIFYICONDATAW on 64 bits, as shellapi.h lays it out."""
    assert ctypes.sizeof(IconData) == 976
    places = {name: getattr(IconData, name).offset for name in ("tip", "info", "title", "guid", "balloon_icon")}
    assert places == {"tip": 40, "info": 304, "title": 820, "guid": 952, "balloon_icon": 968}


@given(st.text(max_size=400), st.sampled_from([TITLE, TEXT]))
def test_a_text_of_any_length_fits_and_ends_with_a_whole_character(words: str, room: int) -> None:
    """Chinese, emoji, half characters: what is given to the shell is text, and the room is never overrun."""
    found = units(words, room)
    assert len(found) == room
    assert found[-1] == 0
    data = b"".join(unit.to_bytes(2, "little") for unit in found)
    said = data.decode("utf-16-le")
    whole = words.encode("utf-16-le", "replace").decode("utf-16-le")
    assert said.rstrip("\0") == whole.rstrip("\0") or said.partition("…")[0] == whole[: len(said.partition("…")[0])]


@pytest.mark.slow
@pytest.mark.x11
def test_wines_shell_takes_it(tmp_path: Path) -> None:
    """On real calls: the structure has the size that the shell asks for, explorer's tray is there and takes icon and
    balloon, and takes the icon away again."""
    lines = subprocess.run([ROOT / "build/wine.sh", "env"], capture_output=True, text=True, check=True).stdout
    wine = dict(line.split("=", 1) for line in lines.splitlines())
    if shutil.which("wine") is None or not (Path(wine["TRUESEAT_WINE"]) / ".packages").exists():
        pytest.skip("left out: Wine and its Python are not set up (build/wine.sh setup)")
    with x_server(home=tmp_path) as display, turn(wine):
        program = subprocess.Popen(
            [ROOT / "build/wine.sh", "python", "-m", "tests.client.balloon_live"],
            cwd=ROOT, env={**os.environ, **wine, "DISPLAY": display}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert program.stdout is not None
        assert program.stdin is not None
        said = next(json.loads(line) for line in program.stdout if line.startswith(b"{"))
        program.stdin.write(b"\n")
        program.stdin.flush()
        closed = next(json.loads(line) for line in program.stdout if line.startswith(b"{"))
        program.kill()
        program.wait()
    assert said == {"here": True, "kind": "Balloon", "taken": True, "bytes": 976, "tray": True}
    assert closed == {"closed": True}
