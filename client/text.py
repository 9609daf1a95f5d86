"""`python -m client text`: the same journey, session, checks and log as the window's, told line by line.

For terminals and screen readers: every sentence that a screen would show is printed when it changes, every button is a
number, `?` tells why this minute counts, `c` switches the captions on, `k` lists the chapters and `k2` goes back to
one. Which window is in front is the terminal's own (X11's WINDOWID); where that is not told the class's rule for the
unknown decides.
"""

from __future__ import annotations

import os
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from client.events import Observation
from client.journey import Journey
from client.player import i18n, shown
from client.player.captions import CaptionTrack, parse_captions
from client.player.choices import Choice, Lines
from client.player.errors import CaptionsError
from client.player.foreground import judge
from client.player.lines import chapters, lines, panel
from client.player.ownlines import sure
from client.player.pages import Rights, Settings
from client.player.shown import Choices
from client.preferences import DAYS, MOST, Reminder
from client.view import Sentence, View

TICK_S: Final = 0.02
CHAPTER: Final = re.compile(r"k[0-9]{0,3}")
CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3])[:：]([0-5][0-9])")
OWN: Final = (
    "timeline", "rights", "settings", "back", "write", "save", "decide", "delete", "delete_yes", "delete_no",
    "reminders", "goal", "ways", "link", "unlink", "cancel_link",
)  # fmt: skip
QUESTIONS: Final = ("notice.read", "notice.promise", "notice.face_title", "notice.photos_title")


