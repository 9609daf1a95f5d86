"""Real tools, started for real and stopped by their pid: the agent sees each, and a browser at rest is left alone.

`make tools` installs what Debian has; a tool that is not installed is left out, by name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.collectors import Context
from agent.collectors.linux.ourselves import Ourselves
from agent.collectors.linux.processes import Processes
from agent.collectors.linux.sockets import Sockets
from agent.engine import Engine, Finding
from agent.manifest import ROOT
from agent.tables import ProcessRow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="left out: Debian's tools"),
]


def need(*names: str) -> str:
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        pytest.skip(f"left out: {', '.join(missing)} not installed (make tools)")
    return shutil.which(names[0]) or ""


@contextlib.contextmanager
def running(*command: str, **more: Any) -> Iterator[psutil.Process]:
    """A tool and, in the end, none of it: its whole family is stopped by pid."""
    tool = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    process = psutil.Process(tool.pid)
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in [*process.children(recursive=True), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        tool.wait()


class Look:
    """The process table with its ports; only what `family` started is judged: the machine's own tools are not ours."""

    def __init__(self, engine: Engine, family: psutil.Process) -> None:
        self._engine, self._family = engine, family
        self._sockets = Sockets()
        self._table = Processes(listen=lambda: self._sockets.listen)
        self._now = 0

    @property
    def rows(self) -> Sequence[ProcessRow]:
        """The table of the last look."""
        return self._table.rows

    def __call__(self) -> tuple[Finding, ...]:
        self._now += 30_000
        self._sockets.collect(self._now)
        self._table.collect(self._now)
        with contextlib.suppress(psutil.NoSuchProcess):
            pids = {self._family.pid, *(child.pid for child in self._family.children(recursive=True))}
            return self._engine.judge(row for row in self._table.rows if row.pid in pids)
        return ()


def wait(look: Callable[[], Sequence[Finding]], rule: str) -> Finding:
    """Look until `rule` is found; the bound only ends a broken test."""
    found: Sequence[Finding] = ()
    for _ in range(600):
        found = look()
        hit = next((finding for finding in found if finding.rule == rule), None)
        if hit is not None:
            return hit
        time.sleep(0.2)
    raise AssertionError(f"{rule} never found; found {[finding.rule for finding in found]}")


def free_port(ports: Sequence[int] = range(20_000, 32_000)) -> int:
    """A port that is free and stays so: below those that Linux gives to whoever asks for any (32768 and above)."""
    for port in random.sample(ports, min(len(ports), 40)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"all ports are taken: {ports}")


def wait_for_port(port: int) -> None:
    """A program is in the process table before it listens; the bound only ends a broken test."""
    for _ in range(1_200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port}")


@pytest.fixture
def profile() -> Iterator[str]:
    """A browser's folder with a short name: it puts sockets there, whose paths the kernel bounds at 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ts-", ignore_cleanup_errors=True) as folder:
        yield folder


CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "about:blank")


def test_chromedriver_and_the_browser_that_it_steers(engine: Engine, profile: str) -> None:
    """A WebDriver session opened over HTTP: the driver pauses, and so does the browser by its own flags and port."""
    import urllib.request

    driver, port = need("chromedriver", "chromium"), free_port()
    options = {"args": [*CHROMIUM[:-1], f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
    body = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
    with running(driver, f"--port={port}", env={**os.environ, "TMPDIR": profile}) as process:
        look = Look(engine, process)
        assert wait(look, "driver.webdriver").response == "pause"
        wait_for_port(port)
        request = urllib.request.Request(f"http://127.0.0.1:{port}/session", json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120):
            assert wait(look, "driver.controlled-browser").response == "pause"


def test_a_browser_with_a_debugging_port(engine: Engine, profile: str) -> None:
    """The port is seen where the kernel lists it, whatever the command line says."""
    port = free_port()
    command = (need("chromium"), *CHROMIUM[:-1], f"--remote-debugging-port={port}", f"--user-data-dir={profile}")
    with running(*command) as process:
        assert wait(Look(engine, process), "driver.debug-listener").evidence["listen"]


def test_a_browser_at_rest_is_left_alone(engine: Engine, profile: str, display: str) -> None:
    """Chromium with a window and Debian's own flags: nothing above inform, now and a few looks later."""
    command = (need("chromium"), "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}")
    with running(*command, "about:blank", env={**os.environ, "DISPLAY": display}) as process:
        look = Look(engine, process)
        for _ in range(600):
            if len(process.children(recursive=True)) >= 3:
                break
            time.sleep(0.2)
        assert len(process.children(recursive=True)) >= 3
        assert all(finding.response == "inform" for _ in range(3) for finding in look())


