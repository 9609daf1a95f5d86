"""What works on this machine and what to do about the rest; nothing is opened, changed or sent but one `health`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client import fit, manifest
from client.config import Config
from client.errors import ClientError, DiskError
from client.manifest import Asset

LIBRARIES: Final = ("cryptography", "kivy", "av", "cv2", "numpy", "requests", "psutil")  # mediapipe: see `_fit`
ROOM: Final = 200 << 20  # bytes: a course and a term of records
SKEW_MS: Final = 120_000  # a wrong clock costs nobody anything, but it is worth telling


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at. `remedy` is empty when all is well."""

    what: str
    says: str
    remedy: str = ""


def main(config: Config) -> int:
    """Print one line a thing; exit 1 if something needs doing."""
    found = list(examine(config))
    for item in found:
        print(f"{'ok  ' if not item.remedy else 'todo'}  {item.what}: {item.says}")
        if item.remedy:
            print(f"      {item.remedy}")
    return 1 if any(item.remedy for item in found) else 0


def examine(config: Config, wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> Iterator[Found]:
    """Look at Python, libraries, what this machine can bear, disk, display, models and server."""
    yield _python()
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    yield (
        Found("libraries", "all there")
        if not missing
        else Found("libraries", f"missing: {', '.join(missing)}", "Install the client again: `make setup-app`.")
    )
    yield _fit(config)
    yield _disk(config)
    yield _display()
    yield _models(config)
    yield _server(config, wall)


def _python() -> Found:
    says = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info < (3, 14)
    return Found("python", says, "" if good else "Use Python 3.11, 3.12 or 3.13.")


def _fit(config: Config) -> Found:
    """The engine and the load that every session will run with and name in its log."""
    machine = fit.measure()
    chosen = fit.choose(machine, config.engine, config.load)
    says = f"engine {chosen.engine}, load {chosen.load} ({chosen.why})"
    if chosen.engine == "mediapipe" and not machine.mediapipe:
        return Found("machine", says, 'MediaPipe is not here: set engine = "auto", or install the client again.')
    return Found("machine", says)


def _disk(config: Config) -> Found:
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(config.data).free
        writable = os.access(config.data, os.W_OK)
    except OSError as error:
        return Found("data folder", f"{config.data}: {error.strerror}", DiskError.remedy)
    says = f"{config.data}, {free >> 20} MiB free"
    return Found("data folder", says, "" if writable and free > ROOM else DiskError.remedy)


def _display() -> Found:
    if not sys.platform.startswith("linux"):
        return Found("display", "the system's own")
    name = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if name:
        return Found("display", name)
    return Found("display", "none", "Start the client in a desktop session (everything but the window works without).")


def _models(config: Config) -> Found:
    folders = (config.models,) if config.models else (manifest.BUNDLED, manifest.cache_dir())
    wanted = [asset for asset in manifest.load().assets if asset.required]
    missing = [asset.file for asset in wanted if not any(_right(asset, folder) for folder in folders)]
    if missing:
        return Found("models", f"not here: {', '.join(missing)}", "Run `python -m client models fetch`.")
    return Found("models", f"{len(wanted)} verified")


def _right(asset: Asset, folder: Path) -> bool:
    try:
        manifest.verified(asset, (folder / asset.file).read_bytes())
    except (OSError, ClientError):
        return False
    return True


def _server(config: Config, wall: Callable[[], int]) -> Found:
    from client.sync.api import Api, field
    from client.sync.transport import HttpTransport

    transport = HttpTransport.of(config, timeout=(3, 5))
    try:
        said = Api(transport).json("GET", "/v1/health")
        name, skew = field(said, "server", str), wall() - field(said, "time", int)
    except ClientError as error:
        return Found("server", f"{config.server}: {error}", error.remedy)
    finally:
        transport.close()
    if abs(skew) > SKEW_MS:
        return Found("server", f"{name}; this clock is {skew // 1000} s off", "Set the clock of this computer.")
    return Found("server", f"{name}, {said.get('version', '')}")
