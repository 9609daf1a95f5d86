"""双随机、一公开: whom a spot check visits and who visits, both drawn by one public seed, so that nobody chooses.

The list of everybody who may be drawn is published by its hash before the seed is known (a lottery's numbers of a later
day, say). Then anybody draws the same with `python -m ledger draw LIST --seed TEXT`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.errors import ArchiveError, FormatError

LABEL: Final = "trueseat/inspection/v1"
MAX_SEED: Final = 1000
_ITEM: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9./-]{0,99}")
_COUNTS: Final = re.compile(r"([1-9][0-9]{0,4}) ([1-9])")
MAX_INSPECTEES, MAX_INSPECTORS = 100_000, 1000


class InspectionError(FormatError):
    """A list or a seed from which nothing can be drawn."""

    code = "TS-L-081"
    remedy = "Take the list as it was published, byte for byte, and the seed as one line of text."
    zh = "无法抽取：请使用公布的原始名单（逐字节一致）和一行文本形式的公开种子。"


@dataclass(frozen=True, slots=True)
class Listing:
    """Who may be drawn: `count` of the inspectees, `each` inspectors for every one. `source`: where the seed comes
    from, said before anybody knows it. Every instance is valid, or `InspectionError` was raised while it was made."""

    name: str
    source: str
    count: int
    each: int
    inspectees: tuple[str, ...]
    inspectors: tuple[str, ...]

    def __post_init__(self) -> None:
        for text, most in ((self.name, 100), (self.source, 300)):
            if not 0 < len(text) <= most or not text.isprintable():
                raise InspectionError(f"no line of text: {text[:40]!r}")
        if not 0 < self.count <= 99_999 or not 0 < self.each <= 9:
            raise InspectionError(f"no draw of {self.count} with {self.each} inspectors each")
        for names, most in ((self.inspectees, MAX_INSPECTEES), (self.inspectors, MAX_INSPECTORS)):
            if not 0 < len(names) <= most or list(names) != sorted(set(names)) or not all(map(_ITEM.fullmatch, names)):
                raise InspectionError("the names rise, each stands once, and there are not too many")

    def __bytes__(self) -> bytes:
        """The list as it is published: header, name, source, numbers, then a line each."""
        lines = [LABEL, self.name, self.source, f"{self.count} {self.each}"]
        lines += [f"inspectee {item}" for item in self.inspectees] + [f"inspector {item}" for item in self.inspectors]
        return "".join(f"{line}\n" for line in lines).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of what is published."""
        return sha256(bytes(self)).hexdigest()


Pair = tuple[str, tuple[str, ...]]  # an inspectee and its inspectors


def parse(data: bytes) -> Listing:
    """The list that these bytes are the one form of, or `InspectionError`."""
    try:
        head, name, source, counts, *items = data.decode().removesuffix("\n").split("\n")
    except ValueError as error:
        raise InspectionError("not a list of inspectees and inspectors") from error
    numbers = _COUNTS.fullmatch(counts)
    if head != LABEL or numbers is None:
        raise InspectionError("not a list of this version")
    found: dict[str, list[str]] = {"inspectee": [], "inspector": []}
    for item in items:
        kind, _, text = item.partition(" ")
        if kind not in found:
            raise InspectionError(f"neither inspectee nor inspector: {item[:40]!r}")
        found[kind].append(text)
    listing = Listing(name, source, int(numbers[1]), int(numbers[2]), tuple(found["inspectee"]),
                      tuple(found["inspector"]))  # fmt: skip
    if bytes(listing) != data:
        raise InspectionError("not in its one form")
    return listing


def draw(listing: Listing, seed: str) -> list[Pair]:
    """Everybody ranked by SHA-256 of label, seed and name: the first are drawn, each with inspectors drawn for it."""
    if not seed.strip() or len(seed) > MAX_SEED or not seed.isprintable():
        raise InspectionError(f"no seed: {seed[:40]!r}")
    chosen = _ranked(f"{seed}\n{listing.name}", listing.inspectees)[: listing.count]
    return [
        (item, tuple(_ranked(f"{seed}\n{listing.name}\n{item}", listing.inspectors)[: listing.each])) for item in chosen
    ]


def _ranked(seed: str, names: Sequence[str]) -> list[str]:
    return sorted(set(names), key=lambda name: sha256(f"{LABEL}\n{seed}\n{name}\n".encode()).digest())


def add_arguments(command: argparse.ArgumentParser) -> None:
    """`draw LIST --seed TEXT`."""
    command.add_argument("file", type=Path, help="the list as it was published")
    command.add_argument("--seed", required=True, help="the public text of after the list was published")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list's hash and the draw, one line an inspectee."""
    try:
        data = arguments.file.read_bytes()
    except OSError as error:
        raise ArchiveError(f"{arguments.file} cannot be read: {error.strerror}") from error
    listing = parse(data)
    sys.stdout.write(f"list {listing.digest}\n")
    sys.stdout.write("".join(f"{item} {' '.join(by)}\n" for item, by in draw(listing, arguments.seed)))
    return 0
