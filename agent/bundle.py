"""What a frozen client loads beside our own modules: libraries, Python's and other people's modules, programs, models.

`agent/bundle.list` names each of them by hash. It lies among our own files, so the signed list of those (manifest.py)
signs it, and every heartbeat's `manifest` and a class's `client` document name it. A checkout has none.

A comparison reads hundreds of MB, so it goes in small steps, and a file that was read is read again as soon as the
system says anything else of it: size, times, place. The times include the one of the last change, which a user can set
back on Windows; so the files are read again one after the other all the same, slowly. What is remembered is never
stored: every session begins with reading all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent import manifest
from agent.errors import ManifestError
from agent.manifest import Check

if TYPE_CHECKING:
    from hashlib import _Hash

LIST: Final = "agent/bundle.list"
HEAD: Final = "trueseat/bundle/v1\n"
MAX_FILES, MAX_LIST = 20_000, 4 << 20
TRIES: Final = 3  # to read a file that is being written to, or that another program keeps for itself
PIECE: Final = 1 << 20
LEAST: Final = 4096  # bytes that even the smallest file counts for
# What an interpreter or a linker searches for by name: a new one would be found before another.
FOUND: Final = re.compile(r"\.so(\.|$)|\.(dylib|dll|pyd|ocx|py|pyw|pyc|pth|_pth|zip|egg|local)$", re.I)
# What is opened by its full name: programs, models, what Kivy and OpenGL run, the authorities of TLS.
OPENED: Final = re.compile(r"\.(exe|onnx|task|tflite|kv|vs|fs|glsl|pem)$", re.I)
BUSY: Final = (32, 33)  # Windows: another program (a virus scanner) has the file for itself just now
PRELINKED: Final = b".gnu.prelink_undo"  # prelink leaves it in every library that it has rewritten

Stamp = tuple[int, ...]


def base_of(root: Path) -> Path:
    """The folder that a bundle is: programs, and beside them `_internal/`, where our rooms lie (`root`)."""
    return root.parent


def _walk(base: Path, root: Path, *forms: re.Pattern[str]) -> Iterator[str]:
    """Names (from `base`, with `/`) of these forms, and linked folders, but for our rooms' own modules."""
    rooms = tuple(root.relative_to(base).joinpath(room).as_posix() + "/" for room in manifest.ROOMS)
    for folder, folders, files in os.walk(base):
        linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*files, *linked]:
            path = Path(folder, name)
            called = path.relative_to(base).as_posix()
            own = called.startswith(rooms) and path.suffix in manifest.SUFFIXES
            if not own and (name in linked or any(form.search(name) for form in forms)):
                yield called


def text_of(base: Path, root: Path) -> str:
    """The list as it is written when a bundle is made: what is loaded, and the programs; a line `<sha256> <name>`."""
    programs = {path.name for path in base.iterdir() if path.is_file() and os.access(path, os.X_OK)}
    names = sorted(programs.union(_walk(base, root, FOUND, OPENED)))
    return HEAD + "".join(f"{_whole(base / name)} {name}\n" for name in names)


def parse(data: bytes) -> dict[str, str]:
    """Name → hash, or `ManifestError`: every name stays inside the bundle."""
    try:
        text = data.decode("utf-8") if len(data) <= MAX_LIST else ""
    except UnicodeDecodeError as error:
        raise ManifestError("the bundle's list is no text") from error
    if not text.startswith(HEAD) or not text.endswith("\n"):
        raise ManifestError("the bundle's list is of another form")
    files: dict[str, str] = {}
    for line in text[len(HEAD) :].split("\n")[:-1]:
        digest, _, name = line.partition(" ")
        parts = name.split("/")
        if not re.fullmatch(r"[0-9a-f]{64}", digest) or not {"", ".", ".."}.isdisjoint(parts) or name in files:
            raise ManifestError("a line of the bundle's list is malformed")
        if "\\" in name or ":" in name or "\0" in name or len(files) >= MAX_FILES:
            raise ManifestError("a name of the bundle's list leads out of it")
        files[name] = digest
    return files


def read(root: Path) -> dict[str, str] | None:
    """The bundle's list; None where this is no bundle, or one of a release that had none."""
    try:
        with (root / LIST).open("rb") as file:
            return parse(file.read(MAX_LIST + 1))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManifestError(f"the bundle's list cannot be read: {error}") from error


def check(root: Path = manifest.ROOT) -> Check:
    """As `manifest.check`, and with it everything else that the bundle loads; reads all of it: a second or some."""
    found = manifest.check(root)
    listed = read(root)
    if listed is None:
        return found
    comparison = Comparison(root, listed)
    comparison.finish()
    return Check(found.signer, tuple(sorted({*found.changed, *comparison.changed})))


