"""The tap: a thread that hears, of all input, only that a program made it, and who is in front.

macOS lets a program listen where the person allowed it (Input Monitoring). The tap never asks for that: without it the
table is unknown. Of an event two numbers are read: its kind, and the process that posted it (0: a device).
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from agent.collectors.heard import CLICK, KEY, MOVE, RELEASE, Heard
from agent.collectors.macos import api
from agent.collectors.macos.desktop import foreground_pid
from agent.errors import CollectorError

SESSION, AT_END, LISTEN_ONLY = 1, 1, 1  # kCGSessionEventTap, kCGTailAppendEventTap, kCGEventTapOptionListenOnly
POSTED_BY: Final = 41  # kCGEventSourceUnixProcessID
KINDS: Final = {
    10: KEY, 11: RELEASE, 1: CLICK, 3: CLICK, 25: CLICK, 2: RELEASE, 4: RELEASE, 26: RELEASE, 5: MOVE, 6: MOVE, 7: MOVE,
    27: MOVE, 22: MOVE,
}  # fmt: skip
SILENCED: Final = (0xFFFFFFFE, 0xFFFFFFFF)  # the system switched the tap off: too slow, or a person's own input
MASK: Final = sum(1 << kind for kind in KINDS)
LOOK_S: Final = 0.25  # the window list costs more than Windows' question who is in front
START_S: Final = 5.0
SOURCE: Final = "CGEventPost"


def event(heard: Heard, kind: int, posted_by: int, now_ms: int) -> None:
    """One event of the tap; an unknown kind is none."""
    if kind in KINDS:
        heard.event(KINDS[kind], posted_by != 0, SOURCE, now_ms)


class Tap:
    """The thread. `ready` raises `CollectorError` where nobody allowed listening."""

    def __init__(self, front: Callable[[], int] = foreground_pid) -> None:
        self.heard = Heard()
        self._front = front
        self._problem: CollectorError | None = None
        self._thread: threading.Thread | None = None
        self._up = threading.Event()

    def ready(self) -> Heard:
        """What was heard; starts the thread when first asked."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="agent-tap", daemon=True)
            self._thread.start()
            self._up.wait(START_S)
        if self._problem is not None:
            raise self._problem
        return self.heard

    def _run(self) -> None:
        try:
            _allowed()
            callback = self._callback()
            port = self._open(callback)
            self._up.set()
            self._listen(port)
        except CollectorError as error:
            self._problem = error
        finally:
            self._up.set()

    def _callback(self) -> Any:
        posted_by = api.function(
            "CoreGraphics", "CGEventGetIntegerValueField", ctypes.c_int64, api.Ref, ctypes.c_uint32
        )

        def each(_proxy: Any, kind: int, at: Any, _info: Any) -> Any:
            if kind not in SILENCED:
                event(self.heard, kind, posted_by(at, POSTED_BY), _now_ms())
            return at

        return ctypes.CFUNCTYPE(api.Ref, api.Ref, ctypes.c_uint32, api.Ref, api.Ref)(each)

    def _open(self, callback: Any) -> Any:
        make = api.function(
            "CoreGraphics", "CGEventTapCreate", api.Ref, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32,
            ctypes.c_uint64, api.Ref, api.Ref,
        )  # fmt: skip
        port = make(SESSION, AT_END, LISTEN_ONLY, MASK, ctypes.cast(callback, api.Ref), None)
        if not port:
            raise CollectorError("inputs: no event tap")
        source = api.function(
            "CoreFoundation", "CFMachPortCreateRunLoopSource", api.Ref, api.Ref, api.Ref, ctypes.c_long
        )(None, port, 0)
        loop = api.function("CoreFoundation", "CFRunLoopGetCurrent", api.Ref)()
        api.function("CoreFoundation", "CFRunLoopAddSource", None, api.Ref, api.Ref, api.Ref)(loop, source, _mode())
        return port

    def _listen(self, port: Any) -> None:
        enable = api.function("CoreGraphics", "CGEventTapEnable", None, api.Ref, ctypes.c_bool)
        run = api.function(
            "CoreFoundation", "CFRunLoopRunInMode", ctypes.c_int32, api.Ref, ctypes.c_double, ctypes.c_bool
        )
        while True:
            enable(port, True)  # it does nothing to a tap that is on
            run(_mode(), LOOK_S, False)
            now = _now_ms()
            self.heard.forget(now)
            try:
                self.heard.front(self._front(), now)
            except CollectorError:
                continue


def _allowed() -> None:
    if not api.function("CoreGraphics", "CGPreflightListenEventAccess", ctypes.c_bool)():
        raise CollectorError("inputs: Input Monitoring is not allowed")


def _mode() -> Any:
    return api.Ref.in_dll(api.library("CoreFoundation"), "kCFRunLoopDefaultMode")


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
