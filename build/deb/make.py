"""Makes a .deb of a frozen app: `make.py client|verifier [VERSION]`. Needs dpkg-deb and binutils, and no root."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "freeze"))

import glibc
import needs

from client.about import VERSION

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent.parent
DIST: Final = Path(os.environ.get("TRUESEAT_DIST", ROOT / "dist"))
NAMES: Final = {"client": "trueseat", "verifier": "trueseat-verifier"}
PROGRAMS: Final = {"client": ("trueseat", "trueseat-agent"), "verifier": ("trueseat-verify",)}
SAYS: Final = {
    "client": (
        "proctored learning client",
        "Study a course; records are signed on this computer and anyone can verify them\n"
        " offline. Brings the agent that looks for automation while a session is open.",
    ),
    "verifier": (
        "offline verifier of class archives",
        "Says what a class archive proves, as a page for people or as JSON. Asks nobody\n and changes nothing.",
    ),
}
CONTROL: Final = """Package: {name}
Version: {version}
Architecture: amd64
Maintainer: The TrueSeat authors <source@trueseat.example>
Installed-Size: {size}
Depends: {depends}
Section: education
Priority: optional
Homepage: https://trueseat.example
Description: {short}
 {long}
"""


def main() -> int:
    """Assemble, build, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", choices=tuple(NAMES))
    parser.add_argument("version", nargs="?", default=VERSION)
    options = parser.parse_args()
    made = make(options.app, options.version)
    control = subprocess.run(
        ["dpkg-deb", "-f", str(made), "Depends"], check=True, capture_output=True, text=True
    ).stdout
    figures = {"name": f"deb-{options.app}", "file": made.name, "mib": round(made.stat().st_size / (1 << 20), 1)}
    print(json.dumps(figures | {"depends": control.strip()}))
    return 0


def make(app: str, version: str) -> Path:
    """The package of `app`, beside the bundle that it is made of."""
    name = NAMES[app]
    bundle = DIST / name
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(int(bundle.stat().st_mtime)))  # dpkg-deb's own times, too
    tree = ROOT / ".work" / "deb" / name
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(bundle, tree / "opt" / name, symlinks=True)
    _desktop(tree, app)
    _documents(tree, app, version)
    _control(tree, app, version)
    _settle(tree)
    out = DIST / f"{name}_{version}_amd64.deb"
    pack = ["dpkg-deb", "--root-owner-group", "--build", "-Zxz", f"-z{os.environ.get('TRUESEAT_XZ', '6')}"]
    subprocess.run([*pack, str(tree), str(out)], check=True, stdout=subprocess.DEVNULL)
    return out


def _desktop(tree: Path, app: str) -> None:
    """Programs on the path, entry of the menu, icon, kinds of files."""
    name = NAMES[app]
    bin_, share = tree / "usr/bin", tree / "usr/share"
    bin_.mkdir(parents=True)
    for program in PROGRAMS[app]:
        (bin_ / program).symlink_to(f"/opt/{name}/{program}")
    _put(HERE / f"{name}.desktop", share / "applications" / f"{name}.desktop")
    if app == "client":
        for source, folder in (("svg", "scalable"), ("png", "256x256")):
            _put(ROOT / f"build/freeze/trueseat.{source}", share / f"icons/hicolor/{folder}/apps/trueseat.{source}")
    else:
        _put(ROOT / "build/freeze/trueseat.svg", share / "icons/hicolor/scalable/apps/trueseat-verifier.svg")
        _put(HERE / "trueseat-verifier.xml", share / "mime/packages/trueseat-verifier.xml")


def _documents(tree: Path, app: str, version: str) -> None:
    """Licences where Debian looks for them, and a changelog."""
    name = NAMES[app]
    folder = tree / "usr/share/doc" / name
    parts = [tree / "opt" / name / part for part in ("NOTICE", "SOURCE-OFFER.txt", "licences/packages.txt", "LICENSE")]
    folder.mkdir(parents=True)
    (folder / "copyright").write_text("\n\n".join(part.read_text("utf-8") for part in parts if part.is_file()), "utf-8")
    log = f"{name} ({version}) stable; urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n"
    log += " -- The TrueSeat authors <source@trueseat.example>  Thu, 01 Jan 2026 00:00:00 +0000\n"
    with gzip.GzipFile(folder / "changelog.gz", "wb", 9, mtime=0) as file:
        file.write(log.encode())


def _control(tree: Path, app: str, version: str) -> None:
    """What dpkg reads."""
    name = NAMES[app]
    folder = tree / "DEBIAN"
    folder.mkdir()
    depends = needs.packages(tree / "opt" / name, app, glibc.floor(tree / "opt" / name)[0])
    size = sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
    short, long = SAYS[app]
    fields = {
        "name": name,
        "version": version,
        "size": size,
        "depends": ", ".join(depends),
        "short": short,
        "long": long,
    }
    (folder / "control").write_text(CONTROL.format(**fields), "utf-8")
    for script in sorted(HERE.glob(f"{name}.p*rm")):
        _put(script, folder / script.suffix[1:], 0o755)


def _put(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _settle(tree: Path) -> None:
    """No file's time or right depends on who made it."""
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main())
