"""The doctor's screen: in a window of its own (`doctor --window`), or on the stage of the lesson's window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from client.config import Config
from client.doctor import examine
from client.doctor.bundle import write
from client.doctor.found import Found
from client.errors import DiskError
from client.player.health import Health, Line
from client.view import Words

TICK_S: Final = 0.1
BUNDLE: Final = "support-%Y%m%d-%H%M%S.zip"


class Consultation:
    """Looks at everything on a thread of its own; `shown` is what is known by now."""

    def __init__(self, config: Config, look: Callable[[Config], Iterable[Found]] = examine) -> None:
        self._config, self._look = config, look
        self._found: list[Found] = []
        self._kept = ""
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Look (again); nothing happens while a look runs."""
        if self.busy:
            return
        self._found, self._kept = [], ""
        self._thread = threading.Thread(target=self._run, name="doctor", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether more is to come."""
        return self._thread is not None and self._thread.is_alive()

    def bundle(self) -> None:
        """Write what support needs into the data folder."""
        out = self._config.data / time.strftime(BUNDLE)
        try:
            write(out, self._config, list(self._found))
            self._kept = str(out)
        except DiskError as error:
            self._kept = error.code

    def shown(self) -> Health:
        """For the screen."""
        busy = self.busy
        return Health(tuple(map(line_of, list(self._found))), busy, self._kept)

    def _run(self) -> None:
        for item in self._look(self._config):
            self._found.append(item)


def line_of(item: Found) -> Line:
    """A finding with its words."""
    name, says, remedy = (Words(told("zh"), told("en")) for told in (item.name, item.says, item.remedy))
    return Line(name, says, remedy, item.level)


def run(config: Config) -> int:
    """Open a window that shows nothing else, until it is closed."""
    from client.player import kivy_env

    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    kivy_env.prepare(config.data / "kivy")
    kivy_env.configure()
    from kivy.base import runTouchApp, stopTouchApp
    from kivy.clock import Clock
    from kivy.core.window import Window

    root, tick = stage(config, stopTouchApp)
    Window.set_title("TrueSeat")
    Clock.schedule_interval(lambda _: tick(), TICK_S)
    runTouchApp(root)
    return 0


def stage(config: Config, done: Callable[[], None]) -> tuple[Any, Callable[[], None]]:
    """The window's root with the screen on it, and what renders it anew."""
    from kivy.core.window import Window

    from client.player import theme
    from client.player.screens import Shell, tongue
    from client.player.screens.doctor import DoctorScreen
    from client.player.widgets import fonts
    from client.player.widgets.look import look

    fonts.register()
    Window.clearcolor = theme.rgba(look.GROUND)
    tongue.language = config.language
    consultation = Consultation(config)
    screen = DoctorScreen(consultation.begin, consultation.bundle, done)
    shell = Shell()
    shell.show(screen, lambda: tongue.say("doctor.title"), done)
    consultation.begin()
    return shell, lambda: screen.render(consultation.shown())
