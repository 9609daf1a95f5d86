"""Setup and MSI installed, repaired, upgraded and removed under Wine. Left out in `make test`; `make test-install`."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.about import VERSION
from ledger import trust
from ledger.archive import open_source
from ledger.verify import Options, verify
from tests.client.world import World
from tests.desktop import x_server
from tests.install.chroot import ROOT
from tests.install.wine import Wine, why_not, windows

pytestmark = pytest.mark.slow
UNINSTALL = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall"
SETTINGS = r"HKLM\Software\TrueSeat"
OLD = "0.0.9"
# What `msiexec /f` stands for. Wine 8's msiexec has no /f: 1605 for a file, "not implemented yet" for a product code.
REPAIR = ("REINSTALL=ALL", "REINSTALLMODE=amus")


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    if reason := why_not():
        pytest.skip(f"left out: {reason}")
    made = Wine(tmp_path_factory.mktemp("wine") / "prefix")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """A Windows whose programs have windows."""
    missing = [name for name in ("xvfb-run", "Xvfb", "openbox") if shutil.which(name) is None]
    if reason := why_not() or " ".join(missing):
        pytest.skip(f"left out: {reason}")
    made = Wine(tmp_path_factory.mktemp("desk") / "prefix", shown=True)
    try:
        yield made
    finally:
        made.close()


def installer(dist: Path, name: str, version: str, kind: str) -> Path:
    """setup.exe or .msi, made now if it is not there; another version is the same files under another number."""
    path = dist / "windows" / f"{name}-{version}{'-setup.exe' if kind == 'exe' else '.msi'}"
    if not path.is_file():
        if not (dist / "windows" / name / "_internal").is_dir():
            pytest.skip("left out: make windows first")
        env = {**os.environ, "TRUESEAT_DIST": str(dist), "TRUESEAT_VERSION": version}
        env |= {"TRUESEAT_NSIS": "-XSetCompressor /FINAL zlib"} if version != VERSION else {}
        app = {"trueseat": "client", "trueseat-agent": "agent", "trueseat-verifier": "verifier"}[name]
        subprocess.run([str(ROOT / "build/windows.sh"), app], check=True, env=env, capture_output=True)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A class archive and its trust file, as the server writes them."""
    folder = tmp_path_factory.mktemp("class")
    world = World(folder)
    try:
        pc = world.machine()
        study = pc.study()
        pc.run(study, 20_000)
        pc.finish(study)
        pc.send_all()
        return world.export(folder / "archive"), world.trust_file()
    finally:
        world.close()


def test_the_frozen_verifier_verifies_and_writes_its_page(
    wine: Wine, dist: Path, archive: tuple[Path, Path], tmp_path: Path
) -> None:
    """The .exe says what the source says; the one without a console writes the page for people."""
    folder = dist / "windows" / "trueseat-verifier"
    if not folder.is_dir():
        pytest.skip("left out: make windows first")
    source, trust = map(windows, archive)
    told = wine.run(folder / "trueseat-verify.exe", "verify", source, "--trust", trust, "--json")
    assert json.loads(told.stdout)["refused"] is False
    page = tmp_path / "report.html"
    wine.run(
        folder / "trueseat-report.exe",
        "--keep",
        "--lang",
        "zh",
        "--out",
        windows(page),
        source,
        _named(archive[1], tmp_path),
    )
    assert "核验通过" in page.read_text("utf-8")


def test_a_double_click_asks_for_the_archive(desk: Wine, dist: Path, tmp_path: Path) -> None:
    """Nothing was dropped on it: Windows' own dialogue opens, archive and trust file are chosen, the page comes."""
    program = dist / "windows" / "trueseat-verifier" / "trueseat-report.exe"
    if not program.is_file():
        pytest.skip("left out: make windows first")
    for name in ("archive.zip", "archive.trust"):
        shutil.copy(ROOT / "tests/vectors/valid" / name, tmp_path)
    run = desk.script(program, tmp_path / "report")
    with x_server("xdotool", home=tmp_path) as display:
        env = {**os.environ, "DISPLAY": display}
        command = [run, "--keep", "--out", windows(tmp_path / "report.html")]
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        tell = (
            "xdotool",
            "search",
            "--sync",
            "--onlyvisible",
            "--name",
            "Verify a class archive",
            "windowfocus",
            "--sync",
        )
        for words in (windows(tmp_path), '"archive.zip" "archive.trust"'):
            subprocess.run([*tell, "type", "--delay", "20", words], env=env, check=True, timeout=240)
            subprocess.run(["xdotool", "key", "Return"], env=env, check=True)
        process.communicate(timeout=240)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Verified: nothing was changed" in page, page[page.index("<h1") :][:2000]


