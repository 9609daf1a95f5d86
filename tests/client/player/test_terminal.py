"""The window of a terminal: it is believed where it is ours, and unknown where the environment names another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from client.player.x11 import line_of
from tests.conftest import ROOT
from tests.desktop import x_server

PROGRAM = [sys.executable, "-m", "tests.client.player.x11_terminal"]


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """Xvfb on a free number."""
    with x_server() as name:
        yield name


def environment(display: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    return {**kept, "DISPLAY": display, "PYTHONPATH": str(ROOT)}


def sees(display: str, *named: str) -> Any:
    """What the probe says within a terminal, whose WINDOWID is its own or `named`."""
    done = subprocess.run(
        [*PROGRAM, *named], env=environment(display), check=True, capture_output=True, text=True, cwd=ROOT, timeout=600
    )
    return json.loads(done.stdout)


@contextmanager
def another_window(display: str) -> Iterator[str]:
    """A window of a program that has nothing to do with the terminal."""
    program = subprocess.Popen(
        [*PROGRAM, "hold"], env=environment(display), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert program.stdout is not None
    try:
        yield program.stdout.readline().strip()
    finally:
        program.communicate(timeout=600)


@pytest.mark.x11
def test_the_terminal_that_runs_us_is_looked_at(display: str) -> None:
    """Its window was drawn by an ancestor of ours: focus and cover are X11's own word."""
    focused, covered, source = sees(display)
    assert source.startswith("x11 terminal")
    assert covered == 0
    assert focused is not None


@pytest.mark.x11
def test_attack_windowid_names_another_programs_window(display: str) -> None:
    """A trainee points WINDOWID at a window that nobody covers, and even writes the terminal's process id on it: the
    server says whose connection drew it, and the answer is `unknown`."""
    with another_window(display) as number:
        assert sees(display, number) == [None, None, "terminal"]


@pytest.mark.x11
def test_a_window_that_is_not_there_is_unknown(display: str) -> None:
    """Gone, or never a window: nobody guesses."""
    assert sees(display, "1")[2] == "terminal"


def test_the_first_process_of_the_machine_is_nobodys_ancestor() -> None:
    """It started everybody: a window that it drew would say nothing about us."""
    line = line_of(os.getpid())
    assert line[:2] == (os.getpid(), os.getppid()) or os.getppid() <= 1
    assert min(line) > 1
    assert line_of(2**31 - 1) == (2**31 - 1,)


class Silent:
    """A display whose server does not tell whose connection it is: only what windows say of themselves."""

    def __init__(self, pid: int | None, machine: str) -> None:
        from client.player.x11 import X11

        self.probe = X11.__new__(X11)
        self.probe._local_pid = lambda _w: None  # type: ignore[method-assign]
        self.probe._text = lambda _w, _n: machine  # type: ignore[method-assign]
        self.probe._number = lambda _w, _n, _k=None: pid  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(
    ("pid", "machine", "ours"),
    [
        (os.getpid(), os.uname().nodename, True),
        (os.getpid(), "elsewhere", False),  # a process of another machine with the same number
        (os.getpid(), "", False),
        (None, os.uname().nodename, False),
        (1, os.uname().nodename, False),
    ],
    ids=["ours", "another machine", "no machine", "no process", "the first process"],
)
def test_where_the_server_does_not_tell_the_windows_own_word_needs_this_machine(
    pid: int | None, machine: str, ours: bool
) -> None:
    """`_NET_WM_PID` is a number on the machine that `WM_CLIENT_MACHINE` names, and on no other."""
    assert Silent(pid, machine).probe.is_of(7, line_of(os.getpid())) is ours
