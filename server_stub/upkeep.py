"""The operator's care for the data: steps of the databases, backup, restore (docs/deploy-server.md)."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

from ledger import checkpoint
from server_stub.app import Server
from server_stub.domain import fsck
from server_stub.domain.errors import SetupError
from server_stub.domain.ports import Transaction
from server_stub.settings import load
from server_stub.storage import backup, schema


def add(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    """Add the commands."""
    migrate = commands.add_parser("migrate", help="bring the databases to this release's form, or a part of it back")
    migrate.set_defaults(run=_migrate)
    migrate.add_argument("directory", type=Path)
    migrate.add_argument("--back", metavar="STEP", help="undo what came after it, e.g. papers_0; its data is gone")
    save = commands.add_parser("backup", help="copy everything as of now, while the server runs; the keys apart")
    save.set_defaults(run=_backup)
    save.add_argument("directory", type=Path)
    save.add_argument("out", type=Path, help="a new folder")
    save.add_argument("--keys", type=Path, help="a new folder on another disk; without it the keys are not copied")
    again = commands.add_parser("restore", help="make a data directory of a backup, and check it")
    again.set_defaults(run=_restore)
    again.add_argument("backup", type=Path)
    again.add_argument("directory", type=Path, help="a new folder")
    again.add_argument("--keys", type=Path, required=True)
    again.add_argument("--config", type=Path, help="a server.toml with other databases, in place of the kept one")
    again.add_argument("--local", action="store_true", help="databases as files, whatever server.toml says")


def _migrate(options: argparse.Namespace) -> None:
    settings = load(options.directory.absolute())
    if options.back:
        which: schema.Which = "records" if options.back.startswith("records") else "people"
        schema.take_back(settings.records_database if which == "records" else settings.people_url, which, options.back)
        print(f"{which}: back at {options.back}")
        return
    for url, which in ((settings.people_url, "people"), (settings.records_database, "records")):
        schema.bring_up(url, which)
        with schema.alone(url) as connection:
            print(f"{which}: {', '.join(sorted(schema.heads_of(connection)))}")


def _backup(options: argparse.Namespace) -> None:
    rows = backup.make(load(options.directory.absolute()), options.out.absolute(), options.keys)
    print(f"{options.out}: {rows['records']} rows of records, {rows['people']} of people")
    print(f"keys: {options.keys}" if options.keys else "keys: not copied; without them nothing can be restored")


def _restore(options: argparse.Namespace) -> None:
    directory = options.directory.absolute()
    settings = backup.restore(options.backup, options.keys, directory, options.config, local=options.local)
    server = Server(settings)
    try:
        for fault in (found := fsck.check(server.people, server.records, server.keyring)):
            print(fault)
        for class_id in server.keyring.logs:
            head = server.records.read(partial(_head, class_id=class_id))
            print(f"{class_id}: {checkpoint.parse(head)[0].size if head else 0} entries; compare with its witnesses")
    finally:
        server.close()
    if found:
        raise SetupError(f"{len(found)} faults: this backup is not as its logs say")
    print("all is as the logs say")


def _head(tx: Transaction, class_id: str) -> bytes:
    return tx.log.head(class_id)
