"""The real window before a real server in one process: `python -m tests.client.player.own_pages` taps through the
learner's own pages and asserts what each tap did."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from client.player import kivy_env


class Nobody:
    """A player and a doctor that nobody asks here."""

    def picture(self) -> None:
        """Nothing plays."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_args, **_kwargs: None


def walk(window: Any, journey: Any, drive: Any) -> None:
    """Overview, timeline, back, rights, settings, dark, a reminder, a goal, and back to an overview that knows it."""
    drive.step(6)
    assert journey.page == "today"
    drive.tap("today.timeline")
    drive.step(4)
    assert (journey.page, window.shell.header.title) == ("timeline", "学习轨迹")
    drive.tap("返回")
    drive.tap("today.rights")
    drive.step(4)
    assert journey.page == "rights"
    assert "没有待核实情况。" in drive.said()
    drive.tap("设置")
    drive.tap("dark True")
    drive.step(4)
    assert journey.own.looks.dark
    from client.player.screens import look

    assert look.dark
    drive.tap("settings.add")
    assert len(journey.shown.reminders) == 1
    drive.tap("settings.set_goal")
    assert journey.shown.goals[0].due is not None
    drive.tap("返回")
    assert journey.page == "rights", "back to where one was"
    drive.tap("返回")
    drive.step(6)
    assert journey.page == "today"
    assert any(words.startswith("目标 ") for words in drive.said())
    assert any(words.startswith("今天建议学") for words in drive.said())


def main() -> None:
    """Open the window, offscreen, and walk."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        kivy_env.prepare(home / "kivy", offscreen=True)
        kivy_env.configure(1280, 800)
        from client.player.drive import Drive
        from client.window import Window
        from tests.client.test_journey import enrolled
        from tests.client.world import World

        world = World(home, units=(("pass", 60_000),))
        journey = enrolled(world, home / "pc").journey
        nobody: Any = Nobody()
        window = Window(journey, nobody, lambda: None, lambda _: None, nobody)
        window._run_prepare()
        walk(window, journey, Drive(window.root))
        journey.close()
        world.close()


if __name__ == "__main__":
    main()
