"""When a check is due and what it asks: one formula from a committed seed; nobody chooses, anybody can verify.

Everything follows study-session.md, "Random checks that can be verified afterwards": the commitment, H, pick, the gaps
on eligible time, the nonce of each attempt, and what is drawn from it. Integers only; no clock, no state but a cache.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from typing import Final

from ledger.errors import ScheduleError
from ledger.policy import Policy

SEED_BYTES: Final = 32
NONCE_BYTES: Final = 16
CLOSE: Final = "close"
SPOT: Final = "spot-"
CAMERA: Final = ("match", "liveness")  # kinds that see the learner: no other can bring a photo
CheckId = int | str  # 0, 1, 2, … | "close" | "spot-<n>"


def commit(seed: bytes, sid: str) -> str:
    """The promise that binds `seed` to session `sid` before it is revealed, as 64 hex digits."""
    return hashlib.sha256(b"trueseat/seed/v1\n" + sid.encode() + b"\n" + _seed(seed)).hexdigest()


def verify_commit(seed: bytes, sid: str, promised: str) -> None:
    """Return quietly, or raise `ScheduleError` if `seed` is not the one that was promised."""
    if not hmac.compare_digest(commit(seed, sid), promised):
        raise ScheduleError(f"session {sid}: the revealed seed is not the one that its grant commits to")


def H(key: bytes, message: str) -> bytes:
    """HMAC-SHA-256 of an ASCII message."""
    return hmac.digest(key, message.encode("ascii"), "sha256")


def pick(digest: bytes, n: int) -> int:
    """A number in [0, n), as even as 64 bits allow."""
    return int.from_bytes(digest[:8], "big") * n >> 64


def draw(nonce: bytes, j: int, n: int) -> int:
    """Draw number `j` of an attempt: a number in [0, n)."""
    return pick(H(nonce, f"draw/{j}"), n)


def gap(seed: bytes, sid: str, i: int, policy: Policy) -> int:
    """gap_i in ms of eligible time, i >= 1; the first may be 0, so that nobody is free of checks at the start."""
    low = 0 if i == 1 else policy.min_gap_ms
    return low + pick(H(_seed(seed), f"gap/{sid}/{i}"), policy.max_gap_ms - low + 1)


def nonce(seed: bytes, sid: str, i: CheckId, a: int) -> bytes:
    """The 16 bytes from which attempt `a` of check `i` is drawn."""
    return H(_seed(seed), f"nonce/{sid}/{i}/{a}")[:NONCE_BYTES]


@dataclasses.dataclass(frozen=True, slots=True)
class Drawn:
    """What one attempt asks: `gestures` in the order to be shown (liveness only), `evidence` when a photo is wanted."""

    kind: str
    gestures: tuple[str, ...]
    evidence: bool
    deadline_ms: int


def drawn(attempt: bytes, i: CheckId, policy: Policy, kind: str | None = None) -> Drawn:
    """What the nonce `attempt` asks of check `i` under `policy` (already accommodated).

    A spot check brings its own `kind`; check 0 and the closing check take theirs from the policy.
    """
    if len(attempt) != NONCE_BYTES:
        raise ScheduleError(f"a nonce of {len(attempt)} bytes, not {NONCE_BYTES}")
    if kind is None:
        kind = _kind(attempt, i, policy)
    return Drawn(
        kind=kind,
        gestures=_gestures(attempt, policy) if kind == "liveness" else (),
        evidence=kind in CAMERA and draw(attempt, 5, 1000) < policy.evidence_permille,
        deadline_ms=policy.deadlines_ms[kind],
    )


def _kind(attempt: bytes, i: CheckId, policy: Policy) -> str:
    if i == 0:
        return policy.opening_kind
    if i == CLOSE:
        return policy.closing_kind
    return policy.kinds[draw(attempt, 0, len(policy.kinds))]


def _gestures(attempt: bytes, policy: Policy) -> tuple[str, ...]:
    left = list(policy.gestures)
    count = policy.gestures_min + draw(attempt, 1, policy.gestures_max - policy.gestures_min + 1)
    return tuple(left.pop(draw(attempt, 2 + j, len(left))) for j in range(count))


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """The order of one attempt, as the server's answer and the `ordered` event carry it; `nonce` is 32 hex digits."""

    i: CheckId
    a: int
    nonce: str
    deadline_ms: int


class Schedule:
    """The checks of one session under one seed (the committed one on E, the offline one on F)."""

    def __init__(self, seed: bytes, sid: str, policy: Policy) -> None:
        """`policy` is the one that holds in this session: accommodated, and `faceless()` on the non-face route."""
        self.seed = _seed(seed)
        self.sid = sid
        self.policy = policy
        self._dues = [0]

    def due(self, i: int) -> int:
        """due_i in ms of eligible time; due_0 = 0. Costs one HMAC for each i not asked for before."""
        while len(self._dues) <= i:
            self._dues.append(self._dues[-1] + gap(self.seed, self.sid, len(self._dues), self.policy))
        return self._dues[i]

    def nonce(self, i: CheckId, a: int) -> bytes:
        """The nonce of attempt `a` of check `i`."""
        return nonce(self.seed, self.sid, i, a)

    def order(self, i: CheckId, a: int) -> Order:
        """The order that attempt `a` of check `i` must carry."""
        attempt = self.nonce(i, a)
        return Order(i=i, a=a, nonce=attempt.hex(), deadline_ms=drawn(attempt, i, self.policy).deadline_ms)


def _seed(seed: bytes) -> bytes:
    if len(seed) != SEED_BYTES:
        raise ScheduleError(f"a seed of {len(seed)} bytes, not {SEED_BYTES}")
    return seed
