"""The Windows lane: the tests of this folder on Wine, with tools built for them, on a desktop of their own.

`make test-wine` runs all of it; `make test` the collectors alone, where the lane is set up (`build/wine.sh setup`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.manifest import ROOT
from tests.desktop import x_server
from tests.wine import turn

HERE = Path(__file__).resolve().parent
TOOLS = {"notes": ("AutoHotkey.exe", "AutoHotkey"), "tool": ("tool.exe", "Tool")}
COMPILER, RESOURCES = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-windres"
# what is the same everywhere, proven on Windows' Python, too; left out: what needs signals, /proc or X11
SHARED = (
    "windows/test_parsers", "windows/test_scripted", "windows/test_scripted_host", "test_allow", "test_android",
    "test_clocks", "test_contract", "test_engine", "test_macos", "test_main", "test_pack", "test_pattern", "test_pipe",
    "test_rhythm", "test_rule", "test_samples", "test_text", "test_watch",
)  # fmt: skip

pytestmark = pytest.mark.slow


def settings() -> dict[str, str]:
    """What Wine runs with, as build/wine.sh says it."""
    told = subprocess.run([ROOT / "build/wine.sh", "env"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in told.splitlines())


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of the lane: its own display with a window manager, and the built tools."""
    wine = settings()
    missing = [name for name in ("wine", COMPILER, RESOURCES) if shutil.which(name) is None]
    if missing or not (Path(wine["TRUESEAT_WINE"]) / ".packages").exists():
        pytest.skip("left out: Wine and its Python are not set up (build/wine.sh setup)")
    folder = tmp_path_factory.mktemp("tools")
    for name, (original, product) in TOOLS.items():
        build(folder, name, original, product)
    with x_server("xdotool", home=tmp_path_factory.mktemp("home")) as display, turn(wine):
        yield {**os.environ, **wine, "DISPLAY": display, "TRUESEAT_TOOLS": "Z:" + str(folder).replace("/", "\\")}


def build(folder: Path, name: str, original: str, product: str) -> None:
    """One fake tool: tool.c under a name of its own, with a version resource that says what it was built as."""
    said = [f'-DORIGINAL=\\"{original}\\"', f'-DPRODUCT=\\"{product}\\"']
    subprocess.run([RESOURCES, *said, HERE / "tool.rc", "-o", folder / f"{name}.o"], check=True)
    program = [HERE / "tool.c", folder / f"{name}.o", "-o", folder / f"{name}.exe"]
    subprocess.run([COMPILER, "-O2", "-s", "-mwindows", *program, "-lws2_32", "-luser32"], check=True)


def run(lane: dict[str, str], *files: str) -> str:
    """pytest by Windows' Python over some files; its report. Python under Wine 8 must write to a pipe."""
    command = [ROOT / "build/wine.sh", "python", "-m", "pytest", "-p", "no:cacheprovider", "-rs", *files]
    done = subprocess.run(
        command, cwd=ROOT, env=lane, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False, timeout=3_600,
    )  # fmt: skip
    report = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, report[-6_000:]
    counted = re.search(r"(\d+) passed", report)
    assert counted is not None, report[-2_000:]
    print(f"{', '.join(files)}: {counted.group(0)} on Wine")
    return report


def test_the_collectors_on_windows_calls(lane: dict[str, str]) -> None:
    """Processes, signatures, ports, made input, foreground, debugger, modules, clocks, cameras, proxies: real calls."""
    report = run(lane, "tests/agent/windows/test_live.py")
    assert "skipped" not in report


@pytest.mark.skipif(not os.environ.get("TRUESEAT_LONG"), reason="left out: the long form (make test-wine)")
@pytest.mark.parametrize(
    "files",
    [("windows/test_guard.py",), tuple(f"{name}.py" for name in SHARED)],
    ids=["guard", "shared"],
)  # fmt: skip
def test_the_agent_on_windows(files: tuple[str, ...], lane: dict[str, str]) -> None:
    """The guard and its pipe; and everything that is the same on every system, by Windows' Python."""
    run(lane, *(f"tests/agent/{name}" for name in files))
