"""`python -m server_stub witnesses DIR FILE`: name who watches this server's class logs, or where they answer now.

What stands already must go on verifying: every anchor of every class carries the quorum that the new file asks for.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ledger import leaves
from ledger.errors import LedgerError
from ledger.leaves import Logged
from ledger.trust import Trust
from server_stub.app import Server
from server_stub.domain.errors import SetupError
from server_stub.domain.ports import Transaction
from server_stub.settings import load, write_private
from server_stub.storage.keyfiles import parse_witnesses


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `witnesses` to the server's command line."""
    parser = commands.add_parser("witnesses", help="name who watches the class logs, or where they answer now")
    parser.set_defaults(run=_witnesses)
    parser.add_argument("directory", type=Path)
    parser.add_argument("file", type=Path, help="a trust file without logs, with addresses (docs/witnesses.md)")


def _witnesses(options: argparse.Namespace) -> None:
    settings = load(options.directory.absolute())
    try:
        data = options.file.read_bytes()
    except OSError as error:
        raise SetupError(f"{options.file} cannot be read: {error.strerror}") from error
    named = parse_witnesses(data)
    server = Server(settings)
    try:
        trusts = {id_: replace(named, logs=server.keyring.trust(id_).logs) for id_ in server.keyring.logs}
        for class_id, trust in trusts.items():
            server.records.read(lambda tx, c=class_id, t=trust: check(tx, server, c, t))  # type: ignore[misc]
        write_private(settings.witnesses, data)
        for class_id, trust in trusts.items():
            first = settings.trust_file(class_id, first=True)
            is_first = first.exists() and str(trust.logs[0]) in first.read_text(encoding="utf-8")
            mine = first if is_first or len(trusts) == 1 else settings.trust_file(class_id, first=False)
            write_private(mine, str(trust).encode())
            mine.chmod(0o644)  # who may sign is for everybody
            print(mine)
    finally:
        server.close()
    print("Start the server again, and give the new trust files to whoever verifies.")


def check(tx: Transaction, server: Server, class_id: str, trust: Trust) -> None:
    """Return quietly, or raise `SetupError`: every anchor that stands in the class log satisfies `trust`."""
    for index in server.services.logs.log(tx, class_id).anchors:
        (data,) = tx.log.entries(class_id, index, index + 1)
        entry = leaves.decode(data)
        assert isinstance(entry, Logged)
        try:
            trust.verify_parsed(entry.checkpoint, entry.note, others=True)
        except LedgerError as error:
            raise SetupError(
                f"class {class_id}, entry {index}: this anchor does not satisfy the file: {error}"
            ) from error
