"""One suite that every reader of a window system passes: what happened is told, and what cannot be told stays None.

X11's reader runs on a real server in test_x11.py and Windows' on Wine in test_windows.py; here every system's calls
are scripted, the same stories for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.events import Observation
from client.player.android import AndroidProbe
from client.player.focus import FocusProbe
from client.player.geometry import Rect
from client.player.macos import Mac
from client.player.windows import CLOAKED_SHELL, Facts, Windows, program_of

OURS, OTHER, OWN_PID = 10, 20, 4242
PLACE, SCREEN = Rect(100, 100, 800, 600), Rect(0, 0, 1920, 1080)


@dataclass
class Story:
    """What happens on the desk."""

    front: bool = True  # our window takes the keyboard
    iconic: bool = False
    away: bool = False  # on another desktop
    locked: bool = False
    over: Sequence[tuple[Rect, str]] = ()  # windows of other programs above ours
    place: Rect = PLACE
    monitors: Sequence[Rect] = (SCREEN,)
    there: bool = True
    names: dict[int, str] = field(default_factory=dict)


class ScriptedWindows:
    """User32 by the story."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def foreground(self) -> int:
        return OURS if self.story.front else OTHER

    def order(self) -> list[int]:
        above = [OTHER + n for n in range(1, len(self.story.over) + 1)]
        return [*above, *([OURS] if self.story.there else []), OTHER, 99]

    def facts(self, window: int) -> Facts | None:
        story = self.story
        if window == OURS:
            cloaked = CLOAKED_SHELL if story.away else 0
            return Facts(story.place, OWN_PID, True, story.iconic, cloaked)
        if window == OTHER:
            return Facts(Rect(0, 0, 50, 50), 1, True, False, 0)
        if window == 99:
            return None  # closed while we looked
        return Facts(story.over[window - OTHER - 1][0], window, True, False, 0)

    def program(self, pid: int) -> str:
        return "Notepad" if pid == 1 else self.story.over[pid - OTHER - 1][1]

    def monitors(self) -> Sequence[Rect]:
        return self.story.monitors

    def locked(self) -> bool | None:
        return self.story.locked


class ScriptedLists:
    """The window server by the story."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def windows(self, *, on_screen: bool) -> list[dict[str, Any]]:
        story = self.story
        mine = [_mac(story.place, "TrueSeat", OWN_PID)] if story.there else []
        if on_screen and (story.iconic or story.away):
            mine = []
        menu = {**_mac(Rect(0, 0, 1920, 25), "Window Server", 2), "kCGWindowLayer": 24}
        front = [] if story.front else [_mac(Rect(0, 0, 50, 50), "Notepad", 1)]
        floating = 3 if story.front else 0  # a window that takes no focus lies on a layer of its own
        over = [{**_mac(rect, name, 50 + n), "kCGWindowLayer": floating} for n, (rect, name) in enumerate(story.over)]
        return [menu, *front, *over, *mine, {"kCGWindowLayer": "strange"}]

    def session(self) -> dict[str, Any] | None:
        return {"CGSSessionScreenIsLocked": 1} if self.story.locked else {}

    def displays(self) -> Sequence[Rect]:
        return self.story.monitors


def _mac(rect: Rect, name: str, pid: int) -> dict[str, Any]:
    bounds = {"X": rect.x, "Y": rect.y, "Width": rect.width, "Height": rect.height}
    return {"kCGWindowBounds": bounds, "kCGWindowOwnerName": name, "kCGWindowOwnerPID": pid, "kCGWindowLayer": 0,
            "kCGWindowAlpha": 1.0}  # fmt: skip


class ScriptedActivity:
    """An activity by the story."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def resumed(self) -> bool:
        return self.story.there and not (self.story.iconic or self.story.away)

    def focused(self) -> bool:
        return self.story.front

    def multi_window(self) -> bool:
        return bool(self.story.over)

    def picture_in_picture(self) -> bool:
        return False

    def locked(self) -> bool:
        return self.story.locked


Reader = Callable[[Story], Any]
WINDOWS: Reader = lambda story: FocusProbe(Windows(ScriptedWindows(story), pid=OWN_PID), "windows")  # noqa: E731
MACOS: Reader = lambda story: FocusProbe(Mac(ScriptedLists(story), pid=OWN_PID), "macos")  # noqa: E731
ANDROID: Reader = lambda story: AndroidProbe(ScriptedActivity(story))  # noqa: E731
EVERY = pytest.mark.parametrize("reader", [WINDOWS, MACOS, ANDROID], ids=["windows", "macos", "android"])
DESKTOPS = pytest.mark.parametrize("reader", [WINDOWS, MACOS], ids=["windows", "macos"])


