"""Windows' reader on real calls, without Kivy: makes windows by user32 and prints what is seen, one JSON line a step.

Run by Windows' Python (test_windows.py on Wine; on Windows itself: `python -m tests.client.player.windows_live`). With
"cover" as argument it is the other program: one window on top that takes no focus, until a line comes in.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from client.player.focus import FocusProbe
from client.player.windows import Windows, WindowsErrors

POPUP, VISIBLE, TOPMOST, NO_ACTIVATE = 0x80000000, 0x10000000, 0x8, 0x08000000
MINIMISE, RESTORE, HIDE, SHOW = 6, 9, 0, 5


def window(x: int, y: int, width: int, height: int, style: int = 0) -> int:
    """A top-level window of this process."""
    user = ctypes.WinDLL("user32")  # type: ignore[attr-defined]
    user.CreateWindowExW.restype = ctypes.c_void_p
    made = user.CreateWindowExW(style, "STATIC", "window", POPUP | VISIBLE, x, y, width, height, None, None, None, None)
    assert made, ctypes.get_last_error()
    return int(made)


def pump(seconds: float = 0.1) -> None:
    """Let messages come."""
    user = ctypes.WinDLL("user32")  # type: ignore[attr-defined]
    message = ctypes.create_string_buffer(64)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        while user.PeekMessageW(message, None, 0, 0, 1):
            user.TranslateMessage(message)
            user.DispatchMessageW(message)
        time.sleep(0.01)


def wait(probe: FocusProbe, step: str, wanted: Callable[[Any], bool], again: Callable[[], object] = int) -> None:
    """Print what is seen once it is as wanted, or the last word. `again`: what is asked of the desktop once more, while
    it did not hear (without a window manager a focus that is asked for too early is lost)."""
    for look in range(1_200):  # two minutes of a quiet machine, and more of a busy one
        pump()
        if look % 10 == 9:
            again()
        seen = probe.observe()
        if wanted(seen):
            break
    print(json.dumps({"step": step, "ok": wanted(seen), **dataclasses.asdict(seen)}), flush=True)


def main() -> None:
    """Ours in front, minimised, back, covered by another program, uncovered; the looks' own cost."""
    user = ctypes.WinDLL("user32")  # type: ignore[attr-defined]
    ours = window(100, 100, 400, 300)
    system = Windows(window=ours)
    probe = FocusProbe(system, "windows", WindowsErrors)

    def front() -> None:
        user.SetForegroundWindow(ctypes.c_void_p(ours))

    front()
    wait(probe, "front", lambda o: o.focused and o.covered == 0 and not o.minimised and not o.locked, front)
    user.ShowWindow(ctypes.c_void_p(ours), MINIMISE)
    wait(probe, "minimised", lambda o: o.minimised)
    user.ShowWindow(ctypes.c_void_p(ours), RESTORE)
    front()
    wait(probe, "back", lambda o: o.focused and o.covered == 0 and not o.minimised, front)
    other = subprocess.Popen([sys.executable, "-m", "tests.client.player.windows_live", "cover"], stdin=subprocess.PIPE)
    wait(probe, "covered", lambda o: o.covered == 500)  # a window on its way may lie elsewhere for a moment
    assert other.stdin is not None
    other.stdin.write(b"\n")
    other.stdin.close()
    other.wait()
    wait(probe, "uncovered", lambda o: o.covered == 0)
    user.ShowWindow(ctypes.c_void_p(ours), HIDE)
    wait(probe, "hidden", lambda o: o.minimised)
    user.ShowWindow(ctypes.c_void_p(ours), SHOW)
    began = time.perf_counter()
    seen = [system.look() for _ in range(20)]
    took = (time.perf_counter() - began) * 1000 / len(seen)
    print(json.dumps({"step": "cost", "ok": None not in seen, "looks": len(seen), "look_ms": took}), flush=True)


def cover() -> None:
    """Half of the first window, on top, without the focus."""
    window(100, 100, 200, 300, TOPMOST | NO_ACTIVATE)
    import threading

    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), done.set()), daemon=True).start()
    while not done.is_set():
        pump(0.05)


if __name__ == "__main__":
    cover() if sys.argv[1:] == ["cover"] else main()
