"""Windows' notification on real calls: run by Windows' Python (tests/client/test_balloon.py on Wine; on Windows itself
`python -m tests.client.balloon_live`). Prints what the shell answered, waits for a line, takes the icon away."""

from __future__ import annotations

import ctypes
import json
import sys
import threading
import time

from client.balloon import Balloon, IconData
from client.notify import notifier


def main() -> None:
    """Tell one reminder; the shell's own answer is printed."""
    outside = notifier("win32")
    taken = outside.tell("TrueSeat", "到了您设定的学习时间（19:30）。")
    said = {"here": outside.here, "kind": type(outside).__name__, "taken": taken, "bytes": ctypes.sizeof(IconData)}
    user = ctypes.WinDLL("user32")  # type: ignore[attr-defined]
    user.FindWindowW.restype = ctypes.c_void_p
    tray = bool(user.FindWindowW("Shell_TrayWnd", None))
    print(json.dumps({**said, "tray": tray}), flush=True)
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), done.set()), daemon=True).start()
    message = ctypes.create_string_buffer(64)
    while not done.is_set():
        while user.PeekMessageW(message, None, 0, 0, 1):
            user.DispatchMessageW(message)
        time.sleep(0.02)
    if isinstance(outside, Balloon):
        outside.close()
    print(json.dumps({"closed": True}), flush=True)


if __name__ == "__main__":
    main()