def _named(trust: Path, folder: Path) -> str:
    return windows(Path(shutil.copy(trust, folder / "class.trust")))


def test_setup_installs_repairs_upgrades_and_leaves_nothing(wine: Wine, dist: Path) -> None:
    """Silently, into the folder that is named; a spoilt file comes back; records of a learner are never touched."""
    name, folder = "trueseat-agent", wine.drive / "Apps" / "Agent"
    learner = wine.drive / "users" / "li" / "AppData" / "Local" / "trueseat" / "learners" / ("a" * 32)
    learner.mkdir(parents=True)
    (learner / "outbox.db").write_bytes(b"not sent yet")
    parameters = ("/S", "/SERVERURL=https://train.example", "/ENROLTOKEN=token-0001", "/LANG=en")
    wine.run(installer(dist, name, OLD, "exe"), *parameters, r"/D=C:\Apps\Agent")
    assert wine.registry(rf"{UNINSTALL}\{name}", "DisplayVersion") == OLD
    assert wine.registry(SETTINGS, "server") == "https://train.example"
    assert wine.registry(SETTINGS, "language") == "en"
    (folder / "_internal" / "left-by-the-old-version.pyc").write_bytes(b"")
    spoilt = folder / "_internal" / "agent" / "rules" / "macros.toml"
    whole = spoilt.read_bytes()
    spoilt.write_bytes(whole + b"\n# changed\n")
    assert wine.run(folder / f"{name}.exe", "files", "check", check=False).returncode == 1
    wine.run(installer(dist, name, VERSION, "exe"), "/S")
    assert wine.registry(rf"{UNINSTALL}\{name}", "DisplayVersion") == VERSION, "where the older one lies, unasked"
    assert wine.registry(SETTINGS, "server") == "https://train.example", "an upgrade keeps what was set"
    assert spoilt.read_bytes() == whole
    assert not (folder / "_internal" / "left-by-the-old-version.pyc").exists()
    assert wine.run(folder / f"{name}.exe", "files", "check").stdout.startswith("as signed")
    scan = wine.run(folder / f"{name}.exe", "scan", "--once", "--json", check=False)
    assert json.loads(scan.stdout)["rules"]
    said = wine.run(folder / "uninstall.exe", "/S", r"_?=C:\Apps\Agent").stdout
    wine.settle()
    assert r"users\li\AppData\Local\trueseat" in said
    assert (learner / "outbox.db").read_bytes() == b"not sent yet"
    assert not wine.has_key(rf"{UNINSTALL}\{name}")
    assert not wine.has_key(SETTINGS)
    assert [path.name for path in folder.rglob("*")] in ([], ["uninstall.exe"]), "_? keeps the running uninstaller"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a few bytes: what an installer does with folders needs no real program."""
    made = tmp_path_factory.mktemp("dist")
    for name, program in (("trueseat", "trueseat.exe"), ("trueseat-agent", "trueseat-agent.exe")):
        inner = made / "windows" / name / "_internal"
        inner.mkdir(parents=True)
        (inner / "ours.pyc").write_bytes(b"ours")
        (inner.parent / program).write_bytes(b"MZ")
        (inner.parent / "NOTICE").write_bytes(b"notice")
    return made


def test_a_folder_of_others_is_left_as_it_is(wine: Wine, small: Path) -> None:
    """Setup pointed at a folder that holds something else makes one of its own there, and takes that alone away."""
    tools = wine.drive / "Tools"
    others = {tools / name: name.encode() for name in ("other.exe", "notes.txt", "_internal/other.dll", "NOTICE")}
    for path, data in others.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    client, agent = (installer(small, name, OLD, "exe") for name in ("trueseat", "trueseat-agent"))
    for setup in (client, agent, client):  # the last one repairs
        wine.run(setup, "/S", r"/D=C:\Tools")
    assert wine.registry(rf"{UNINSTALL}\trueseat", "InstallLocation") == r"C:\Tools\trueseat"
    (tools / "trueseat" / "trueseat.exe").unlink()  # as a scanner takes it away
    wine.run(client, "/S")
    assert (tools / "trueseat" / "trueseat.exe").is_file()
    assert not (tools / "trueseat" / "trueseat").exists()
    for name in ("trueseat", "trueseat-agent"):
        wine.run(tools / name / "uninstall.exe", "/S")
        wine.settle()
        assert not (tools / name).exists()
    assert {path: path.read_bytes() for path in tools.rglob("*") if path.is_file()} == others


def test_a_running_program_is_neither_replaced_nor_removed(wine: Wine, dist: Path) -> None:
    """Exit code 1618: fleet tools try again later."""
    name, folder = "trueseat-agent", wine.drive / "Apps" / "Busy"
    setup = installer(dist, name, VERSION, "exe")
    wine.run(setup, "/S", r"/D=C:\Apps\Busy")
    running = wine.start(folder / f"{name}.exe", "watch")
    try:
        again = wine.run(setup, "/S", check=False)
        assert again.returncode == 1618 & 0xFF, again.returncode  # Unix keeps the last eight bits
        assert (folder / f"{name}.exe").is_file()
    finally:
        running.communicate(timeout=120)  # its pipe closes, and it ends; `wine` itself is only a script around it
    wine.settle()
    wine.run(folder / "uninstall.exe", "/S")
    wine.settle()
    assert not folder.exists()


def test_the_msi_installs_with_properties_repairs_upgrades_and_goes(wine: Wine, dist: Path) -> None:
    """As device management does it: properties become settings that last; the removal leaves nothing."""
    name = "trueseat-verifier"
    folder = wine.drive / "Program Files" / "TrueSeat Verifier"
    old, new = installer(dist, name, OLD, "msi"), installer(dist, name, VERSION, "msi")
    properties = ("SERVERURL=https://train.example", "ENROLTOKEN=token-0001")
    wine.run("msiexec", "/i", windows(old), "/qn", *properties)
    (listed,) = _listed(wine, "TrueSeat Verifier")
    assert listed["DisplayVersion"] == OLD
    assert "学习记录" in listed["Comments"], "where records stay, in both languages"
    assert wine.registry(SETTINGS, "server") == "https://train.example"
    assert wine.registry(SETTINGS, "token") == "token-0001"
    assert wine.registry(SETTINGS, "language") is None, "what was not given is not set"
    lost, spoilt = (folder / "_internal" / "ledger" / "page" / file for file in ("page.css", "zh.toml"))
    lost.unlink()
    whole = spoilt.read_bytes()
    spoilt.write_bytes(b"changed")
    wine.run("msiexec", "/i", windows(old), "/qn", *REPAIR)
    assert lost.is_file()
    assert spoilt.read_bytes() == whole
    assert wine.registry(SETTINGS, "server") == "https://train.example", "a repair keeps what was set"
    wine.run("msiexec", "/i", windows(new), "/qn", "LANG=zh")
    (listed,) = _listed(wine, "TrueSeat Verifier")
    assert listed["DisplayVersion"] == VERSION, "the older one is gone"
    assert wine.run(folder / "trueseat-verify.exe", "schema").stdout.startswith("{")
    assert wine.registry(SETTINGS, "server") == "https://train.example", "an upgrade keeps what was set"
    assert wine.registry(SETTINGS, "language") == "zh"
    refused = wine.run("msiexec", "/i", windows(old), "/qn", check=False)
    assert refused.returncode == 1603 & 0xFF, "an older one is refused"
    wine.run("msiexec", "/x", windows(new), "/qn")
    assert not folder.exists()
    assert _listed(wine, "TrueSeat Verifier") == []
    assert not wine.has_key(SETTINGS)


def test_attack_a_repair_by_a_learner_sets_no_setting(wine: Wine, small: Path) -> None:
    """Whoever may repair, and everybody may, points nobody to another server: not over what was set, nor where nothing
    was."""
    package = windows(installer(small, "trueseat", OLD, "msi"))
    wine.run("msiexec", "/i", package, "/qn", "SERVERURL=https://train.example")
    wine.run("msiexec", "/i", package, "/qn", *REPAIR, "SERVERURL=https://evil.example", "ENROLTOKEN=evil-token")
    assert wine.registry(SETTINGS, "server") == "https://train.example"
    assert wine.registry(SETTINGS, "token") is None
    wine.run("msiexec", "/x", package, "/qn")
    assert not wine.has_key(SETTINGS)


def test_settings_stay_until_the_last_msi_goes(wine: Wine, dist: Path) -> None:
    """The verifier's removal takes nothing from the agent that stays."""
    agent, verifier = (installer(dist, f"trueseat-{app}", VERSION, "msi") for app in ("agent", "verifier"))
    wine.run("msiexec", "/i", windows(agent), "/qn", "SERVERURL=https://train.example")
    wine.run("msiexec", "/i", windows(verifier), "/qn")
    wine.run("msiexec", "/x", windows(verifier), "/qn")
    assert wine.registry(SETTINGS, "server") == "https://train.example"
    program = wine.drive / "Program Files" / "TrueSeat Agent" / "trueseat-agent.exe"
    assert wine.run(program, "files", "check").stdout.startswith("as signed")
    wine.run("msiexec", "/x", windows(agent), "/qn")
    assert not program.parent.exists()
    assert not wine.has_key(SETTINGS)


