"""How a window reaches the readers of each desktop: by contract with accesskit, and on Wine for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from client.player import adapters
from client.player.adapters import HIDE, SHOW_QUIETLY, Atspi, UiAutomation, desktop, on_windows
from tests.conftest import ROOT
from tests.desktop import x_server
from tests.wine import turn


class Events:
    """What an update on Windows gives back: raised once, or readers hear nothing."""

    def __init__(self) -> None:
        self.raised = 0

    def raise_events(self) -> None:
        self.raised += 1


class Subclassing:
    """accesskit.windows.SubclassingAdapter as its makers describe it: for a window that is not shown."""

    def __init__(self, did: list[Any], listens: bool = True) -> None:
        self.did, self.listens, self.events = did, listens, Events()

    def __call__(self, window: int, activated: Any, acted: Any) -> Subclassing:
        self.did.append(("adapter", window))
        self.handlers = (activated, acted)
        return self

    def update_if_active(self, changes: Any) -> Events | None:
        if not self.listens:
            return None
        changes()
        return self.events


def nothing(*_: Any) -> None: ...


def test_a_shown_window_is_hidden_for_the_moment_in_which_it_gets_its_adapter() -> None:
    """accesskit panics over a window that was seen; the keyboard stays with whoever had it."""
    did: list[Any] = []
    kit = SimpleNamespace(windows=SimpleNamespace(SubclassingAdapter=Subclassing(did)))
    made = on_windows(7, kit, nothing, nothing, lambda window, how: did.append((window, how)))
    assert isinstance(made, UiAutomation)
    assert did == [(7, HIDE), ("adapter", 7), (7, SHOW_QUIETLY)]


def test_a_window_is_shown_again_whatever_happens() -> None:
    """An adapter that cannot be made leaves no learner before an invisible lesson."""
    did: list[Any] = []

    def refuses(*_: Any) -> None:
        raise RuntimeError("no UI Automation here")

    kit = SimpleNamespace(windows=SimpleNamespace(SubclassingAdapter=refuses))
    with pytest.raises(RuntimeError):
        on_windows(7, kit, nothing, nothing, lambda window, how: did.append((window, how)))
    assert did == [(7, HIDE), (7, SHOW_QUIETLY)]


def test_what_changed_is_raised_and_nothing_is_computed_for_nobody() -> None:
    """On Windows an update's events wait to be raised; without a reader there are none, and no tree is made."""
    kit, made = Subclassing([]), []
    bridge = UiAutomation(kit)
    bridge.update(lambda: made.append(1))
    assert (kit.events.raised, made) == (1, [1])
    kit.listens = False
    bridge.update(lambda: made.append(2))
    assert (kit.events.raised, made) == (1, [1])
    bridge.in_front(True)  # it hears the window's own messages


def test_linux_tells_the_focus_itself() -> None:
    """AT-SPI's adapter has no window to hear it from."""
    heard: list[Any] = []
    unix = SimpleNamespace(
        update_if_active=lambda changes: heard.append(changes()), update_window_focus_state=heard.append
    )
    bridge = Atspi(unix)
    bridge.update(lambda: "tree")
    bridge.in_front(True)
    assert heard == ["tree", True]


class PanicException(BaseException):
    """As pyo3's: no `Exception`."""


@pytest.mark.parametrize(
    "error", [ImportError(), AttributeError(), RuntimeError(), OSError(), TypeError(), PanicException("seen")]
)
def test_no_reader_is_worth_the_fall_of_a_lesson(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """No library, no such desktop, a panic in it: there is no adapter, and the window stands."""

    def fails(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(adapters, "on_windows", fails)
    pytest.importorskip("accesskit")
    assert desktop(nothing, nothing, nothing, lambda: 7, "win32") is None


def test_an_interrupt_is_no_panic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends the program ends it here, too."""

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(adapters, "on_windows", interrupted)
    pytest.importorskip("accesskit")
    with pytest.raises(KeyboardInterrupt):
        desktop(nothing, nothing, nothing, lambda: 7, "win32")
    assert desktop(nothing, nothing, nothing, lambda: 7, "android") is None


@pytest.mark.slow
@pytest.mark.x11
def test_on_wine_the_adapter_takes_a_shown_window_and_answers_its_readers_message(tmp_path: Path) -> None:
    """Real accesskit on Windows' Python: the adapter is made, WM_GETOBJECT reaches it and has the tree made, an update
    is computed. Wine 8 registers no UI Automation client (REGDB_E_CLASSNOTREG): what a reader hears is not shown."""
    lines = subprocess.run([ROOT / "build/wine.sh", "env"], capture_output=True, text=True, check=True).stdout
    wine = dict(line.split("=", 1) for line in lines.splitlines())
    home = Path(wine["TRUESEAT_WINE"])
    if shutil.which("wine") is None or not (home / ".packages").exists():
        pytest.skip("left out: Wine and its Python are not set up (build/wine.sh setup)")
    site = next((path for path in (home / "python/Lib/site-packages", home / "freeze")
                 if (path / "accesskit/accesskit.pyd").exists()), None)  # fmt: skip
    if site is None:
        pytest.skip("left out: accesskit is not in Wine's Python")
    with x_server(home=tmp_path) as display, turn(wine):
        program = subprocess.Popen(
            [ROOT / "build/wine.sh", "python", "-m", "tests.client.player.uia_live"], cwd=ROOT,
            env={**os.environ, **wine, "DISPLAY": display, "PYTHONPATH": str(site)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert program.stdout is not None
        told: dict[str, dict[str, Any]] = {}
        rest = []
        for line in program.stdout:
            rest.append(line.decode("utf-8", "replace"))
            if line.startswith(b"{"):
                said = json.loads(line)
                told[said.pop("step")] = said
            if "end" in told:
                break
        program.kill()
        program.wait()
    assert "end" in told, "".join(rest)[-2000:]
    assert told["adapter"] == {"kind": "UiAutomation", "shown": True}
    assert told["asked"]["activated"] == ["activated"]
    assert told["updated"] == {"computed": 1}
    assert told["desktop"]["ok"]
    print(f"WM_GETOBJECT answered {told['asked']['answer']}, CUIAutomation {told['client']['hresult']}")
