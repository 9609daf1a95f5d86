"""The last steps of a frozen app: slim, licences, signed list, archive; prints one line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import glibc
import notices
import slim

from client.about import VERSION

ROOT: Final = Path(__file__).resolve().parent.parent.parent
MIB: Final = 1 << 20
RELEASE: Final = "-19"
LEVEL: Final = os.environ.get("TRUESEAT_ZSTD", RELEASE)  # -3 while one tries things out: a minute instead of six
LIMITS: Final = {"client": (520, 170), "agent": (90, 30), "verifier": (30, 12)}  # MiB unpacked, compressed


def main() -> int:
    """0 when the bundle is within its limits."""
    options = _arguments()
    folder: Path = options.folder
    internal = folder / "_internal"
    if options.again:
        _sign(internal)
        return 0
    saved = slim.slim_windows(internal) if options.windows else slim.slim(internal)
    site, work = _made_of(options.windows)
    carried = notices.write(folder, options.app, site, work, VERSION)
    if options.app != "verifier":
        _sign(internal)
    _settle(folder)
    figures: dict[str, object] = {"name": f"freeze-{options.app}", "unpacked_mib": round(slim.size(folder) / MIB, 1)}
    if not options.windows:
        packed = _pack(folder)
        version, where = glibc.floor(folder)
        figures["packed_mib"] = round(packed.stat().st_size / MIB, 1)
        figures |= {"glibc": f"{version[0]}.{version[1]}", "asked_by": where}
    limit = LIMITS[options.app]
    figures |= {"limit_mib": list(limit), "packages": carried}
    figures |= {"saved_mib": {kind: round(count / MIB, 1) for kind, count in saved.items()}}
    print(json.dumps(figures))
    heavy = LEVEL == RELEASE and float(str(figures.get("packed_mib", 0))) > limit[1]
    over = heavy or slim.size(folder) > limit[0] * MIB
    return 1 if over else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", choices=tuple(LIMITS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--windows", action="store_true", help="a bundle for Windows: no archive")
    parser.add_argument("--again", action="store_true", help="the signed lists alone: programs were signed since")
    return parser.parse_args()


def _made_of(windows: bool) -> tuple[Path, Path]:
    """The packages that a bundle was frozen from, and PyInstaller's own notes."""
    if windows:
        return Path(os.environ["TRUESEAT_WINE"]) / "freeze", ROOT / ".work/pyinstaller-windows"
    return next((ROOT / ".work/freeze").glob("lib/python3*/site-packages")), ROOT / ".work/pyinstaller"


def _sign(internal: Path) -> None:
    """The list of our files, signed by the release key, or by a key that says by its name that it is none."""
    key, name = os.environ.get("TRUESEAT_RELEASE_KEY"), os.environ.get("TRUESEAT_RELEASE_NAME")
    command = [str(ROOT / ".venv/bin/python"), str(ROOT / "build/sign_installed.py"), str(internal.absolute())]
    if key and name:
        command += [key, name]
    else:
        command += [str(ROOT / ".work/development.pem"), "development.invalid/frozen", "--development"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _settle(folder: Path) -> None:
    """Times and rights that do not depend on when and by whom it was made."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600"))
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _pack(folder: Path) -> Path:
    """The folder as one .tar.zst, the same bytes for the same files."""
    out = folder.with_name(f"{folder.name}-linux-{os.uname().machine}.tar.zst")
    out.unlink(missing_ok=True)
    tar = ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]
    with subprocess.Popen([*tar, "-C", str(folder.parent), "-c", folder.name], stdout=subprocess.PIPE) as made:
        subprocess.run(["zstd", "-q", LEVEL, "--long=27", "-T2", "-o", str(out)], stdin=made.stdout, check=True)
    return out


if __name__ == "__main__":
    sys.exit(main())