class TerminalProbe:
    """`ForegroundProbe` of the window that the terminal runs in; unknown where nobody tells which one that is.

    WINDOWID is only a word of the environment: it counts where the window it names was drawn by a program that runs us.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._system: Any = None
        window = environment.get("WINDOWID", "")
        if window.isdigit() and environment.get("DISPLAY"):
            from client.player.x11 import X11, X11Errors, line_of

            try:
                system = X11(display=environment["DISPLAY"])
                holder = system.holder(int(window))
                if holder and system.is_of(int(window), line_of(os.getpid())):
                    system.adopt(holder)
                    self._system = system
                else:
                    system.close()
            except X11Errors:
                self._system = None

    def observe(self) -> Observation:
        """One look."""
        if self._system is not None:
            from client.player.x11 import X11Errors

            try:
                if (snapshot := self._system.look()) is not None:
                    return judge(snapshot, "x11 terminal")
            except X11Errors:
                self._system = None
        return Observation(None, None, None, source="terminal")


class Terminal:
    """One journey, told to `out` and steered by the lines of `typed` (None: nobody will type any more)."""

    def __init__(
        self, journey: Journey, player: Any, out: Callable[[str], None], typed: queue.Queue[str | None]
    ) -> None:
        self.journey, self._player, self._out, self._typed = journey, player, out, typed
        self._told: tuple[str, ...] = ()
        self._page = Lines(())
        self._answers: list[bool] = []
        self._item: int | None = None
        self._letter: list[str] = []
        self._sure = False
        self._captions_on, self._caption = False, ""
        self._track: tuple[str, CaptionTrack | None] = ("", None)
        self._over = False

    def run(self) -> None:
        """Until the learner ends it, or nobody types any more and no lesson runs."""
        while not self._over:
            self.step()
            time.sleep(TICK_S)

    def step(self) -> None:
        """Once: tick, tell what is new, do what was typed."""
        self.journey.tick()
        self._player.picture()  # nothing shows it, and the sound waits for nobody
        self._tell()
        try:
            line = self._typed.get_nowait()
        except queue.Empty:
            return
        if line is None:
            self._over = self.journey.study is None
            return
        self._do(line.strip())

    # --- telling ------------------------------------------------------------------------------------------------------

    def _say(self, key: str) -> str:
        return i18n.say(self.journey.language, key)

    def _tell(self) -> None:
        journey = self.journey
        if journey.problem is None and isinstance(journey.shown, shown.Notice):
            page = self._notice()
        elif self._sure and journey.problem is None and isinstance(journey.shown, Rights):
            page = sure(self._in_words)
        else:
            page = lines(journey.problem or journey.shown, journey.language)
        if page == self._page:
            self._tell_caption()
            return
        for line in page.told:
            if line not in self._told:
                self._out(line)
        if page.choices != self._page.choices or page.told != self._page.told:
            for number, choice in enumerate(page.choices, 1):
                self._out(f"  {number}  {choice.words}")
        self._page, self._told = page, page.told
        done = journey.shown.done if isinstance(journey.shown, Rights) else None
        if done is not None and done.key in ("rights.wrote", "rights.wrote_marked"):
            self._letter = []  # sent; what could not be sent stays

    def _in_words(self, sentence: Sentence | str, **values: Any) -> str:
        return i18n.say(self.journey.language, sentence, **values)

    def _notice(self) -> Lines:
        at = len(self._answers)
        words = (self._say("notice.agree"), self._say("notice.decline"))
        if at < 2:
            words = (self._say("text.yes"), self._say("text.no"))
        told = [self._say(f"notice.{part}") for part in ("title", "lead")] if at == 0 else []
        if at == 0:
            for part in ("count", "check", "data", "right"):
                told += [self._say(f"notice.{part}_title"), self._say(f"notice.{part}_text")]
        elif at >= 2:
            told.append(self._say(QUESTIONS[at].replace("_title", "_text")))
        return Lines((*told, self._say(QUESTIONS[at])), (Choice(words[0], "yes"), Choice(words[1], "no")))

    def _tell_caption(self) -> None:
        view = self.journey.shown
        if not (self._captions_on and isinstance(view, View) and view.unit is not None and view.phase == "playing"):
            return
        if self._track[0] != view.unit.unit:
            self._track = (view.unit.unit, self._captions(view.unit.unit))
        track = self._track[1]
        caption = track.at(view.unit.position_ms) if track is not None else ""
        if caption and caption != self._caption:
            self._out(f"  “{caption}”")
        self._caption = caption

    def _captions(self, unit: str) -> CaptionTrack | None:
        found = self.journey.captions(unit)
        path = found.get(self.journey.language) or next(iter(found.values()), None)
        try:
            return CaptionTrack(parse_captions(path.read_bytes())) if path is not None else None
        except (CaptionsError, OSError):
            return None

    # --- doing --------------------------------------------------------------------------------------------------------

    def _do(self, line: str) -> None:
        """A number chooses, `?` asks, `c` captions, `k` chapters, `l` the other language, `q` ends."""
        chosen = self._page.choices[int(line) - 1] if self._is_choice(line) else None
        if chosen is not None:
            self._choose(chosen)
        elif line == "?":
            self._explain()
        elif line == "c":
            self._captions_on = not self._captions_on
            self._out(self._say("text.captions_on" if self._captions_on else "text.captions_off"))
        elif CHAPTER.fullmatch(line) and isinstance(self.journey.shown, View) and not self._page.field:
            self._chapter(line[1:])
        elif line == "l":
            self.journey.language = "en" if self.journey.language == "zh" else "zh"
        elif line == "q" and not isinstance(self.journey.shown, View):
            self._over = True
        elif line and self._page.field:
            self._fill(self._page.field, line)
        else:
            self._out(self._say("text.help"))

    def _chapter(self, number: str) -> None:
        """List the chapters, or go back to the beginning of one; one that was not reached yet is not gone to."""
        view = self.journey.shown
        if not isinstance(view, View) or (unit := view.unit) is None or not unit.chapters:
            self._out(self._say("text.chapters_none"))
            return
        named = list(chapters(unit, self.journey.language))
        if number and 0 < int(number) <= len(named) and unit.chapters[int(number) - 1].at_ms <= unit.seen_ms:
            if view.may_seek and self.journey.study is not None:
                self.journey.study.seek(unit.chapters[int(number) - 1].at_ms)
        else:
            for line in named:
                self._out(f"  {line}")
            self._out(self._say("text.chapter"))

    def _is_choice(self, line: str) -> bool:
        waits_for_code = self._page.field in ("code", "account") or (self._page.field == "answer" and len(line) > 2)
        return line.isascii() and line.isdigit() and not (waits_for_code and len(line) > 2) and (
            0 < int(line) <= len(self._page.choices)
        )  # fmt: skip

    def _explain(self) -> None:
        view = self.journey.shown
        for line in panel(view, self.journey.language) if isinstance(view, View) else self._page.told:
            self._out(line)
        for number, choice in enumerate(self._page.choices, 1):
            self._out(f"  {number}  {choice.words}")

    def _choose(self, choice: Choice) -> None:
        journey, value = self.journey, choice.value
        match choice.do:
            case "yes" | "no":
                self._answer(choice.do == "yes")
            case "press" if journey.study is not None:
                journey.study.press(value)
            case "item":
                self._item = value
                self._reply("")
            case "open":
                journey.open_course(value)
            case "make_up_of":
                journey.open_course(value, "")
            case "make_up_unit":
                journey.open_course(*value)
            case do if do in OWN:
                self._own(do, value)
            case do:
                actions: dict[str, Callable[[], None]] = {
                    "sign_out": journey.sign_out,
                    "again": journey.try_again, "home": journey.to_today, "make_up": journey.make_up,
                    "other_account": journey.other_account, "confirm_name": journey.confirm_name,
                    "leave_name": journey.leave_name, "enrol": journey.start_enrol, "practise": journey.start_practice,
                    "without_face": journey.without_face, "send_now": journey.send_now, "face": journey.to_face,
                }  # fmt: skip
                actions[do]()

    def _own(self, do: str, value: Any) -> None:
        """The actions of the learner's own pages."""
        own, letter = self.journey.own, "\n".join(self._letter)
        self._sure = do == "delete"
        match do:
            case "write" if not letter:
                self._out(self._say("text.letter_first"))
            case "write":
                own.write(value, letter)
            case "save":
                own.save(value, letter)
            case "timeline":
                own.to_timeline(value)
            case "rights":
                own.to_rights()
            case "settings":
                own.to_settings()
            case "back":
                self.journey.back()
            case "ways":
                self.journey.linking.to_page()
            case "link":
                self.journey.linking.link(*value)
            case "unlink":
                self.journey.linking.unlink(value)
            case "cancel_link":
                self.journey.linking.cancel()
            case "decide":
                own.decide(*value)
            case "delete_yes":
                own.write("deletion", "")
            case "reminders":
                own.set_reminders(value)
            case "goal":
                own.set_goal(*value)

    def _remind(self, line: str) -> None:
        """A time of the day, every day: 19:30."""
        shown_ = self.journey.shown
        found = CLOCK.fullmatch(line)
        if found is None or not isinstance(shown_, Settings) or len(shown_.reminders) >= MOST:
            self._out(self._say("text.reminder"))
            return
        one = Reminder(int(found[1]) * 60 + int(found[2]), tuple(range(DAYS)))
        self.journey.own.set_reminders((*shown_.reminders, one))

    def _answer(self, yes: bool) -> None:
        """One of the notice's four questions; reading it and the promise are needed to go on."""
        if len(self._answers) < 2 and not yes:
            self._out(self._say("text.needed"))
            return
        self._answers.append(yes)
        if len(self._answers) == len(QUESTIONS):
            _, _, face, photos = self._answers
            self._answers = []
            self.journey.choose(Choices(True, True, face, photos))

    def _fill(self, field: str, line: str) -> None:
        match field:
            case "account":
                self.journey.ask_code(line)
            case "code":
                self.journey.enter_code(line)
            case "answer":
                self._reply(line)
            case "letter":
                self._letter.append(line)
                self._out(self._say("text.letter_kept"))
            case "reminder":
                self._remind(line)

    def _reply(self, code: str) -> None:
        """A question is answered once its word is chosen and, where one is wanted, its code typed."""
        view = self.journey.shown
        if not isinstance(view, View) or view.question is None or self.journey.study is None:
            return
        if (view.question.words or view.question.choices) and self._item is None:
            self._out(self._say("text.choose_first"))
        elif view.question.code and not code:
            self._out(self._say("text.now_code"))
        else:
            self.journey.study.reply(self._item if self._item is not None else 0, code)
            self._item = None


def typed_lines(stream: Any = None) -> queue.Queue[str | None]:
    """The lines of a stream as they come; None at its end."""
    found: queue.Queue[str | None] = queue.Queue()
    source = stream or sys.stdin

    def read() -> None:
        for line in source:
            found.put(line)
        found.put(None)

    threading.Thread(target=read, name="typed", daemon=True).start()
    return found
