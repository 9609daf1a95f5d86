"""The kinds of field that an event may have: each a small JSON Schema that is also the check.

Used by `ledger/events.py`; the schema is the only definition, so what is published is what is enforced.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

from ledger import canonical

JsonMap = Mapping[str, Any]
MAX_TEXT: Final = 60 * 1024  # no string is longer than the longest event


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One sort of field: how it is checked and how its JSON Schema reads."""

    name: str
    schema: JsonMap

    def accepts(self, value: object) -> bool:
        """Tell whether `value` is of this kind; the schema is the only definition."""
        return _matches(value, self.schema)


def _matches(value: object, schema: JsonMap) -> bool:
    if "anyOf" in schema:
        return any(_matches(value, option) for option in schema["anyOf"])
    match schema["type"]:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool) and _in_range(value, schema)
        case "string":
            return isinstance(value, str) and _string_fits(value, schema)
        case "object":
            return isinstance(value, Mapping) and _object_fits(value, schema)
    return False


def _in_range(value: int, schema: JsonMap) -> bool:
    return bool(schema.get("minimum", -canonical.MAX_INT) <= value <= schema.get("maximum", canonical.MAX_INT))


def _string_fits(value: str, schema: JsonMap) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if len(value) > schema.get("maxLength", MAX_TEXT):
        return False
    return "pattern" not in schema or re.fullmatch(schema["pattern"], value) is not None


def _object_fits(value: JsonMap, schema: JsonMap) -> bool:
    if "properties" in schema:
        names = schema["properties"]
        return set(value) == set(names) and all(_matches(value[name], names[name]) for name in names)
    return len(value) <= schema["maxProperties"] and all(
        re.fullmatch(r"[a-z][a-z0-9_]{0,63}", key) is not None and _matches(item, schema["additionalProperties"])
        for key, item in value.items()
    )


def _one_of(*values: str) -> JsonMap:
    return {"type": "string", "enum": list(values)}


def _text(limit: int) -> JsonMap:
    return {"type": "string", "maxLength": limit}


def _hex(digits: int) -> JsonMap:
    return {"type": "string", "pattern": f"[0-9a-f]{{{digits}}}"}


def _number(low: int = 0, high: int = canonical.MAX_INT) -> JsonMap:
    return {"type": "integer", "minimum": low, "maximum": high}


NULL: Final[JsonMap] = {"type": "null"}
FLAG: Final = Kind("flag", {"type": "boolean"})
COUNT: Final = Kind("count", _number())
MS: Final = Kind("milliseconds", _number())
PERMILLE: Final = Kind("per mille", _number(0, 100_000))
COVERED: Final = Kind("covered per mille", {"anyOf": [_number(0, 1000), NULL]})  # null: the platform cannot tell
HASH: Final = Kind("sha256", _hex(64))
HASH_OR_NONE: Final = Kind("sha256 or none", {"anyOf": [_hex(64), _one_of("none")]})
ID128: Final = Kind("128 random bits", _hex(32))
NAME: Final = Kind("name", {"type": "string", "pattern": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"})
SHORT: Final = Kind("short text", _text(200))
DETAIL: Final = Kind("detail", _text(1000))
NOTE: Final = Kind("signed note", _text(16_384))
SEALED: Final = Kind("sealed, base64", {"type": "string", "pattern": r"[A-Za-z0-9+/]*={0,2}", "maxLength": 32_768})
CHECK: Final = Kind(
    "check", {"anyOf": [_number(0, 1_000_000), {"type": "string", "pattern": r"close|spot-[0-9]{1,9}"}]}
)
SCORES: Final = Kind(
    "scores", {"type": "object", "maxProperties": 64, "additionalProperties": _number(-canonical.MAX_INT)}
)
HASHES: Final = Kind("hashes by name", {"type": "object", "maxProperties": 16, "additionalProperties": _hex(64)})
ROW: Final = Kind(
    "evidence row",
    {
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": {"anyOf": [_text(1000), _number(-canonical.MAX_INT), {"type": "boolean"}, NULL]},
    },
)
EVIDENCE: Final = Kind(
    "sealed photo or null",
    {
        "anyOf": [
            NULL,
            {"type": "object", "properties": {"eid": _hex(32), "sha256": _hex(64), "keys": _hex(64), "kc": _hex(64)}},
        ]
    },
)
BECAUSE: Final = Kind(
    "reason of a pause",
    _one_of(
        "absent", "agent", "camera", "check", "command", "covered", "desktop", "ended", "finding", "focus", "learner",
        "limit", "locked", "media", "minimised", "network", "rest", "suspended", "takeover", "unit_end",
    ),
)  # fmt: skip
CHECK_KIND: Final = Kind("kind of check", _one_of("match", "liveness", "attention", "identify"))
RESULT: Final = Kind("result of an attempt", _one_of("passed", "failed", "inconclusive"))
SEVERITY: Final = Kind("severity", _one_of("low", "medium", "high"))
RESPONSE: Final = Kind("response", _one_of("inform", "report", "pause", "block"))
CONSENT: Final = Kind("what is agreed", _one_of("notice", "commitment", "face", "photos"))
FAULT: Final = Kind(
    "what failed", _one_of("agent", "camera", "clock", "disk", "media", "network", "proctor", "suspend")
)
HOW: Final = Kind("how it closed", _one_of("ended", "limit", "mismatches", "recovered"))
ASK: Final = Kind("what is asked for", _one_of("close"))


def closed(schema: JsonMap) -> JsonMap:
    """The schema for publishing: a JSON Schema pattern is a search, ours match whole; a listed object is complete."""
    if "anyOf" in schema:
        return {"anyOf": [closed(option) for option in schema["anyOf"]]}
    if "pattern" in schema:
        return {**schema, "pattern": f"^(?:{schema['pattern']})$"}
    if "properties" in schema:
        names = {name: closed(item) for name, item in schema["properties"].items()}
        return {"type": "object", "properties": names, "required": sorted(names), "additionalProperties": False}
    return schema
