"""A clean Debian to install into: made once by mmdebstrap, unpacked anew for each test, with /proc, /sys and /dev."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / ".work" / "chroot"


def why_not() -> str:
    """Why packages cannot be installed for real here; empty when they can."""
    if not os.environ.get("TRUESEAT_INSTALL"):
        return "the real installations: make test-install"
    if os.geteuid() != 0:
        return "only root makes a chroot"
    missing = [tool for tool in ("mmdebstrap", "dpkg-deb", "xz") if shutil.which(tool) is None]
    return f"apt-get install {' '.join(missing)}" if missing else ""


class Chroot:
    """One clean system; `close` unmounts and removes it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        suite = os.environ.get("TRUESEAT_SUITE") or _suite()  # trixie: Debian 13, whatever this machine is
        made = KEPT / f"{suite}.tar"
        if not made.is_file():
            made.parent.mkdir(parents=True, exist_ok=True)
            part = made.with_suffix(".part.tar")
            subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", suite, str(part)], check=True)
            part.rename(made)
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-C", str(folder), "-xf", str(made)], check=True)
        self._mounted: list[Path] = []
        for kind, name in (("proc", "proc"), ("sysfs", "sys")):
            self._mount("-t", kind, kind, name=name)
        self._mount("--bind", "/dev", name="dev")
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", folder / "etc" / name)
        sources = ("sources.list", "sources.list.d", "trusted.gpg.d") if suite == _suite() else ()
        for name in ("apt.conf.d", *sources):
            source = Path("/etc/apt", name)
            if source.is_dir():
                shutil.copytree(source, folder / "etc/apt" / name, dirs_exist_ok=True)
            elif source.is_file():
                shutil.copy(source, folder / "etc/apt" / name)
        shutil.copytree("/usr/share/keyrings", folder / "usr/share/keyrings", dirs_exist_ok=True)
        self.run("apt-get", "update")

    def _mount(self, *words: str, name: str) -> None:
        subprocess.run(["mount", *words, str(self.root / name)], check=True)
        self._mounted.append(self.root / name)

    def mount(self, outside: Path, name: str) -> None:
        """Show a folder of this machine inside."""
        (self.root / name).mkdir(parents=True, exist_ok=True)
        self._mount("--bind", str(outside), name=name)

    def unmount(self, count: int) -> None:
        """Take the last `count` folders of this machine out again."""
        for _ in range(count):
            subprocess.run(["umount", "-l", str(self._mounted.pop())], check=True)

    def run(self, *command: object, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as root, with nothing of this machine's environment."""
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        clean |= {"DEBIAN_FRONTEND": "noninteractive", **env}
        done = subprocess.run(
            ["chroot", str(self.root), *map(str, command)],
            env=clean, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    def install(self, package: Path) -> subprocess.CompletedProcess[str]:
        """As an administrator would: apt finds what it depends on, nothing more, and asks nothing."""
        shutil.copy(package, self.root / "tmp" / package.name)
        return self.run("apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}")

    def files(self) -> set[str]:
        """Every path that is ours by its name, outside /tmp and the system's own file systems."""
        found: set[str] = set()
        for top in ("opt", "usr", "etc", "var", "home", "root"):
            for folder, names, files in os.walk(self.root / top):
                here = Path(folder)
                found |= {str((here / name).relative_to(self.root)) for name in (*names, *files) if "trueseat" in name}
        return found

    def close(self) -> None:
        """Leave nothing mounted and nothing behind."""
        for path in reversed(self._mounted):
            subprocess.run(["umount", "-l", str(path)], check=False)
        if not any(os.path.ismount(path) for path in self._mounted):
            shutil.rmtree(self.root, ignore_errors=True)


def _suite() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))
