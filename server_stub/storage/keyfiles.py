"""Private keys as PEM files that only their owner reads: one file a key, named after what it signs."""

from __future__ import annotations

from pathlib import Path

from ledger import names
from ledger.errors import KeyFormatError
from ledger.keys import COSIGNATURE, ED25519, Signer, load_signer
from server_stub.domain.errors import SetupError
from server_stub.domain.keyring import Keyring
from server_stub.settings import Settings, write_private

COSIGNER, GRANT, OFFICER, AUTHORITY = "w", "g", "officer", "authority"


def log_file(class_id: str) -> str:
    """The stem of a class log's key file."""
    return f"c-{class_id}"


def save(folder: Path, stem: str, signer: Signer) -> None:
    """Keep a new key, 0600; the name it signs under stands in a file beside it."""
    path = folder / f"{stem}.pem"
    if path.exists():
        raise SetupError(f"{path} exists already; a key is never overwritten")
    write_private(path, signer.to_pem())
    write_private(folder / f"{stem}.name", signer.vkey.name.encode())


def load(settings: Settings) -> Keyring:
    """Read all keys of a data directory, or raise `SetupError`."""
    folder = settings.keys
    logs = {}
    for path in sorted(folder.glob("c-*.pem")):
        class_id = path.stem.removeprefix("c-")
        logs[class_id] = read(folder, path.stem, ED25519)
        if logs[class_id].vkey.name != names.class_origin(settings.server, class_id):
            raise SetupError(f"{path} is the key of another log")
    return Keyring(
        server=settings.server,
        logs=logs,
        cosigner=read(folder, COSIGNER, COSIGNATURE),
        grant=read(folder, GRANT, ED25519),
        officer=read(folder, OFFICER, ED25519) if settings.development else None,
        authority=read(folder, AUTHORITY, ED25519) if settings.development else None,
    )


def read(folder: Path, stem: str, kind: int) -> Signer:
    """One private key, or `SetupError`: absent, damaged, or readable by others."""
    path = folder / f"{stem}.pem"
    try:
        if path.stat().st_mode & 0o077:
            raise SetupError(f"{path} can be read by others: run chmod 600 on it")
        name = (folder / f"{stem}.name").read_text(encoding="utf-8")
        return load_signer(name, kind, path.read_bytes())
    except (OSError, UnicodeDecodeError, KeyFormatError) as error:
        raise SetupError(f"{path} cannot be used: {error}") from error
