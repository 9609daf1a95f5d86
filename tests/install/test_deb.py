"""The Debian packages, installed for real into a clean system: one story, in the order of the file.

Left out in `make test`; `make test-install` runs it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.about import VERSION
from tests.client.world import World
from tests.install.chroot import ROOT, Chroot

pytestmark = pytest.mark.slow
OLD = "0.0.9"
HOME = "home/li"


def package(dist: Path, app: str, version: str = VERSION) -> Path:
    """The package of `app`, made now if it is not there; an older version is the same files under an older number."""
    name = {"client": "trueseat", "verifier": "trueseat-verifier"}[app]
    path = dist / f"{name}_{version}_amd64.deb"
    if not path.is_file():
        if not (dist / name / "_internal").is_dir():
            pytest.skip("left out: make freeze first")
        env = {**os.environ, "TRUESEAT_DIST": str(dist), "TRUESEAT_XZ": "0"}
        subprocess.run([sys.executable, str(ROOT / "build/deb/make.py"), app, version], check=True, env=env)
    return path


def test_the_verifier_installs_silently_and_verifies(chroot: Chroot, dist: Path, tmp_path: Path) -> None:
    """Two packages of Debian and ours: a class archive is verified, and its page written, in a bare system."""
    world = World(tmp_path)
    try:
        pc = world.machine()
        study = pc.study()
        pc.run(study, 30_000)
        pc.finish(study)
        pc.send_all()
        archive = world.export(tmp_path / "archive")
        trust = world.trust_file()
    finally:
        world.close()
    chroot.install(package(dist, "verifier"))
    shutil.copytree(archive, chroot.root / "root/class")
    shutil.copy(trust, chroot.root / "root/class.trust")
    done = chroot.run("trueseat-verify", "verify", "/root/class", "--trust", "/root/class.trust", "--json")
    assert json.loads(done.stdout)["refused"] is False
    page = ("trueseat-verify", "report", "--keep", "--out", "/root/report.html", "/root/class")
    assert chroot.run(*page, check=False, LANG="zh_CN.UTF-8").returncode == 2, "no trust file: nothing verified"
    assert "信任文件" in (chroot.root / "root/report.html").read_text("utf-8")
    chroot.run(*page, "/root/class.trust", LANG="zh_CN.UTF-8")
    assert "核验通过" in (chroot.root / "root/report.html").read_text("utf-8")
    chroot.run(*page, "/root/class.trust")
    assert '<html lang="en">' in (chroot.root / "root/report.html").read_text("utf-8")


def test_an_unpacked_archive_runs_where_it_lies(chroot: Chroot, dist: Path) -> None:
    """No installation: the .tar.zst in any folder of a bare system, its agent as signed."""
    archive = dist / "trueseat-agent-linux-x86_64.tar.zst"
    if not archive.is_file():
        pytest.skip("left out: make freeze first")
    place = chroot.root / "srv"
    subprocess.run(f"zstd -dc --long=27 {archive} | tar -C {place} -x", shell=True, check=True)
    assert chroot.run("/srv/trueseat-agent/trueseat-agent", "files", "check").stdout.startswith("as signed")
    scan = chroot.run("/srv/trueseat-agent/trueseat-agent", "scan", "--once", "--json", check=False)
    assert json.loads(scan.stdout)["rules"]
    shutil.rmtree(place / "trueseat-agent")


def test_the_client_installs_with_what_it_depends_on(chroot: Chroot, dist: Path) -> None:
    """Silently; then doctor, agent and models answer without a display, and nothing is missing by name."""
    chroot.run("useradd", "--create-home", "li")
    before = chroot.files()
    chroot.install(package(dist, "client", OLD))
    assert any(path.endswith("applications/trueseat.desktop") for path in chroot.files() - before)
    done = chroot.run("trueseat", "doctor", "--json", "--no-camera", check=False)
    told = {item["what"]: item for item in json.loads(done.stdout)["checks"]}
    for what in ("python", "libraries", "machine", "disk", "models", "agent", "files"):
        assert told[what]["level"] == "ok", told[what]
    scan = json.loads(chroot.run("trueseat-agent", "scan", "--once", "--json", check=False).stdout)
    assert scan["rules"]
    assert chroot.run("trueseat-agent", "files", "check").stdout.startswith("as signed")
    assert "ok" in chroot.run("trueseat", "models", "verify").stdout
    assert chroot.run("trueseat", "--help").stdout.startswith("usage: trueseat ")
    assert not _unresolved(chroot)


def _unresolved(chroot: Chroot) -> list[str]:
    """Libraries of the bundle that the dynamic linker of the clean system does not find."""
    script = (
        "find /opt/trueseat -name '*.so*' -type f -o -path /opt/trueseat/trueseat -type f | while read -r file; do "
        'LD_LIBRARY_PATH=/opt/trueseat/_internal ldd "$file" 2>/dev/null | grep \'not found\' | sed "s#^#$file #"; done'
    )
    return chroot.run("sh", "-c", script, check=False).stdout.splitlines()


def test_the_installed_client_passes_the_demo(chroot: Chroot, tmp_path: Path) -> None:
    """A lesson from sign-in to result with the package's files, against the server from source, on a bare system."""
    if shutil.which("Xvfb") is None or shutil.which("openbox") is None:
        pytest.skip("left out: needs Xvfb and openbox")
    data = Path("/var/tmp") / f"trueseat-demo-{os.getpid()}"
    data.mkdir(mode=0o700)
    chroot.mount(data, str(data).lstrip("/"))
    Path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
    chroot.mount(Path("/tmp/.X11-unix"), "tmp/.X11-unix")
    program = tmp_path / "trueseat"
    inside = 'env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 DISPLAY="$DISPLAY"'
    # with processes of its own: a browser that another test drives on this machine would pause the lesson, rightly
    own = f"mount -t proc proc {chroot.root}/proc"
    program.write_text(f'#!/bin/sh\n{own} && exec chroot {chroot.root} {inside} /usr/bin/trueseat "$@"\n')
    program.chmod(0o755)
    env = {**os.environ, "TRUESEAT_DEMO_DATA": str(data / "demo")}
    apart = ("unshare", "--pid", "--fork", "--mount", "--mount-proc")
    command = [*apart, sys.executable, str(ROOT / "build/demo.py"), "--headless", "--client", str(program)]
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True, cwd=ROOT)
    chroot.unmount(2)
    shutil.rmtree(data)
    (chroot.root / str(data).lstrip("/")).rmdir()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Nothing refused" in done.stdout


