"""A new grant or cosigner key for a server, or a new key of one class log: the log adds it and revokes the old one.

The new key lies on the disk before the log names it, and takes the old one's place after; run again after a crash, the
command finishes what it began. What the old key signed stays verifiable by the log.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from ledger.keys import COSIGNATURE, ED25519, Signer
from ledger.leaves import KeyLeaf
from server_stub.app import Server
from server_stub.domain.classlog import LATEST
from server_stub.domain.errors import DecisionError
from server_stub.domain.ports import Transaction
from server_stub.settings import Settings, write_private
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
        new = keyfiles.coming(settings.keys, stem, old, kind)
        server.records.write(partial(_log, server=server, role=role, old=old, new=new))
    finally:
        server.close()
    for suffix in ("pem", "name"):
        kept = settings.keys / f"{stem}.{old.vkey.key_id.hex()}.{suffix}"
        write_private(kept, (settings.keys / f"{stem}.{suffix}").read_bytes())
    keyfiles.take_place(settings.keys, stem)
    return str(new.vkey)


def rotate_log(settings: Settings, class_id: str) -> str:
    """Replace a class log's own key; return the new vkey. Its trust file then names both, and so must everybody's.

    The two entries are covered by one checkpoint, the first that the new key signs. Witnesses take it once their
    keepers have named the new key (`witness add`).
    """
    server = Server(settings)
    try:
        old, stem = server.keyring.log(class_id), keyfiles.log_file(class_id)
        new = keyfiles.coming(settings.keys, stem, old, ED25519)
        server.records.write(partial(_log_own, server=server, class_id=class_id, old=old, new=new))
    finally:
        server.close()
    known = keyfiles.former(settings, class_id)
    if old.vkey not in known and old.vkey != new.vkey:
        lines = "".join(f"{key}\n" for key in (*known, old.vkey))
        write_private(keyfiles.former_file(settings, class_id), lines.encode())
    keyfiles.take_place(settings.keys, stem)  # the old private half goes: nobody signs with it any more
    _publish(settings, class_id)
    return str(new.vkey)


def _log_own(tx: Transaction, server: Server, class_id: str, old: Signer, new: Signer) -> None:
    counting = server.services.logs.log(tx, class_id).counting("log", LATEST)
    if new.vkey not in counting and old.vkey != new.vkey:
        leaves = [KeyLeaf(server.clock(), op, "log", str(key.vkey)) for op, key in (("add", new), ("revoke", old))]
        server.services.logs.append(tx, class_id, *leaves, signer=new)


def _publish(settings: Settings, class_id: str) -> None:
    """The trust files on the disk that are this class's say what the server would say now."""
    keyring = keyfiles.load(settings)
    text = str(keyring.trust(class_id))
    for path in {settings.trust_file(class_id, first=first) for first in (True, False)}:
        if path.exists() and keyring.origin(class_id) in path.read_text(encoding="utf-8"):
            write_private(path, text.encode())
            path.chmod(0o644)  # who may sign is for everybody


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
