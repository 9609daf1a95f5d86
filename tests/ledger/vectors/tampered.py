"""One good archive, and what somebody who keeps it may do to its files; each refused at a step, with a code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from ledger import checkpoint, keys, note, proof, tiles
from ledger.checkpoint import Checkpoint
from ledger.tree import Tree, leaf_hash
from tests.ledger.builder import Classroom, Session

Files = dict[str, bytes]
ROOT, TILE, MISSING, STRAY = "TS-L-022", "TS-L-051", "TS-L-062", "TS-L-063"
SIGNATURE, STRANGER, RECEIPT, HISTORY, LEAF = "TS-L-032", "TS-L-033", "TS-L-052", "TS-L-021", "TS-L-050"


@dataclass(frozen=True)
class Attack:
    """`changes`: file → its new bytes (None: gone). `witnessed`: checkpoints that the verifier is given besides."""

    name: str
    step: str
    code: str
    changes: dict[str, bytes | None]
    sid: str | None = None
    index: int | None = None
    witnessed: list[bytes] = field(default_factory=list)


class Log:
    """The files of one session, or (sid "") of the class log, with fewer than 256 entries."""

    def __init__(self, files: Files, sid: str) -> None:
        self.prefix = f"sessions/{sid}/" if sid else ""
        self.bundle = next(name for name in files if name.startswith(f"{self.prefix}tile/entries/"))
        self.tile = next(name for name in files if name.startswith(f"{self.prefix}tile/0/"))
        self.entries = tiles.decode_bundle(files[self.bundle])

    def with_entries(self, entries: list[bytes], *, hashes: bool = False) -> dict[str, bytes | None]:
        """The bundle with these entries; `hashes`: and the tile made to match."""
        found: dict[str, bytes | None] = {self.bundle: tiles.encode_bundle(entries)}
        if hashes:
            found[self.tile] = b"".join(map(leaf_hash, entries))
        return found

    def whole(self, entries: list[bytes]) -> dict[str, bytes | None]:
        """All bundles and tiles of a log with these entries, the old ones gone."""
        tree = Tree(map(leaf_hash, entries))
        made = {**dict(tiles.bundles(entries)), **dict(tiles.hash_tiles(tree))}
        return {self.bundle: None, self.tile: None, **{self.prefix + name: data for name, data in made.items()}}


def _moved(log: Log, sid: str) -> Iterator[Attack]:
    e = log.entries
    for name, found, index, code in (
        ("an event changed", [*e[:7], e[7].replace(b'"wall":1', b'"wall":2'), *e[8:]], 7, ROOT),
        ("an event dropped", e[:7] + e[8:], 7, TILE),
        ("an event inserted", [*e[:7], e[3], *e[7:]], 7, TILE),
        ("an event doubled", e[:8] + e[7:], 8, TILE),
        ("two events changed about", [*e[:7], e[8], e[7], *e[9:]], 7, ROOT),
        ("the end cut off", e[:-1], len(e) - 1, TILE),
        ("an event withheld without a word", [*e[:7], b"", *e[8:]], None, MISSING),
    ):
        yield Attack(name, "4", code, log.with_entries(found), sid, index)
    changed = [*e[:7], e[7].replace(b'"wall":1', b'"wall":2'), *e[8:]]
    yield Attack("an event changed and its hash with it", "4", ROOT, log.with_entries(changed, hashes=True), sid)
    stated = {**log.with_entries([*e[:7], b"", *e[8:]]), log.prefix + "withheld": b"7\n"}
    yield Attack("an event withheld without an erasure on record", "4", TILE, stated, sid, 7)


def _tiles(log: Log, files: Files, sid: str) -> Iterator[Attack]:
    tile = bytearray(files[log.tile])
    tile[32 * 9] ^= 1
    yield Attack("a hash tile changed", "4", TILE, {log.tile: bytes(tile)}, sid, 9)
    yield Attack("a hash tile cut", "4", TILE, {log.tile: bytes(tile[:-1])}, sid, 0)
    yield Attack("a hash tile left out", "4", MISSING, {log.tile: None}, sid, 0)
    yield Attack("a bundle left out", "4", MISSING, {log.bundle: None}, sid, 0)
    yield Attack("a second tile added", "4", STRAY, {f"{log.prefix}tile/0/001": bytes(32)}, sid)
    yield Attack("an unneeded list of erasures", "4", STRAY, {f"{log.prefix}withheld": b"7\n"}, sid)


def _session(room: Classroom, files: Files, session: Session, other: Session) -> Iterator[Attack]:
    prefix, sid = f"sessions/{session.sid}/", session.sid
    log = Log(files, sid)
    yield from _moved(log, sid)
    yield from _tiles(log, files, sid)
    short = Checkpoint(session.key.vkey.name, 10, session.tree.root_at(10))
    older = note.add(checkpoint.sign(short, session.key), checkpoint.cosign(short, room.cosigner, room.now // 1000))
    cut = {**log.whole(log.entries[:10]), prefix + "checkpoint": older}
    yield Attack("a session rolled back to an earlier checkpoint", "5", HISTORY, cut, sid)
    found = checkpoint.parse(session.checkpoint)[0]
    thief = keys.generate(session.key.vkey.name, keys.ED25519)
    line = checkpoint.cosign(found, room.cosigner, room.now // 1000)
    forged = note.add(checkpoint.sign(found, thief), line)
    yield Attack("a session signed by another key", "5", STRANGER, {prefix + "checkpoint": forged}, sid)
    swapped = {prefix + "checkpoint": files[f"sessions/{other.sid}/checkpoint"]}
    yield Attack("another session's checkpoint", "4", LEAF, swapped, sid)
    foreign = {prefix + "device.cert": files[f"sessions/{other.sid}/device.cert"]}
    yield Attack("another session's certificate", "3", "TS-L-035", foreign, sid)
    flipped = files[prefix + "device.cert"].replace(b"\nnone\n", b"\nlost\n")
    yield Attack("a certificate changed", "3", SIGNATURE, {prefix + "device.cert": flipped}, sid)
    yield Attack("a certificate left out", "3", MISSING, {prefix + "device.cert": None}, sid)
    good = proof.parse(files[prefix + "receipt.tlog-proof"])
    for name, bad in {
        "a receipt for another entry": proof.Receipt(good.index + 1, good.path, good.checkpoint),
        "a receipt with another path": proof.Receipt(good.index, (*good.path[:-1], bytes(32)), good.checkpoint),
        "a receipt over an older checkpoint": proof.Receipt(good.index, good.path, room.checkpoint(good.index + 1)),
        "a receipt with an extra line": proof.Receipt(good.index, good.path, good.checkpoint, b"hello"),
    }.items():
        yield Attack(name, "5", RECEIPT, {prefix + "receipt.tlog-proof": bytes(bad)}, sid)
    gone: dict[str, bytes | None] = {name: None for name in files if name.startswith(prefix)}
    yield Attack("a session left out", "5", MISSING, gone, sid)
    extra = {name.replace(sid, "ab" * 16): data for name, data in files.items() if name.startswith(prefix)}
    yield Attack("a session slipped in", "5", STRAY, dict(extra), "ab" * 16)
    yield Attack("a file slipped into a session", "4", STRAY, {prefix + "notes.txt": b"hello\n"}, sid)


def _class(room: Classroom, files: Files) -> Iterator[Attack]:
    log, size = Log(files, ""), len(room.entries)
    e = log.entries
    settled = next(i for i, entry in enumerate(e) if b'"type":"settled"' in entry)
    more = e[settled].replace(b'"credited_ms":', b'"credited_ms":9')
    raised = [*e[:settled], more, *e[settled + 1 :]]
    anchor = settled + 1  # the log's own witnessed checkpoint stands there, over all before it
    yield Attack("a settled figure raised", "2", LEAF, log.with_entries(raised), None, anchor)
    matched = log.with_entries(raised, hashes=True)
    yield Attack("a settled figure raised and its hash with it", "2", LEAF, matched, None, anchor)
    yield Attack("a class log entry dropped", "2", TILE, log.with_entries(e[:9] + e[10:]), None, 9)
    found = Checkpoint(room.origin, size, room.log.tree.root())
    thief = keys.generate(room.origin, keys.ED25519)
    cosigned = checkpoint.cosign(found, room.witnesses[0], room.now // 1000)
    yield Attack(
        "a class checkpoint by another key", "1", STRANGER,
        {"checkpoint": note.add(checkpoint.sign(found, thief), cosigned)},
    )  # fmt: skip
    text = str(found)
    forged = note.Signature(room.origin, room.log_key.vkey.key_id, thief.sign(text.encode()))
    signed = bytes(note.Note(text, (forged,)))
    yield Attack("a forged signature under the log's key ID", "1", SIGNATURE, {"checkpoint": signed})
    bare = checkpoint.sign(found, room.log_key)
    yield Attack("the witness's cosignature cut off", "1", "TS-L-054", {"checkpoint": bare})
    line = note.parse(files["checkpoint"]).signatures[1]
    later = (line.time + 60).to_bytes(8, "big") + line.raw[8:]
    moved = note.add(bare, str(note.Signature(line.name, line.key_id, later)))
    yield Attack("the witness's time moved", "1", SIGNATURE, {"checkpoint": moved})
    friend = keys.generate("friend.example/w", keys.COSIGNATURE)
    hidden = note.add(files["checkpoint"], checkpoint.cosign(found, friend, room.now // 1000))
    yield Attack("a line by nobody known", "1", STRANGER, {"checkpoint": hidden})
    older = room.checkpoint(size - 1)
    yield Attack("the class log rolled back by one entry", "2", MISSING, {"checkpoint": older}, None, 0)
    for name, bigger in {
        "an old archive given out as the last": Checkpoint(room.origin, size + 1, bytes(32)),
        "a second history, kept by a witness": Checkpoint(room.origin, 5, bytes(32)),
    }.items():
        kept = note.add(checkpoint.sign(bigger, room.log_key), checkpoint.cosign(bigger, room.witnesses[0], 1))
        yield Attack(name, "1 freshness", HISTORY, {}, witnessed=[kept])


def _documents(room: Classroom, files: Files) -> Iterator[Attack]:
    folder = "bodies/sha256/"
    policy = sha256(room.documents["policy"]).hexdigest()
    softer = files[folder + policy].replace(b"max_misses = 9", b"max_misses = 48")
    yield Attack("the rules made softer", "2 bodies", ROOT, {folder + policy: softer})
    said = next(name for name, data in files.items() if data.startswith(b"trueseat/identification/v1"))
    yield Attack("an identification changed", "2 bodies", ROOT, {said: files[said].replace(b'"card"', b'"word"')})
    voucher = next(name for name, data in files.items() if data.startswith(b"trueseat/key/v1"))
    changed = files[voucher].replace(b"add", b"adx", 1)
    yield Attack("a voucher for somebody else", "2 vouchers", ROOT, {voucher: changed})
    owner = next(name for name, data in files.items() if len(data) == 48 and name.startswith(folder))
    other = files[owner][:16] + b"ab" * 16
    yield Attack("a device made another learner's", "2 bodies", ROOT, {owner: other})
    yield Attack("a document that nothing names", "2 bodies", STRAY, {folder + "0" * 64: b"hello\n"})
    renamed = files["people.csv"].replace("小".encode(), "大".encode())
    yield Attack("a name changed in the list of people", "2 bodies", ROOT, {"people.csv": renamed})
    yield Attack("a photo that no event names", "10", STRAY, {"evidence/sha256/" + "0" * 64: b"hello\n"})
    yield Attack("a file beside the archive's own", "5", STRAY, {"check.sh": b"exit 0\n"})
    table = folder + sha256(room.documents["points"]).hexdigest()
    richer = files[table].replace(b"hour_tenths = 10", b"hour_tenths = 90")
    yield Attack("a point table made more generous", "2 bodies", ROOT, {table: richer})
    exam = next(name for name, data in files.items() if data.startswith(b"trueseat/exam/v1"))
    better = files[exam].replace(b'"score_tenths":860', b'"score_tenths":960')
    yield Attack("an exam result raised", "2 bodies", ROOT, {exam: better})
    summary = files["summary.json"]
    for what, old, new in (
        ("more credit points in summary.json", b'"points_tenths":0', b'"points_tenths":90'),
        ("more class hours in summary.json", b'"hours_tenths":0', b'"hours_tenths":80'),
        ("an exam result raised in summary.json", b'"score_tenths":860', b'"score_tenths":960'),
    ):
        assert old in summary
        yield Attack(what, "8 summary", ROOT, {"summary.json": summary.replace(old, new)})
    for name in ("summary.csv", "summary.json"):
        digits = files[name].replace(b"40000", b"90000")
        yield Attack(f"more minutes in {name}", "8 summary", ROOT, {name: digits})
        yield Attack(f"{name} left out", "8 summary", MISSING, {name: None})


def cases(room: Classroom, files: Files) -> list[Attack]:
    """All attacks on the archive of `tests.ledger.builder.small`."""
    first, second = room.sessions
    return [*_session(room, files, first, second), *_class(room, files), *_documents(room, files)]
