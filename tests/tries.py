"""How many random examples a property is tried with: all of them, or a tenth in the quick run."""

from __future__ import annotations

import os

QUICK = os.environ.get("HYPOTHESIS_PROFILE") == "quick"


def tries(full: int) -> int:
    """`full`, the number of `make test`; in `make quick` a tenth of it, but five at least."""
    return max(5, full // 10) if QUICK else full
