"""Steps 1 and 2: the class log's checkpoint, its freshness, and every entry of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger import archive, checkpoint, leaves, tiles
from ledger.archive import Source
from ledger.classlog import ClassLog
from ledger.errors import InconsistentLogError, LeafError, RootMismatchError, TrustError, UnknownSignerError
from ledger.findings import Findings, Status
from ledger.leaves import Logged
from ledger.packed import Packed, fields_of
from ledger.storedtree import ThinTree
from ledger.tree import Proofs, Tree, leaf_hash
from ledger.trust import Seen, Trust


@dataclass(slots=True)
class Anchor:
    """A witnessed checkpoint of the class log itself: at entry `index` (or the archive's own, after the last).

    `times`: POSIX seconds of each witness of the trust file, in its order; 0 of one that did not sign.
    """

    index: int
    size: int
    times: tuple[int, ...]


@dataclass(slots=True)
class VerifiedClass:
    """A class log of which every entry was hashed and read; `anchors` end with the archive's own checkpoint."""

    log: ClassLog
    seen: Seen
    raw: bytes
    anchors: Packed[Anchor]
    source: Source
    tree: Proofs = field(init=False)
    _bundle: tuple[int, list[bytes]] = (-1, [])

    def __post_init__(self) -> None:
        self.tree = ThinTree(self.log.tree, self._entries)
        self.log.tree = Tree()  # nothing is appended any more

    def entry(self, index: int) -> bytes:
        """The bytes of one entry, hashed again because the file may have changed since."""
        (data,) = self._entries(index, index + 1)
        if leaf_hash(data) != self.tree.node(0, index):
            raise RootMismatchError(f"class log entry {index} changed while it was read")
        return data

    def _entries(self, begin: int, end: int) -> list[bytes]:
        first = begin - begin % tiles.WIDTH
        if self._bundle[0] != first:
            width = min(tiles.WIDTH, len(self.log) - first)
            name = tiles.tile_path("entries", first // tiles.WIDTH, width)
            self._bundle = (first, tiles.decode_bundle(self.source.read(name), width))
        return self._bundle[1][begin - first : end - first]


def verify_checkpoint(source: Source, trust: Trust, findings: Findings) -> tuple[Seen, bytes]:
    """Step 1: the log's signature and the quorum on the archive's `checkpoint`, and no line by a stranger."""
    with findings.step("1"):
        raw = source.read(archive.CHECKPOINT)
        parsed, signed = checkpoint.parse(raw)
        if all(key.name != parsed.origin for key in trust.logs):
            raise UnknownSignerError(f"the trust file names no log {parsed.origin}")
        seen = trust.verify_parsed(parsed, signed)
        if signed.signatures[0].name != parsed.origin:
            raise UnknownSignerError("the class log's own signature stands first")
        if parsed.size == 0:
            raise LeafError("the class log is empty")
    return seen, raw


def read_entries(source: Source, trust: Trust, seen: Seen, findings: Findings) -> tuple[ClassLog, Packed[Anchor]]:
    """Step 2: hash and read every entry; check each anchor's signatures, quorum and times."""
    with findings.step("2"):
        log = ClassLog(seen.checkpoint.origin)
        anchors = Packed(fields_of, Anchor)
        latest = [0] * len(trust.witnesses)
        for entries, _ in archive.read_bundles(source, "", seen.checkpoint, "class log entry", log.tree):
            for data in entries:
                if not data:
                    raise LeafError(f"class log entry {len(log)} is empty; nothing is withheld here")
                entry = log.read(data)
                if isinstance(entry, Logged) and entry.sid is None:
                    seen_then = trust.verify_parsed(entry.checkpoint, entry.note, others=True)
                    log.check_log_key(seen_then.log, seen_then.checkpoint.size)
                    anchors.append(_anchor(len(log) - 1, seen_then, trust, latest))
        archive.check_names(source.names("tile/"), set(tiles.paths(len(log))))
        log.check_log_key(seen.log, len(log))
        anchors.append(_anchor(len(log), seen, trust, latest))
    findings.count("2", len(log) - 1)
    return log, anchors


def _anchor(index: int, seen: Seen, trust: Trust, latest: list[int]) -> Anchor:
    """The anchor at `index`; a witness's clock never falls from one to the next, so `latest` rises."""
    times = tuple(seen.times.get(key, 0) for key in trust.witnesses.values())
    for at, (name, time) in enumerate(zip(trust.witnesses, times, strict=True)):
        if time and time < latest[at]:
            error = LeafError(f"class log entry {index}: the time of {trust.witnesses[name].name} falls")
            error.index = index
            raise error
        latest[at] = max(time, latest[at])
    return Anchor(index, seen.checkpoint.size, times)


def check_outsiders(log: ClassLog, trust: Trust, findings: Findings) -> None:
    """Step 1, third part: no witness that the verifier counts is a key of the operator's own, under whatever name."""
    named = {key.key: name for name, key in trust.witnesses.items()}
    with findings.step("1"):
        for record in log.keys:
            if record.key.key in named:
                raise TrustError(f"witness {named[record.key.key]} is the operator's own {record.leaf.role} key")


def check_freshness(log: ClassLog, trust: Trust, witnessed: Sequence[bytes], findings: Findings) -> None:
    """Step 1, second part: no checkpoint that somebody kept is newer than this archive, or contradicts it."""
    if not witnessed:
        findings.add("1 freshness", Status.NOT_CHECKABLE, "no --witnessed checkpoint was given to compare with")
    for data in witnessed:
        with findings.step("1 freshness"):
            parsed, signed = checkpoint.parse(data)
            if parsed.origin != log.origin:
                raise InconsistentLogError(f"the witnessed checkpoint is of {parsed.origin}, not of {log.origin}")
            kept = trust.verify_log(parsed, signed, others=True)
            if parsed.size > len(log):
                raise InconsistentLogError(
                    f"the class log was witnessed at size {parsed.size}; this archive ends at {len(log)}: it is stale"
                )
            log.check_log_key(kept.log, parsed.size)
            if log.tree.root_at(parsed.size) != parsed.root:
                raise InconsistentLogError(f"the class log was witnessed at size {parsed.size} with another root")


def verify_class(source: Source, trust: Trust, witnessed: Sequence[bytes], findings: Findings) -> VerifiedClass:
    """Steps 1 and 2; `findings.Refused` when there is no class log to build on."""
    seen, raw = verify_checkpoint(source, trust, findings)
    log, anchors = read_entries(source, trust, seen, findings)
    check_outsiders(log, trust, findings)
    check_freshness(log, trust, witnessed, findings)
    return VerifiedClass(log, seen, raw, anchors, source)


def session_entry(verified: VerifiedClass, index: int) -> Logged:
    """The session checkpoint that stands at entry `index`."""
    entry = leaves.decode(verified.entry(index))
    if not isinstance(entry, Logged):
        raise LeafError(f"class log entry {index} is no checkpoint")
    return entry
