"""Windows' foreground reader on Wine: real calls, real windows, another program on top."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.desktop import x_server
from tests.wine import turn

pytestmark = [pytest.mark.slow, pytest.mark.x11]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What the reader said at each step (tests/client/player/windows_live.py)."""
    lines = subprocess.run([ROOT / "build/wine.sh", "env"], capture_output=True, text=True, check=True).stdout
    wine = dict(line.split("=", 1) for line in lines.splitlines())
    if shutil.which("wine") is None or not (Path(wine["TRUESEAT_WINE"]) / ".packages").exists():
        pytest.skip("left out: Wine and its Python are not set up (build/wine.sh setup)")
    with x_server("xdotool", home=tmp_path_factory.mktemp("home")) as display, turn(wine):
        program = subprocess.Popen(
            [ROOT / "build/wine.sh", "python", "-m", "tests.client.player.windows_live"],
            cwd=ROOT, env={**os.environ, **wine, "DISPLAY": display}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        found = _until_the_last_step(program)
        program.kill()
        program.wait()
    return found


def _until_the_last_step(program: subprocess.Popen[bytes]) -> dict[str, dict[str, object]]:
    """Line by line: Wine's own server may hold the pipe open long after the program has ended."""
    found, rest = {}, []
    assert program.stdout is not None
    for line in program.stdout:
        rest.append(line.decode("utf-8", "replace"))
        if line.startswith(b"{"):
            told = json.loads(line)
            found[told["step"]] = told
            if told["step"] == "cost":
                return found
    raise AssertionError("".join(rest)[-4000:])


@pytest.mark.parametrize("step", ["front", "minimised", "back", "covered", "uncovered", "hidden"])
def test_each_thing_that_happens_is_seen(told: dict[str, dict[str, object]], step: str) -> None:
    """In front, minimised, back, covered, free again, hidden."""
    assert told[step]["ok"], told[step]


def test_who_covers_us_is_measured_and_named(told: dict[str, dict[str, object]]) -> None:
    """Half of our window under another process's, by its program's name."""
    seen = told["covered"]
    assert (seen["covered"], seen["active_app"]) == (500, "python")


def test_twenty_looks_in_a_row_all_come_back_and_say_what_one_costs(told: dict[str, dict[str, object]]) -> None:
    """The reader asks the system anew each time and holds nothing: after twenty looks it still sees, and the time of
    one is a figure of this machine (printed; Wine's calls go through its server)."""
    cost = told["cost"]
    print(f"a look under Wine: {cost['look_ms']:.1f} ms")
    assert cost["ok"]
    assert cost["looks"] == 20
    assert float(str(cost["look_ms"])) > 0
