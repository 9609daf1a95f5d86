"""The oldest glibc that a bundle runs on: the highest version that any of its libraries asks for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_ASKED = re.compile(r"\(?GLIBC_(\d+)\.(\d+)")


def floor(folder: Path) -> tuple[tuple[int, int], str]:
    """The version, and one library that asks for it."""
    found: tuple[tuple[int, int], str] = ((0, 0), "")
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or not _is_elf(path):
            continue
        told = subprocess.run(["objdump", "-T", str(path)], capture_output=True, text=True, check=False).stdout
        asked = max(((int(a), int(b)) for a, b in _ASKED.findall(told)), default=(0, 0))
        if asked > found[0]:
            found = asked, path.relative_to(folder).as_posix()
    return found


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


if __name__ == "__main__":
    version, where = floor(Path(sys.argv[1]))
    print(f"glibc {version[0]}.{version[1]} ({where})")
