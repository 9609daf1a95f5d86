"""What a frozen app is made of: our rooms file by file, as they lie in a checkout, beside what PyInstaller finds.

Our own code is not packed into the executable: it lies as `.pyc` under `_internal/`, so that the signed list of
installed files (agent/manifest.py) covers it and an update of our code alone is small. Every data file of a room is
carried: no list has to be kept. Imported by the specs and by the tests: the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
ROOMS: Final = {"client": ("client", "agent", "ledger"), "agent": ("agent", "ledger"), "verifier": ("ledger",)}
PROGRAMS: Final = {  # app → program → (its script in apps/, whether it has a console on Windows)
    "client": {"trueseat": ("client", False), "trueseat-cli": ("client", True), "trueseat-agent": ("agent", True)},
    "agent": {"trueseat-agent": ("agent", True)},
    "verifier": {"trueseat-verify": ("verify", True), "trueseat-report": ("verify", False)},
}
TWINS: Final = ("trueseat-cli", "trueseat-report")  # where no console has to be hidden or shown, one program is enough
FONT: Final = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
NEVER: Final = (
    "tkinter", "_tkinter", "matplotlib", "sounddevice", "_sounddevice", "IPython", "pytest", "docutils", "pygments",
    "setuptools", "pip", "unittest", "pydoc", "lib2to3", "test", "PIL.ImageTk", "PIL._imagingtk",
    "PIL.ImageQt", "PIL._avif", "ray", "rfc3161_client", "pkcs11", "Pythonwin", "kivy.tests", "twisted", "readline",
)  # fmt: skip
# Every desktop has these, and its OpenGL driver needs its own: an older libstdc++ of ours would keep it from loading.
SYSTEMS: Final = (
    "libstdc++.",
    "libgcc_s.",
    "libX11.so",
    "libXau.so",
    "libXdmcp.so",
    "libbsd.so",
    "libmd.so",
    "libmtdev.",
)
SIGNED: Final = ("agent/installed.note", "agent/release.vkey", "agent/bundle.list")  # the bundle gets new ones


def modules(rooms: tuple[str, ...], root: Path = ROOT) -> Iterator[str]:
    """Every module of `rooms`, by its dotted name: what a rule or a composition root loads by name is among them."""
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def data(rooms: tuple[str, ...], root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Every file of `rooms` that is no code, and the folder under `_internal/` where it comes to lie."""
    for room in rooms:
        for path in sorted((root / room).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and path.suffix not in (".py", ".pyc") and name not in SIGNED:
                yield str(path), path.parent.relative_to(root).as_posix()


def models(folder: Path, root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """The models that the manifest names, from `folder`; FileNotFoundError for a required one that is not there."""
    import sys

    sys.path.insert(0, str(root))
    from client import manifest

    for asset in manifest.load().assets:
        path = folder / asset.file
        if path.is_file():
            manifest.verified(asset, path.read_bytes())
            yield str(path), "client/proctor/bundled"
        elif asset.required:
            raise FileNotFoundError(f"{path}: run `python -m client models fetch --developer` first")


def programs(app: str, windows: bool) -> dict[str, tuple[str, bool]]:
    """The programs of `app` on Windows, or elsewhere."""
    return {name: how for name, how in PROGRAMS[app].items() if windows or name not in TWINS}