class Comparison:
    """The files of a bundle against its list, in steps. `writable` tells whether this user could write a file."""

    def __init__(
        self, root: Path, listed: Mapping[str, str], *, writable: Callable[[Path], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._root, self._base, self._listed = root, base_of(root), listed
        self._writable, self._clock = writable or _writable, clock
        self._waiting = deque(sorted(listed))  # what is read next, in this order
        self._known: dict[str, Stamp] = {}  # what each file was when it was read whole
        self._tries: Counter[str] = Counter()
        self._added: frozenset[str] = frozenset()
        self._wrong: set[str] = set()
        self._begun: tuple[str, Stamp, int, _Hash] | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """What is known by now to be other, more, or missing."""
        names = sorted(self._wrong | self._added)
        return tuple(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for name in names)

    @property
    def complete(self) -> bool:
        """Whether nothing waits to be read."""
        return not self._waiting

    @property
    def urgent(self) -> bool:
        """Whether what is read next has not been read as it is now."""
        return bool(self._waiting) and self._waiting[0] not in self._known

    def finish(self) -> None:
        """Read all that has not been read; what cannot be read just now is asked for some times."""
        for _ in range(TRIES):
            self.sweep()
            while not self.complete:
                self.step(60.0, 1 << 40)

    def sweep(self) -> None:
        """Look at every name without reading: what is new, what is gone, what the system says has changed."""
        self._added = frozenset(set(_walk(self._base, self._root, FOUND)) - self._listed.keys())
        waiting, first = set(self._waiting), []
        for name in self._listed:
            stamp, known = _stamp(self._base / name), self._known.get(name)
            if stamp is None:
                self._wrong.add(name)
            if stamp is None or known != stamp:
                self._known.pop(name, None)
            if stamp is not None and known != stamp and (known is not None or name not in waiting):
                first.append(name)
        self._waiting = deque([*first, *(name for name in self._waiting if name not in set(first))])

    def again(self) -> None:
        """Read once more what has been read, after what waits already."""
        waiting = set(self._waiting)
        self._waiting.extend(name for name in sorted(self._known) if name not in waiting)

    def step(self, seconds: float, at_most: int) -> None:
        """Read on for `seconds`, and no more than `at_most` bytes (to the end of a piece)."""
        until = self._clock() + seconds
        while self._waiting and at_most > 0 and self._clock() < until:
            at_most -= self._read(self._waiting[0])

    def _read(self, name: str) -> int:
        """Read a piece of a file; it leaves the queue when it is read whole, is missing, or cannot be read just now."""
        path = self._base / name
        stamp = _stamp(path)
        if self._begun is None or self._begun[:2] != (name, stamp):
            if self._begun is not None and self._begun[0] == name:
                return self._put_off(name)
            self._begun = (name, stamp or (), 0, hashlib.sha256())
        _, _, at, digest = self._begun
        if stamp is not None and not (stat.S_ISREG(stamp[-1]) or stat.S_ISLNK(stamp[-1])):
            self._leave(name, right=False)  # a pipe would keep us waiting
            return LEAST
        try:
            data = _link(path) if path.is_symlink() else _piece(path, at)
        except OSError as error:
            if getattr(error, "winerror", 0) in BUSY:
                return self._put_off(name)
            self._leave(name, right=False)
            return LEAST
        digest.update(data)
        self._begun = (name, stamp or (), at + len(data), digest)
        if len(data) < PIECE:
            if stamp is None or _stamp(path) != stamp:
                return self._put_off(name)
            right = digest.hexdigest() == self._listed[name] or self._prelinked(path)
            self._leave(name, right=right)
            self._known[name] = stamp
        return max(len(data), LEAST)

    def _put_off(self, name: str) -> int:
        """It changes while it is read, or is another program's: a sweep asks again, and for ever is not believed."""
        self._tries[name] += 1
        self._known.pop(name, None)
        if self._tries[name] < TRIES:
            self._waiting.popleft()
            self._begun = None
        else:
            self._leave(name, right=False)
        return LEAST

    def _leave(self, name: str, *, right: bool) -> None:
        self._waiting.popleft()
        self._begun = None
        if right:
            self._wrong.discard(name)
            self._tries.pop(name, None)
        else:
            self._wrong.add(name)

    def _prelinked(self, path: Path) -> bool:
        """Whether the system's administrator has rewritten a library where the learner cannot write."""
        try:
            return not self._writable(path) and PRELINKED in path.read_bytes()
        except OSError:
            return False


def _whole(path: Path) -> str:
    if path.is_symlink():
        return hashlib.sha256(_link(path)).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(path: Path) -> bytes:
    return b"\0link\0" + os.readlink(path).encode("utf-8", "surrogateescape")


def _piece(path: Path, at: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        file.seek(at)
        data = b""
        while len(data) < PIECE and (more := file.read(PIECE - len(data))):
            data += more
        return data


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev, found.st_mode)


def _writable(path: Path) -> bool:
    """Whether this user could write the file, or put another in its place."""
    return os.name != "posix" or any(os.access(each, os.W_OK) for each in (path, path.parent))
