"""UI Automation on real calls, without Kivy: run by Windows' Python (test_adapters.py on Wine; on Windows itself
`python -m tests.client.player.uia_live`). Prints one JSON line a step: what the system answered."""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

import accesskit

from client.player.adapters import UiAutomation, desktop, on_windows

POPUP, VISIBLE = 0x80000000, 0x10000000
GET_OBJECT, ROOT_OBJECT = 0x3D, -25  # WM_GETOBJECT, UiaRootObjectId
SERVER = 1  # CLSCTX_INPROC_SERVER
AUTOMATION = "{ff48dba4-60ef-4201-aa87-54103eef594e}"
I_AUTOMATION = "{30cbe57d-d9d0-452a-ab13-7ac5ac4825ee}"
FROM_HANDLE, NAME, RELEASE = 6, 23, 2  # places in the tables of IUIAutomation and IUIAutomationElement


def say(step: str, **more: Any) -> None:
    print(json.dumps({"step": step, **more}), flush=True)


def tree() -> Any:
    """A window with one button."""
    root, button = accesskit.Node(accesskit.Role.WINDOW), accesskit.Node(accesskit.Role.BUTTON)
    root.set_label("TrueSeat lesson")
    root.set_children([1])
    button.set_label("Continue")
    button.add_action(accesskit.Action.CLICK)
    button.set_bounds(accesskit.Rect(0, 0, 100, 40))
    update = accesskit.TreeUpdate(1)
    update.nodes.append((0, root))
    update.nodes.append((1, button))
    update.tree = accesskit.Tree(0)
    return update


def call(thing: ctypes.c_void_p, place: int, *arguments: Any) -> int:
    """A method of a COM object, by its place; the HRESULT."""
    table = ctypes.cast(ctypes.cast(thing, ctypes.POINTER(ctypes.c_void_p))[0], ctypes.POINTER(ctypes.c_void_p))
    kinds = [type(one) for one in arguments]
    method = ctypes.WINFUNCTYPE(ctypes.c_long, ctypes.c_void_p, *kinds)(table[place])  # type: ignore[attr-defined]
    return int(method(thing, *arguments)) & 0xFFFFFFFF


def asked_by_a_client(window: int) -> None:
    """What a screen reader does: an element from the window's handle, and its name."""
    ole = ctypes.WinDLL("ole32")  # type: ignore[attr-defined]
    ole.CoInitializeEx(None, 0)

    def guid(text: str) -> Any:
        room = (ctypes.c_uint8 * 16)()
        ole.CLSIDFromString(ctypes.c_wchar_p(text), room)
        return room

    automation, element, name = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_wchar_p()
    made = ole.CoCreateInstance(guid(AUTOMATION), None, SERVER, guid(I_AUTOMATION), ctypes.byref(automation))
    say("client", hresult=f"{made & 0xFFFFFFFF:08x}")
    if not automation:
        return
    found = call(automation, FROM_HANDLE, ctypes.c_void_p(window), ctypes.pointer(element))
    say("element", hresult=f"{found:08x}", found=bool(element))
    if element:
        told = call(element, NAME, ctypes.pointer(name))
        say("name", hresult=f"{told:08x}", name=name.value)


def main() -> None:
    """A window that is shown already gets its adapter, is asked as readers ask, and is told a change."""
    user = ctypes.WinDLL("user32")  # type: ignore[attr-defined]
    user.CreateWindowExW.restype = ctypes.c_void_p
    user.SendMessageW.restype = ctypes.c_ssize_t
    user.SendMessageW.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_size_t, ctypes.c_ssize_t)
    window = user.CreateWindowExW(0, "STATIC", "window", POPUP | VISIBLE, 50, 50, 300, 200, None, None, None, None)
    asked: list[str] = []

    def activated() -> Any:
        asked.append("activated")
        return tree()

    adapter = on_windows(window, accesskit, activated, lambda _request: None)
    say("adapter", kind=type(adapter).__name__, shown=bool(user.IsWindowVisible(ctypes.c_void_p(window))))
    answer = user.SendMessageW(window, GET_OBJECT, 0, ROOT_OBJECT)
    say("asked", answer=answer, activated=asked)
    updates: list[int] = []

    def changes() -> Any:
        updates.append(1)
        return tree()

    adapter.update(changes)
    say("updated", computed=len(updates))
    if sys.argv[1:] != ["server"]:
        asked_by_a_client(window)
    other = user.CreateWindowExW(0, "STATIC", "other", POPUP | VISIBLE, 50, 50, 300, 200, None, None, None, None)
    made = desktop(activated, lambda _request: None, lambda: None, lambda: other)
    say("desktop", kind=type(made).__name__, ok=isinstance(made, UiAutomation))
    say("end")


if __name__ == "__main__":
    main()
