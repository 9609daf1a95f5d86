"""X11's own word on our window: active, hidden, on which desktop, and what lies over it. Reads, changes nothing.

EWMH 1.5 properties plus the stacking order of the root's children, which also holds the override-redirect windows that
no window manager lists. Under XWayland the stack says nothing about native windows: there `above` is unknown.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Collection
from typing import Any, cast

import xcffib
import xcffib.randr
import xcffib.res
import xcffib.screensaver
import xcffib.xproto as xp

from client.player.foreground import Above, Snapshot
from client.player.geometry import Rect

_ATOMS = (
    "_NET_ACTIVE_WINDOW", "_NET_CLIENT_LIST", "_NET_CURRENT_DESKTOP", "_NET_SUPPORTING_WM_CHECK", "_NET_WM_DESKTOP",
    "_NET_WM_PID", "_NET_WM_STATE", "_NET_WM_STATE_HIDDEN", "_NET_WM_WINDOW_TYPE", "_NET_WM_WINDOW_TYPE_DESKTOP",
    "WM_STATE", "_NET_WM_CM_S0", "WM_CLIENT_MACHINE",
)  # fmt: skip
# Programs that lock the screen by a window over everything; the others tell the screen saver's extension
LOCKERS = ("i3lock", "xsecurelock", "slock", "xscreensaver", "xlock", "light-locker", "gnome-screensaver", "swaylock")
ICONIC = 3  # ICCCM 4.1.3.1
DEPTH = 8  # of window trees we follow
LINE = 64  # processes above us that we follow
PID_BYTES = 4  # X-Resource: one CARD32
GONE = (xp.WindowError, xp.DrawableError)  # a window that closed while we looked
X11Errors = (xcffib.XcffibException, OSError, struct.error)


class X11:
    """A connection of our own to the display. `look` may raise `X11Errors` when the display goes away."""

    def __init__(self, window: int | None = None, display: str | None = None) -> None:
        """Connect; `window` is our top-level window, found by our process id when None."""
        connect: Any = xcffib.connect
        self._x: Any = connect(display=display)
        self._root = self._x.get_setup().roots[self._x.pref_screen].root
        cookies = {name: self._x.core.InternAtom(False, len(name), name) for name in _ATOMS}
        self._atom = {name: cookie.reply().atom for name, cookie in cookies.items()}
        self._window = window
        self._saver, self._randr = self._open("MIT-SCREEN-SAVER"), self._open("RANDR")
        self.wayland = bool(os.environ.get("WAYLAND_DISPLAY")) or self._has("XWAYLAND")

    def adopt(self, window: int) -> None:
        """Our window, as the toolkit numbers it: then no window manager is needed to find it."""
        self._window = window

    def holder(self, window: int) -> int | None:
        """The top-level window that holds `window` (a terminal numbers the one inside); None if it is gone."""
        try:
            line = self._ancestors(window)
            return next((w for w in line if self._numbers(w, "WM_STATE", xp.GetPropertyType.Any)), line[-1])
        except GONE:
            return None

    def close(self) -> None:
        """Disconnect."""
        self._x.disconnect()

    def look(self) -> Snapshot | None:
        """One snapshot, or None while our window is not there yet."""
        window = self._window or self._by_pid()
        if window is None:
            return None
        try:
            return self._snapshot(window)
        except GONE:  # look again at the next tick
            return None

    def _snapshot(self, window: int) -> Snapshot:
        screen = self._rect(self._root)
        active = self._active()
        state = self._numbers(window, "_NET_WM_STATE", xp.Atom.ATOM)
        wm_state = self._numbers(window, "WM_STATE", xp.GetPropertyType.Any)
        viewable = self._x.core.GetWindowAttributes(window).reply().map_state == xp.MapState.Viewable
        desktop = self._number(window, "_NET_WM_DESKTOP")
        current = self._number(self._root, "_NET_CURRENT_DESKTOP")
        elsewhere = None not in (desktop, current) and desktop not in (current, 0xFFFFFFFF)
        hidden = self._atom["_NET_WM_STATE_HIDDEN"] in state or wm_state[:1] == [ICONIC]
        return Snapshot(
            window=self._rect(window),
            screen=screen,
            above=None if self.wayland else self._above(window, screen),
            active=active == window,
            active_app=self._app(active) if active else None,
            hidden=hidden or not (viewable or elsewhere),
            desktop=desktop,
            current_desktop=current,
            locked=self._locked(),
            monitors=self._monitors(),
        )

    def is_of(self, window: int, programs: Collection[int]) -> bool:
        """Whether one of these processes of this machine drew `window`.

        By the server's own word on who holds the connection (X-Resource 1.2, which takes it from the socket and no
        client can state); where it has none, by `_NET_WM_PID` with the machine that `WM_CLIENT_MACHINE` names.
        """
        try:
            told = self._local_pid(window)
            if told is not None:
                return told in programs
            machine = self._text(window, "WM_CLIENT_MACHINE")
            here = machine in ("localhost", socket.gethostname(), socket.gethostname().partition(".")[0])
            return here and self._number(window, "_NET_WM_PID") in programs
        except GONE:
            return False

    def _local_pid(self, window: int) -> int | None:
        """The process at the other end of the window's connection; None where the server does not tell."""
        if not self._has("X-Resource"):
            return None
        resources = self._x(xcffib.res.key)
        version = resources.QueryVersion(1, 2).reply()
        if (version.server_major, version.server_minor) < (1, 2):
            return None
        mask, spec = xcffib.res.ClientIdMask.LocalClientPID, cast(Any, xcffib.res.ClientIdSpec)
        asked = spec.synthetic(window, mask)
        for found in resources.QueryClientIds(1, [asked]).reply().ids:
            if found.spec.mask == mask and found.length == PID_BYTES:
                return int(found.value[0])
        return None

    # --- who is where -----------------------------------------------------------------------------------------------

    def _active(self) -> int | None:
        """The active window by the window manager's word, or by the keyboard's focus where there is no manager."""
        if self._number(self._root, "_NET_SUPPORTING_WM_CHECK", xp.Atom.WINDOW):
            return self._number(self._root, "_NET_ACTIVE_WINDOW", xp.Atom.WINDOW)
        focus = int(self._x.core.GetInputFocus().reply().focus)
        if focus <= 1 or self._window is None:
            return None
        return self._window if self._window in self._ancestors(focus) else focus

    def _above(self, window: int, screen: Rect) -> list[Above]:
        ours = self._ancestors(window)[-1]
        tree = list(self._x.core.QueryTree(self._root).reply().children)
        over = tree[tree.index(ours) + 1 :] if ours in tree else []
        attributes = {w: self._x.core.GetWindowAttributes(w) for w in over}
        found: list[Above] = []
        for w in over:
            try:
                seen = attributes[w].reply()
                if seen.map_state != xp.MapState.Viewable or seen._class == xp.WindowClass.InputOnly:
                    continue
                rect = self._rect(w)
            except GONE:
                continue
            app = self._app(w)
            if not (w == tree[-1] and self._is_compositors(rect, screen, app)):
                found.append(Above(rect, app))
        return found

    def _open(self, extension: str) -> Any:
        """The calls of an extension, None where the display has none."""
        if not self._has(extension):
            return None
        return self._x(xcffib.randr.key if extension == "RANDR" else xcffib.screensaver.key)

    def _locked(self) -> bool | None:
        """True while the screen saver is on or a locker's window is topmost; X11 has no word for "not locked"."""
        if self._saver is not None and self._saver.QueryInfo(self._root).reply().state == xcffib.screensaver.State.On:
            return True
        top = list(self._x.core.QueryTree(self._root).reply().children)[-1:]
        try:
            viewable = top and self._x.core.GetWindowAttributes(top[0]).reply().map_state == xp.MapState.Viewable
            return True if viewable and self._app(top[0]).lower() in LOCKERS else None
        except GONE:
            return None

    def _monitors(self) -> tuple[Rect, ...]:
        """Every monitor, where there are several."""
        if self._randr is None:
            return ()
        try:
            told = self._randr.GetMonitors(self._root, True).reply().monitors
        except (xcffib.ProtocolException, xcffib.XcffibException):  # RandR before 1.5
            self._randr = None
            return ()
        found = tuple(Rect(m.x, m.y, m.width, m.height) for m in told)
        return found if len(found) > 1 else ()

    def _is_compositors(self, rect: Rect, screen: Rect, app: str) -> bool:
        """The overlay that a compositor draws the whole screen into: topmost, nameless, as large as the screen."""
        owner = self._x.core.GetSelectionOwner(self._atom["_NET_WM_CM_S0"]).reply().owner
        return bool(owner) and not app and rect == screen

    def _ancestors(self, window: int) -> list[int]:
        """The window and its parents up to the child of the root."""
        line = [window]
        for _ in range(DEPTH):
            parent = self._x.core.QueryTree(line[-1]).reply().parent
            if parent in (0, self._root):
                break
            line.append(parent)
        return line

    def _rect(self, window: int) -> Rect:
        g = self._x.core.GetGeometry(window).reply()
        at = self._x.core.TranslateCoordinates(window, self._root, 0, 0).reply()
        b = g.border_width
        return Rect(at.dst_x - b, at.dst_y - b, g.width + 2 * b, g.height + 2 * b)

    def _by_pid(self) -> int | None:
        pid = os.getpid()
        for window in self._numbers(self._root, "_NET_CLIENT_LIST", xp.Atom.WINDOW):
            try:
                if self._number(window, "_NET_WM_PID") == pid:
                    return window
            except GONE:
                continue
        return None

    # --- reading properties -----------------------------------------------------------------------------------------

    def _app(self, window: int, depth: int = 0) -> str:
        """The program of a window: its class, else that of the client in the frame, else its process."""
        try:
            reply = self._x.core.GetProperty(False, window, xp.Atom.WM_CLASS, xp.Atom.STRING, 0, 64).reply()
            name = bytes(reply.value.buf()).split(b"\0")
            if len(name) >= 2 and name[1]:
                return clean(name[1])
            for child in self._x.core.QueryTree(window).reply().children if depth < 2 else ():
                if app := self._app(child, depth + 1):
                    return app
            pid = self._number(window, "_NET_WM_PID")
        except GONE:
            return ""
        return process_name(pid) if pid else ""

    def _numbers(self, window: int, name: str, kind: Any) -> list[int]:
        reply = self._x.core.GetProperty(False, window, self._atom[name], kind, 0, 4096).reply()
        data = bytes(reply.value.buf())
        return list(struct.unpack(f"={len(data) // 4}I", data)) if reply.format == 32 else []

    def _number(self, window: int, name: str, kind: Any = xp.Atom.CARDINAL) -> int | None:
        numbers = self._numbers(window, name, kind)
        return numbers[0] if numbers else None

    def _text(self, window: int, name: str) -> str:
        reply = self._x.core.GetProperty(False, window, self._atom[name], xp.GetPropertyType.Any, 0, 64).reply()
        return bytes(reply.value.buf()).rstrip(b"\0").decode("utf-8", "replace") if reply.format == 8 else ""

    def _has(self, extension: str) -> bool:
        return bool(self._x.core.QueryExtension(len(extension), extension).reply().present)


def clean(untrusted_name: bytes) -> str:
    """A program's name fit for a screen and a record: printable, at most 40 characters."""
    text = untrusted_name.decode("utf-8", "replace")
    return re.sub(r"[^\w .+-]", "", text).strip()[:40]


def line_of(pid: int) -> tuple[int, ...]:
    """A process and those that started it, up to the first; what the kernel does not tell ends the line."""
    line = [pid]
    for _ in range(LINE):
        try:
            with open(f"/proc/{line[-1]}/stat", "rb") as file:
                parent = int(file.read(4096).rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
        if parent <= 1:  # the first process of the machine starts everybody: that it drew a window would say nothing
            break
        line.append(parent)
    return tuple(line)


def process_name(pid: int) -> str:
    """What the kernel calls a process; "" when it is not ours to know."""
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return clean(file.read(64))
    except OSError:
        return ""
