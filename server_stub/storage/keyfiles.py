"""Private keys as PEM files that only their owner reads: one file a key, named after what it signs."""

from __future__ import annotations

from pathlib import Path

from ledger import names
from ledger import trust as trust_file
from ledger.errors import KeyFormatError, TrustError
from ledger.keys import COSIGNATURE, ED25519, Signer, Vkey, generate, load_signer, parse_vkey
from ledger.trust import Trust
from server_stub.domain.errors import SetupError
from server_stub.domain.keyring import Keyring
from server_stub.settings import Settings, sync_folder, write_private

COSIGNER, GRANT, OFFICER, AUTHORITY = "w", "g", "officer", "authority"


def log_file(class_id: str) -> str:
    """The stem of a class log's key file."""
    return f"c-{class_id}"


def coming_file(stem: str) -> str:
    """The stem of the key that is about to take the place of another."""
    return f"next-{stem}"


def coming(folder: Path, stem: str, old: Signer, kind: int) -> Signer:
    """The key of the same name that is about to take the place of `old`: made, and durable, if it is not there yet."""
    path = folder / f"{coming_file(stem)}.pem"
    if not path.exists():
        write_private(path, generate(old.vkey.name, kind).to_pem())
    try:
        return load_signer(old.vkey.name, kind, path.read_bytes())
    except (OSError, KeyFormatError) as error:
        raise SetupError(f"{path} cannot be used: {error}") from error


def take_place(folder: Path, stem: str) -> None:
    """Let the coming key be the key of `stem`, in one step: at any moment there is one, the old or the new."""
    (folder / f"{coming_file(stem)}.pem").replace(folder / f"{stem}.pem")
    sync_folder(folder)


def former_file(settings: Settings, class_id: str) -> Path:
    """Where the public halves of a class log's earlier keys stand, one a line, in their order."""
    return settings.keys / f"former-{log_file(class_id)}"


def former(settings: Settings, class_id: str) -> tuple[Vkey, ...]:
    """The keys that a class log had before, or `SetupError`."""
    path = former_file(settings, class_id)
    try:
        return tuple(map(parse_vkey, path.read_text(encoding="utf-8").splitlines())) if path.exists() else ()
    except (OSError, UnicodeDecodeError, KeyFormatError) as error:
        raise SetupError(f"{path} cannot be used: {error}") from error


def save(folder: Path, stem: str, signer: Signer) -> None:
    """Keep a new key, 0600; the name it signs under stands in a file beside it."""
    path = folder / f"{stem}.pem"
    if path.exists():
        raise SetupError(f"{path} exists already; a key is never overwritten")
    write_private(folder / f"{stem}.name", signer.vkey.name.encode())
    write_private(path, signer.to_pem())


def load(settings: Settings) -> Keyring:
    """Read all keys of a data directory, or raise `SetupError`."""
    folder = settings.keys
    logs = {}
    for path in sorted(folder.glob("c-*.pem")):
        class_id = path.stem.removeprefix("c-")
        logs[class_id] = read(folder, path.stem, ED25519)
        if logs[class_id].vkey.name != names.class_origin(settings.server, class_id):
            raise SetupError(f"{path} is the key of another log")
    authority = read(folder, AUTHORITY, ED25519) if settings.development else None
    return Keyring(
        server=settings.server,
        logs=logs,
        former={class_id: former(settings, class_id) for class_id in logs},
        cosigner=read(folder, COSIGNER, COSIGNATURE),
        grant=read(folder, GRANT, ED25519),
        officer=read(folder, OFFICER, ED25519) if settings.development else None,
        witnesses=_witnesses(settings),
        authority=authority,
        authorities=(*((authority.vkey,) if authority else ()), *authorities(settings)),
    )


def authorities(settings: Settings) -> tuple[Vkey, ...]:
    """The authority keys that this server was told to recognise, or `SetupError`."""
    if not settings.authorities.exists():
        return ()
    try:
        return tuple(parse_vkey(line) for line in settings.authorities.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError, KeyFormatError) as error:
        raise SetupError(f"{settings.authorities} cannot be used: {error}") from error


def _witnesses(settings: Settings) -> Trust:
    """Who watches the class logs: `witnesses.policy`, or nobody."""
    if not settings.witnesses.exists():
        return Trust((), {})
    return parse_witnesses(settings.witnesses.read_bytes())


def parse_witnesses(data: bytes) -> Trust:
    """A trust file without logs that says of each witness where it answers; `SetupError` for anything else."""
    try:
        found = trust_file.parse(data)
    except TrustError as error:
        raise SetupError(f"the witnesses' file: {error}") from error
    if found.logs:
        raise SetupError("the witnesses' file names no log: the server adds its own")
    for name in found.witnesses:
        if not found.urls.get(name, "").startswith(("http://", "https://")):
            raise SetupError(f"the witnesses' file does not say where {name} answers (http:// or https://)")
    return found


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