def _put_on(wine: Wine, package: Path, *properties: str, into: str = "") -> None:
    """Silently, by whichever of the two it is."""
    if package.suffix == ".msi":
        wine.run("msiexec", "/i", windows(package), "/qn", *properties)
    else:
        wine.run(package, "/S", *(f"/{each}" for each in properties), *([rf"/D={into}"] if into else []))


@pytest.mark.parametrize("kind", ["exe", "msi"])
def test_the_client_is_repaired_and_upgraded_and_keeps_an_unsent_session(
    wine: Wine, dist: Path, tmp_path: Path, kind: str
) -> None:
    """What a learner studied under the old version is exported by the new one, and verifies; removal leaves it."""
    name, folder = "trueseat", wine.drive / ("Apps/Client" if kind == "exe" else "Program Files/TrueSeat")
    records = wine.drive / "users" / f"li-{kind}" / "AppData" / "Local" / "trueseat"
    world = World(tmp_path)
    try:
        pc = world.machine()
        pc.run(pc.study(), 30_000)
        (kept,) = pc.outbox.sessions()
        pc.outbox.close()
        shutil.copytree(pc.folder, records)
    finally:
        world.close()
    before = _hashes(records)
    _put_on(
        wine, installer(dist, name, OLD, kind), "SERVERURL=https://train.example", "LANG=en", into=r"C:\Apps\Client"
    )
    client = folder / "trueseat-cli.exe"
    shown = wine.run(client, "config", "show", "--sources").stdout
    assert re.search(r"^server = https://train\.example +# HKLM\\SOFTWARE\\TrueSeat", shown, re.MULTILINE), shown
    lost = folder / "_internal" / "client" / "fit.pyc"
    lost.unlink()
    _put_on(wine, installer(dist, name, OLD, kind), *(REPAIR if kind == "msi" else ()))
    assert lost.is_file()
    _put_on(wine, installer(dist, name, VERSION, kind))
    assert _hashes(records) == before, "an installation writes nothing into a learner's folder"
    assert [each["DisplayVersion"] for each in _listed(wine, "TrueSeat")] == [VERSION]
    told = json.loads(wine.run(client, "doctor", "--json", "--no-camera", "--data", r"C:\fresh", check=False).stdout)
    levels = {item["what"]: item["level"] for item in told["checks"]}
    assert {levels[what] for what in ("python", "libraries", "machine", "disk", "models", "files")} == {"ok"}, levels
    out = wine.drive / f"mine-{kind}"
    wine.run(client, "export", windows(out), "--data", windows(records))
    assert [path.name for path in out.iterdir()] == [kept.sid]
    (tmp_path / "none.trust").write_text("quorum none\n")
    report = verify(
        open_source(out / kept.sid), trust.parse((tmp_path / "none.trust").read_bytes()), Options(partial=True)
    )
    assert not report.refused
    if kind == "exe":
        said = wine.run(folder / "uninstall.exe", "/S", r"_?=C:\Apps\Client").stdout
        assert rf"users\li-{kind}\AppData\Local\trueseat" in said
    else:
        wine.run("msiexec", "/x", windows(installer(dist, name, VERSION, kind)), "/qn")
    wine.settle()
    assert _listed(wine, "TrueSeat") == []
    assert [path.name for path in folder.rglob("*")] in ([], ["uninstall.exe"])
    assert (records / "learners").is_dir(), "records are their learner's"