def seen(reader: Reader, **changes: Any) -> Observation:
    story = Story(**changes)
    found: Observation = reader(story).observe()
    return found


def quiet(observation: Observation) -> bool:
    """Whether nothing keeps the lesson from playing."""
    return (
        observation.focused is True
        and not observation.minimised
        and not observation.covered
        and not observation.locked
        and not observation.other_desktop
    )


@EVERY
def test_in_front_and_whole_the_lesson_may_play(reader: Reader) -> None:
    """The ordinary day."""
    assert quiet(seen(reader))


@EVERY
def test_another_program_takes_the_keyboard(reader: Reader) -> None:
    """Not focused; on a desktop the program is named."""
    found = seen(reader, front=False)
    assert found.focused is False
    assert found.active_app in ("Notepad", None)
    assert reader is ANDROID or found.active_app == "Notepad"


@EVERY
def test_minimised_or_sent_to_the_back(reader: Reader) -> None:
    """Nothing plays into a closed drawer."""
    assert seen(reader, iconic=True, front=False).minimised is True


@EVERY
def test_on_another_desktop_it_does_not_play(reader: Reader) -> None:
    """Told as another desktop where the system tells, as hidden where it does not."""
    found = seen(reader, away=True, front=False)
    assert found.other_desktop or found.minimised


@EVERY
def test_a_locked_screen_is_told(reader: Reader) -> None:
    """Whoever locks the screen leaves the lesson."""
    assert seen(reader, locked=True).locked is True
    assert seen(reader).locked is False


@DESKTOPS
def test_a_window_on_top_that_takes_no_focus_is_measured_and_named(reader: Reader) -> None:
    """A quarter of ours under "Movie": 250 per mille, by name, though the keyboard stays with us."""
    found = seen(reader, over=[(Rect(100, 100, 400, 300), "Movie")])
    assert (found.focused, found.covered, found.active_app) == (True, 250, "Movie")


@DESKTOPS
def test_half_on_a_second_monitor_is_seen_and_half_between_two_is_not(reader: Reader) -> None:
    """Two monitors side by side show all of it; two with a step between them do not."""
    across = Rect(1520, 100, 800, 600)
    assert seen(reader, place=across, monitors=(SCREEN, Rect(1920, 0, 1280, 1024))).covered == 0
    assert seen(reader, place=across, monitors=(SCREEN, Rect(1920, 400, 1280, 1024))).covered == 250


@DESKTOPS
def test_before_our_window_is_there_nothing_is_in_front(reader: Reader) -> None:
    """The first tenth of a second."""
    assert seen(reader, there=False, front=False).focused is False


def test_a_split_screen_on_a_phone_is_cover() -> None:
    """Another app beside the lesson."""
    assert (seen(ANDROID, over=[(PLACE, "Chat")]).covered or 0) > 50
    assert seen(ANDROID).covered is None, "what lies over the lesson Android does not tell"


def test_a_window_that_lets_everything_through_hides_nothing() -> None:
    """Overlays of drivers and of screen readers, nearly transparent or cloaked, are no cover."""
    script = ScriptedWindows(Story(over=[(SCREEN, "Overlay")]))
    plain = script.facts
    for changes in ({"alpha": 5}, {"cloaked": 1}, {"iconic": True}, {"visible": False}):

        def facts(window: int, changes: dict[str, Any] = changes) -> Facts | None:
            from dataclasses import replace

            found = plain(window)
            return replace(found, **changes) if found is not None and window == OTHER + 1 else found

        script.facts = facts  # type: ignore[method-assign]
        assert FocusProbe(Windows(script, pid=OWN_PID), "windows").observe().covered == 0


@given(st.text(max_size=80))
def test_a_programs_name_is_fit_for_a_screen(path: str) -> None:
    """Whatever a file is called: printable, short, without its folders."""
    name = program_of(path)
    assert len(name) <= 40
    assert "/" not in name
    assert "\\" not in name
    assert "\n" not in name


def test_a_known_path_gives_its_name() -> None:
    """As people know it."""
    assert program_of("C:\\Program Files\\Tencent\\QQ\\QQ.exe") == "QQ"


@given(st.lists(st.dictionaries(st.sampled_from(["kCGWindowBounds", "kCGWindowOwnerPID", "kCGWindowLayer"]),
                                st.none() | st.integers(-5, 5) | st.text(max_size=3)), max_size=4))  # fmt: skip
def test_strange_lists_break_nothing(listed: list[dict[str, Any]]) -> None:
    """A later macOS may tell other things."""
    lists = ScriptedLists(Story())
    lists.windows = lambda *, on_screen: listed  # type: ignore[method-assign,assignment,misc]
    found = FocusProbe(Mac(lists, pid=OWN_PID), "macos").observe()
    assert found.covered in (None, 0) or found.focused is False
