"""Rate limits by address: a bucket that fills again; generous, because a classroom shares one address."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from server_stub.domain.errors import TooManyError

RULES: Final = {  # what → (how many at once, ms until one more)
    "sign-in": (120, 1_000),  # a class of 60 signs in within a minute, start and finish each
    "poll": (1_200, 50),  # of a sign-in elsewhere: a class of 60 asks every few seconds
    "password": (20, 5_000),
    "account": (10, 30_000),  # passwords for one account, from wherever
    "refused": (120, 1_000),  # segments that nobody's session key signed
    "session": (240, 500),
    "test": (20, 30_000),  # a learner's attempts
    "letter": (20, 60_000),
    "copy": (5, 600_000),  # one learner's own copies: each is made and verified anew
}
_MAX_BUCKETS = 100_000  # older ones are forgotten: memory is bounded, whoever asks


def line_of(address: str) -> str:
    """Whose line an address is: of IPv6 the first 64 bits, the rest is its holder's to choose; others as they are."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:  # what is counted may be an account's name
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Address(int(found) >> 64 << 64))


class Limits:
    """Counts requests per kind and address in memory."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, what: str, address: str) -> None:
        """Count one request, or raise `TooManyError` with `retry_after` in seconds."""
        most, refill_ms = RULES[what]
        now, address = self._clock(), line_of(address)
        with self._lock:
            left, at = self._buckets.pop((what, address), (float(most), now))
            left = min(float(most), left + max(0, now - at) / refill_ms)
            self._buckets[what, address] = (max(0.0, left - 1), now)
            if len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
        if left < 1:
            raise TooManyError("too many requests", {"retry_after": -(-refill_ms // 1000)})
