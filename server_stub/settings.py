"""Where one supervision server keeps its things, and what it is called for life."""

from __future__ import annotations

import json
import os
import re
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ledger import names
from server_stub.domain.errors import SetupError

CONFIG = "server.toml"
_MORE = {"people", "records", "origin"}


@dataclass(frozen=True, slots=True)
class Settings:
    """One data directory and what its `server.toml` says; everything private in it is 0600."""

    directory: Path
    server: str  # the configured name, never a listening address
    development: bool = True  # the development code and officer exist only then
    people: str = ""  # another database for people: postgresql+pg8000://…; it may hold a password, so 0600
    records_url: str = ""  # another database for the records, likewise; `records` in server.toml
    origin: str = ""  # where browsers find the pages, https://study.example: passkeys are bound to it

    def __post_init__(self) -> None:
        if not names.is_a("server", self.server):
            raise SetupError(f"{self.server!r} is no server name: lower-case letters, digits, dots and hyphens")
        if self.people and not self.people.startswith(("postgresql+pg8000://", "sqlite:///")):
            raise SetupError("`people` is a URL that begins with postgresql+pg8000:// or sqlite:///")
        if self.records_url and not self.records_url.startswith("postgresql+pg8000://"):
            raise SetupError("`records` is a URL that begins with postgresql+pg8000://")
        if self.records_url and self.records_url == self.people:
            raise SetupError("people and records are two databases, so that people can be erased while records stand")

        if self.origin and not re.fullmatch(r"https://[a-z0-9.-]{1,200}(:[0-9]{1,5})?", self.origin):
            raise SetupError("`origin` is https:// and a host, perhaps a port, nothing behind it")

    @property
    def people_url(self) -> str:
        """Accounts, registrations, duties, tokens: an SQLAlchemy URL."""
        return self.people or f"sqlite:///{self.directory / 'people.sqlite'}"

    @property
    def records(self) -> Path:
        """Class logs, sessions, segments, bodies, where no URL says otherwise."""
        return self.directory / "records.sqlite"

    @property
    def records_database(self) -> str:
        """The same as an SQLAlchemy URL, wherever they are."""
        return self.records_url or f"sqlite:///{self.records}"

    @property
    def keys(self) -> Path:
        """Private keys, one PEM file each."""
        return self.directory / "keys"

    @property
    def authorities(self) -> Path:
        """Authority keys, one a line, whose word on supervisors and evidence keys this server takes."""
        return self.directory / "authorities"

    @property
    def secret(self) -> Path:
        """32 bytes that key the HMACs of sign-in codes."""
        return self.directory / "secret"

    @property
    def provider(self) -> Path:
        """The organisation's sign-in for the staff, with its secret."""
        return self.directory / "oidc.toml"

    @property
    def ways(self) -> Path:
        """Learners' sign-in elsewhere, with its secrets."""
        return self.directory / "ways.toml"

    @property
    def exports(self) -> Path:
        """Archives that are being made."""
        return self.directory / "exports"

    @property
    def evidence(self) -> Path:
        """Sealed photos and their sealed keys, each by its own digest."""
        return self.directory / "evidence"

    @property
    def courses(self) -> Path:
        """Course packages by the digest of their course.toml."""
        return self.directory / "courses"

    @property
    def streams(self) -> Path:
        """Live streams, a folder each, which encoders fill."""
        return self.directory / "live"

    @property
    def models(self) -> Path:
        """Model files by their digest."""
        return self.directory / "models"

    @property
    def witnesses(self) -> Path:
        """Who watches the class logs and where they answer: a trust file (C2SP tlog-policy) without logs."""
        return self.directory / "witnesses.policy"

    def trust_file(self, class_id: str, *, first: bool) -> Path:
        """The trust file that the operator recommends; the first class's is `class.trust`."""
        return self.directory / ("class.trust" if first else f"{class_id}.trust")

    def save(self) -> None:
        """Write `server.toml`."""
        text = f'server = "{self.server}"\ndevelopment = {str(self.development).lower()}\n'
        if self.people:
            text += f"people = {json.dumps(self.people)}\n"
        if self.records_url:
            text += f"records = {json.dumps(self.records_url)}\n"
        if self.origin:
            text += f"origin = {json.dumps(self.origin)}\n"
        write_private(self.directory / CONFIG, text.encode())


def load(directory: Path) -> Settings:
    """Read the `server.toml` of a data directory, or raise `SetupError`."""
    try:
        table = tomllib.loads((directory / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{directory} is no data directory of a server: {error}") from error
    server, development = table.pop("server", None), table.pop("development", None)
    if not (set(table) <= _MORE and isinstance(server, str) and isinstance(development, bool)):
        raise SetupError(f"{directory / CONFIG} states `server`, `development`, perhaps {sorted(_MORE)}, nothing else")
    if not all(isinstance(value, str) for value in table.values()):
        raise SetupError(f"{directory / CONFIG}: a URL is a text")
    people, records, origin = (table.get(name, "") for name in ("people", "records", "origin"))
    return Settings(directory, server, development, people, records, origin)


def write_private(path: Path, data: bytes) -> None:
    """Put `data` in place of a file, whole or not at all, durably; only its owner ever reads it."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or deleted in a folder durable, where the OS lets us open one."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def touch_private(path: Path) -> None:
    """Make an empty file that only its owner reads, unless there is one."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def safe_name(text: str) -> bool:
    """Whether `text` is a digest in lowercase hex, and so a safe file name."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None
