"""Takes out of a bundle what nobody runs: debugging symbols, and two encoders that decoding never calls."""

from __future__ import annotations

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


def slim(internal: Path) -> dict[str, int]:
    """What was done to the libraries under `internal`: kind → bytes saved."""
    before = size(internal)
    for path in sorted(internal.glob("av.libs/*.so*")):
        if path.name.startswith(ENCODERS) and not path.is_symlink():
            hollow(path)
    hollowed = size(internal)
    for path in sorted({path for pattern in STRIPPED for path in internal.rglob(pattern)}):
        if path.is_file() and not path.is_symlink() and not path.relative_to(internal).as_posix().startswith(SPARED):
            subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
    return {"encoders": before - hollowed, "symbols": hollowed - size(internal)}


def hollow(library: Path) -> None:
    """Put a library of the same name and functions in its place; every function answers 0, nothing was encoded."""
    listed = subprocess.run(["nm", "-D", "--defined-only", str(library)], check=True, capture_output=True, text=True)
    names = sorted({line.split()[-1].split("@")[0] for line in listed.stdout.splitlines() if " T " in line})
    plain = [name for name in names if name.isidentifier() and not name.startswith("_")]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "hollow.c")
        source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in plain), "ascii")
        named = ["-Wl,--build-id=none", f"-Wl,-soname,{library.name}"]
        command = ["cc", "-shared", "-fPIC", "-O1", "-s", "-fno-builtin", *named, "-o", str(library), str(source)]
        subprocess.run(command, check=True)


def size(folder: Path) -> int:
    """Bytes of all files below, links not counted."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
