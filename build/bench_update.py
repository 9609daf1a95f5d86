"""How much an update fetches where only our own code changed: a real bundle, a real repository, a real doctor.

    build/bench_update.py dist/trueseat                    (`make freeze APPS=client` makes it)
    build/bench_update.py OLD/trueseat --next NEW/trueseat  two bundles, of two commits

Without `--next` the second version is the same bundle with every file of ours changed and signed anew: the most that a
change of our code alone can touch. It is published, fetched by the client's own updating, and examined by both
versions' own `doctor`.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from update_repo import Repo

from client import release
from client.sync.transport import session
from client.sync.updates import Fetcher, Repository
from client.updating import Updating, examined, here
from client.versions import Versions

ROOT = Path(__file__).resolve().parent.parent
OURS = ("agent", "client", "ledger")
OTHERS = ("models", "fonts")  # folders in ours that hold no code: they change when they change
LIMIT = 20 << 20


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the repository and says nothing."""

    def log_message(self, *_args: object) -> None:
        return None


def changed(bundle: Path, into: Path) -> None:
    """A copy in which each of our files differs, signed for itself."""
    shutil.copytree(bundle, into, symlinks=True)
    internal = into / "_internal"
    for room in OURS:
        for name, path in release.walk(internal / room):
            if path.suffix in (".pyc", ".toml", ".kv", ".json") and not set(name.split("/")) & set(OTHERS):
                with path.open("ab") as file:
                    file.write(b"\n")
    command = [sys.executable, ROOT / "build/sign_installed.py", internal, ROOT / ".work/development.pem"]
    subprocess.run([*command, "development.invalid/frozen", "--development"], check=True, capture_output=True)


def measure(bundle: Path, next_one: Path | None, folder: Path) -> dict[str, object]:
    """Install, publish, update; the figures."""
    if next_one is None:
        next_one = folder / "next"
        changed(bundle, next_one)
    repo = Repo(folder / "site", folder / "keys")
    root = repo.init().read_bytes()
    whole = repo.add(next_one, "0.2.0", here())
    repo.ring("stable", here(), "0.2.0", 1000)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    versions = Versions.first(folder / "installed", bundle, "0.1.0")
    repository = Repository(
        f"http://127.0.0.1:{server.server_port}", versions.root / "repository", root, Fetcher(session())
    )
    wanted = versions.missing(whole)
    ours = sum(file.packed for file in wanted if file.path.split("/")[:2][-1] in OURS)
    outcome = Updating(
        versions, repository, "stable", lambda version: examined(version, folder / "data"), lambda: False
    ).run()
    server.shutdown()
    return {
        "name": "update", "state": outcome.state, "why": outcome.why, "fetched_bytes": outcome.fetched,
        "ours_bytes": ours, "files": len(wanted), "files_all": len(whole.files),
        "whole_bytes": sum(file.packed for file in whole.files),
        "limit_bytes": LIMIT, "ratio": round(outcome.fetched / LIMIT, 3),
    }  # fmt: skip


def main() -> int:
    """0 when the update was installed and within its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=ROOT / "dist/trueseat")
    parser.add_argument("--next", type=Path, help="the bundle of a later commit")
    options = parser.parse_args()
    for bundle in filter(None, (options.bundle, options.next)):
        if not (bundle / "_internal").is_dir():
            print(f"{bundle} is no frozen client: make freeze APPS=client", file=sys.stderr)
            return 2
    with tempfile.TemporaryDirectory(dir=options.bundle.parent) as folder:
        figures = measure(options.bundle, options.next, Path(folder))
    print(json.dumps(figures))
    return 0 if figures["state"] == "updated" and int(str(figures["fetched_bytes"])) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
