"""`python -m client demo`: the whole client, studied by itself. A touch of yours takes over; it never comes back.

The taps are the toolkit's own, from inside this process: taps from outside are what the agent notices, and rightly. The
camera is a real one if there is one and the learner agrees, otherwise the marked scripted one.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from client import app, config
from client.errors import ClientError
from client.fit import ENGINES, LOADS
from client.proctor.setup import devices, name_of
from client.view import Question, View
from ledger.program import typed

SCRIPTED: Final = "puppet"
PAGE_S: Final = 60.0  # no page but the lesson takes longer on two slow cores
LESSON_S: Final = 900.0  # it has 60 s; a machine that does ten other things at once still ends it
TRIES: Final = 3
GESTURES: Final = ("turn_left", "turn_right", "look_up")
PICTURE_MS: Final = 24_000  # by then something is counted and the lesson shows what it teaches
ROUTES: Final = ("face", "code")
CODE: Final = re.compile(r"development code for (\S+): ([0-9]{6})")


class DemoStalledError(ClientError):
    """The demonstration waited for something that did not come."""

    code = "TS-C-090"
    remedy = "Run it again on a machine that is less busy; demo-data/client.log says where it stood."
    zh = "演示未能继续。请在负载较低的机器上重试，并查看 demo-data/client.log。"


class DemoClosedError(ClientError):
    """The window of the demonstration was closed before the lesson ended."""

    code = "TS-C-091"
    remedy = "Run it again and let it study; touch the window to take over."
    zh = "演示窗口在课程结束前被关闭。请重新运行演示；触碰窗口即可接手操作。"


def main(arguments: Sequence[str]) -> int:
    """Study the demo lesson; exit 0 when its result stood on the screen (or when somebody took over and closed it)."""
    options = _parser().parse_args(arguments)
    names = ("server", "data", "trust", "language", "engine", "load")
    camera = _ask_camera() if options.ask_camera else SCRIPTED
    settings = config.load({**{name: getattr(options, name) for name in names}, "camera": camera})
    autopilot = Autopilot(options.account, options.codes, options.pictures, face=options.route == "face")
    return app.run(settings, demo=True, script=autopilot.run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"{typed('client')} demo", description=__doc__)
    for name in ("server", "data", "trust"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--language", choices=config.LANGUAGES)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--load", choices=LOADS)
    parser.add_argument("--account", required=True)
    parser.add_argument("--codes", type=Path, required=True, help="the file that a development server prints codes to")
    parser.add_argument("--pictures", type=Path, help="keep a picture of every page in this folder")
    parser.add_argument("--route", choices=ROUTES, default=ROUTES[0], help="code: refuse face processing")
    parser.add_argument("--ask-camera", action="store_true", help="offer this machine's camera")
    return parser


def _ask_camera() -> str:
    found = devices()
    if not found or not sys.stdin.isatty():
        return SCRIPTED
    print(f"Use this machine's camera ({name_of(found[0])})? Pictures stay here. [y/N] ", end="", flush=True)
    return str(found[0]) if sys.stdin.readline().strip().lower() in ("y", "yes", "j", "是") else SCRIPTED


class Autopilot:
    """Goes from page to page as a learner would."""

    def __init__(self, account: str, codes: Path, pictures: Path | None, *, face: bool = True) -> None:
        """`face` False: the learner refuses face processing and answers by code."""
        self._account, self._codes, self._pictures, self._with_face = account, codes, pictures, face
        self._taken: set[str] = set()
        self._typed: set[str] = set()

    def run(self, window: Any, drive: Any) -> None:
        """Drive the window from the notice to the result; `TakenOver` when somebody else does."""
        from client.player.drive import DriveError, WindowClosed

        self._window, self._drive = window, drive
        try:
            with self.hands_off():
                self._notice()
                self._sign_in()
                self._name()
                if self._with_face:
                    self._face()
                self._study()
        except DriveError as error:
            self._keep("stalled")
            raise DemoStalledError(f"page {window.journey.page}: {error}") from error
        except WindowClosed:
            raise DemoClosedError(f"page {window.journey.page}") from None

    @staticmethod
    def hands_off() -> AbstractContextManager[None]:
        """What ends the autopilot for good: a touch or a key that is not its own."""
        from client.window import touched

        return touched()

    # --- the pages ----------------------------------------------------------------------------------------------------

    def _notice(self) -> None:
        self._wait_for("notice")
        for key in ("notice.read", "notice.promise"):
            self._tap(key)
        word = _say("notice.agree" if self._with_face else "notice.decline")
        for number in range(2):
            choice = next(w for w in self._drive.widgets() if getattr(w, "chosen", True) is False and w.words == word)
            choice.name = f"agree {number}"
            self._drive.tap(choice.name)
        self._keep("notice")
        self._tap("notice.continue")

    def _sign_in(self) -> None:
        self._wait_for("sign_in")
        self._drive.type(self._account)
        self._keep("sign-in")
        self._tap("signin.send")
        self._wait(lambda: self._window.journey.shown.step == "code", "the code")
        self._type(self._wait(self._code, "the code in the server's window"))
        self._tap("signin.finish")

    def _code(self) -> str:
        found = CODE.findall(self._codes.read_text(errors="replace"))
        mine = [code for account, code in found if account == self._account]
        return mine[-1] if mine and mine[-1] not in self._typed else ""

    def _type(self, code: str) -> None:
        self._typed.add(code)
        self._drive.type(code)

    def _name(self) -> None:
        self._wait_for("real_name")
        self._tap("name.ask")
        self._wait(lambda: self._window.journey.shown.state != "open", "the confirmation")
        self._keep("real-name")
        self._tap("name.continue")

    def _face(self) -> None:
        self._wait_for("enrol")
        self._tap("enrol.start")
        for attempt in range(TRIES):
            self._wait(lambda: self._window.journey.shown.prompt is not None, "the first prompt")
            self._keep("enrolment")
            step = self._wait(self._enrolled, "the enrolment")
            if step == "passed":
                break
            if attempt + 1 < TRIES:
                self._tap("enrol.again")
        self._tap("enrol.continue")

    def _enrolled(self) -> str:
        step = str(self._window.journey.shown.step)
        return step if step in ("passed", "unclear", "camera") else ""

    def _study(self) -> None:
        self._wait_for("today")
        self._drive.tap("today.open", PAGE_S)
        self._wait_for("lesson")
        self._wait(self._at_result, "the end of the lesson", LESSON_S)
        self._keep("result")
        self._drive.step(30)

    def _at_result(self) -> bool:
        """Press what a learner would press, keep a picture of each phase, until the result is there."""
        journey = self._window.journey
        if journey.page == "result":
            return True
        view = journey.shown
        if not isinstance(view, View):
            return False
        if view.phase == "check" and view.prompt is not None and view.prompt.gesture in GESTURES:
            self._keep("check")
        if view.question is not None and not view.question.busy:
            self._reply(view.question)
        if view.phase == "playing" and view.unit is not None and view.unit.position_ms > PICTURE_MS:
            self._keep("lesson")
        if view.phase in ("ready", "paused") and view.button is not None and view.button.what in ("play", "ready"):
            journey.study.press(view.button.what) if view.phase == "paused" else self._start()
        return False

    def _reply(self, question: Question) -> None:
        """Choose the word and type the code from the phone, once it is there; a question of the lesson needs none."""
        if question.prompt is not None:
            self._drive.tap("item 0", PAGE_S)
            self._tap("button.confirm")
            return
        code = self._code()
        if code:
            self._drive.tap(f"item {question.words.index(question.asked)}", PAGE_S)
            self._type(code)
            self._keep("question")
            self._tap("button.confirm")

    def _start(self) -> None:
        if self._drive.find(_say("button.start")) is not None:
            self._keep("ready")
            self._tap("button.start")

    # --- small things -------------------------------------------------------------------------------------------------

    def _wait(self, ready: Any, what: str, seconds: float = PAGE_S) -> Any:
        return self._drive.wait(ready, seconds, what)

    def _wait_for(self, page: str) -> None:
        journey = self._window.journey
        self._wait(lambda: journey.page == page and not journey.busy, f"page {page}")
        self._drive.step(5)

    def _tap(self, key: str) -> None:
        self._drive.tap(_say(key), PAGE_S)

    def _keep(self, name: str) -> None:
        if self._pictures is None or name in self._taken:
            return
        self._taken.add(name)
        self._pictures.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        self._window.picture(self._pictures / f"{len(self._taken):02d}-{name}.png")
        print(f"demo: {name} kept in {time.monotonic() - started:.2f} s", file=sys.stderr)


def _say(key: str) -> str:
    from client.player.screens import tongue

    return str(tongue.say(key))
