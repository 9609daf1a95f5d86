"""Real programs for the end-to-end tests: a server process with one class, and clients that may be killed."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.policy import preset
from tests.desktop import x_server

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "13800000001"
CLASS = "e2e"
PATIENCE = 4  # a machine that does other things as well; only a broken test waits so long


class ServerProcess:
    """`python -m server_stub serve` on a port of its own; it may be stopped and started again on the same port."""

    def __init__(self, folder: Path, policy: bytes) -> None:
        self.folder, self.log, self.port = folder, folder / "server.log", 0
        (folder / "policy.toml").write_bytes(policy)
        self.trust = folder / "data" / "class.trust"
        course = ROOT / "client" / "player" / "demo_course"
        self.module(
            "init", folder / "data", "--server-name", "e2e.trueseat.example", "--course", course, "--class", CLASS,
            "--policy", folder / "policy.toml", "--models", ROOT / "client" / "proctor" / "models.toml",
            "--learner", f"{ACCOUNT}:学员",
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def module(self, *arguments: object) -> str:
        """Run one of the server's commands."""
        command = [sys.executable, "-m", "server_stub", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def start(self) -> str:
        """Serve; return the address."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "server_stub", "serve", str(self.folder / "data"), "--port", str(self.port)]
        command += ["--ready-file", str(ready)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log)
        while not (ready.exists() and ready.read_text().strip()):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        address = ready.read_text().strip()
        self.port = int(address.rsplit(":", 1)[1])
        return address

    def stop(self) -> None:
        """Kill it: the network is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def export(self, out: Path) -> Path:
        """The class archive."""
        self.module("export", self.folder / "data", CLASS, out)
        return out

    def verify(self, archive: Path) -> tuple[int, dict[str, Any]]:
        """Exit code and report of the offline verifier."""
        command = [sys.executable, "-m", "ledger", "verify", str(archive), "--trust", str(self.trust), "--json"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        return done.returncode, json.loads(done.stdout)


@functools.cache
def alone() -> tuple[str, ...]:
    """What starts a client whose agent sees no program but the client's own, where the kernel lets us: a tool that
    somebody else runs on this machine would rightly hold up the lesson."""
    command = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    return command if allowed else ()


@pytest.fixture(scope="session")
def machine_at_rest() -> None:
    """The real agent judges these lessons, so a machine on which it rightly holds study up has no place for them."""
    command = [*alone(), sys.executable, "-m", "agent", "scan", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    for finding in json.loads(done.stdout)["findings"]:
        if finding["response"] in ("pause", "block"):
            pytest.skip(f"left out: the agent finds {finding['rule']} on this machine: {finding['why']}")


class ClientProcess:
    """A client program of the tests in a process of its own, and what it said."""

    def __init__(self, server: ServerProcess, data: Path, module: str, env: dict[str, str], *more: str) -> None:
        command = [
            *alone(), sys.executable, "-m", module, "--server", f"http://127.0.0.1:{server.port}", "--data", str(data),
            "--trust", str(server.trust), "--account", ACCOUNT, "--codes", str(server.log), *more,
        ]  # fmt: skip
        self.said: list[dict[str, Any]] = []
        self.errors = data.parent / f"{data.name}.err"
        with self.errors.open("ab") as err:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=err, env={**os.environ, **env}
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def wait_for(self, wanted: Callable[[dict[str, Any]], Any], seconds: float = 120, after: int = 0) -> dict[str, Any]:
        """The first line, from number `after` on, that `wanted` likes; `seconds` are those of a quiet machine."""
        seen, until = after, time.monotonic() + seconds * PATIENCE
        while True:
            while seen < len(self.said):
                seen += 1
                if wanted(self.said[seen - 1]):
                    return self.said[seen - 1]
            alive = self.process.poll() is None
            if not alive and seen == len(self.said):
                self._reader.join(5)
                if seen == len(self.said):
                    raise AssertionError(f"the client ended: {self.said[-3:]}\n{self.errors.read_text()[-3000:]}")
            assert time.monotonic() < until, f"waited in vain: {self.said[-3:]}\n{self.errors.read_text()[-2000:]}"
            time.sleep(0.05)

    def wait_quiet(self, phase: str, seconds: float) -> None:
        """Until it has stayed in `phase`, saying nothing new, for `seconds`."""
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            assert self.process.poll() is None, self.errors.read_text()[-3000:]
            if seen != len(self.said) or self.said[-1].get("phase") != phase:
                seen, since = len(self.said), time.monotonic()
            time.sleep(0.05)

    def wait_played(self, far: int, after: int = 0) -> dict[str, Any]:
        """The first line after it has played on by `far`, as it tells its place, without a check or a pause between.
        Place and not time is counted: a client that is held up does not play, nor sign, either."""
        began: int | None = None

        def far_enough(line: dict[str, Any]) -> bool:
            nonlocal began
            if "phase" not in line:
                return False
            began = None if line["phase"] != "playing" else line["at"] if began is None else began
            return began is not None and line["at"] - began >= far

        return self.wait_for(far_enough, after=after)

    def kill(self) -> None:
        """SIGKILL, and whatever it started ends with it."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it however it stands."""
        if self.process.poll() is None:
            self.kill()


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[str]:
    """An X server of our own with a window manager; its display."""
    with x_server("xdotool", "wmctrl", home=tmp_path) as display:
        yield display


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`world(policy)` starts a server; `server.client(...)` belongs to it. Everything ends with the test."""
    started: list[Any] = []

    def server(changes: dict[bytes, bytes] | None = None) -> ServerProcess:
        policy = preset("demo")
        for old, new in (changes or {}).items():
            assert old in policy, old
            policy = policy.replace(old, new)
        found = ServerProcess(tmp_path, policy)
        found.start()
        started.append(found.stop)
        return found

    def client(
        found: ServerProcess, name: str, *more: str, module: str = "tests.e2e.runner", env: dict[str, str] | None = None
    ) -> ClientProcess:
        process = ClientProcess(found, tmp_path / name, module, env or {}, *more)
        started.append(process.close)
        return process

    server.client = client  # type: ignore[attr-defined]
    yield server
    for end in reversed(started):
        end()
