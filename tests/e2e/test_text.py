"""A lesson on a terminal: typed numbers and a code, nothing else; the same session, checks, log and credit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from client.player.i18n import table
from tests.conftest import ROOT
from tests.e2e.conftest import ACCOUNT, alone
from tests.e2e.test_desk import SELDOM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("machine_at_rest"),
    pytest.mark.skipif(os.environ.get("TRUESEAT_LONG") != "1", reason="left out: two real minutes; make test-long"),
]
SAY = table("en")
PATIENCE_S = 240


class Person:
    """Reads what is told and types."""

    def __init__(self, *command: object) -> None:
        env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WINDOWID")}
        self.process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self.heard: list[str] = []
        self._at = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.append(line.rstrip("\n"))

    def hear(self, *keys: str, seconds: float = PATIENCE_S) -> str:
        """The next line that says one of these; everything before it is over."""
        wanted = {SAY[key] for key in keys}
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            while self._at < len(self.heard):
                self._at += 1
                if self.heard[self._at - 1].strip() in wanted or self._choice(self.heard[self._at - 1]) in wanted:
                    return self.heard[self._at - 1].strip()
            assert self.process.poll() is None, self._complaint(wanted)
            time.sleep(0.05)
        raise AssertionError(self._complaint(wanted))

    def _complaint(self, wanted: set[str]) -> str:
        self.process.kill()
        assert self.process.stderr is not None
        return f"waited for {wanted}; heard {self.heard[-15:]}\n{self.process.stderr.read()[-2000:]}"

    @staticmethod
    def _choice(line: str) -> str:
        match = re.fullmatch(r"  \d+  (.*)", line)
        return match[1] if match else ""

    def type(self, text: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def press(self, key: str) -> None:
        """Hear a choice, and type its number."""
        line = self.hear(key)
        self.type(line.split()[0])


def code(server: Any) -> str:
    """The code from the development server's window, once it is there."""
    while True:
        found = re.findall(rf"development code for {ACCOUNT}: (\d+)", server.log.read_text())
        if found:
            return found[-1]
        time.sleep(0.1)


def test_a_lesson_is_studied_and_counted_on_a_terminal(world: Any, tmp_path: Path) -> None:
    """Notice, both consents, code, real name, face, lesson with its checks said as gestures, closing look, result: by
    typed lines alone. No window is there, so the log says that nobody could tell what is in front; the class credits
    that, and the archive verifies."""
    server = world(SELDOM)
    person = Person(
        *alone(), sys.executable, "-m", "tests.e2e.text_client", "--server", f"http://127.0.0.1:{server.port}",
        "--data", tmp_path / "pc", "--trust", server.trust,
    )  # fmt: skip
    try:
        for _ in range(2):
            person.press("text.yes")
        for _ in range(2):
            person.press("notice.agree")
        person.hear("signin.account")
        person.type(ACCOUNT)
        person.hear("signin.code")
        person.type(code(server))
        person.press("name.ask")
        person.press("name.continue")
        person.press("enrol.start")
        person.press("enrol.continue")
        line = _course(person)
        person.type(line)
        person.press("button.start")
        person.hear("say.playing", "say.playing_offline")
        person.type("?")
        person.hear("panel.window_unknown")
        person.hear("result.title")
        person.press("result.done")
        person.type("q")
        assert person.process.wait(60) == 0
    finally:
        person.process.kill()
    assert any(line in person.heard for key, line in SAY.items() if key.startswith("gesture.")), "a check was said"
    verdict, report = server.verify(server.export(tmp_path / "archive"))
    assert verdict == 0
    assert report["credited_ms"] >= 55_000


def _course(person: Person) -> str:
    """The number of the first course's button."""
    while True:
        for line in person.heard:
            match = re.fullmatch(rf"  (\d+)  {SAY['today.start']}: .*", line)
            if match:
                return match[1]
        time.sleep(0.1)
