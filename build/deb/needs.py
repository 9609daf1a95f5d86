"""Which packages of Debian a bundle needs: by the libraries that it asks for and does not carry, and nothing else."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_NEEDED: Final = re.compile(r"\(NEEDED\).*\[(.+)\]")
# soname → package; `|` where a later release renamed it. A library that is not here ends the build: say what brings it.
PACKAGES: Final = {
    "libEGL.so.1": "libegl1", "libGL.so.1": "libgl1", "libGLESv2.so.2": "libgles2", "libX11.so.6": "libx11-6",
    "libgcc_s.so.1": "libgcc-s1", "libstdc++.so.6": "libstdc++6 (>= 12)", "libxcb.so.1": "libxcb1",
    "libmtdev.so.1": "libmtdev1 | libmtdev1t64", "libXext.so.6": "libxext6",
}  # fmt: skip
LIBC: Final = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2",
               "libmvec.so.1", "libutil.so.1"}  # fmt: skip
# What is opened by name at run time, which no header tells: SDL's window, xcffib, Kivy's touch screens.
OPENED: Final = {"client": ("libX11.so.6", "libXext.so.6", "libxcb.so.1", "libmtdev.so.1"), "agent": ("libxcb.so.1",)}


class UnknownLibraryError(Exception):
    """The bundle asks for a library that no package of ours is known to bring."""


def packages(folder: Path, app: str, glibc: tuple[int, int]) -> list[str]:
    """The packages, sorted; `UnknownLibraryError` names a library that nothing here brings."""
    wanted = missing(folder) | set(OPENED.get(app, ()))
    unknown = sorted(wanted - LIBC - set(PACKAGES))
    if unknown:
        raise UnknownLibraryError(f"{', '.join(unknown)}: say in {Path(__file__).name} which package brings it")
    return [f"libc6 (>= {glibc[0]}.{glibc[1]})", *sorted(PACKAGES[name] for name in wanted - LIBC)]


def missing(folder: Path) -> set[str]:
    """The libraries that something in the bundle needs and the bundle does not hold."""
    asked: set[str] = set()
    held: set[str] = set()
    for path in folder.rglob("*"):
        held |= {path.name} if ".so" in path.name else set()
        if path.is_file() and not path.is_symlink() and _is_elf(path):
            asked |= set(needed(path))
    return asked - held


def needed(path: Path) -> Iterable[str]:
    """The libraries that one file names."""
    told = subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True, check=True).stdout
    return _NEEDED.findall(told)


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
