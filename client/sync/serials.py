"""The programme's rules only go forward: this device remembers the highest serial of each document that it has seen.

The class log refuses a serial that falls; a memory of our own refuses a log that was exchanged, and a document that
states another serial than the log gives it (records.md, "Class log").
"""

from __future__ import annotations

import json
from typing import Final

from client.errors import GrantRefusedError
from client.profile import Profile
from ledger.classlog import ClassLog
from ledger.policy import Policy

_NAME: Final = "serials"


def check(profile: Profile, log: ClassLog, rules: Policy) -> None:
    """Return quietly and remember what is in force, or raise `GrantRefusedError`: rules older than this device knows.

    `rules` are those in force in `log`, as their document states them.
    """
    current = {what: history[-1][1].serial for what, history in log.policies.items() if history}
    if rules.serial != current.get("policy"):
        raise GrantRefusedError(f"the rules state serial {rules.serial}, the class log {current.get('policy')}")
    known = _read(profile)
    seen = known.get(log.origin, {})
    for what, serial in seen.items():
        if current.get(what, 0) < serial:
            raise GrantRefusedError(f"{what} of serial {current.get(what, 0)}; this device has seen serial {serial}")
    if seen != current:
        profile.seal.put(_NAME, json.dumps({**known, log.origin: current}, sort_keys=True).encode())


def _read(profile: Profile) -> dict[str, dict[str, int]]:
    """What this device remembers; a file that cannot be read is no reason to believe less than nothing."""
    try:
        found = json.loads(profile.seal.get(_NAME) or b"{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {origin: _serials(seen) for origin, seen in found.items() if isinstance(seen, dict)}


def _serials(seen: dict[object, object]) -> dict[str, int]:
    return {str(what): serial for what, serial in seen.items() if type(serial) is int}
