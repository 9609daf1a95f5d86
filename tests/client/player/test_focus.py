"""The foreground: the system's word first, the toolkit's beside it, unknown where nobody can tell."""

from __future__ import annotations

import pytest

from client.player.focus import FocusProbe
from client.player.foreground import ALL_DESKTOPS, Above, Snapshot, Toolkit, combine, judge
from client.player.geometry import Rect

SCREEN = Rect(0, 0, 1366, 900)
OURS = Rect(100, 100, 1000, 500)


def snapshot(**changes: object) -> Snapshot:
    """Our window in front, nothing over it."""
    plain: dict[str, object] = {
        "window": OURS, "screen": SCREEN, "above": (), "active": True, "active_app": "trueseat", "hidden": False,
        "desktop": 0, "current_desktop": 0,
    }  # fmt: skip
    return Snapshot(**{**plain, **changes})  # type: ignore[arg-type]


def test_in_front_and_free() -> None:
    """Active, nothing above: no app is named."""
    seen = judge(snapshot(), "x11")
    assert (seen.focused, seen.minimised, seen.covered, seen.other_desktop, seen.active_app) == (
        True,
        False,
        0,
        False,
        None,
    )


def test_the_program_that_covers_most_is_named() -> None:
    """An always-on-top window sends no event: geometry finds it."""
    above = (Above(Rect(0, 0, 200, 200), "Clock"), Above(Rect(600, 100, 500, 500), "Browser"))
    seen = judge(snapshot(above=above), "x11")
    assert seen.covered == 520
    assert seen.active_app == "Browser"


def test_another_program_in_front_is_named() -> None:
    """Focus elsewhere: who has it."""
    seen = judge(snapshot(active=False, active_app="Browser"), "x11")
    assert (seen.focused, seen.active_app) == (False, "Browser")


@pytest.mark.parametrize(("desktop", "elsewhere"), [(0, False), (1, True), (ALL_DESKTOPS, False), (None, None)])
def test_another_desktop(desktop: int | None, elsewhere: bool | None) -> None:
    """A window on all desktops is on this one; unknown stays unknown."""
    assert judge(snapshot(desktop=desktop), "x11").other_desktop is elsewhere


def test_without_a_stack_cover_is_unknown_not_zero() -> None:
    """Wayland does not tell what lies over us."""
    assert judge(snapshot(above=None), "xwayland").covered is None


def test_the_system_wins_and_the_difference_is_kept() -> None:
    """Toolkit and system disagree: the system counts, and the source says that they differed."""
    seen = combine(judge(snapshot(active=False, active_app="Browser"), "x11"), Toolkit(focused=True, hidden=False))
    assert (seen.focused, seen.source) == (False, "x11!sdl")
    assert combine(judge(snapshot(), "x11"), Toolkit(focused=True, hidden=False)).source == "x11+sdl"


def test_without_a_system_only_the_toolkit_speaks() -> None:
    """No reader for this platform: focus by the toolkit, cover unknown."""
    probe = FocusProbe(None, "sdl")
    probe.toolkit_says(focused=False)
    seen = probe.observe()
    assert (seen.focused, seen.minimised, seen.covered, seen.source) == (False, False, None, "sdl")
    probe.toolkit_says(focused=True, hidden=True)
    assert probe.observe().minimised is True


class Failing:
    """A display that goes away at the second look."""

    def __init__(self) -> None:
        self.looks = 0

    def adopt(self, window: int) -> None:
        """Not needed."""

    def look(self) -> Snapshot | None:
        self.looks += 1
        if self.looks > 1:
            raise ConnectionError("gone")
        return snapshot()


def test_a_display_that_goes_away_leaves_the_toolkit_and_no_guess() -> None:
    """The lesson goes on under the policy for unknown cover; nothing crashes."""
    system = Failing()
    probe = FocusProbe(system, "x11", (ConnectionError,))
    assert probe.observe().covered == 0
    seen = probe.observe()
    assert (seen.covered, seen.source) == (None, "sdl")
    probe.observe()
    assert system.looks == 2


def test_a_window_that_is_not_there_yet_is_not_in_front() -> None:
    """Before the window manager has shown us nothing may play."""

    class Early:
        def adopt(self, window: int) -> None:
            """Not needed."""

        def look(self) -> Snapshot | None:
            return None

    assert FocusProbe(Early(), "x11").observe().focused is False
