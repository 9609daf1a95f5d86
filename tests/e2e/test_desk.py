"""The real window on a real X server with the animated portrait: what takes the screen pauses, and a bot is noticed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.x11, pytest.mark.slow, pytest.mark.usefixtures("machine_at_rest")]

SELDOM = {b"min_gap_ms = 3_000": b"min_gap_ms = 20_000", b"max_gap_ms = 30_000": b"max_gap_ms = 300_000"}
BOT = """
import subprocess, time
while True:
    subprocess.run(["xdotool", "mousemove", "400", "300", "click", "1"])
    time.sleep(0.7)
"""


class Desk:
    """Commands of a person, or of a program, at the same desktop."""

    def __init__(self, display: str) -> None:
        self.env = {**os.environ, "DISPLAY": display}

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.env, check=True, capture_output=True, text=True, timeout=120)
        return done.stdout.strip()

    def lesson(self) -> str:
        return self.run("xdotool", "search", "--onlyvisible", "--class", "TrueSeat").splitlines()[0]

    @contextlib.contextmanager
    def bot(self) -> Iterator[None]:
        process = subprocess.Popen([sys.executable, "-c", BOT], env=self.env)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def other_window(self) -> Iterator[None]:
        process = subprocess.Popen([sys.executable, Path(__file__).with_name("other_window.py")], env=self.env)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def test_the_portrait_passes_and_whatever_takes_the_screen_pauses(world: Any, desktop: str, tmp_path: Path) -> None:
    """Liveness by the animated portrait; minimised, covered in front, and ten seconds of xdotool each pause the lesson,
    each goes on where it was, the finding stands in the archive, every proven second is credited, and one changed byte
    of that archive is refused by session and event."""
    server, desk = world(SELDOM), Desk(desktop)
    client = world.client(server, "pc", module="tests.e2e.desk", env={"DISPLAY": desktop})
    opening = client.wait_for(lambda said: said.get("phase") == "check", 120)

    def goes_on(after: int) -> None:
        client.wait_for(lambda said: said.get("phase") == "playing", 60, after)

    goes_on(0)
    window = desk.lesson()

    mark = len(client.said)
    desk.run("xdotool", "windowminimize", window)
    client.wait_for(lambda said: said.get("sentence") == "pause.minimised", 30, mark)
    mark = len(client.said)
    desk.run("wmctrl", "-i", "-a", hex(int(window)))
    goes_on(mark)

    mark = len(client.said)
    with desk.other_window():
        client.wait_for(lambda said: said.get("sentence", "").startswith(("pause.focus", "pause.covered")), 30, mark)
        mark = len(client.said)
    desk.run("wmctrl", "-i", "-a", hex(int(window)))
    goes_on(mark)

    mark = len(client.said)
    with desk.bot():
        time.sleep(10)
        client.wait_for(lambda said: said.get("sentence") == "pause.finding", 60, mark)
        mark = len(client.said)
    goes_on(mark)

    result = client.wait_for(lambda said: "result" in said, 240)
    assert result["sent"]
    data = tmp_path / "demo"
    code, report = server.verify(server.export(data / "archive"))
    assert code == 0, report
    session = next(s for s in report["sessions"] if s["sid"] == opening["sid"])
    assert session["scripted"], "a scripted camera is marked in the report"
    assert session["checks"][0]["outcome"] == "passed"
    assert any(found["response"] == "pause" for found in session["findings"])
    assert session["credited_ms"] == result["credited_ms"]
    assert session["credited_ms"] + sum(p["to"] - p["from"] for p in session["not_credited"]) >= 59_000

    shutil.copy(server.trust, data / "class.trust")
    command = [sys.executable, str(ROOT / "build" / "demo.py"), "--tamper"]
    changed = subprocess.run(
        command, env={**os.environ, "TRUESEAT_DEMO_DATA": str(data)}, capture_output=True, text=True, check=False
    )
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert re.search(rf"REFUSED: session {session['sid']}, event \d+", changed.stdout)
