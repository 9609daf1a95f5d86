"""JSON Schemas (2020-12) of what other implementers read: events, class-log lines, and the verifier's report.

`python -m ledger schema [events | leaves | report]` prints one; docs/ holds them. The first two are made of the very
tables that the parsers check by.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger import events
from ledger.canonical import MAX_INT
from ledger.fields import VERSION
from ledger.findings import TITLES, Status
from ledger.leaves import TYPES
from ledger.reasons import REASONS

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_BELONGS: Final = {"device": "owner", "supervisor": "vouched", "evidence": "vouched"}  # role → the field it brings


def leaves() -> Schema:
    """The JSON lines of a class log; its other entries are signed checkpoints."""
    found = {kind: leaf.json_schema(v=VERSION, type=kind) for kind, leaf in TYPES.items()}
    found["key"]["allOf"] = [
        {
            "if": {"properties": {"role": {"enum": [role for role, brings in _BELONGS.items() if brings == name]}}},
            "then": {"required": [name]},
            "else": {"not": {"required": [name]}},
        }
        for name in ("owner", "vouched")
    ]
    return {
        "$schema": _DRAFT,
        "title": "TrueSeat class log, one JSON line, version 1",
        "description": "An entry that does not begin with { is a signed checkpoint (docs/wire-format.md, Class log).",
        "oneOf": list(found.values()),
    }


def _object(**properties: Schema) -> Schema:
    names = {name.rstrip("_"): schema for name, schema in properties.items()}
    return {"type": "object", "additionalProperties": False, "properties": names, "required": sorted(names)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_COUNT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": MAX_INT}
_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_HEX: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]*$"}


def _map(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def report() -> Schema:
    """What `verify --json` prints for one archive (`ledger.report.Report.to_json`)."""
    finding = _object(
        status={"enum": [str(status) for status in Status]}, message=_TEXT, code={"pattern": "^(TS-L-[0-9]{3})?$"},
        sid=_or_null(_HEX), index=_or_null(_COUNT),
    )  # fmt: skip
    step = _object(
        step={"enum": list(TITLES)}, title=_TEXT, status={"enum": [str(status) for status in Status]}, checked=_COUNT,
        findings=_list(finding),
    )  # fmt: skip
    part = _object(unit=_TEXT, from_=_COUNT, to=_COUNT, first=_COUNT, last=_COUNT, reason={"enum": ["", *REASONS]})
    check = _object(
        i={"anyOf": [_COUNT, _TEXT]}, mode={"enum": ["online", "offline"]},
        outcome={"enum": ["passed", "failed", "missed"]}, why=_TEXT, attempts=_COUNT, seq=_COUNT,
    )  # fmt: skip
    session = _object(
        sid=_HEX, learner=_HEX, registration=_HEX, granted_ms=_COUNT, first=_COUNT, last=_COUNT,
        state={"enum": ["open", "closed", "abandoned"]}, events=_COUNT, withheld=_COUNT, scripted=_FLAG,
        credited_ms=_or_null(_COUNT), played_ms=_COUNT, credited=_list(part), not_credited=_list(part),
        checks=_list(check),
        findings=_list(_object(seq=_COUNT, rule=_TEXT, severity=_TEXT, response=_TEXT)),
    )  # fmt: skip
    whole = _object(
        refused=_FLAG, class_=_or_null(_TEXT), size=_or_null(_COUNT), root=_or_null(_HEX), witnesses=_map(_COUNT),
        timestamps=_list(_object(size=_COUNT, time={"type": "integer"}, authority=_TEXT)),
        quorum=_TEXT, fingerprints=_map(_TEXT), credited_ms=_COUNT, steps=_list(step), sessions=_list(session),
        units=_list(_object(registration=_HEX, unit=_TEXT, duration_ms=_COUNT, credited_ms=_COUNT)),
        points=_list(_object(registration=_HEX, table=_COUNT, hours_tenths=_COUNT, points_tenths=_COUNT)),
        exams=_list(_object(learner=_HEX, score_tenths=_COUNT, passed=_FLAG)),
        tests=_list(_object(
            learner=_HEX, unit=_TEXT, attempts=_COUNT, right=_COUNT, asked=_COUNT, passed=_FLAG,
        )),
    )  # fmt: skip
    return {"$schema": _DRAFT, "title": "TrueSeat verification report of one archive", **whole}


SCHEMAS: Final[Mapping[str, Callable[[], Schema]]] = {"events": events.json_schema, "leaves": leaves, "report": report}


def text(what: str) -> str:
    """One of `SCHEMAS` as it stands in docs/<what>.schema.json."""
    return json.dumps(SCHEMAS[what](), indent=1, sort_keys=True) + "\n"
