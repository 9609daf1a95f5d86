"""`make demo` and `make demo TAMPER=1` as a person runs them, in a folder of their own. The long form; `test_desk` is
the short one: the same client in the same kind of window, and the same changed byte."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LONG = os.environ.get("TRUESEAT_LONG") == "1"
pytestmark = [
    pytest.mark.x11,
    pytest.mark.slow,
    pytest.mark.skipif(not LONG, reason="left out: two real minutes each; make test-long"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="left out: needs Xvfb and openbox"),
]


def demo(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, str(ROOT / "build" / "demo.py"), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**env, "TRUESEAT_DEMO_DATA": str(data)}, capture_output=True, text=True, check=False
    )


def test_the_demo_counts_its_minute_and_refuses_one_changed_byte(tmp_path: Path) -> None:
    """Without a display: a minute is studied, checked, counted and verified; one changed byte is refused and named."""
    data = tmp_path / "demo"
    done = demo(data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing refused" in done.stdout
    report = json.loads((data / "report.json").read_text())
    (session,) = report["sessions"]
    assert report["credited_ms"] == 60_000
    assert session["scripted"]
    outcomes = {check["i"]: check["outcome"] for check in session["checks"]}
    assert outcomes[0] == outcomes["close"] == "passed"
    assert len(outcomes) >= 3, "a random check fell inside"
    for secret in (data / "server.log", data / "server-init.txt"):
        assert secret.stat().st_mode & 0o077 == 0, f"{secret.name} is private"
    assert len(list((data / "screens").glob("*.png"))) >= 8
    assert "opened by its reviewer" in done.stdout
    photo = data / "reviewer" / "photo.jpg"
    assert photo.read_bytes().startswith(b"\xff\xd8\xff")
    assert photo.stat().st_mode & 0o077 == 0
    audits = [path.read_bytes() for path in (data / "archive" / "bodies" / "sha256").iterdir()]
    assert sum(text.startswith(b"trueseat/audit/v1\n") and b"opened a photo" in text for text in audits) == 1

    changed = demo(data, "--tamper")
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert re.search(rf"REFUSED: session {session['sid']}, event \d+", changed.stdout)


def test_who_refuses_face_processing_has_the_whole_minute_by_code(tmp_path: Path) -> None:
    """ROUTE=code: both consents refused, no camera; a word and a code at every check; all of it counts."""
    data = tmp_path / "demo"
    done = demo(data, "--route", "code")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((data / "report.json").read_text())
    (session,) = report["sessions"]
    assert report["credited_ms"] == 60_000
    assert not session["scripted"], "no camera at all"
    assert {check["outcome"] for check in session["checks"]} == {"passed"}
    assert not list((data / "client").rglob("template-*")), "no template of a face"
    assert not (data / "archive" / "evidence").exists(), "and no photo"
