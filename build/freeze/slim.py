"""Takes out of a bundle what nobody runs: debugging symbols, copies, and two encoders that decoding never calls."""

from __future__ import annotations

import filecmp
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

# Libraries of av.libs that only encode. libavcodec names them, so something of their name has to be there.
ENCODERS: Final = ("libx265", "libSvtAv1Enc")
# Only what was built by compilers and never rewritten since: strip spoils libraries that auditwheel has patched.
STRIPPED: Final = (
    "libmediapipe.so", "libpython3*.so*", "lib-dynload/*.so", "*.abi3.so", "kivy/**/*.so", "yara_x/*.so", "orjson/*.so"
)  # fmt: skip
SPARED: Final = ("cv2/",)
MINGW: Final = "x86_64-w64-mingw32-"


def slim(internal: Path) -> dict[str, int]:
    """What was done to the libraries of a bundle for Linux: kind → bytes saved."""
    before = size(internal)
    for path in sorted(internal.glob("av.libs/*.so*")):
        if path.name.startswith(ENCODERS) and not path.is_symlink():
            hollow(path)
    hollowed = size(internal)
    for path in sorted({path for pattern in STRIPPED for path in internal.rglob(pattern)}):
        if path.is_file() and not path.is_symlink() and not path.relative_to(internal).as_posix().startswith(SPARED):
            subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
    return {"encoders": before - hollowed, "symbols": hollowed - size(internal)}


def slim_windows(internal: Path) -> dict[str, int]:
    """The same of a bundle for Windows, whose wheels' own libraries PyInstaller lays down twice."""
    before = size(internal)
    for path in sorted(internal.glob("*.libs/*.dll")):  # each package opens its own folder of them when it is imported
        copy = internal / path.name
        if copy.is_file() and filecmp.cmp(path, copy, shallow=False):
            copy.unlink()
    single = size(internal)
    for path in sorted(internal.glob("av.libs/*.dll")):
        if path.name.startswith(ENCODERS):
            hollow_windows(path)
    return {"copies": before - single, "encoders": single - size(internal)}


def hollow(library: Path) -> None:
    """Put a library of the same name and functions in its place; every function answers 0, nothing was encoded."""
    listed = subprocess.run(["nm", "-D", "--defined-only", str(library)], check=True, capture_output=True, text=True)
    names = sorted({line.split()[-1].split("@")[0] for line in listed.stdout.splitlines() if " T " in line})
    _compile(library, names, "cc", "-fPIC", "-Wl,--build-id=none", f"-Wl,-soname,{library.name}")


def hollow_windows(library: Path) -> None:
    """The same for a .dll: without a start of its own and without a time."""
    command = [f"{MINGW}objdump", "-p", str(library)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    table = told.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    names = sorted(re.findall(r"^\s*\[ *\d+\] (\w+)$", table, re.MULTILINE))
    _compile(library, names, f"{MINGW}gcc", "-nostdlib", "-Wl,-e,0", "-Wl,--no-insert-timestamp")


def _compile(library: Path, names: list[str], *compiler: str) -> None:
    """Write the library anew with functions of these names."""
    plain = [name for name in names if name.isidentifier() and not name.startswith("_")]
    if not plain:
        raise ValueError(f"{library.name} names no function")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "hollow.c")
        source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in plain), "ascii")
        command = [*compiler, "-shared", "-O1", "-s", "-fno-builtin", "-o", str(library), str(source)]
        subprocess.run(command, check=True)


def size(folder: Path) -> int:
    """Bytes of all files below, links not counted."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
