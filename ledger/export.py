"""Write a class archive (一班一卷) that anybody can verify without its writer, who verifies it first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

from ledger import certificate, checkpoint, tiles
from ledger.archive import CHECKPOINT, PEOPLE, README, Directory
from ledger.bodies import FOLDER as BODIES
from ledger.errors import ArchiveError
from ledger.proof import Receipt
from ledger.report import Report
from ledger.tree import Tree, leaf_hash
from ledger.trust import Trust
from ledger.verify import Options, summaries, verify

_CHECK_SCRIPT: Final = "check.sh"


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """One session to export: its last logged checkpoint and its certificate, byte for byte, and its events in order.

    An event that was erased is `b""`, and `hashes` then holds its leaf hash by index.
    """

    sid: str
    checkpoint: bytes
    certificate: bytes
    entries: Sequence[bytes]
    hashes: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveData:
    """Everything of one class. `entries`: the class log up to `checkpoint`, which carries all cosignatures.

    `bodies`: hex hash → bytes (a note by the hash of its text, a plain file by its own); `evidence`: name under
    `evidence/` → bytes; `people`: the file itself, None for a masked export.
    """

    checkpoint: bytes
    entries: Sequence[bytes]
    sessions: Iterable[SessionFiles]
    bodies: Iterable[tuple[str, bytes]]
    people: bytes | None = None
    evidence: Iterable[tuple[str, bytes]] = ()


def write_archive(out: Path, data: ArchiveData, trust: Trust, options: Options | None = None) -> Report:
    """Write the archive into the empty or absent directory `out`, verify it, write the summaries; return the report.

    `ArchiveError` when `out` is not empty, or when the archive does not verify against `trust` (then it is left there
    for whoever looks into it, without summaries, so that nobody takes it for good). A session that was granted, never
    opened and not yet revealed cannot be exported: reveal it (size 0) first.
    """
    if out.exists() and any(out.iterdir()):
        raise ArchiveError(f"{out} is not empty")
    writer = _Writer(out, data.checkpoint, data.entries)
    writer.class_log()
    for session in data.sessions:
        writer.session(session)
    for digest, body in data.bodies:
        writer.put(BODIES + digest, body)
    for name, sealed in data.evidence:
        writer.put(f"evidence/{name}", sealed)
    if data.people is not None:
        writer.put(PEOPLE, data.people)
    options = options or Options()
    draft = Options(authority=options.authority, witnessed=options.witnessed, partial=options.partial, summaries=False)
    report = verify(Directory(out), trust, draft)
    if report.refused:
        first = next(finding for finding in report.findings.all() if finding.code)
        raise ArchiveError(f"the archive does not verify: {first.message}")
    for name, content in summaries(report).items():
        writer.put(name, b"".join(content))
    return report


def write_unsent(out: Path, session: SessionFiles) -> None:
    """Write the learner's own copy of a session that never reached the server; `verify --partial` reads it.

    `session.checkpoint` is signed by the session key alone. `ArchiveError` when `out` is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise ArchiveError(f"{out} is not empty")
    prefix = f"sessions/{session.sid}/"
    parsed, _ = certificate.parse(session.certificate)
    put(out, README, readme(parsed.class_origin))
    put(out, prefix + "checkpoint", session.checkpoint)
    put(out, prefix + "device.cert", session.certificate)
    _put_log(out, prefix, session.entries, Tree(map(leaf_hash, session.entries)))


def put(out: Path, name: str, content: bytes) -> None:
    """Write one file of the archive in `out`, making its folders."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _put_log(out: Path, prefix: str, entries: Sequence[bytes], tree: Tree) -> None:
    for path, content in tiles.bundles(entries):
        put(out, prefix + path, content)
    for path, content in tiles.hash_tiles(tree):
        put(out, prefix + path, content)


class _Writer:
    def __init__(self, out: Path, signed: bytes, entries: Sequence[bytes]) -> None:
        self._out = out
        self._signed = signed
        self._entries = entries
        self._parsed, _ = checkpoint.parse(signed)
        self._tree = Tree(leaf_hash(entry) for entry in entries)
        self._index = {entry: index for index, entry in enumerate(entries) if not entry.startswith(b"{")}

    def put(self, name: str, content: bytes) -> None:
        """Write one file."""
        put(self._out, name, content)

    def class_log(self) -> None:
        """README, checkpoint, tiles and bundles."""
        self.put(README, readme(self._parsed.origin))
        self.put(CHECKPOINT, self._signed)
        _put_log(self._out, "", self._entries, self._tree)

    def session(self, session: SessionFiles) -> None:
        """One session's folder; its receipt is made anew for this archive's checkpoint."""
        prefix = f"sessions/{session.sid}/"
        index = self._index.get(session.checkpoint)
        if index is None:
            raise ArchiveError(f"session {session.sid}: its checkpoint is no entry of this class log")
        self.put(prefix + "checkpoint", session.checkpoint)
        self.put(prefix + "device.cert", session.certificate)
        tree = Tree(leaf_hash(entry) if entry else session.hashes[i] for i, entry in enumerate(session.entries))
        _put_log(self._out, prefix, session.entries, tree)
        path = tuple(self._tree.inclusion_proof(index, len(self._entries)))
        self.put(prefix + "receipt.tlog-proof", bytes(Receipt(index, path, self._signed)))
        withheld = [i for i, entry in enumerate(session.entries) if not entry]
        if withheld:
            self.put(prefix + "withheld", "".join(f"{i}\n" for i in withheld).encode())


def readme(origin: str) -> bytes:
    """README.txt: what the archive is, and at its end the script that checks it without us."""
    folder = resources.files("ledger") / "handout"
    text = (folder / "README.txt").read_text("utf-8").replace("@CLASS@", origin)
    return text.encode() + (folder / _CHECK_SCRIPT).read_bytes()
