"""With a screen reader alone: from the notice to the result of a lesson, by AT-SPI's roles and names, nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.player.i18n import table
from tests.e2e.conftest import ACCOUNT
from tests.e2e.test_desk import SELDOM

LAUNCHER = Path("/usr/libexec/at-spi-bus-launcher")
SYSTEM = "/usr/bin/python3"


def _gi() -> bool:
    command = [SYSTEM, "-c", "import gi; gi.require_version('Atspi', '2.0')"]
    return Path(SYSTEM).exists() and subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.x11,
    pytest.mark.slow,
    pytest.mark.usefixtures("machine_at_rest"),
    pytest.mark.skipif(os.environ.get("TRUESEAT_LONG") != "1", reason="left out: two real minutes; make test-x11"),
    pytest.mark.skipif(
        not LAUNCHER.exists() or not _gi(), reason="left out: needs at-spi2-core, python3-gi and gir1.2-atspi-2.0"
    ),
]


@contextlib.contextmanager
def accessible(home: Path, display: str) -> Iterator[dict[str, str]]:
    """A session bus of our own with accessibility switched on, as a desktop with a reader has it."""
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "HOME": str(home), "DISPLAY": display}
    quiet = subprocess.DEVNULL
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"],
        stdout=subprocess.PIPE, stderr=quiet, env=env,
    )  # fmt: skip
    assert bus.stdout is not None
    env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
    launcher = subprocess.Popen(
        [LAUNCHER, "--launch-immediately", "--a11y=1", "--screen-reader=1"], env=env, stdout=quiet, stderr=quiet
    )
    try:
        yield {name: env[name] for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY")}
    finally:
        for process in (launcher, bus):
            process.terminate()
            process.wait(60)


def test_a_lesson_is_signed_in_to_studied_checked_and_counted_by_atspi_alone(
    world: Any, desktop: str, tmp_path: Path
) -> None:
    """Notice, both consents, sign-in with a code, real name, face, lesson, its checks, the result: each control is
    found by role and name and can be pressed or written in, each check is said, and the minutes count."""
    server = world(SELDOM)
    words = tmp_path / "words.json"
    words.write_text(json.dumps(dict(table("en"))))
    with accessible(tmp_path, desktop) as bus:
        client = world.client(server, "pc", module="tests.e2e.window", env=bus)
        person = subprocess.Popen(
            [SYSTEM, Path(__file__).with_name("reader.py"), ACCOUNT, server.log, words],
            env={**os.environ, **bus}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said, wrong = person.communicate(timeout=500)
        assert person.returncode == 0, f"{said[-2000:]}\n{wrong[-2000:]}\n{client.errors.read_text()[-2000:]}"
        heard = [line.get("heard") for line in map(json.loads, said.splitlines())]
        _until_sent(server, tmp_path)
    assert any(gesture in heard for gesture in gestures()), "a gesture of a check is said"
    assert table("en")["result.title"] in heard
    code, report = server.verify(tmp_path / "archive")
    assert code == 0
    assert report["credited_ms"] >= 55_000


def gestures() -> list[str]:
    """What a check may ask for, in words."""
    return [text for key, text in table("en").items() if key.startswith("gesture.") and key != "gesture.hold"]


def _until_sent(server: Any, folder: Path) -> None:
    """The archive once the last records are in it."""
    for number in range(60):
        out = server.export(folder / f"archive-{number}")
        _, report = server.verify(out)
        if report["sessions"] and report["sessions"][0]["state"] == "closed":
            out.rename(folder / "archive")
            return
        time.sleep(1)
    raise AssertionError("the session never closed")
