"""Which photos a spot check opens: drawn by a public seed, so that anybody draws the same ones and nobody chooses.

Rank every photo of a class by SHA-256(label ‖ seed ‖ class ‖ session ‖ photo) and take the first n. The seed is a text
that nobody could know when the photos were taken (a lottery's numbers, a beacon's pulse), named with the draw.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from ledger import events, tiles
from ledger.archive import Source
from ledger.checkpoint import parse as parse_checkpoint
from ledger.errors import FormatError, LedgerError
from ledger.events import Answered

LABEL: Final = "trueseat/sample/v1"
MAX_SEED: Final = 1000
Drawn = tuple[str, str]  # session, photo


class SampleError(FormatError):
    """A sample cannot be drawn: the seed is no line of text, or the number no number of photos."""

    code = "TS-L-069"
    remedy = "State the public seed as one line of text, and how many photos are to be drawn."
    zh = "无法抽样：种子须为一行文本，数量须为正整数。请核对后重试。"


def draw(seed: str, origin: str, population: Iterable[Drawn], count: int) -> list[Drawn]:
    """The `count` photos (all, if there are fewer) that `seed` draws from those of the class log `origin`.

    A photo keeps its rank whatever else is in the population: one that is taken away later does not change the others.
    """
    if not seed.strip() or len(seed) > MAX_SEED or not seed.isprintable() or count < 1:
        raise SampleError(f"no sample of {count} by {seed[:60]!r}")
    return sorted(set(population), key=lambda photo: _rank(seed, origin, photo))[:count]


def _rank(seed: str, origin: str, photo: Drawn) -> bytes:
    return sha256(f"{LABEL}\n{seed}\n{origin}\n{photo[0]}\n{photo[1]}\n".encode()).digest()


def of_archive(source: Source, seed: str, count: int) -> list[Drawn]:
    """The same draw from an archive. It is not verified here: run `verify` first."""
    origin = parse_checkpoint(source.read("checkpoint"))[0].origin
    return draw(seed, origin, _named(source), count)


def _named(source: Source) -> Iterable[Drawn]:
    """Photos that the events of an archive name."""
    for name in source.names("sessions/"):
        _, sid, *rest = name.split("/")
        if rest[:2] != ["tile", "entries"]:
            continue
        for entry in tiles.decode_bundle(source.read(name)):
            photo = _photo(entry) if b'"kc":"' in entry else None
            if photo is not None:
                yield sid, photo


def _photo(entry: bytes) -> str | None:
    try:
        body = events.decode(entry).body
    except LedgerError:  # no event names anything
        return None
    return body.evidence["eid"] if isinstance(body, Answered) and body.evidence is not None else None


def lines(drawn: Sequence[Drawn]) -> str:
    """One photo a line: session and name."""
    return "".join(f"{sid} {eid}\n" for sid, eid in drawn)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """`--seed` and `--count`."""
    command.add_argument("--seed", required=True, help="a public text of after the photos were taken")
    command.add_argument("--count", type=int, required=True)
