"""A new grant or cosigner key for a server: added to every class log, the old one revoked, in that order.

The new key lies on the disk before the log names it, and takes the old one's place after; run again after a crash, the
command finishes what it began. What the old key signed stays verifiable by the log.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Final

from ledger.keys import COSIGNATURE, ED25519, Signer, generate
from ledger.leaves import KeyLeaf
from server_stub.app import Server
from server_stub.domain.classlog import LATEST
from server_stub.domain.errors import DecisionError
from server_stub.domain.ports import Transaction
from server_stub.settings import Settings
from server_stub.storage import keyfiles

ROLES: Final = {"grant": (keyfiles.GRANT, ED25519), "cosign": (keyfiles.COSIGNER, COSIGNATURE)}


def rotate(settings: Settings, role: str) -> str:
    """Replace the key of `role`; return the new vkey. `DecisionError` while a session is open: it knows the old one.

    A server that runs keeps the old key in memory and grants nothing until it is started again.
    """
    stem, kind = ROLES[role]
    server = Server(settings)
    try:
        old = server.keyring.grant if role == "grant" else server.keyring.cosigner
        coming = f"{stem}.next"
        if not (settings.keys / f"{coming}.pem").exists():
            keyfiles.save(settings.keys, coming, generate(old.vkey.name, kind))
        new = keyfiles.read(settings.keys, coming, kind)
        server.records.write(partial(_log, server=server, role=role, old=old, new=new))
    finally:
        server.close()
    for suffix in ("pem", "name"):
        here = settings.keys / f"{stem}.{suffix}"
        if old.vkey != new.vkey:
            os.replace(here, settings.keys / f"{stem}.{old.vkey.key_id.hex()}.{suffix}")
        os.replace(settings.keys / f"{coming}.{suffix}", here)
    return str(new.vkey)


def _log(tx: Transaction, server: Server, role: str, old: Signer, new: Signer) -> None:
    if tx.events.sessions(state="open"):
        raise DecisionError("a session is open; its cosignatures are by the old key: wait until it has ended")
    for class_id in server.keyring.logs:
        counting = server.services.logs.log(tx, class_id).counting(role, LATEST)
        now = server.clock()
        if new.vkey not in counting:
            server.services.logs.append(tx, class_id, KeyLeaf(now, "add", role, str(new.vkey)))
        if old.vkey in counting and old.vkey != new.vkey:
            server.services.logs.append(tx, class_id, KeyLeaf(now, "revoke", role, str(old.vkey)))
