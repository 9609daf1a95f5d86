"""Which keys a session's answers are verified with, kept beside the session as one JSON line."""

from __future__ import annotations

import json

from client.errors import LocalRecordsError
from client.sync.receipts import Keys
from ledger.errors import LedgerError
from ledger.keys import parse_vkey


def write_keys(keys: Keys) -> str:
    """The keys as text."""
    return json.dumps(
        {
            "class": keys.class_origin,
            "cosigners": [str(key) for key in keys.cosigners],
            "grants": [str(key) for key in keys.grants],
            "supervisors": [str(key) for key in keys.supervisors],
        }
    )


def read_keys(text: str) -> Keys:
    """What `write_keys` wrote, or `LocalRecordsError`."""
    try:
        obj = json.loads(text)
        lists = [tuple(parse_vkey(key) for key in obj[name]) for name in ("cosigners", "grants", "supervisors")]
        return Keys(str(obj["class"]), *lists)
    except (ValueError, TypeError, KeyError, AttributeError, LedgerError) as error:
        raise LocalRecordsError("the keys kept beside a session are damaged") from error
