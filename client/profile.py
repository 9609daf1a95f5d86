"""Where a client keeps things: one folder a machine, one folder a learner in it, secrets in files nobody else reads.

A key store of the operating system may take the place of `UnsafeFileSeal` behind `SealPort`; until then the mark
"keys=file" stands in every session's `opened`.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from client.errors import AlreadyRunningError, DiskError, SealError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_LEARNER: Final = re.compile(r"[0-9a-f]{32}")
_TEMPLATE_AAD: Final = b"trueseat/template/v1\n"


_claimed: dict[Path, int] = {}  # lock files that this process holds until it ends, however it ends


def claim(path: Path) -> None:
    """Make this process the only one that writes beside `path`; `AlreadyRunningError` if another one does."""
    lock = path.with_name(f"{path.name}.lock").absolute()
    if lock in _claimed:
        return
    with disk(str(lock)):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
    except OSError as error:
        os.close(handle)
        raise AlreadyRunningError(f"{lock} is held by another program") from error
    _claimed[lock] = handle


def held(path: Path) -> bool:
    """Tell whether a process, this one too, has claimed `path`."""
    lock = path.with_name(f"{path.name}.lock").absolute()
    try:
        handle = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def release(path: Path) -> None:
    """Give a claim of this process back, so that another window may open."""
    handle = _claimed.pop(path.with_name(f"{path.name}.lock").absolute(), None)
    if handle is not None:
        os.close(handle)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def disk(what: str) -> Iterator[None]:
    """Turn the operating system's errors into `DiskError`, at the edge where they happen."""
    try:
        yield
    except OSError as error:
        raise DiskError(f"{what}: {error.strerror or error}") from error


def write_private(path: Path, data: bytes) -> None:
    """Put `data` in place of `path`, whole or not at all, readable by its owner alone (0600)."""
    with disk(str(path)):
        make_folder(path.parent)
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


def make_folder(folder: Path) -> None:
    """Have the folder, readable by its owner alone; a new one is on the disk, with those above it, before returning."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def append_private(path: Path, data: bytes) -> None:
    """Write `data` at the end of `path` (made 0600 where it is not there), on the disk before returning."""
    with disk(str(path)):
        make_folder(path.parent)
        fresh = not path.exists()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename durable where the OS lets us open a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def erase_file(path: Path) -> None:
    """Delete a file; zeros are put in its place first, which helps on some disks and hurts on none.

    When the power goes in between, the zeros stay: whoever reads such a file takes it for one that is gone.
    """
    with disk(str(path)):
        left = path.stat().st_size
        with path.open("r+b") as file:  # truncated, its old blocks would be free, and full
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def erased(path: Path) -> bool:
    """Whether nothing is left of a file: it is gone, or `erase_file` was cut short and it holds zeros alone."""
    with disk(str(path)):
        if not path.exists():
            return True
        with path.open("rb") as file:
            return not any(any(piece) for piece in iter(lambda: file.read(1 << 20), b""))


class UnsafeFileSeal:
    """`SealPort` on plain files, 0600: safe from other users of the machine, not from its administrator."""

    mark: Final = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, secret: bytes) -> None:
        """Keep `secret` under `name`, durably, before returning."""
        write_private(self._path(name), secret)

    def get(self, name: str) -> bytes | None:
        """The secret, or None where there is none; zeros are one that was erased when the power went."""
        path = self._path(name)
        with disk(name):
            return None if erased(path) else path.read_bytes()

    def delete(self, name: str) -> None:
        """Forget it; the bytes are overwritten first."""
        path = self._path(name)
        if path.exists():
            erase_file(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise SealError(f"no name for a secret: {name[:40]!r}")
        return self._folder / name


class Profile:
    """One learner on this machine, invisible to the others: keys, records, template, downloaded courses."""

    def __init__(self, root: Path, learner: str) -> None:
        if not _LEARNER.fullmatch(learner):
            raise SealError(f"no learner: {learner[:40]!r}")
        self.learner = learner
        self.folder = root / "learners" / learner
        with disk(str(self.folder)):
            make_folder(self.folder)
            self.folder.chmod(0o700)
        self.seal = UnsafeFileSeal(self.folder / "secrets")

    @property
    def outbox(self) -> Path:
        """The database of the signed records."""
        return self.folder / "outbox.db"

    @property
    def cache(self) -> Path:
        """What can be fetched again: bodies, courses, the class log's entries."""
        return self.folder / "cache"

    def keep_template(self, registration: str, template: bytes) -> str:
        """Keep the face template of one registration, encrypted; return the SHA-256 of its plain bytes.

        Whole or not at all: a crash leaves the one before, or, where there was none, none.
        """
        key, nonce = self.seal.get(f"template-{registration}"), secrets.token_bytes(12)
        if key is None:
            self._forget(registration)  # what is sealed by a key that is gone
            key = secrets.token_bytes(32)
            self.seal.put(f"template-{registration}", key)
        sealed = nonce + AESGCM(key).encrypt(nonce, template, _TEMPLATE_AAD + registration.encode())
        write_private(self.folder / f"template-{registration}", sealed)
        return sha256(template).hexdigest()

    def template(self, registration: str) -> bytes | None:
        """The template's plain bytes (for memory only); None where none was made; `SealError` if it was changed."""
        path = self.folder / f"template-{registration}"
        key = self.seal.get(f"template-{registration}")
        if key is None or not path.exists():
            return None
        with disk(str(path)):
            sealed = path.read_bytes()
        try:
            return AESGCM(key).decrypt(sealed[:12], sealed[12:], _TEMPLATE_AAD + registration.encode())
        except (InvalidTag, ValueError) as error:
            raise SealError("the face template on this device was changed") from error

    def keep_follower(self, registration: str, follower: bytes) -> None:
        """Keep what followed the template, encrypted like it; a new template has none yet."""
        self.keep_template(f"{registration}.follower", follower)

    def follower(self, registration: str) -> bytes:
        """What followed the template of one registration; b"" where nothing did, or what did was changed."""
        try:
            return self.template(f"{registration}.follower") or b""
        except SealError:
            return b""

    def forget_follower(self, registration: str) -> None:
        """A new face was enrolled: nothing follows it yet."""
        self._forget(f"{registration}.follower")

    def forget_template(self, registration: str) -> None:
        """Erase it: the consent was withdrawn."""
        self._forget(registration)
        self._forget(f"{registration}.follower")

    def _forget(self, registration: str) -> None:
        self.seal.delete(f"template-{registration}")
        with disk("template"):
            (self.folder / f"template-{registration}").unlink(missing_ok=True)
            sync_folder(self.folder)


def learners(root: Path) -> list[str]:
    """The learners that have a profile on this machine."""
    folder = root / "learners"
    if not folder.is_dir():
        return []
    return sorted(item.name for item in folder.iterdir() if _LEARNER.fullmatch(item.name))
