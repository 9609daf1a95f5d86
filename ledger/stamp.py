"""`python -m ledger stamp ask | keep`: how a time stamp gets into an archive. Whoever asks the authority is not ours:

    python -m ledger stamp ask ARCHIVE --out today.tsq
    curl -sS -H 'Content-Type: application/timestamp-query' --data-binary @today.tsq URL > today.tsr
    python -m ledger stamp keep ARCHIVE today.tsr
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ledger import checkpoint, timestamps
from ledger.checkpoint import Checkpoint
from ledger.errors import ArchiveError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `stamp`; a parsed one has `run`, which returns the exit code."""
    actions = commands.add_parser("stamp", help="RFC 3161 time stamps over the class checkpoint").add_subparsers(
        required=True
    )
    ask = actions.add_parser("ask", help="write the question for a time-stamp authority")
    ask.set_defaults(run=_ask)
    keep = actions.add_parser("keep", help="put its answer into the archive (a directory)")
    keep.set_defaults(run=_keep)
    for command in (ask, keep):
        command.add_argument("archive", type=Path, help="the archive, or one checkpoint of its class log")
    ask.add_argument("--out", type=Path, required=True)
    keep.add_argument("answer", type=Path)
    keep.add_argument("--checkpoint", type=Path, help="the one that was stamped, where it is not the archive's last")


def _ask(arguments: argparse.Namespace) -> int:
    question = timestamps.request(_stated(arguments.archive))
    try:
        with arguments.out.open("xb") as file:
            file.write(question)
    except OSError as error:
        raise ArchiveError(f"{arguments.out} cannot be written: {error.strerror}") from error
    return 0


def _keep(arguments: argparse.Namespace) -> int:
    stated = _stated(arguments.checkpoint or arguments.archive)
    token = _read(arguments.answer)
    timestamps.check_form(token, stated)
    path = arguments.archive / timestamps.name(stated.size, token)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(token)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be written: {error.strerror}") from error
    print(path)
    return 0


def _stated(path: Path) -> Checkpoint:
    return checkpoint.parse(_read(path / "checkpoint" if path.is_dir() else path))[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
