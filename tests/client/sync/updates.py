"""A repository of updates on this machine, and clients that ask it: what a test may then bend."""

from __future__ import annotations

import datetime
import functools
import http.server
import json
import shutil
import sys
import threading
from pathlib import Path

from client.sync.transport import session
from client.sync.updates import Fetcher, Repository
from client.updating import Updating, here
from client.versions import Versions

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "build"))

from update_repo import Repo

DOCTOR = """#!/bin/sh
echo '{"checks": [{"what": "models", "level": "%s"}]}'
exit 0
"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        return None


class Site:
    """The repository behind a web server on this machine. `past` keeps copies to go back to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shown = folder / "shown"
        self.now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self.repo = Repo(self.shown, folder / "keys", lambda: self.now)
        self.root = self.repo.init().read_bytes()
        self._http = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Handler, directory=str(self.shown))
        )
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def release(self, version: str, *, permille: int = 1000, healthy: bool = True, lib: str = "the same") -> None:
        """Publish a version: a program, a library that seldom changes, and a link."""
        bundle = self.bundle(version, healthy=healthy, lib=lib)
        self.repo.add(bundle, version, here())
        self.repo.ring("stable", here(), version, permille)

    def bundle(self, version: str, *, healthy: bool = True, lib: str = "the same") -> Path:
        """What freezing would make."""
        made = self.folder / "bundles" / version
        (made / "_internal").mkdir(parents=True)
        program = made / "trueseat"
        program.write_text(DOCTOR % ("ok" if healthy else "fail") + f"# {version}\n")
        program.chmod(0o755)
        (made / "_internal/library.so.1").write_text(lib * 1000)
        (made / "_internal/library.so").symlink_to("library.so.1")
        return made

    def photograph(self) -> Path:
        """A copy of the repository as it is."""
        copy = self.folder / f"past-{len(list(self.folder.glob('past-*')))}"
        shutil.copytree(self.shown, copy)
        return copy

    def show(self, copy: Path) -> None:
        """Show an older copy, as an attacker on the wire would."""
        shutil.rmtree(self.shown)
        shutil.copytree(copy, self.shown)

    def timestamp(self) -> dict:
        return json.loads((self.shown / "metadata/timestamp.json").read_text())


class Client:
    """One installation that asks the site."""

    def __init__(self, site: Site, root: Path, version: str = "0.1.0") -> None:
        self.site = site
        self.versions = Versions.first(root, site.bundle(version), version)
        self.versions.bucket()
        self.open_lesson = False
        self.asked_while_open = 0

    def repository(self) -> Repository:
        folder = self.versions.root / "repository"
        return Repository(self.site.address, folder, self.site.root, Fetcher(session()))

    def update(self, repository=None):
        from client.updating import examined

        updating = Updating(
            self.versions,
            repository or self.repository(),
            "stable",
            lambda folder: examined(folder, self.versions.root / "data"),
            lambda: self.open_lesson,
        )
        return updating.run()
