"""What the computer itself brings: libraries, power, disk, rights, display, models. Nothing is opened or sent."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Final

from client import fit, manifest
from client.config import Config
from client.doctor.found import Found
from client.errors import ClientError
from client.manifest import Asset

LIBRARIES: Final = ("cryptography", "kivy", "av", "cv2", "numpy", "requests", "psutil")  # mediapipe: see `machine`
ROOM: Final = 200 << 20  # bytes: a course and a term of records


def python(_config: Config) -> Found:
    """The Python that runs this; an installer brings its own."""
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info < (3, 14)
    return Found("python", "good" if good else "other", "ok" if good else "fail", {"version": version})


def libraries(_config: Config) -> Found:
    """What the client is made of."""
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    return (
        Found("libraries", "missing", "fail", {"names": ", ".join(missing)}) if missing else Found("libraries", "good")
    )


def machine(config: Config) -> Found:
    """The engine and the load that every session will run with and name in its log."""
    measured = fit.measure()
    chosen = fit.choose(measured, config.engine, config.load)
    facts = {"engine": chosen.engine, "load": chosen.load, "why": chosen.why}
    if chosen.engine == "mediapipe" and not measured.mediapipe:
        return Found("machine", "no_mediapipe", "fail", facts)
    return Found("machine", "good", facts=facts)


def disk(config: Config) -> Found:
    """Room for records that are not sent yet, in a folder that can be written to."""
    folder = str(config.data)
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(config.data).free
    except OSError as error:
        return Found("disk", "closed", "fail", {"folder": folder, "why": error.strerror or "?"})
    if not os.access(config.data, os.W_OK):
        return Found("disk", "closed", "fail", {"folder": folder, "why": os.strerror(13)})
    facts: dict[str, str | int] = {"folder": folder, "free_mib": free >> 20}
    return Found("disk", "good", facts=facts) if free > ROOM else Found("disk", "little", "fail", facts)


def permissions(config: Config) -> Found:
    """Who may read the data folder; systems without such bits keep it themselves."""
    if os.name != "posix":
        return Found("permissions", "system")
    try:
        bits = stat.S_IMODE(config.data.stat().st_mode)
    except OSError:
        return Found("permissions", "good")  # there is nothing to read; `disk` says why
    return Found("permissions", "open", "warn") if bits & 0o077 else Found("permissions", "good")


def display(_config: Config) -> Found:
    """Where the window would be shown."""
    if not sys.platform.startswith("linux"):
        return Found("display", "good", facts={"name": sys.platform})
    name = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return Found("display", "good", facts={"name": name}) if name else Found("display", "none", "fail")


def foreground(_config: Config) -> Found:
    """What the window system tells of our window: without it the lesson could be hidden and nobody knew."""
    if not sys.platform.startswith("linux"):
        return Found("foreground", "toolkit")
    if not os.environ.get("DISPLAY"):
        return Found("foreground", "none", "warn")
    from client.player.x11 import X11, X11Errors

    try:
        display = X11()
    except X11Errors:
        return Found("foreground", "none", "warn")
    try:
        return Found("foreground", "no_cover", "warn") if display.wayland else Found("foreground", "good")
    finally:
        display.close()


def models(config: Config) -> Found:
    """The files that judge, by their hashes."""
    folders = (config.models,) if config.models else (manifest.BUNDLED, manifest.cache_dir())
    wanted = [asset for asset in manifest.load().assets if asset.required]
    missing = [asset.file for asset in wanted if not any(_right(asset, folder) for folder in folders)]
    if missing:
        return Found("models", "missing", "fail", {"names": ", ".join(missing)})
    return Found("models", "good", facts={"count": len(wanted)})


def _right(asset: Asset, folder: Path) -> bool:
    try:
        manifest.verified(asset, (folder / asset.file).read_bytes())
    except (OSError, ClientError):
        return False
    return True
