"""Where a Linux program comes from: whose package it is, and which packaged program an unpackaged one is a copy of.

Packages are told by dpkg's own file lists, snap's and flatpak's folders; a copy by the build id that the linker wrote
into it (ELF note NT_GNU_BUILD_ID): it stays when a file is renamed. Nothing is run, nothing hashed.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDERS: Final = ("usr/bin", "usr/sbin", "usr/games")
PACKAGED: Final = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/snap/", "/app/", "/nix/store/", "/memfd:")
HEAD: Final = 4096  # program headers and the build id lie at a file's beginning
MAX_PROGRAMS: Final = 10_000
MAX_LIST: Final = 4 * 1024 * 1024
MAX_KNOWN: Final = 5_000
NOTE: Final = 4  # PT_NOTE
BUILD_ID: Final = b"\x04\x00\x00\x00\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00"  # name of 4, description of 20, type 3
_SNAP: Final = re.compile(r"^/snap/([a-z0-9-]{1,60})/")
_FLATPAK: Final = re.compile(r"/flatpak/app/([A-Za-z0-9._-]{1,120})/")
_PLAIN: Final = re.compile(r"[A-Za-z0-9.+_-]{1,80}")


class Origins:
    """Answers are kept; the index of build ids is made when the first unpackaged program is seen."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._signers: dict[str, str] = {}
        self._ids: dict[bytes, str] | None = None

    def signer(self, exe: str, image: str) -> str:
        """`snap:NAME`, `flatpak:NAME` or `deb:NAME`; "" where none of them says so, or `image` is another file."""
        if not exe or not _same(exe, image):
            return ""
        if exe not in self._signers:
            if len(self._signers) >= MAX_KNOWN:
                self._signers.clear()
            self._signers[exe] = self._package(exe)
        return self._signers[exe]

    def original_name(self, exe: str, image: str) -> str:
        """The packaged program that the file `image` (`/proc/<pid>/exe`) is a copy of; "" for packaged ones."""
        if not exe or exe.startswith(PACKAGED):
            return ""
        wanted = build_id(image)
        if wanted is None:
            return ""
        if self._ids is None:
            self._ids = dict(self._programs())
        return self._ids.get(wanted, "")

    def _package(self, exe: str) -> str:
        for name, pattern in (("snap", _SNAP), ("flatpak", _FLATPAK)):
            found = pattern.search(exe)
            if found is not None:
                return f"{name}:{found[1]}"
        if not exe.startswith(("/usr/", "/bin/", "/sbin/", "/opt/", "/lib")):
            return ""
        parts = [part for part in exe.split("/") if _PLAIN.fullmatch(part)]
        stem = parts[-1].rstrip("0123456789.-") if parts else ""
        for package in dict.fromkeys([*reversed(parts), *([stem] if stem else [])]):
            if self._owns(package, exe):
                return f"deb:{package}"
        return ""

    def _owns(self, package: str, exe: str) -> bool:
        wanted = {exe.encode(), exe.removeprefix("/usr").encode()}  # files moved into /usr keep their old names
        for name in (f"{package}.list", f"{package}:amd64.list", f"{package}:arm64.list"):
            try:
                with open(self._root / "var/lib/dpkg/info" / name, "rb") as file:
                    if not wanted.isdisjoint(file.read(MAX_LIST).split(b"\n")):
                        return True
            except OSError:
                continue
        return False

    def _programs(self) -> Iterator[tuple[bytes, str]]:
        """Build id → name of every packaged program; of several names of one file the shortest."""
        found: dict[bytes, str] = {}
        for folder in FOLDERS:
            try:
                names = sorted(os.listdir(self._root / folder), key=len)[:MAX_PROGRAMS]
            except OSError:
                continue
            for name in names:
                path = self._root / folder / name
                identity = build_id(str(path)) if not path.is_symlink() else None
                if identity is not None:
                    found.setdefault(identity, name)
        yield from found.items()


def _same(exe: str, image: str) -> bool:
    """A program of another file system (a container's) has this one's names, and is none of this one's."""
    try:
        return os.path.samefile(exe, image)
    except (OSError, ValueError):
        return False


def build_id(path: str) -> bytes | None:
    """The build id of an ELF file; None for any other file, or one without."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        return parse_build_id(os.read(descriptor, HEAD))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def parse_build_id(data: bytes) -> bytes | None:
    """The build id in the beginning of an ELF file of 64 bits, little-endian; None where it holds none."""
    if len(data) < 64 or not data.startswith(b"\x7fELF\x02\x01"):
        return None
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for at in range(start, min(start + size * count, len(data) - 56 + 1), max(size, 56)):
        kind, _, offset = struct.unpack_from("<IIQ", data, at)
        (length,) = struct.unpack_from("<Q", data, at + 32)
        if kind == NOTE and offset < len(data):
            note = data[offset : offset + min(length, HEAD)]
            place = note.find(BUILD_ID)
            if place >= 0 and len(note) >= place + 36:
                return note[place + 16 : place + 36]
    return None
