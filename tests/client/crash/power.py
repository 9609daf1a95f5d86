"""A disk that loses its power: what was written and not synced is gone, or is there in parts.

SQLite and Python write through the real file system; this module listens at the two places where they ask for
durability, and at every write of SQLite (a VFS of our own around the system's, put into the very library that Python's
`sqlite3` uses). `Disk.survived` then builds the folder that a machine finds after the cut. Nothing of the client is
replaced. What is not synced survives by chance, in sectors of 512 bytes: none of it, all of it, or some.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

SECTOR = 512
OK, IOERR = 0, 10
Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class Methods(Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = [
        ("version", c_int), ("close", c_void_p), ("read", c_void_p), ("write", Write), ("truncate", Truncate),
        ("sync", Sync), *((f"other{n}", c_void_p) for n in range(13)),
    ]  # fmt: skip


class File(Structure):
    """`sqlite3_file`."""

    _fields_ = [("methods", POINTER(Methods))]


class Vfs(Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = [
        ("version", c_int), ("os_file", c_int), ("longest", c_int), ("next", c_void_p), ("name", c_char_p),
        ("app", c_void_p), ("open", Open), *((f"other{n}", c_void_p) for n in range(17)),
    ]  # fmt: skip


def library() -> Any:
    """The SQLite that Python's `sqlite3` calls; None where it shows nothing of itself (linked in, stripped)."""
    import _sqlite3

    for name in (getattr(_sqlite3, "__file__", None), None):
        try:
            found = ctypes.CDLL(name)
            found.sqlite3_vfs_find.restype = POINTER(Vfs)
        except (OSError, AttributeError):
            continue
        else:
            return found
    return None


