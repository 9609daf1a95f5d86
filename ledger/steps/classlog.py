"""Steps 1 and 2: the class log's checkpoint, its freshness, and every entry of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger import archive, checkpoint, leaves, tiles
from ledger.archive import Source
from ledger.classlog import ClassLog
from ledger.errors import InconsistentLogError, LeafError, RootMismatchError, TrustError, UnknownSignerError
from ledger.findings import Findings, Status
from ledger.keys import Vkey
from ledger.leaves import Logged
from ledger.tree import leaf_hash
from ledger.trust import Seen, Trust


@dataclass(slots=True)
class Anchor:
    """A witnessed checkpoint of the class log itself: at entry `index` (or the archive's own, after the last)."""

    index: int
    size: int
    times: dict[Vkey, int] = field(default_factory=dict)


@dataclass(slots=True)
class VerifiedClass:
    """A class log of which every entry was hashed and read; `anchors` end with the archive's own checkpoint."""

    log: ClassLog
    seen: Seen
    raw: bytes
    anchors: list[Anchor]
    source: Source
    _bundle: tuple[int, list[bytes]] = (-1, [])

    def entry(self, index: int) -> bytes:
        """The bytes of one entry, hashed again because the file may have changed since."""
        first = index - index % tiles.WIDTH
        if self._bundle[0] != first:
            width = min(tiles.WIDTH, len(self.log) - first)
            name = tiles.tile_path("entries", first // tiles.WIDTH, width)
            self._bundle = (first, tiles.decode_bundle(self.source.read(name), width))
        data = self._bundle[1][index - first]
        if leaf_hash(data) != self.log.tree.node(0, index):
            raise RootMismatchError(f"class log entry {index} changed while it was read")
        return data


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


def read_entries(source: Source, trust: Trust, seen: Seen, findings: Findings) -> tuple[ClassLog, list[Anchor]]:
    """Step 2: hash and read every entry; check each anchor's signatures, quorum and times."""
    with findings.step("2"):
        log = ClassLog(seen.checkpoint.origin)
        anchors: list[Anchor] = []
        latest: dict[Vkey, int] = {}
        for data, _ in archive.read_log(source, "", seen.checkpoint, "class log entry"):
            if data is None:
                raise LeafError(f"class log entry {len(log)} is empty; nothing is withheld here")
            entry = log.add(data)
            if isinstance(entry, Logged) and entry.sid is None:
                anchors.append(_anchor(len(log) - 1, entry, trust, latest))
        archive.check_names(source.names("tile/"), set(tiles.paths(len(log))))
        last = Anchor(len(log), seen.checkpoint.size, dict(seen.times))
        _check_times(last, latest)
        anchors.append(last)
    findings.count("2", len(log) - 1)
    return log, anchors


def _anchor(index: int, entry: Logged, trust: Trust, latest: dict[Vkey, int]) -> Anchor:
    seen = trust.verify_parsed(entry.checkpoint, entry.note, others=True)
    anchor = Anchor(index, entry.checkpoint.size, dict(seen.times))
    _check_times(anchor, latest)
    return anchor


def _check_times(anchor: Anchor, latest: dict[Vkey, int]) -> None:
    """A witness's clock never falls from one anchor to the next."""
    for key, time in anchor.times.items():
        if time < latest.get(key, 0):
            error = LeafError(f"class log entry {anchor.index}: the time of {key.name} falls")
            error.index = anchor.index
            raise error
        latest[key] = time


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
            trust.verify_log(parsed, signed, others=True)
            if parsed.size > len(log):
                raise InconsistentLogError(
                    f"the class log was witnessed at size {parsed.size}; this archive ends at {len(log)}: it is stale"
                )
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
