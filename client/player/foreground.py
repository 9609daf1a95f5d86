"""What a snapshot of the window system means for the lesson: pure, and the same for every system that can give one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.events import Observation
from client.player.geometry import Rect, covered_permille

ALL_DESKTOPS = 0xFFFFFFFF  # EWMH: the window is on every desktop


@dataclass(frozen=True, slots=True)
class Above:
    """A window that the system stacks over ours. `app` is its program's name, "" where it has none."""

    rect: Rect
    app: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at the window system. None where the system does not tell."""

    window: Rect
    screen: Rect
    above: Sequence[Above] | None
    active: bool | None
    active_app: str | None
    hidden: bool | None
    desktop: int | None = None
    current_desktop: int | None = None
    locked: bool | None = None
    monitors: Sequence[Rect] = ()  # where there are several: between them nothing is seen


@dataclass(frozen=True, slots=True)
class Toolkit:
    """The same by the toolkit's own events."""

    focused: bool
    hidden: bool


def judge(snapshot: Snapshot, source: str) -> Observation:
    """The observation that a snapshot supports, and not more."""
    covered, coverer = None, None
    if snapshot.above is not None:
        above = [a.rect for a in snapshot.above]
        covered = covered_permille(snapshot.window, above, snapshot.screen, snapshot.monitors)
        coverer = _largest(snapshot)
    other_desktop = None
    if snapshot.desktop is not None and snapshot.current_desktop is not None:
        other_desktop = snapshot.desktop not in (snapshot.current_desktop, ALL_DESKTOPS)
    app = coverer if snapshot.active and covered else (None if snapshot.active else snapshot.active_app)
    return Observation(snapshot.active, snapshot.hidden, covered, snapshot.locked, other_desktop, app, source)


def combine(system: Observation | None, toolkit: Toolkit) -> Observation:
    """The system's truth first, the toolkit fills what it does not tell; `source` ends in `!sdl` where they differ."""
    if system is None:
        return Observation(toolkit.focused, toolkit.hidden, None, source="sdl")
    focused = toolkit.focused if system.focused is None else system.focused
    minimised = toolkit.hidden if system.minimised is None else system.minimised
    agree = focused == toolkit.focused
    source = f"{system.source}{'+' if agree else '!'}sdl"
    return Observation(
        focused, minimised, system.covered, system.locked, system.other_desktop, system.active_app, source
    )


def _largest(snapshot: Snapshot) -> str | None:
    """Who covers most of us."""
    visible = snapshot.window.within(snapshot.screen)
    areas = [(a.rect.within(visible).area, a.app) for a in snapshot.above or ()]
    area, app = max(areas, default=(0, ""))
    return app or None if area else None
