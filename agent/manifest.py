"""What runs here: the installed files by hash, as one text that a release key signs and everybody can compare.

The text's SHA-256 stands in every heartbeat (`manifest`), is the hash of the signed note `agent/installed.note`, and is
what a class puts in force as its `client` document: three places that a changed file would have to agree with.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from agent.errors import CollectorError, ManifestError
from ledger import keys, note
from ledger.errors import LedgerError

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("agent", "client", "ledger")
SUFFIXES: Final = {".py", ".pyw", ".pyc", ".toml", ".kv", ".json", ".yaml", ".so", ".pyd", ".dll", ".list"}
MAX_FILES: Final = 5_000
DEVELOPMENT: Final = "development.invalid"  # keys of this name sign a checkout for itself, never a release
HEAD: Final = "trueseat/installed/v1\n"
NOTE: Final = "agent/installed.note"
KEY: Final = "agent/release.vkey"  # for a look without the class; the class's `client` document binds a re-signed copy


def installed(rooms: Iterable[str] = ROOMS, root: Path = ROOT) -> dict[str, str]:
    """Path (from `root`, with `/`) → SHA-256 of every code and rule file of `rooms`, sorted by room and path.

    A file that cannot be read counts as absent, and so changes the text. A linked folder stands for what it names: we
    install none, and Python would import from it before the module beside it.
    """
    found: dict[str, str] = {}
    for path in _files(rooms, root):
        if not (path.is_dir() or path.is_file()):
            continue  # gone, or a pipe, which would keep us waiting
        try:
            data = os.readlink(path).encode("utf-8", "surrogateescape") if path.is_dir() else path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
        except OSError:
            continue
        name = path.relative_to(root).as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        found[name] = digest
        if len(found) >= MAX_FILES:
            break
    return found


def _files(rooms: Iterable[str], root: Path) -> Iterator[Path]:
    for room in sorted(rooms):
        for path in sorted((root / room).rglob("*")):
            counts = path.suffix in SUFFIXES or (path.is_symlink() and path.is_dir())
            if counts and "__pycache__" not in path.parts:
                yield path


def text_of(files: dict[str, str]) -> str:
    """The text that is signed: a head line, then `<sha256> <path>` a line."""
    return HEAD + "".join(f"{digest} {name.translate(_LINE_ENDS)}\n" for name, digest in files.items())


_LINE_ENDS: Final = {code: f"\\x{code:02x}" for code in range(32)}  # a hostile file name stays in its line


def files_hash(rooms: Iterable[str], root: Path = ROOT) -> str:
    """SHA-256 of the text over the files of `rooms`; lowercase hex."""
    return hashlib.sha256(text_of(installed(rooms, root)).encode()).hexdigest()


def agent_hash() -> str:
    """The hash of the agent and of the ledger that it stands on."""
    return files_hash(("agent", "ledger"))


def installation_hash() -> str:
    """The hash of all rooms of the client."""
    return files_hash(ROOMS)


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """What a comparison with the signed manifest came to."""

    signer: str  # name of the key
    changed: tuple[str, ...]  # changed, added, removed; empty: all is as it was signed

    @property
    def development(self) -> bool:
        """Whether the key is a checkout's own: it says that nothing changed since, and proves nothing to anybody."""
        return self.signer.startswith(DEVELOPMENT)


def check(root: Path = ROOT) -> Check:
    """Compare the installed files with their signed manifest.

    Raises `CollectorError` without a manifest (a checkout is not signed), `ManifestError` for one that does not verify.
    """
    try:
        data, key = (root / NOTE).read_bytes(), (root / KEY).read_text("ascii")
    except FileNotFoundError as error:
        raise CollectorError("the installation carries no signed manifest") from error
    except (OSError, ValueError) as error:
        raise ManifestError(f"the manifest cannot be read: {error}") from error
    signer, signed = _verified(data, key.removesuffix("\n"))
    here = installed(root=root)
    names = signed.keys() | here.keys()
    return Check(signer, tuple(sorted(name for name in names if signed.get(name) != here.get(name))))


def _verified(data: bytes, key: str) -> tuple[str, dict[str, str]]:
    """The name of the key, and path → hash."""
    try:
        parsed, signer = note.parse(data), keys.parse_vkey(key)
        note.verify(parsed, [signer])
    except LedgerError as error:
        raise ManifestError(f"{error.code}: {error}") from error
    if not parsed.text.startswith(HEAD):
        raise ManifestError("the signed text is no manifest")
    files: dict[str, str] = {}
    for line in parsed.text[len(HEAD) :].removesuffix("\n").split("\n"):
        digest, blank, name = line.partition(" ")
        if len(digest) != 64 or not blank or not name or name in files:
            raise ManifestError("a line of the signed manifest is malformed")
        files[name] = digest
    return signer.name, files
