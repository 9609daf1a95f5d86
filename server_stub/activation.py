"""`python -m server_stub activation DIR ACCOUNT …`: codes with which learners sign in for the first time.

An employer hands them out. Each is good once and for two weeks; the server keeps no code, only what recognises it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from server_stub.app import Server
from server_stub.settings import load


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    activation = commands.add_parser("activation", help="print a code for each account, to sign in for the first time")
    activation.set_defaults(run=_run)
    activation.add_argument("directory", type=Path)
    activation.add_argument("account", nargs="+")


def _run(options: argparse.Namespace) -> None:
    server = Server(load(options.directory.absolute()))
    try:
        for account in options.account:
            print(f"{account}  {server.services.sign_in.issue(account)}")
    finally:
        server.close()
