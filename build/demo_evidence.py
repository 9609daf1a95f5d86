"""The demonstration's reviewer: looks into one sealed photo, for a reason, and says what is left of it on the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REASON = "demonstration: is it the person of the reference photo?"
MARK = b"\xff\xd8\xff\xe0\x00\x10JFIF"  # how every JPEG of the product begins


def look(data: Path, class_id: str) -> str:
    """Open the first photo of the demo in `data`; return the sentences for its end. Ends the demo where one does not
    hold: no photo came, or a picture lies somewhere unsealed."""
    server, reviewer = data / "server", data / "reviewer"
    listed = [line.split() for line in _run("list", server, class_id).splitlines()]
    kept = [words for words in listed if words[-1] == "kept"]
    if not kept:
        sys.exit("no sealed photo came from the client: see demo-data/client.log")
    found = [path for folder in ("client", "server") for path in (data / folder).rglob("*") if _is_picture(path)]
    if found:
        sys.exit(f"a picture lies unsealed in {found[0]}")
    sid, eid = kept[0][:2]
    words = ("--key", reviewer / "key", "--by", "Demo Reviewer", "--reason", REASON, "--out", reviewer / "photo.jpg")
    said = _run("open", server, class_id, sid, eid, *words).strip()
    return (
        f"Photos: {len(listed)} taken with consent, {len(kept)} sealed on the server, "
        "none unsealed in the client's or the server's folder.\n"
        f"One was opened by its reviewer (demo-data/reviewer/photo.jpg: {said}),\n"
        f"with the reason “{REASON}”. A sample that anybody can repeat:\n"
        "                     .venv/bin/python -m ledger sample demo-data/archive --seed 'a public number' --count 1"
    )


def _is_picture(path: Path) -> bool:
    return path.is_file() and MARK in path.read_bytes()


def _run(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "server_stub", "evidence", *map(str, command)],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout
