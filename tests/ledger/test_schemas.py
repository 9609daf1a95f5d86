"""The published schemas say what the parsers do: each valid line fits, each refused one does not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ledger import canonical, leaves, schemas
from ledger.errors import LeafError
from ledger.leaves import BodyLeaf, KeyLeaf, Leaf
from tests.ledger.builder import Classroom
from tests.ledger.conftest import Made

DOCS = Path(__file__).parent.parent.parent / "docs"


def fits(value: Any, schema: Any) -> bool:
    """The part of JSON Schema that these pages use; anything else in a schema is an error here."""
    known = {
        "$schema", "title", "description", "type", "const", "enum", "anyOf", "oneOf", "allOf", "if", "then", "else",
        "not", "properties", "required", "additionalProperties", "maxProperties", "items", "maxItems", "uniqueItems",
        "minimum", "maximum", "maxLength", "pattern",
    }  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    wanted = types.get(schema.get("type", ""), object)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return False
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        return False
    checks = [
        "enum" not in schema or value in schema["enum"],
        "anyOf" not in schema or any(fits(value, option) for option in schema["anyOf"]),
        "oneOf" not in schema or sum(fits(value, option) for option in schema["oneOf"]) == 1,
        all(fits(value, part) for part in schema.get("allOf", ())),
        "not" not in schema or not fits(value, schema["not"]),
        "if" not in schema or fits(value, schema["then" if fits(value, schema["if"]) else "else"]),
    ]
    return all(checks) and _scalar(value, schema) and _inside(value, schema)


def _scalar(value: Any, schema: Any) -> bool:
    if isinstance(value, str):
        short = len(value) <= schema.get("maxLength", 10**9)
        return short and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)
    if isinstance(value, int):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _inside(value: Any, schema: Any) -> bool:
    if isinstance(value, list):
        alone = not schema.get("uniqueItems") or len({json.dumps(item) for item in value}) == len(value)
        items = schema.get("items", {})
        return alone and len(value) <= schema.get("maxItems", 10**9) and all(fits(item, items) for item in value)
    if not isinstance(value, dict):
        return True
    named, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    rest = [item for name, item in value.items() if name not in named]
    return (
        set(schema.get("required", ())) <= set(value)
        and all(fits(item, named[name]) for name, item in value.items() if name in named)
        and (not rest if others is False else all(fits(item, others) for item in rest))
        and len(value) <= schema.get("maxProperties", 10**9)
    )


@pytest.mark.parametrize("what", schemas.SCHEMAS)
def test_what_docs_hold_is_what_the_command_prints(what: str) -> None:
    """`make docs` writes them; run it when a table changes."""
    assert (DOCS / f"{what}.schema.json").read_text("utf-8") == schemas.text(what)


def test_every_event_and_every_line_of_a_real_class_fits() -> None:
    """And every type of line has been seen here."""
    room = Classroom(witnesses=1)
    device = room.device(room.learner())
    session = room.session(device).study(20_000).close().settle(20_000)
    session.erase(3)
    room.append(KeyLeaf(room.now, "revoke", "device", str(device.signer.vkey), owner="0" * 64))
    room.append(BodyLeaf(room.now, "people", "0" * 64))
    event, line = schemas.SCHEMAS["events"](), schemas.SCHEMAS["leaves"]()
    assert all(fits(json.loads(data), event) for data in session.log)
    lines = [json.loads(data) for data in room.entries if data.startswith(b"{")]
    assert all(fits(obj, line) for obj in lines)
    assert {obj["type"] for obj in lines} == set(leaves.TYPES)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"type": "grants"}, {"at": -1}, {"at": True}, {"op": "remove"}, {"role": "king"}, {"owner": None},
        {"owner": "0" * 63}, {"vouched": "0" * 64}, {"more": 1}, {"role": "grant"}, {"role": "supervisor"}, {"vkey": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_line_that_is_refused_does_not_fit(change: dict[str, Any]) -> None:
    """Schema and parser draw the line at the same place."""
    room = Classroom()
    room.device(room.learner())
    entry = next(data for data in room.entries if b'"role":"device"' in data)
    obj = {key: value for key, value in {**json.loads(entry), **change}.items() if value is not None}
    with pytest.raises(LeafError):
        leaves.decode(canonical.encode(obj))
    assert not fits(obj, schemas.SCHEMAS["leaves"]())


def test_every_check_of_every_line_is_published() -> None:
    """A check without a schema would be a rule that nobody else can know."""
    for kind, leaf in leaves.TYPES.items():
        assert issubclass(leaf, Leaf)
        assert leaf.json_schema(type=kind)["properties"].keys() == {"type", *leaf.checks}


def test_reports_fit(archive: Made) -> None:
    """A good one, a refused one, and one that stops at its first step."""
    schema = schemas.SCHEMAS["report"]()
    good = archive.verify()
    sid = good.sessions[0].sid
    bundle = next(name for name in archive.source.names(f"sessions/{sid}/tile/entries/"))
    bent = archive.verify(archive.source.changed(bundle, archive.source.read(bundle)[:-1]))
    stopped = archive.verify(archive.source.changed("checkpoint", b"x"))
    for report in (good, bent, stopped):
        assert fits(json.loads(json.dumps(report.to_json())), schema)
    assert not fits({**good.to_json(), "refused": "no"}, schema)
