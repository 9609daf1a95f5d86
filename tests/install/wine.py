"""A Wine prefix of its own to install into: evidence about installers and programs, not about Windows itself."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from tests.install.chroot import ROOT


def why_not() -> str:
    """Why nothing is installed under Wine here; empty when it can be."""
    if not os.environ.get("TRUESEAT_INSTALL"):
        return "the real installations: make test-install"
    return "" if shutil.which("wine") else "apt-get install wine64 wine"


class Wine:
    """One prefix; programs run with their output through a pipe, which Wine 8 needs.

    `shown`: its programs will have windows. A prefix that was first used without a display draws none later.
    """

    def __init__(self, folder: Path, shown: bool = False) -> None:
        told = subprocess.run([str(ROOT / "build/wine.sh"), "env"], check=True, capture_output=True, text=True).stdout
        self._env = {**os.environ, **dict(line.split("=", 1) for line in told.splitlines())}
        home = Path(self._env.pop("TRUESEAT_WINE"))
        self._env |= {"WINEPREFIX": str(folder)}
        self._env.pop("DISPLAY", None)
        self.drive = folder / "drive_c"
        boot = "wineboot -i && wineserver -w"
        self.run(*(("xvfb-run", "-a") if shown else ()), "sh", "-c", boot, native=True)
        self.run("winecfg", "-v", "win10")
        # Wine 8 lacks it, Windows has it; without it Rust's random numbers do not load
        shutil.copy(home / "python" / "bcryptprimitives.dll", self.drive / "windows/system32/bcryptprimitives.dll")

    def run(self, *command: object, check: bool = True, native: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a Windows program; its output as text."""
        words = [*([] if native else ["wine"]), *map(str, command)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, env=self._env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        said = [part.decode("utf-8", "replace") for part in _until_it_ends(process)]
        out = subprocess.CompletedProcess(words, process.returncode, *said)
        assert not check or out.returncode == 0, (
            f"{words}\n{out.returncode}\n{out.stdout[-2000:]}\n{out.stderr[-2000:]}"
        )
        return out

    def start(self, *command: object) -> subprocess.Popen[bytes]:
        """A program that goes on running, once Wine has loaded it."""
        pipe = subprocess.PIPE
        made = subprocess.Popen(["wine", *map(str, command)], env=self._env, stdin=pipe, stdout=pipe, stderr=pipe)
        loaded, name = Path(f"/proc/{made.pid}/maps"), Path(str(command[0])).name
        while made.poll() is None and f"{name}\n" not in loaded.read_text():
            time.sleep(0.1)
        return made

    def script(self, program: Path, path: Path) -> Path:
        """A shell script at `path` that runs a Windows program with the arguments and the display that it is given."""
        settings = {name: value for name, value in self._env.items() if name.startswith("WINE") or name == "PYTHONUTF8"}
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
        path.write_text(
            f'#!/bin/bash\nset -o pipefail\n{exports}wine {shlex.quote(str(program))} "$@" </dev/null 2>&1 | cat\n'
        )
        path.chmod(0o755)
        return path

    def registry(self, key: str, name: str) -> str | None:
        """A text value of the 64-bit registry, or None."""
        done = self.run("reg", "query", key, "/v", name, "/reg:64", check=False)
        lines = [line.split("REG_SZ", 1)[1].strip() for line in done.stdout.splitlines() if "REG_SZ" in line]
        return lines[0] if done.returncode == 0 and lines else None

    def has_key(self, key: str) -> bool:
        """Whether there is such a key."""
        return self.run("reg", "query", key, "/reg:64", check=False).returncode == 0

    def settle(self) -> None:
        """Wait until every Windows program has ended: an uninstaller deletes itself after it has returned."""
        self.run("wineserver", "-w", native=True)

    def close(self) -> None:
        """End the server of this prefix, and nobody else's."""
        self.run("wineserver", "-k", native=True, check=False)


def _until_it_ends(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Its output when it has ended: Wine's services may have inherited the pipes, and keep them open for longer."""
    while True:
        ended = process.poll() is not None
        try:
            return process.communicate(timeout=2)
        except subprocess.TimeoutExpired as late:
            if ended:
                for stream in (process.stdout, process.stderr):
                    stream.close() if stream else None
                return late.stdout or b"", late.stderr or b""


def windows(path: Path) -> str:
    """The path as Wine's programs see it."""
    return "Z:" + str(path.absolute()).replace("/", "\\")
