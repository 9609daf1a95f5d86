"""A terminal in place of xterm: a window of its own, and a child in it that says what `TerminalProbe` sees.

`python -m tests.client.player.x11_terminal`: WINDOWID names its own window. With a number: it names that one. With
`hold`: only the window, whose number is printed, until standard input ends.
"""

from __future__ import annotations

import os
import subprocess
import sys

import xcffib
import xcffib.xproto as xp

SEES = (
    "import json, os; from client.text import TerminalProbe; seen = TerminalProbe(os.environ).observe();"
    "print(json.dumps([seen.focused, seen.covered, seen.source]))"
)


def window(connection: xcffib.Connection) -> int:
    """A mapped window of this process."""
    number, root = connection.generate_id(), connection.get_setup().roots[0].root
    connection.core.CreateWindow(0, number, root, 50, 50, 300, 200, 0, xp.WindowClass.InputOutput, 0, 0, [])
    connection.core.MapWindow(number)
    connection.core.GetInputFocus().reply()  # the server has seen it
    return int(number)


def claim(connection: xcffib.Connection, number: int, pid: int) -> None:
    """Write `_NET_WM_PID` and this machine's name on a window, whosever it is: X11 lets anybody."""
    for name, kind, data in (
        ("_NET_WM_PID", xp.Atom.CARDINAL, pid), ("WM_CLIENT_MACHINE", xp.Atom.STRING, os.uname().nodename.encode())
    ):  # fmt: skip
        atom = connection.core.InternAtom(False, len(name), name).reply().atom
        if isinstance(data, int):
            connection.core.ChangeProperty(xp.PropMode.Replace, number, atom, kind, 32, 1, [data])
        else:
            connection.core.ChangeProperty(xp.PropMode.Replace, number, atom, kind, 8, len(data), list(data))
    connection.core.GetInputFocus().reply()


def main() -> None:
    """Open the window, run the child, print what it sees."""
    connection = xcffib.connect()
    if sys.argv[1:2] == ["hold"]:
        print(window(connection), flush=True)
        sys.stdin.read()
        return
    own = window(connection)
    named = int(sys.argv[1]) if len(sys.argv) > 1 else own
    claim(connection, named, os.getpid())
    env = {**os.environ, "WINDOWID": str(named)}
    command = [sys.executable, "-c", SEES]
    seen = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=600)
    print(seen.stdout, end="")


if __name__ == "__main__":
    main()