def test_an_upgrade_keeps_an_unsent_session(chroot: Chroot, dist: Path, tmp_path: Path) -> None:
    """Records made under the old version are exported by the new one, and verify."""
    world = World(tmp_path)
    try:
        pc = world.machine()
        pc.run(pc.study(), 30_000)
        (kept,) = pc.outbox.sessions()
        pc.outbox.close()
        shutil.copytree(pc.folder, chroot.root / HOME / ".local/share/trueseat")
    finally:
        world.close()
    before = _hashes(chroot.root / HOME / ".local")
    done = chroot.install(package(dist, "client"))
    assert f"trueseat ({VERSION}) over ({OLD})" in done.stdout
    assert _hashes(chroot.root / HOME / ".local") == before, "an installation writes nothing into a learner's folder"
    chroot.run("chown", "-R", "li:li", "/home/li")
    chroot.run("su", "li", "-c", "trueseat export /home/li/mine --data /home/li/.local/share/trueseat")
    exported = sorted(path for path in (chroot.root / HOME / "mine").iterdir())
    assert [path.name for path in exported] == [kept.sid]
    (chroot.root / "root/none.trust").write_text("quorum none\n")
    inside = "/" + str(exported[0].relative_to(chroot.root))
    done = chroot.run("trueseat-verify", "verify", inside, "--partial", "--trust", "/root/none.trust")
    assert "Nothing refused" in done.stdout


def _hashes(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_running_client_is_neither_replaced_nor_removed(chroot: Chroot, dist: Path) -> None:
    """A session is not cut off by an administrator's Tuesday: the package stays, and says why."""
    running = subprocess.Popen(
        ["chroot", str(chroot.root), "/opt/trueseat/trueseat-agent", "watch"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        done = chroot.run("apt-get", "remove", "-y", "trueseat", check=False)
        assert done.returncode != 0
        assert "TrueSeat is running" in done.stdout + done.stderr
    finally:
        running.kill()
        running.wait(60)
    assert chroot.run("dpkg-query", "-W", "-f", "${Status}", "trueseat").stdout == "install ok installed"
    assert chroot.run("trueseat", "--version").stdout.strip() == f"trueseat {VERSION}"


def test_purge_leaves_nothing_but_says_where_records_are(chroot: Chroot) -> None:
    """Not a file of ours is left outside the learner's folder, which is named."""
    done = chroot.run("apt-get", "purge", "-y", "trueseat", "trueseat-verifier")
    assert re.search(r"/home/li/\.local/share/trueseat", done.stdout)
    left = {path for path in chroot.files() if not path.startswith(HOME)}
    assert {path for path in left if not path.startswith(("root/", "var/lib/apt", "var/log"))} == set()
    assert (chroot.root / HOME / ".local/share/trueseat/learners").is_dir()