def test_the_installed_client_passes_the_demo(desk: Wine, dist: Path, tmp_path: Path) -> None:
    """The whole lesson by the Windows client: sign-in, face, checks by MediaPipe, agent, sealed photos; it verifies."""
    desk.run(installer(dist, "trueseat", VERSION, "exe"), "/S", r"/D=C:\Apps\Client")
    program = desk.script(desk.drive / "Apps/Client/trueseat-cli.exe", tmp_path / "trueseat")
    command = [sys.executable, str(ROOT / "build/demo.py"), "--headless", "--client", str(program)]
    env = {**os.environ, "TRUESEAT_DEMO_DATA": str(tmp_path / "demo")}
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Nothing refused. Credited in all: 1 min 0.0 s (60000 ms)." in done.stdout
    assert "vm.sign-wine" in done.stdout, "the agent of the bundle looked, and saw where it is"


def _hashes(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def _listed(wine: Wine, title: str) -> list[dict[str, str]]:
    """The text values of a program in the list of installed programs, once for each version that is there."""
    told = wine.drive / "listed.reg"
    wine.run("reg", "export", UNINSTALL, windows(told), "/y", "/reg:64")
    keys = told.read_text("utf-16").split("\n[")
    found = [dict(re.findall(r'^"(\w+)"="(.*)"$', key, re.MULTILINE)) for key in keys]
    return [values for values in found if values.get("DisplayName") == title]
