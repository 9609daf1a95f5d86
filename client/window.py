"""The window: one screen for each page of the journey, rendered ten times a second.

Imported after `kivy_env.prepare`: this import opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from kivy.app import App
from kivy.base import EventLoop, runTouchApp
from kivy.clock import Clock
from kivy.core.window import Window as KivyWindow

from client.doctor.window import Consultation
from client.events import Pressed
from client.journey import Journey
from client.player import theme
from client.player.captions import CaptionTrack, parse_captions
from client.player.drive import Drive, Tap
from client.player.errors import CaptionsError
from client.player.screens import (
    DoctorScreen,
    EnrolScreen,
    LessonScreen,
    NoticeScreen,
    Page,
    ProblemScreen,
    RealNameScreen,
    ResultScreen,
    RightsScreen,
    SettingsScreen,
    Shell,
    SignInScreen,
    TimelineScreen,
    TodayScreen,
    WaysScreen,
    tongue,
)
from client.player.widgets import fonts
from client.player.widgets.accessible import Reader
from client.player.widgets.look import look
from client.preferences import Looks

TICK_S: Final = 0.1
PREVIEW_S: Final = 1 / 12
TITLES: Final = {
    "notice": "notice.title", "sign_in": "signin.title", "real_name": "name.title", "enrol": "enrol.title",
    "today": "today.title", "result": "result.title", "timeline": "timeline.title", "rights": "rights.title",
    "settings": "settings.title", "ways": "ways.title",
}  # fmt: skip

OWN: Final = ("timeline", "rights", "settings", "ways")  # the arrow leads back from these


class TakenOver(Exception):
    """Somebody touched the window while a script drove it: the script ends, the window stays."""


@contextmanager
def touched() -> Iterator[None]:
    """Raise `TakenOver` out of the event loop at the first touch or key that is not the script's own."""

    def touch(_: Any, motion: Any) -> None:
        if not isinstance(motion, Tap):
            raise TakenOver

    def key(*_: Any) -> None:
        raise TakenOver

    KivyWindow.bind(on_touch_down=touch, on_key_down=key)
    try:
        yield
    finally:
        KivyWindow.unbind(on_touch_down=touch, on_key_down=key)


