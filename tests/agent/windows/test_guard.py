"""The standing guard on Windows: the pipe, the agent's life and end, what other programs may do to it; fleet tools."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.collectors import resident_bytes, uptime_ms
from agent.link import AgentLink, Lost
from agent.manifest import ROOT
from agent.messages import Beat, Cleared, Found
from tests.agent.windows.conftest import running, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "win32", reason="left out: Windows calls run under Wine (make test-wine)"),
]


@pytest.fixture
def link(tools: Path) -> Iterator[AgentLink]:
    """A guard that is closed in the end."""
    link = AgentLink()
    link.start()
    yield link
    link.close()


def heard(link: AgentLink, wanted: Callable[[Any], bool]) -> Any:
    """Poll until a message is wanted; that message. As the client does, an agent that is lost is started again."""
    found: list[Any] = []

    def look() -> list[Any]:
        said = link.poll()
        found.extend(message for message in said if wanted(message))
        if not found and any(isinstance(message, Lost) for message in said):
            link.start()
        return found

    return until(look, bool)[0]


def of(kind: type[Any], rule: str = "") -> Callable[[Any], bool]:
    return lambda message: isinstance(message, kind) and (not rule or message.rule == rule)


def test_the_agent_beats_and_leaves_nothing_behind(link: AgentLink) -> None:
    """Beats come over the authenticated pipe with the kernel's uptime; closed, the process is gone."""
    beat = heard(link, of(Beat))
    assert abs(beat.uptime - uptime_ms()) < 60_000
    pid = link.pid or 0
    assert psutil.pid_exists(pid)
    link.close()
    assert not psutil.pid_exists(pid)


def test_a_killed_agent_is_told_and_its_successor_beats(link: AgentLink) -> None:
    """By the handle that only its parent has; the client hears of it at once and starts another."""
    heard(link, of(Beat))
    first = link.pid
    link._child.process.kill()  # type: ignore[union-attr]  # nobody else may
    heard(link, of(Lost))
    link.start()
    heard(link, of(Beat))
    assert link.pid != first


def test_a_stopped_agent_is_told(link: AgentLink) -> None:
    """Stopped by an administrator, whom no list keeps out: its silence is told, and its process ended."""
    heard(link, of(Beat))
    process = psutil.Process(link.pid)
    process.suspend()
    assert "no beat" in heard(link, of(Lost)).detail
    until(lambda: psutil.pid_exists(process.pid), lambda there: not there)


def test_a_tool_is_found_over_the_pipe_and_cleared_when_it_ends(link: AgentLink, tools: Path) -> None:
    """The whole way on Windows: a renamed AutoHotkey → process table → rules → pipe → and back to none."""
    heard(link, of(Beat))
    with running(tools / "notes.exe", "idle", "600"):
        found = heard(link, lambda message: isinstance(message, Found) and "notes.exe" in str(message.evidence))
        assert found.response == "pause"
    link.recheck()
    heard(link, of(Cleared, found.rule))


def test_injected_clicks_pause(link: AgentLink, tools: Path) -> None:
    """SendInput in a loop → hook → rhythm → rule → pipe."""
    heard(link, of(Beat))
    with running(tools / "tool.exe", "click", "400"):
        assert heard(link, of(Found, "input.loop")).response == "pause"


ACCESS_LIST = """
import ctypes
from agent.child import harden
harden()
get = ctypes.windll.advapi32.GetKernelObjectSecurity
get.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p]
room, text = ctypes.create_string_buffer(4096), ctypes.c_wchar_p()
assert get(-1, 4, room, 4096, ctypes.byref(ctypes.c_uint32()))
form = ctypes.windll.advapi32.ConvertSecurityDescriptorToStringSecurityDescriptorW
form.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p]
assert form(room, 1, 4, ctypes.byref(text), None)
print(text.value)
"""


def test_no_program_of_the_same_user_may_look_into_the_agent(tools: Path) -> None:
    """The hardened process's own list: all may see that it runs (0x101000) and no more; its owner cannot widen it."""
    done = subprocess.run([sys.executable, "-c", ACCESS_LIST], cwd=ROOT, capture_output=True, text=True, check=True)
    entries = done.stdout.strip().removeprefix("D:P").strip("()").split(")(")
    assert done.stdout.startswith("D:P")  # nothing is inherited
    assert {entry.rsplit(";", 1)[-1] for entry in entries} == {"SY", "BA", "WD", "OW"}
    for entry in entries:
        if entry.endswith((";WD", ";OW")):
            assert entry.split(";")[2].lower() == "0x101000"


def test_its_memory_is_told(tools: Path) -> None:
    """As psutil counts it."""
    assert abs(resident_bytes() - psutil.Process().memory_info().rss) < 8 * 1024 * 1024


def test_a_scan_for_fleet_tools(tools: Path) -> None:
    """`python -m agent scan --once --json`: one object, exit 1 while a tool runs, 0 when it is gone."""
    command = [sys.executable, "-m", "agent", "scan", "--once", "--json"]
    for tool, code in (("notes.exe", 1), ("tool.exe", 0)):
        with running(tools / tool, "idle", "600"):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
        told = json.loads(done.stdout)
        assert done.returncode == code, told["findings"]
        assert told["platform"] == "windows"
        assert told["rows"]["processes"] >= 2
        assert set(told["unknown"]) <= {"installed"}


def test_a_client_that_dies_takes_its_agent_along(tools: Path) -> None:
    """Ended from outside: the pipe closes and the agent ends by itself."""
    script = (
        "import time\nfrom agent.link import AgentLink\nlink = AgentLink()\nlink.start()\n"
        "while not link.poll(): time.sleep(0.1)\nprint(link.pid, flush=True)\ntime.sleep(600)"
    )
    client = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    pid = int(client.stdout.readline())
    client.kill()
    client.wait()
    client.stdout.close()
    until(lambda: psutil.pid_exists(pid), lambda there: not there)
