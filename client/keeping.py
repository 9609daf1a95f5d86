"""`python -m client export OUT`: the learner's own records as files, without a window and without the network."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from client.config import Config
from client.errors import LocalRecordsError
from client.profile import Profile, learners
from client.sync.export import export_claims, export_session, unsent
from client.sync.logbook import recover
from client.sync.outbox import Outbox


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], settings: argparse.ArgumentParser) -> None:
    """Add the command."""
    export = commands.add_parser("export", parents=[settings], help="write what the server does not have as files")
    export.add_argument("out", type=Path, help="a new folder; one folder a session in it")
    export.add_argument("--claims", action="store_true", help="grants and cosigned checkpoints, for `ledger complain`")


def run(settings: Config, out: Path, *, claims: bool) -> int:
    """Export for every learner of this machine; 0 also when everything was sent. Close the client first."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LocalRecordsError(f"{out} exists already")
    for learner in learners(settings.data):
        profile = Profile(settings.data, learner)
        if profile.outbox.exists():
            _export(profile, out, claims=claims)
    return 0


def _export(profile: Profile, out: Path, *, claims: bool) -> None:
    outbox = Outbox(profile.outbox)
    try:
        if claims:
            for path in export_claims(outbox, out):
                print(path)
            return
        recover(outbox, profile.seal, lambda: time.time_ns() // 1_000_000)
        for kept in unsent(outbox):
            export_session(outbox, kept, out / kept.sid)
            print(out / kept.sid)
    finally:
        outbox.close()
