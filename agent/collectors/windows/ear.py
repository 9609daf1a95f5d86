"""The ear: a thread that hears, of all input, only that a program made it, and who has the foreground.

Windows passes every key and every movement by a low-level hook before it is delivered. Of a hand's the ear notes that
there was one; of a program's (the INJECTED flag) the moment and whether it was a click. Which key or where is never
read: the flags are taken from their place, the rest is passed on unseen.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
import time
from typing import Any, Final

from agent.collectors.heard import CLICK, KEY, MEMORY_MS, MOVE, RELEASE, Heard
from agent.collectors.windows import api
from agent.collectors.windows.desktop import foreground_pid
from agent.errors import CollectorError

KEYBOARD, MOUSE = 13, 14  # WH_KEYBOARD_LL, WH_MOUSE_LL
KEY_FLAGS, MOUSE_FLAGS = 8, 12  # where KBDLLHOOKSTRUCT and MSLLHOOKSTRUCT hold them
KEY_INJECTED: Final = 0x10 | 0x02  # LLKHF_INJECTED, LLKHF_LOWER_IL_INJECTED
MOUSE_INJECTED: Final = 0x01 | 0x02
KEY_UP: Final = 0x80
CLICKS: Final = frozenset((0x0201, 0x0204, 0x0207, 0x020B))  # buttons going down
RELEASES: Final = frozenset((0x0202, 0x0205, 0x0208, 0x020C))
TIMER, QUIT = 0x0113, 0x0012  # WM_TIMER, WM_QUIT
LOOK_MS: Final = 100
DEAF_MS: Final = 10_000  # Windows drops a hook that was slow, and does not say so
START_S: Final = 5.0
SOURCES: Final = {KEYBOARD: "WH_KEYBOARD_LL", MOUSE: "WH_MOUSE_LL"}


class Ear:
    """The thread. `ready` raises `CollectorError` where Windows gives no hook."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._problem: CollectorError | None = None
        self._thread: threading.Thread | None = None
        self._number = 0
        self._up = threading.Event()
        self._hooks: list[Any] = []
        self._hooked_ms = 0

    def ready(self) -> Heard:
        """What was heard; starts the thread when first asked."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="agent-ear", daemon=True)
            self._thread.start()
            atexit.register(self.stop)
            self._up.wait(START_S)
        if self._problem is not None:
            raise self._problem
        return self.heard

    def stop(self) -> None:
        """Take the hooks away and end the thread."""
        atexit.unregister(self.stop)
        if self._thread is not None and self._thread.is_alive():
            api.function("user32", "PostThreadMessageW", api.BOOL, api.DWORD, api.DWORD, api.PTR, api.PTR)(
                self._number, QUIT, None, None
            )
            self._thread.join(START_S)

    def _run(self) -> None:
        try:
            self._number = api.function("kernel32", "GetCurrentThreadId", api.DWORD)()
            callbacks = self._callbacks()
            self._hook(callbacks)
            api.check(
                api.function("user32", "SetTimer", ctypes.c_size_t, api.Handle, ctypes.c_size_t, api.DWORD, api.PTR)(
                    None, 0, LOOK_MS, None
                ),
                "timer",
            )
            self._up.set()
            self._listen(callbacks)
        except CollectorError as error:
            self._problem = error
        finally:
            self._up.set()
            self._unhook()

    def _callbacks(self) -> dict[int, Any]:
        form = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)(
            ctypes.c_ssize_t, ctypes.c_int, ctypes.c_size_t, ctypes.c_ssize_t
        )
        onward = api.function(
            "user32", "CallNextHookEx", ctypes.c_ssize_t, api.Handle, ctypes.c_int, ctypes.c_size_t, ctypes.c_ssize_t
        )

        def key(code: int, message: int, at: int) -> int:
            if code == 0:
                key_event(self.heard, ctypes.c_uint32.from_address(at + KEY_FLAGS).value, _now_ms())
            return int(onward(None, code, message, at))

        def mouse(code: int, message: int, at: int) -> int:
            if code == 0:
                mouse_event(self.heard, message, ctypes.c_uint32.from_address(at + MOUSE_FLAGS).value, _now_ms())
            return int(onward(None, code, message, at))

        return {KEYBOARD: form(key), MOUSE: form(mouse)}

    def _hook(self, callbacks: dict[int, Any]) -> None:
        self._unhook()
        module = api.function("kernel32", "GetModuleHandleW", api.Handle, api.WSTR)(None)
        put = api.function("user32", "SetWindowsHookExW", api.Handle, ctypes.c_int, api.PTR, api.Handle, api.DWORD)
        for kind, callback in callbacks.items():
            hook = put(kind, ctypes.cast(callback, api.PTR), module, 0)
            api.check(hook, SOURCES[kind])
            self._hooks.append(hook)
        self._hooked_ms = self.heard.heard_ms = _now_ms()

    def _unhook(self) -> None:
        while self._hooks:
            api.function("user32", "UnhookWindowsHookEx", api.BOOL, api.Handle)(self._hooks.pop())

    def _listen(self, callbacks: dict[int, Any]) -> None:
        message = Message()
        following = api.function("user32", "GetMessageW", api.BOOL, api.PTR, api.Handle, api.DWORD, api.DWORD)
        while following(ctypes.byref(message), None, 0, 0) > 0:
            if message.kind != TIMER:
                continue
            now = _now_ms()
            self.heard.forget(now)
            self.heard.front(foreground_pid(), now)
            if now - self._hooked_ms > DEAF_MS and now - self.heard.heard_ms > input_age_ms() + DEAF_MS:
                self._hook(callbacks)


def key_event(heard: Heard, flags: int, now_ms: int) -> None:
    """A key went down or up."""
    heard.event(RELEASE if flags & KEY_UP else KEY, bool(flags & KEY_INJECTED), SOURCES[KEYBOARD], now_ms)


def mouse_event(heard: Heard, message: int, flags: int, now_ms: int) -> None:
    """The mouse did something."""
    kind = CLICK if message in CLICKS else RELEASE if message in RELEASES else MOVE
    heard.event(kind, bool(flags & MOUSE_INJECTED), SOURCES[MOUSE], now_ms)


class Message(ctypes.Structure):
    """MSG, winuser.h."""

    _fields_ = (
        ("window", api.Handle), ("kind", api.DWORD), ("wparam", ctypes.c_size_t), ("lparam", ctypes.c_ssize_t),
        ("time", api.DWORD), ("x", ctypes.c_int32), ("y", ctypes.c_int32),
    )  # fmt: skip


class _LastInput(ctypes.Structure):
    _fields_ = (("size", api.DWORD), ("time", api.DWORD))


def input_age_ms() -> int:
    """How long ago this session's last input of any kind was; very long where Windows does not say."""
    last = _LastInput(size=ctypes.sizeof(_LastInput))
    if not api.function("user32", "GetLastInputInfo", api.BOOL, api.PTR)(ctypes.byref(last)):
        return MEMORY_MS
    return int((api.function("kernel32", "GetTickCount", api.DWORD)() - last.time) & 0xFFFFFFFF)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