class Disk:
    """The disk under one folder while the block runs; `cut_after(n)` takes the power away at the n-th operation."""

    def __init__(self, root: Path, chance: random.Random, on_cut: Callable[[], None]) -> None:
        self.root, self._chance, self._on_cut = root.resolve(), chance, on_cut
        self.dead = False
        self._left = -1
        self._durable: dict[int, bytearray] = {}  # inode → what is synced of it
        self._pending: dict[int, list[tuple[int, bytes | None]]] = {}  # inode → writes (offset, bytes), cuts (size)
        self._names: dict[Path, int] = {}  # what the synced directories list
        self._methods: dict[int, Methods] = {}
        for path in [self.root, *self.root.rglob("*")]:
            self._names[path] = path.stat().st_ino
            if path.is_file():
                self._durable[path.stat().st_ino] = bytearray(path.read_bytes())

    def __enter__(self) -> Disk:
        self._sqlite = library()
        self._system = self._sqlite.sqlite3_vfs_find(None)
        vfs = Vfs.from_buffer_copy(self._system.contents)
        vfs.name, self._system_open = b"power", _own(vfs.open)
        vfs.open = Open(self._open)
        self._vfs, self._fsync = vfs, os.fsync
        self._sqlite.sqlite3_vfs_register(ctypes.byref(vfs), 1)
        os.fsync = self._fsynced  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        os.fsync = self._fsync  # type: ignore[assignment]
        self._sqlite.sqlite3_vfs_register(self._system, 1)
        self._sqlite.sqlite3_vfs_unregister(ctypes.byref(self._vfs))

    def cut_after(self, operations: int) -> None:
        """Take the power away when so many more writes and syncs were done."""
        self._left = operations

    def _tick(self) -> bool:
        """One operation; whether the machine is still on."""
        if self._left == 0 and not self.dead:
            self.dead = True
            self._on_cut()
        self._left -= 1
        return not self.dead

    # --- SQLite's files -----------------------------------------------------------------------------------------------

    def _open(self, vfs: int, name: int, file: int, flags: int, out: int) -> int:
        done: int = self._system_open(vfs, name, file, flags, out)
        path = Path(os.fsdecode(ctypes.string_at(name))) if name else None
        if done != OK or path is None or self.root not in path.parents:
            return done
        system = File.from_address(file).methods
        mine = Methods.from_buffer_copy(system.contents)
        was = (_own(mine.write), _own(mine.truncate), _own(mine.sync))
        inode = path.stat().st_ino
        if not path.stat().st_size and self._names.get(path) != inode:
            self._pending.pop(inode, None)  # a new file in the place of one that was deleted
            self._durable.pop(inode, None)

        def write(handle: int, data: int, size: int, offset: int) -> int:
            if not self._tick():
                return IOERR
            self._pending.setdefault(inode, []).append((offset, ctypes.string_at(data, size)))
            return int(was[0](handle, data, size, offset))

        def truncate(handle: int, size: int) -> int:
            if not self._tick():
                return IOERR
            self._pending.setdefault(inode, []).append((size, None))
            return int(was[1](handle, size))

        def sync(handle: int, how: int) -> int:
            if not self._tick():
                return IOERR
            self._synced(inode)
            if path.name.endswith(("-wal", "-journal")):
                self._listed(path.parent)  # SQLite syncs the folder of a new journal (unixSync, UNIXFILE_DIRSYNC)
            return int(was[2](handle, how))

        mine.write, mine.truncate, mine.sync = Write(write), Truncate(truncate), Sync(sync)
        self._methods[file] = mine
        File.from_address(file).methods = ctypes.pointer(mine)
        return done

    def _synced(self, inode: int) -> None:
        content = self._durable.setdefault(inode, bytearray())
        for offset, data in self._pending.pop(inode, []):
            _apply(content, offset, data)

    # --- Python's files -----------------------------------------------------------------------------------------------

    def _fsynced(self, handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        if self.root not in [path, *path.parents]:
            return self._fsync(handle)
        if not self._tick():
            raise OSError(5, "the power is off")
        if path.is_dir():
            self._listed(path)
        else:
            inode = os.fstat(handle).st_ino
            self._durable[inode] = bytearray(path.read_bytes())
            self._pending.pop(inode, None)  # of a deleted file of SQLite's that had this inode
        return self._fsync(handle)

    def _listed(self, folder: Path) -> None:
        """The folder's list of names is on the disk; so is that of nothing below it."""
        there = {path: path.stat().st_ino for path in folder.iterdir()}
        for known in [path for path in self._names if path.parent == folder]:
            del self._names[known]
        self._names |= there

    # --- afterwards ---------------------------------------------------------------------------------------------------

    def survived(self, into: Path) -> Path:
        """The folder as the next start finds it: what was synced, and by chance some of what was not."""
        lucky = self._chance.choice((0.0, 0.0, 0.5, 1.0))
        for path, inode in sorted(self._names.items()):
            lost = any(parent not in self._names for parent in path.parents if self.root in [parent, *parent.parents])
            target = into / path.relative_to(self.root)
            if lost or path.name.endswith("-shm"):
                continue
            if inode not in self._durable and (path.is_dir() or not path.exists()):
                target.mkdir(mode=0o700, parents=True, exist_ok=True)
                continue
            content = bytearray(self._durable.get(inode, b""))
            for offset, data in self._pending.get(inode, []):
                self._perhaps(content, offset, data, lucky)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o600)
        return into

    def _perhaps(self, content: bytearray, offset: int, data: bytes | None, lucky: float) -> None:
        if data is None:
            if self._chance.random() < lucky:
                _apply(content, offset, None)
            return
        for start in range(0, len(data), SECTOR):
            if self._chance.random() < lucky:
                _apply(content, offset + start, data[start : start + SECTOR])


def _own(function: Any) -> Any:
    """The same C function, in memory of its own: a field of a structure shows whatever is put there later."""
    return type(function)(ctypes.cast(function, c_void_p).value)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def forget(folder: Path) -> None:
    """Remove a machine's folder that nobody starts from any more."""
    shutil.rmtree(folder, ignore_errors=True)
