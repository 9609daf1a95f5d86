"""What holding a bundle to its list costs: `build/bench_bundle.py dist/trueseat` (`make freeze APPS=client` makes it).

A copy is signed as a release. Printed: files and MiB, the CPU seconds that reading all of them takes, and those that an
agent takes from its start to its first beat, run from source and as the bundle's own; the ratio is to the first. Then
one library is exchanged, with its size and its time of writing as before: the run fails unless `files check` of the
bundle's own agent names it and nothing else. Exit 1 where it does not, or where reading costs more than `LIMIT` starts.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agent import bundle
from agent.bundle import Comparison
from agent.link import AgentLink
from agent.messages import Beat

ROOT: Final = Path(__file__).resolve().parent.parent
LIMIT: Final = 4.0  # on a processor without instructions for SHA-256 it is about three times what it is with them
PATIENCE_S: Final = 120.0


def main() -> int:
    """Print the figures; 0 when the exchanged library is found and the cost is within the limit."""
    with tempfile.TemporaryDirectory(prefix="trueseat-bundle-") as folder:
        base = Path(folder) / "trueseat"
        shutil.copytree(sys.argv[1], base, symlinks=True)
        internal = base / "_internal"
        sign = [sys.executable, ROOT / "build/sign_installed.py", internal]
        sign += [Path(folder) / "key.pem", "bench.example/r"]
        subprocess.run([*map(str, sign)], check=True, capture_output=True)
        listed = bundle.read(internal) or {}
        began = time.process_time()
        comparison = Comparison(internal, listed)
        comparison.finish()
        cost, source = time.process_time() - began, _start(AgentLink())
        own = _start(AgentLink([str(base / "trueseat-agent"), "watch"]))
        size = sum((base / name).lstat().st_size for name in listed)
        library = _exchange(base, listed)
        named = _check(base)
    figures: dict[str, object] = {
        "name": "bundle",
        "files": len(listed),
        "mib": round(size / 2**20, 1),
        "cpu_s": round(cost, 2),
    }
    figures |= {"start_cpu_s": round(source, 2), "own_start_cpu_s": round(own, 2)}
    figures |= {"ratio": round(cost / source, 2), "limit": LIMIT}
    figures |= {"untouched": list(comparison.changed), "exchanged": library, "named": named}
    print(json.dumps(figures))
    return 0 if not comparison.changed and named == [library] and cost <= LIMIT * source else 1


def _start(link: AgentLink) -> float:
    """CPU seconds of an agent from its start to its first beat."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    link.start()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not any(isinstance(said, Beat) for said in link.poll()):
        time.sleep(0.05)
    link.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _exchange(base: Path, listed: dict[str, str]) -> str:
    """The last byte of the largest library is another; size and time of writing stay. Its name."""
    name = max((name for name in listed if ".so" in name), key=lambda name: (base / name).lstat().st_size)
    path = base / name
    before, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return name


def _check(base: Path) -> list[str]:
    """What the bundle's own agent names."""
    command = [str(base / "trueseat-agent"), "files", "check"]
    said: str = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return said.split()


if __name__ == "__main__":
    sys.exit(main())