def test_x11vnc_serves_this_desktop(engine: Engine, display: str) -> None:
    """A server of this desktop pauses; its port is listed as well."""
    port = free_port(range(5_900, 5_940))
    command = (need("x11vnc"), "-display", display, "-localhost", "-rfbport", str(port), "-forever", "-nopw", "-quiet")
    with running(*command) as process:
        look = Look(engine, process)
        assert wait(look, "remote.desktop").response == "pause"
        wait(look, "remote.listener")


def test_gdb_on_ourselves(engine: Engine) -> None:
    """A debugger attached to the client: the kernel names it, and the lesson is blocked until it lets go."""
    gdb = need("gdb")
    with running(sys.executable, "-c", "import time; time.sleep(600)") as client:
        ours = Ourselves(Context(client_pid=client.pid))

        def look() -> tuple[Finding, ...]:
            return engine.judge(ours.collect(0))

        assert "self.debugger" not in {finding.rule for finding in look()}
        with running(gdb, "-q", "-batch", "-p", str(client.pid), "-ex", "shell sleep 600"):
            finding = wait(look, "self.debugger")
            assert (finding.response, finding.evidence["tracer"]) == ("block", "gdb")
        assert "self.debugger" not in {finding.rule for finding in look()}


@pytest.mark.parametrize(
    ("clock", "rules"), [("+0 x10", {"clock.bent", "self.clock-library"}), ("-2h", {"clock.offset"})]
)
def test_libfaketime_around_ourselves(clock: str, rules: set[str]) -> None:
    """The library that bends a program's clock: seen in our maps and against the kernel's own uptime."""
    faketime = need("faketime")
    script = (
        "import time\nfrom agent.collectors import Context\nfrom agent.collectors.linux.clocks import Clocks\n"
        "from agent.collectors.linux.ourselves import Ourselves\nfrom agent.engine import Engine\n"
        "from agent.pack import load_folder\nengine, clocks = Engine(load_folder()), Clocks()\n"
        "ours = Ourselves(Context())\n"
        "clocks.collect(0)\nstart = open('/proc/uptime').read()\n"
        "while float(open('/proc/uptime').read().split()[0]) - float(start.split()[0]) < 2: time.sleep(0.2)\n"
        "print(*[f.rule for f in engine.judge([*clocks.collect(0), *ours.collect(0)])])"
    )
    command = [faketime, "-f", clock, sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert rules <= set(done.stdout.split()), done.stderr


HOSTILE = (
    b"\n[block] forged line", b"\xff\xfe not utf-8", "\u202eexe.evitca".encode(), b"\x1b[2J\x1b]0;x\x07", b"n" * 200,
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_real_program_with_a_hostile_name(name: bytes, engine: Engine, tmp_path: Path) -> None:
    """Line ends, no UTF-8, bidi marks, terminal codes, 64 KiB of arguments: one clean line of evidence, or none."""
    folder = os.fsencode(tmp_path)
    path = folder + b"/" + name.replace(b"/", b"")
    shutil.copy(need("sleep"), path)
    with running(os.fsdecode(path), "600", env={"A": "x" * 65_536}) as process:
        table = Processes()
        table.collect(0)
        (row,) = [row for row in table.rows if row.pid == process.pid]
        assert row.exe
    # the same name as a tool that a rule looks for
    (finding,) = engine.judge([dataclasses.replace(row, name="chromedriver", cmdline=f"{row.exe} --port=9515 " * 900)])
    text = json.dumps({**finding.evidence, "title": finding.zh.title}, ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 2_000
