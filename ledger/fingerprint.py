"""How people compare keys and trust files: by reading groups of digits aloud. All 256 bits, because the operator, who
draws the keys, would otherwise look for two that share the digits."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from ledger.keys import Vkey
from ledger.trust import Trust

GROUP: Final = 4
A_LINE: Final = 8


def groups(data: bytes) -> str:
    """SHA-256 of `data` as 16 groups of 4 hex digits, separated by spaces."""
    digits = sha256(data).hexdigest()
    return " ".join(digits[i : i + GROUP] for i in range(0, len(digits), GROUP))


def of_key(key: Vkey) -> str:
    """The groups of one verifier key: of its text form, which holds its name."""
    return groups(str(key).encode())


def of_trust(trust: Trust) -> str:
    """The groups of a trust file: of what it says in its plain spelling, without comments and addresses."""
    return groups(str(trust).encode())


def of_all(trust: Trust, origin: str, authority: Iterable[Vkey]) -> dict[str, str]:
    """What to compare of a verification of the log `origin`: name → groups, the trust file itself first."""
    first, *later = trust.keys(origin)
    found = {"trust file": of_trust(trust), first.name: of_key(first)}
    found |= {f"{key.name} ({key.key_id.hex()})": of_key(key) for key in later}
    return found | {key.name: of_key(key) for key in (*trust.witnesses.values(), *authority)}


def halves(text: str) -> tuple[str, str]:
    """The groups on two lines, eight on each."""
    found = text.split(" ")
    return " ".join(found[:A_LINE]), " ".join(found[A_LINE:])