class Window(App):
    """Renders a `Journey`. `go` blocks until the window is closed."""

    title = "TrueSeat"

    def __init__(
        self, journey: Journey, player: Any, preview: Callable[[], Any], watch: Callable[[Any], None],
        doctor: Callable[[], Consultation],
    ) -> None:  # fmt: skip
        super().__init__()
        self.journey, self._player, self._preview, self._watch = journey, player, preview, watch
        self._unit = ""
        self._consultation = doctor
        self._checkup: Consultation | None = None
        self._quiet = False

    def consult(self, *, quiet: bool = False) -> None:
        """Look at this computer; `quiet`: it is shown only if something keeps one from studying."""
        self._checkup, self._quiet = self._consultation(), quiet
        self._checkup.begin()

    def go(self, script: Callable[[Any, Any], None] | None = None) -> None:
        """Run until the window is closed; a script drives it to its end, or until it lets somebody take over."""
        if script is None:
            self.run()
            return
        self._run_prepare()
        runTouchApp(embedded=True)
        try:
            script(self, Drive(self.root))
        except TakenOver:
            EventLoop.mainloop()
        finally:
            self._stop()

    def build(self) -> Any:
        """The frame and every screen, wired to the journey."""
        fonts.register()
        self._watch(KivyWindow)
        tongue.language = self.journey.language
        journey = self.journey
        self.screens = {
            "notice": NoticeScreen(journey.choose),
            "sign_in": SignInScreen(
                journey.ask_code, journey.enter_code, journey.other_account, journey.arrival.choose,
                journey.arrival.browse,
            ),
            "real_name": RealNameScreen(journey.confirm_name, journey.leave_name),
            "enrol": EnrolScreen(
                journey.start_enrol, journey.to_today, journey.without_face, journey.start_practice
            ),
            "today": TodayScreen(
                journey.open_course, journey.to_today, journey.to_face,
                lambda name: journey.open_course(name, ""), journey.own.to_timeline, journey.own.to_rights,
                journey.send_now,
            ),
            **self._own_screens(journey),
            "lesson": LessonScreen(self._press, self._seek, self._reply),
            "result": ResultScreen(journey.make_up, journey.to_today),
            "problem": ProblemScreen(journey.try_again, self.consult),
            "doctor": DoctorScreen(self.consult, self._bundle, self._leave_doctor),
        }
        self.screens["lesson"].play(self._player)
        self.shell = Shell(self._language, journey.own.to_settings)
        self._apply(journey.own.looks)
        self._render()
        self._reader = Reader(self.shell, lambda: f"{self.shell.header.title} · TrueSeat")
        Clock.schedule_interval(self._tick, TICK_S)
        Clock.schedule_interval(self._mirror, PREVIEW_S)
        return self.shell

    def _own_screens(self, journey: Journey) -> dict[str, Any]:
        """The learner's own pages."""
        return {
            "timeline": TimelineScreen(journey.open_course),
            "rights": RightsScreen(
                journey.own.write, journey.own.save, journey.own.decide, journey.own.to_rights
            ),
            "settings": SettingsScreen(
                self._looks, journey.own.set_reminders, journey.own.set_goal, journey.sign_out,
                journey.linking.to_page,
            ),
            "ways": WaysScreen(
                journey.linking.link, journey.linking.unlink, journey.linking.cancel, journey.linking.waited.browse,
                journey.linking.retry,
            ),
        }

    def on_stop(self) -> None:
        """The window closes: nothing is pulled from the player any more."""
        self._reader.close()
        self.screens["lesson"].close()

    # --- every tenth of a second --------------------------------------------------------------------------------------

    def _tick(self, _: float) -> None:
        self.journey.tick()
        self._render()

    def _render(self) -> None:
        journey = self.journey
        if self._checkup is not None and self._doctor(self._checkup):
            return
        page = "problem" if journey.problem is not None else journey.page
        shown: Any = Page(journey.problem) if journey.problem is not None else journey.shown
        screen = self.screens[page]
        if page == "lesson":
            self._captions(shown)
        screen.render(shown)
        own = page in OWN
        self.shell.show(screen, self._entitled(page, shown), journey.back if own else None)
        self.shell.may_set(page != "settings" and journey.study is None)

    def _doctor(self, checkup: Consultation) -> bool:
        """Show what the doctor found, if it is to be shown."""
        shown = checkup.shown()
        if self._quiet and not shown.of("fail"):
            self._checkup = checkup if shown.busy else None
            return False
        self.screens["doctor"].render(shown)
        self.shell.show(self.screens["doctor"], lambda: tongue.say("doctor.title"), self._leave_doctor)
        self.shell.may_set(False)
        return True

    def _bundle(self) -> None:
        if self._checkup is not None:
            self._checkup.bundle()

    def _leave_doctor(self) -> None:
        self._checkup = None

    @staticmethod
    def _entitled(page: str, shown: Any) -> Callable[[], str]:
        if page == "lesson" and shown.unit is not None:
            return lambda: tongue.of(shown.unit.title)
        return lambda: tongue.say(TITLES.get(page, "app.name"))

    def _captions(self, view: Any) -> None:
        unit = view.unit.unit if view.unit is not None else ""
        if unit == self._unit:
            return
        self._unit = unit
        found = {}
        for language, path in self.journey.captions(unit).items():
            try:
                found[language] = CaptionTrack(parse_captions(path.read_bytes()))
            except (CaptionsError, OSError):
                continue  # a lesson without captions goes on; the package's bytes were checked before
        self.screens["lesson"].set_captions(found)

    def _mirror(self, _: float) -> None:
        if self.journey.page == "lesson":
            self.screens["lesson"].show_preview(self._preview())
        elif self.journey.page == "enrol":
            self.screens["enrol"].mirror.show(self._preview())

    # --- the learner --------------------------------------------------------------------------------------------------

    def _press(self, what: str) -> None:
        if self.journey.study is not None:
            self.journey.study.press(Pressed(what).what)

    def _seek(self, position_ms: int) -> None:
        if self.journey.study is not None:
            self.journey.study.seek(position_ms)

    def _reply(self, choice: int, code: str) -> None:
        if self.journey.study is not None:
            self.journey.study.reply(choice, code)

    def _looks(self, looks: Looks) -> None:
        self._apply(looks)
        self.journey.own.set_looks(looks)

    @staticmethod
    def _apply(looks: Looks) -> None:
        look.dark, look.scale = looks.dark, looks.scale / 100
        KivyWindow.clearcolor = theme.rgba(look.GROUND)

    def _language(self, language: str) -> None:
        self.journey.language = language

    def picture(self, path: Path) -> None:
        """Keep what is on the screen now as a PNG."""
        self.shell.export_to_png(str(path))
