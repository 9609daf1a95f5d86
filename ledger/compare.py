"""Do two archives, checkpoints or receipts tell one history, or prove together that there are two?

Whatever both sides hold is compared: the class log's checkpoint, and each session that both have. Where they contradict
each other, two signed statements become one proof file that names both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger import archive, certificate, checkpoint, note, proof
from ledger.archive import CHECKPOINT, Source, open_source
from ledger.checkpoint import Checkpoint
from ledger.contradiction import Proof, path
from ledger.errors import ArchiveError, LedgerError, TrustError
from ledger.keys import Vkey
from ledger.note import Note
from ledger.steps.session import folder
from ledger.tree import Tree
from ledger.trust import Trust

MAX_FILE: Final = 1 << 20  # of a checkpoint or a receipt


@dataclass(slots=True)
class History:
    """One log as one side states it: its signed checkpoint, its key, and its tree where the side has the entries."""

    checkpoint: Checkpoint
    signed: Note
    key: Vkey
    tree: Tree | None = None


@dataclass(slots=True)
class Side:
    """What one file or archive states: histories by the origin of their log, and what in it could not be used."""

    name: str
    histories: dict[str, History] = field(default_factory=dict)
    unusable: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """`proofs` of contradictions and `agreed` origins. `open_`: signed at two sizes, and neither side has entries.

    `keys`: two keys signed two histories of one log, so no file proves anything of either by itself.
    """

    proofs: list[Proof] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def compare(a: Side, b: Side) -> Outcome:
    """Compare every log of which both sides have a checkpoint; `ArchiveError` when there is none."""
    found = Outcome()
    both = [origin for origin in a.histories if origin in b.histories]
    if not both:
        raise ArchiveError(f"{a.name} and {b.name} have no log in common")
    for origin in both:
        compare_histories(a.histories[origin], b.histories[origin], found)
    return found


def compare_histories(one: History, two: History, found: Outcome) -> None:
    """Add to `found` what two statements on one log come to."""
    first, second = sorted((one, two), key=lambda item: item.checkpoint.size)
    m, n = first.checkpoint.size, second.checkpoint.size
    origin = first.checkpoint.origin
    steps: tuple[str, ...] = ()
    if m == n:
        same = first.checkpoint.root == second.checkpoint.root
    elif second.tree is None:
        found.open_.append(origin)
        return
    else:
        same = second.tree.root_at(m) == first.checkpoint.root
        steps = path(second.tree, m, n) if m else ()
    if same:
        found.agreed.append(origin)
        return
    if first.key != second.key:
        found.keys.append(origin)
        return
    made = Proof(str(first.key), bytes(first.signed).decode(), bytes(second.signed).decode(), steps)
    made.verify()  # nobody is accused by a file that does not hold
    found.proofs.append(made)


def read_side(where: Path, trust: Trust) -> Side:
    """Read an archive (also a copy of sessions that were never sent), a checkpoint or a receipt.

    A class log's key comes from `trust`, a session's from its certificate. `ArchiveError` for what is none of these.
    """
    side = Side(str(where))
    if where.is_dir() or where.suffix == ".zip":
        _read_archive(open_source(where), trust, side)
    else:
        _read_file(where, trust, side)
    return side


def _read_file(where: Path, trust: Trust, side: Side) -> None:
    try:
        data = where.read_bytes() if where.stat().st_size <= MAX_FILE else b""
    except OSError as error:
        raise ArchiveError(f"{where} cannot be read: {error.strerror}") from error
    raw = proof.parse(data).checkpoint if data.startswith(proof.HEADER.encode()) else data
    found, signed = checkpoint.parse(raw)
    _add(side, found, signed, trust.signer(found.origin, signed), None)


def _read_archive(source: Source, trust: Trust, side: Side) -> None:
    if source.has(CHECKPOINT):
        found, signed = checkpoint.parse(source.read(CHECKPOINT))
        _add(side, found, signed, trust.signer(found.origin, signed), _tree(source, "", found))
    for sid in source.folders("sessions/"):
        try:
            for history in _session(source, sid):
                _add(side, *history)
        except LedgerError as error:
            side.unusable.append(f"session {sid}: {error}")


def _session(source: Source, sid: str) -> Iterator[tuple[Checkpoint, Note, Vkey, Tree]]:
    """A session's history under the key that its certificate names; the device that signed that stands in the log."""
    parsed, _ = certificate.parse(source.read(folder(sid) + "device.cert"))
    found, signed = checkpoint.parse(source.read(folder(sid) + "checkpoint"))
    if found.origin != parsed.origin:
        raise ArchiveError("its checkpoint is another session's")
    yield found, signed, parsed.session_key, _tree(source, folder(sid), found)


def _tree(source: Source, prefix: str, signed: Checkpoint) -> Tree:
    """The tree over the entries, which lead to the signed root, or a `LedgerError`."""
    return Tree(leaf for _, leaf in archive.read_log(source, prefix, signed, "entry"))


def _add(side: Side, found: Checkpoint, signed: Note, key: Vkey, tree: Tree | None) -> None:
    lines = [line for line in note.verify(signed, [key], others=True) if line.is_by(key)]
    if not lines:
        raise TrustError(f"the checkpoint of {found.origin} is not signed by its log")
    side.histories[found.origin] = History(found, note.Note(signed.text, tuple(lines)), key, tree)
