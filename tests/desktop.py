"""A private X server for tests, with or without a window manager."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def x_server(*needs: str, home: Path | None = None, size: str = "1280x800x24") -> Iterator[str]:
    """Start Xvfb on a free number and give its display; a `home` asks for openbox, too.

    Skips the test, saying what is missing, where one of the programs `needs` (or Xvfb) is not installed.
    """
    programs = {"Xvfb", *needs, *(["openbox"] if home else [])}
    missing = sorted(name for name in programs if shutil.which(name) is None)
    if missing:
        pytest.skip(f"left out: needs {', '.join(missing)}")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    started = [subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
    os.close(write)
    try:
        with os.fdopen(read) as pipe:  # to the line's end: a server that cannot write it whole dies of it
            display = f":{pipe.readline().strip()}"
        if home is not None:
            env = {**os.environ, "DISPLAY": display, "HOME": str(home)}
            quiet = subprocess.DEVNULL
            started.append(subprocess.Popen(["openbox"], env=env, stdout=quiet, stderr=quiet))
            wait_for_manager(display)
        yield display
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(60)


def wait_for_manager(display: str) -> None:
    """A window that opens before the manager takes requests is never given the focus: what it says of itself on the
    root window comes earlier, so it is asked for something until it answers. The bound only ends a broken test."""
    import xcffib
    import xcffib.xproto as xp

    x = xcffib.connect(display)
    try:
        root, window = x.get_setup().roots[0].root, x.generate_id()
        ask, answer = (
            x.core.InternAtom(False, len(name), name).reply().atom
            for name in ("_NET_REQUEST_FRAME_EXTENTS", "_NET_FRAME_EXTENTS")
        )
        x.core.CreateWindow(0, window, root, 0, 0, 1, 1, 0, xp.WindowClass.InputOutput, 0, 0, [])
        message = xp.ClientMessageEvent.synthetic(32, window, ask, xp.ClientMessageData.synthetic([0] * 5, "5I"))
        for _ in range(2_400):
            mask = xp.EventMask.SubstructureNotify | xp.EventMask.SubstructureRedirect
            x.core.SendEvent(False, root, mask, message.pack())
            if x.core.GetProperty(False, window, answer, xp.Atom.Any, 0, 4).reply().value_len:
                return
            time.sleep(0.05)
    finally:
        x.disconnect()
    raise AssertionError("the window manager never came")
