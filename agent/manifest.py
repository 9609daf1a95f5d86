"""What runs here: one hash over the installed files of a room, and one over all rooms that the client consists of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("agent", "client", "ledger")
SUFFIXES: Final = {".py", ".toml", ".kv", ".json", ".yaml"}
MAX_FILES: Final = 5_000


def files_hash(rooms: Iterable[str], root: Path = ROOT) -> str:
    """SHA-256 over `<sha256> <path>` lines, sorted by path, of the code and rule files of `rooms`; lowercase hex.

    A file that cannot be read counts as absent, and so changes the hash.
    """
    paths = [
        path
        for room in sorted(rooms)
        for path in sorted((root / room).rglob("*"))
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts
    ]
    total = hashlib.sha256()
    for path in paths[:MAX_FILES]:
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            continue
        total.update(f"{digest} {path.relative_to(root).as_posix()}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def agent_hash() -> str:
    """The hash of the agent and of the ledger that it stands on."""
    return files_hash(("agent", "ledger"))


def installation_hash() -> str:
    """The hash of all rooms of the client. Measured here, compared by the server; it is not signed yet."""
    return files_hash(ROOMS)
