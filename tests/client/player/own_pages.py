"""The real window before a real server in one process: `python -m tests.client.player.own_pages` taps through the
learner's own pages and asserts what each tap did."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from client.player import kivy_env


class Nobody:
    """A player and a doctor that nobody asks here."""

    def picture(self) -> None:
        """Nothing plays."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_args, **_kwargs: None


def walk(window: Any, journey: Any, drive: Any, world: Any, there: Any) -> None:
    """Overview, timeline, back, rights, settings, dark, a reminder, a goal, a second way in linked and taken away, and
    back to an overview that knows the goal."""
    def comes(seen: Callable[[], Any], what: str) -> None:
        drive.wait(seen, 120.0, what)  # the window renders ten times a second, however quick the machine is
        drive.step(6)  # and what it shows has its place

    comes(lambda: journey.page == "today", "the overview")
    drive.tap("today.timeline")
    comes(lambda: (journey.page, window.shell.header.title) == ("timeline", "学习轨迹"), "the timeline")
    drive.tap("返回")
    drive.tap("today.rights")
    comes(lambda: journey.page == "rights" and "没有待核实情况。" in drive.said(), "the rights")
    drive.tap("设置")
    drive.tap("dark True")
    from client.player.screens import look

    comes(lambda: journey.own.looks.dark and look.dark, "the dark colours")
    drive.tap("settings.add")
    comes(lambda: len(journey.shown.reminders) == 1, "the reminder")
    drive.tap("settings.set_goal")
    comes(lambda: journey.shown.goals[0].due is not None, "the goal")
    drive.tap("ways.title")
    comes(lambda: "还没有关联其他账号。" in drive.said(), "the ways in")
    drive.tap("ways.link oidc")
    comes(lambda: "WDJB-MJHT" in drive.said(), "the code to type elsewhere")
    there.agree("anna")
    world.clock.advance(6_000)
    comes(lambda: "已关联City，下次可以用它登录。" in drive.said(), "the second way in")
    drive.tap("ways.unlink City")
    comes(lambda: "还没有关联其他账号。" in drive.said(), "the ways in without it")
    drive.tap("返回")
    comes(lambda: journey.page == "settings", "the settings again")
    drive.tap("返回")
    comes(lambda: journey.page == "rights", "back to where one was")
    drive.tap("返回")
    comes(lambda: journey.page == "today", "the overview again")
    comes(lambda: any(words.startswith("目标 ") for words in drive.said()), "the goal on the overview")
    comes(lambda: any(words.startswith("今天建议学") for words in drive.said()), "the day's share")


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
        from tests.server_stub.elsewhere import elsewhere, ways_file

        world = World(home, units=(("pass", 60_000),))
        with elsewhere(lambda: world.clock.wall_ms / 1000) as there:
            world.server.close()
            world.settings.ways.write_text(ways_file(there))
            world.start()
            journey = enrolled(world, home / "pc").journey
            nobody: Any = Nobody()
            window = Window(journey, nobody, lambda: None, lambda _: None, nobody)
            window._run_prepare()
            walk(window, journey, Drive(window.root), world, there)
            journey.close()
        world.close()


if __name__ == "__main__":
    main()
