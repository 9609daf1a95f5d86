"""What was followed of another server's class, on this disk: `class.log` and `checkpoint`, and of each session its
events (`sessions/<sid>.entries`, a bundle) with the hash of every one of them (`.hashes`). Files are 0600.

A session's events are kept before the class-log entry that binds them, and that entry before its checkpoint: whatever
moment the machine stops in, the next call goes on from what is whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger import tiles
from ledger.classlog import ClassLog
from ledger.errors import LedgerError, TileError
from ledger.leaves import ErasedLeaf, Logged
from ledger.leaves import decode as decode_leaf
from ledger.tree import HASH_BYTES, Tree, leaf_hash
from server_stub.domain.work_errors import FeedError
from server_stub.following import Grown
from server_stub.settings import write_private

Tiles = Callable[[str, str], bytes]  # (sid, path) → the bytes of a session's tile; OSError where none comes
EMPTY: Final[tuple[tuple[bytes, ...], tuple[bytes, ...]]] = ((), ())


@dataclass(frozen=True, slots=True)
class Came:
    """What is new of one session: its events [first, last)."""

    sid: str
    first: int
    last: int


class Followed:
    """One folder for one class."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder, self._origin = folder, origin
        (folder / "sessions").mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(self) -> ClassLog:
        """The class log as it was kept; what was cut within its last entry is not part of it, and goes."""
        log, path, at = ClassLog(self._origin), self._folder / "class.log", 0
        for entry in self.entries():
            try:
                log.add(entry)
            except LedgerError as error:
                raise FeedError(f"{path} was changed: {error}") from error
            at += 2 + len(entry)
        if path.exists() and at < path.stat().st_size:
            os.truncate(path, at)
        return log

    def entries(self) -> Iterator[bytes]:
        """The class log's entries as they were kept, each whole, read once."""
        path = self._folder / "class.log"
        data, at = path.read_bytes() if path.exists() else b"", 0
        while at + 2 <= len(data) and (end := at + 2 + int.from_bytes(data[at : at + 2], "big")) <= len(data):
            yield data[at + 2 : end]
            at = end

    def keep(self, grown: Grown, tile: Tiles | None) -> list[Came]:
        """Keep what `following.update` gave, with the sessions' events where `tile` brings them; `FeedError` for events
        that are not those whose root was logged."""
        entries = [decode_leaf(data) for data in grown.entries]
        logged: dict[str, list[Logged]] = {}
        for entry in entries:
            if isinstance(entry, Logged) and entry.sid is not None:
                logged.setdefault(entry.sid, []).append(entry)
        came = [self._session(sid, found, tile) for sid, found in logged.items()] if tile else []
        for entry in entries:
            if isinstance(entry, ErasedLeaf) and tile:
                self._erase(entry, tile)
        if grown.entries:
            self._append(tiles.encode_bundle(grown.entries))
        write_private(self._folder / "checkpoint", grown.signed)
        return [one for one in came if one.first < one.last]

    def lacking(self, log: ClassLog) -> Iterator[tuple[str, int]]:
        """(session, its logged size) of which fewer events are here: of before somebody was asked for events."""
        for sid in log.sessions:
            size = log.sessions[sid].size
            if len(self.session(sid)[1]) < size:
                yield sid, size

    def fetch(self, sid: str, entry: Logged, tile: Tiles) -> Came:
        """The events of a session up to a checkpoint that the class log holds already."""
        return self._session(sid, [entry], tile)

    def session(self, sid: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """A session's events (b"" for an erased one) and all their hashes; `FeedError` for files that do not fit."""
        path = self._folder / "sessions" / f"{sid}.entries"
        if not path.exists():
            return EMPTY
        hashes = path.with_suffix(".hashes").read_bytes()
        found = tuple(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
        try:
            entries = tiles.decode_bundle(path.read_bytes())
        except TileError as error:
            raise FeedError(f"{path} was changed: {error}") from error
        entries = entries[: len(found)]  # the hashes are written last
        if any(item and leaf_hash(item) != said for item, said in zip(entries, found, strict=False)):
            raise FeedError(f"{path} was changed: an event has another hash")
        return tuple(entries), found[: len(entries)]

    def _session(self, sid: str, logged: Sequence[Logged], tile: Tiles) -> Came:
        """Fetch up to the last of these checkpoints, and hold the events to every one of them."""
        entries, hashes = map(list, self.session(sid))
        first, size = len(hashes), logged[-1].checkpoint.size
        for index, width in tiles.spans(size):
            begin = index * tiles.WIDTH
            if begin + width <= first:
                continue
            fresh = _tile(tile, sid, index, width)[max(0, first - begin) :]
            entries += [entry for entry, _ in fresh]
            hashes += [said for _, said in fresh]
        tree = Tree(hashes)
        for entry in logged:
            if tree.root_at(entry.checkpoint.size) != entry.checkpoint.root:
                raise FeedError(f"session {sid}: its events do not lead to its logged checkpoint")
        self._put(sid, entries, hashes)
        return Came(sid, first, max(first, size))

    def _erase(self, leaf: ErasedLeaf, tile: Tiles) -> None:
        """What was erased there is erased here, the hashes stay; an event whose photo alone was erased stays, too."""
        entries, hashes = map(list, self.session(leaf.sid))
        for index, width in tiles.spans(len(entries)):
            begin = index * tiles.WIDTH
            named = [at for at in leaf.index if begin <= at < begin + width]
            there = _tile(tile, leaf.sid, index, width) if named else []
            for at in named:
                entries[at] = entries[at] if there[at - begin][0] else b""
        if entries:
            self._put(leaf.sid, entries, hashes)

    def _put(self, sid: str, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        path = self._folder / "sessions" / f"{sid}.entries"
        write_private(path, tiles.encode_bundle(entries))
        write_private(path.with_suffix(".hashes"), b"".join(hashes))

    def _append(self, data: bytes) -> None:
        handle = os.open(self._folder / "class.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _tile(tile: Tiles, sid: str, index: int, width: int) -> list[tuple[bytes, bytes]]:
    """(event, its hash) of a tile; the hash of an erased event is what `tile/0` says, and the root will judge it."""
    try:
        entries = tiles.decode_bundle(tile(sid, tiles.tile_path("entries", index, width)), width)
        said = [b""] * width
        if not all(entries):
            said = tiles.split_hashes(tile(sid, tiles.tile_path(0, index, width)), width)
    except TileError as error:
        raise FeedError(f"session {sid}: {error}") from error
    return [(entry, leaf_hash(entry) if entry else stated) for entry, stated in zip(entries, said, strict=True)]
