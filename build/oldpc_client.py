"""The client as bench_oldpc.py starts it: inside the control groups it is given, its sound counted.

python build/oldpc_client.py CORES FOLDER[:FOLDER…] OUT.json  (then what `python -m client` takes)
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def enter(cores: int, folders: list[Path]) -> None:
    """Move this process, and so all that it starts, into `folders`, onto the first `cores` cores."""
    for folder in folders:
        (folder / "cgroup.procs").write_text(str(os.getpid()))
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[-cores:]))


def counted() -> dict[str, float]:
    """Count what is missing to the ear: each time samples come to a device that had run dry while it played."""
    from client.player import sound

    found = {"written_ms": 0.0, "dropouts": 0, "silence_ms": 0.0}

    class Counted(sound.SdlSink):
        """The device, with a look at its queue before each write."""

        playing, heard_until = False, 0.0

        def write(self, samples: bytes) -> None:
            queued, now = self.queued_ms() or 0.0, time.monotonic() * 1000
            if self.playing and queued == 0 and self.heard_until:
                found["dropouts"] += 1
                found["silence_ms"] += max(0.0, now - self.heard_until)
            super().write(samples)
            found["written_ms"] += len(samples) / sound.BYTES_PER_MS
            self.heard_until = now + queued + len(samples) / sound.BYTES_PER_MS

        def pause(self, paused: bool) -> None:
            self.playing, self.heard_until = not paused, 0.0
            super().pause(paused)

        def clear(self) -> None:
            self.heard_until = 0.0
            super().clear()

    sound.SdlSink = Counted  # type: ignore[misc]
    return found


def main() -> int:
    """Enter, count, run the client."""
    cores, folders, out = int(sys.argv[1]), [Path(part) for part in sys.argv[2].split(":") if part], Path(sys.argv[3])
    enter(cores, folders)
    sys.path.insert(0, str(ROOT))
    from client import __main__ as client

    found = counted()
    try:
        return client.main(sys.argv[4:])
    finally:
        out.write_text(json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())
