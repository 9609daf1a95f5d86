"""The demo's witnesses: each a program with a key of its own, the last one external (`make demo WITNESSES=3`)."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
EXTERNAL = "bureau"
_START_S = 30


@dataclass
class Watching:
    """Witness processes that run while it is entered."""

    folder: Path
    policy: Path
    kept: Path
    said: str
    urls: dict[str, str]
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Watching:
        """Tell each witness the log that it is to watch, by the trust file's key, and let it answer."""
        trust = (self.folder / "class.trust").read_text().split("\n")
        log = next(line.split()[1] for line in trust if line.startswith("log "))
        for name, url in self.urls.items():
            _program("add", self.folder / "witness" / name, log)
            self._running.append(_serve(self.folder / "witness" / name, url.rpartition(":")[2]))
        for url in self.urls.values():
            _wait(url)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for process in self._running:
            process.terminate()
            process.wait(10)

    def keep(self, origin: str) -> None:
        """Fetch what the external witness signed last: with it anyone can tell whether an archive is the newest."""
        self.kept.write_bytes(_get(f"{self.urls[EXTERNAL]}/checkpoint/{origin}"))


def make(folder: Path, count: int) -> Watching:
    """Make `count` witnesses; the quorum is the external one and, of the others, half (of three: one of two)."""
    names = [f"institution-{n + 1}" for n in range(count - 1)] + [EXTERNAL]
    lines, urls = [], {}
    for name in names:
        out = _program("init", folder / "witness" / name, "--name", f"{name}.witness.example")
        vkey = out.split()[1]
        urls[name] = f"http://127.0.0.1:{_free_port()}"
        lines.append(f"witness {name} {vkey} {urls[name]}")
    if count > 1:
        lines.append(f"group near {count // 2} {' '.join(names[:-1])}")
        lines.append(f"group agreed all near {EXTERNAL}")
    lines.append(f"quorum {'agreed' if count > 1 else EXTERNAL}")
    policy = folder / "witnesses.policy"
    policy.write_text("".join(f"{line}\n" for line in lines))
    need = count // 2 + 1 if count > 1 else 1
    said = f"{count} witnesses watch its class log; {need} of them must sign, the external one among them"
    return Watching(folder, policy, folder / "witnessed.checkpoint", said, urls)


def _program(*command: object) -> str:
    arguments = [sys.executable, "-m", "server_stub", "witness", *map(str, command)]
    return subprocess.run(arguments, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()


def _serve(directory: Path, port: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "server_stub", "witness", "serve", str(directory), "--port", port]
    return subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - our own address
        data: bytes = reply.read(65_536)
        return data


def _wait(url: str) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            _get(url + "/")
        except OSError:
            if time.monotonic() > until:
                sys.exit(f"a witness does not answer at {url}")
            time.sleep(0.1)
        else:
            return
