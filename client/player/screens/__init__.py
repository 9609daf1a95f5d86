"""The screens. Each is a widget with plain callbacks that renders one value; no rule of the session lives here.

Import after `client.player.kivy_env.prepare(...)` and `.configure(...)`. Wiring, in the composition root:

    shell = Shell(on_language)                     root widget; `shell.show(screen, title, back)`
    NoticeScreen(on_done)                          Notice      on_done(Choices)
    SignInScreen(on_account, on_code, on_other)    SignIn      on_account(account), on_code(code), on_other()
    RealNameScreen(on_ask, on_continue)            RealName
    EnrolScreen(on_start, on_continue, on_other_way)  Enrol    `.mirror.show(proctor.preview())` about 12 times a second
    TodayScreen(on_open, on_reload, on_face, on_make_up, on_timeline, on_rights)  Today   on_open(registration)
    TimelineScreen(on_make_up)                     pages.Timeline   on_make_up(registration, unit)
    RightsScreen(on_write, on_save, on_decide)     pages.Rights
    SettingsScreen(on_looks, on_reminders, on_goal, on_sign_out, on_ways)  pages.Settings
    WaysScreen(on_link, on_unlink, on_cancel, on_browse, on_retry)  pages.Ways
    LessonScreen(on_press, on_seek, on_reply)      client.view.View   on_press(what) → Pressed, on_seek(ms) → SeekAsked
                                                   on_reply(choice, code) → Replied
        .play(playback)   .show_preview(proctor.preview())   .set_captions({tag: CaptionTrack})   .stop()   .close()
    ResultScreen(on_make_up, on_done)              client.view.ResultView
    DoctorScreen(on_again, on_bundle, on_done)     client.player.health.Health
    ProblemScreen(on_press, on_doctor)             Page        `trouble_of(error)` makes the Trouble of any error

Every screen has `render(value)`: call it as often as you like, equal values cost nothing. All calls on Kivy's thread.
`tongue.language` ("zh" | "en") is the language of everything at once.
"""

from client.player.screens.doctor import DoctorScreen
from client.player.screens.enrol import EnrolScreen
from client.player.screens.lesson import LessonScreen
from client.player.screens.name import RealNameScreen
from client.player.screens.notice import NoticeScreen
from client.player.screens.problem import ProblemScreen
from client.player.screens.result import ResultScreen
from client.player.screens.rights import RightsScreen
from client.player.screens.settings import SettingsScreen
from client.player.screens.shell import Shell
from client.player.screens.signin import SignInScreen
from client.player.screens.timeline import TimelineScreen
from client.player.screens.today import TodayScreen
from client.player.screens.ways import WaysScreen
from client.player.shown import (
    Choices,
    Course,
    Enrol,
    Notice,
    Page,
    RealName,
    SignIn,
    Today,
    Trouble,
    trouble_of,
)
from client.player.widgets import look, tongue

__all__ = [
    "Choices", "Course", "DoctorScreen", "Enrol", "EnrolScreen", "LessonScreen", "Notice", "NoticeScreen", "Page",
    "ProblemScreen",
    "RealName", "RealNameScreen", "ResultScreen", "RightsScreen", "SettingsScreen", "Shell", "SignIn", "SignInScreen",
    "TimelineScreen", "Today", "TodayScreen", "Trouble", "WaysScreen", "look", "tongue", "trouble_of",
]  # fmt: skip
