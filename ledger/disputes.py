"""The commands by which somebody proves a fault to a third person: `compare`, `proof`, `complain`."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from ledger import contradiction, trust
from ledger.archive import open_source
from ledger.compare import compare, read_side
from ledger.complaint import ComplaintError, complain
from ledger.errors import ArchiveError
from ledger.keys import parse_vkey
from ledger.words import shown

AGREED, PROVEN, OPEN = 0, 1, 2


def add(commands: argparse._SubParsersAction[ArgumentParser]) -> None:
    """Add the three commands; each parsed one has `run`, which returns the exit code."""
    both = commands.add_parser("compare", help="two archives, checkpoints or receipts: one history, or proof of two?")
    both.set_defaults(run=_compare)
    both.add_argument("first", type=Path)
    both.add_argument("second", type=Path)
    proven = commands.add_parser("proof", help="check a proof that `compare` wrote")
    proven.set_defaults(run=_proof)
    proven.add_argument("file", type=Path)
    missing = commands.add_parser("complain", help="something that was signed a day ago is not in the class log")
    missing.set_defaults(run=_complain)
    missing.add_argument("claim", type=Path, help="a grant, or a session's checkpoint with the server's cosignature")
    missing.add_argument("--against", type=Path, required=True, help="the class archive that lacks it")
    for command in (both, proven, missing):
        command.add_argument("--trust", type=Path, required=command is not proven, help="your own trust file")
    for command in (both, missing):
        command.add_argument("--out", type=Path, help="where the proof is written; it must not exist yet")


def _compare(arguments: argparse.Namespace) -> int:
    trusted = trust.parse(_read(arguments.trust))
    found = compare(read_side(arguments.first, trusted), read_side(arguments.second, trusted))
    for origin in found.agreed:
        print(f"{shown(origin)}: one history")
    for origin in found.open_:
        print(f"{shown(origin)}: signed at two sizes; only the entries of the larger one can tell (give an archive)")
    for origin in found.keys:
        print(f"{shown(origin)}: two histories, signed by two keys; ask the class log which of them counted when")
    for proof in found.proofs:
        print(f"CONTRADICTION: {shown(proof.verify())}")
    _write_all(arguments.out, [bytes(proof) for proof in found.proofs])
    return PROVEN if found.proofs else OPEN if found.open_ or found.keys else AGREED


def _proof(arguments: argparse.Namespace) -> int:
    """The proof holds by itself; with a trust file, also whose key it is."""
    found = contradiction.parse(_read(arguments.file))
    print(f"PROVEN: {shown(found.verify())}")
    key = parse_vkey(found.key)
    known = arguments.trust and key in trust.parse(_read(arguments.trust)).logs
    print(f"signed by {key}" + ("" if known else "; whose key that is, your trust file or the class log must say"))
    return AGREED


def _complain(arguments: argparse.Namespace) -> int:
    trusted = trust.parse(_read(arguments.trust))
    try:
        found = complain(_read(arguments.claim), open_source(arguments.against), trusted)
    except ComplaintError as error:
        print(f"nothing to complain about: {shown(str(error))}\n{error.remedy}")
        return AGREED
    late = (found.seen_ms - found.signed_ms) // 3_600_000
    print(f"OMITTED: signed {late} h before the class log's last word, and not in it ({found.missing})")
    _write_all(arguments.out, [bytes(found)])
    return PROVEN


def _write_all(out: Path | None, proofs: Sequence[bytes]) -> None:
    """The first proof to `out`, further ones beside it, numbered; nothing is overwritten."""
    for number, data in enumerate(proofs if out else ()):
        assert out is not None
        path = out if number == 0 else out.with_name(f"{out.name}.{number}")
        try:
            with path.open("xb") as file:
                file.write(data)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be written: {error.strerror}") from error
        sys.stdout.write(f"{path}\n")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error
