"""The vectors for other implementers: valid ones read and verify, every other is refused by the code it states."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from ledger import keys, trust
from ledger.archive import open_source
from ledger.errors import LedgerError
from ledger.report import Report
from ledger.verify import Options, verify
from tests.ledger.memory import Memory
from tests.ledger.parsers import FORMS

VECTORS = Path(__file__).parent.parent / "vectors"
AT_LEAST = 40


def load(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / name).read_text("utf-8"))  # type: ignore[no-any-return]


def data_of(case: dict[str, str]) -> bytes:
    return case["text"].encode() if "text" in case else b64decode(case["base64"], validate=True)


VALID, MALFORMED, TAMPERED = load("valid/forms.json"), load("malformed/forms.json"), load("tampered/archives.json")


def test_there_are_enough_of_each_and_of_every_form() -> None:
    """At least forty valid, malformed and tampered ones, no two with one name, and none of our forms left out."""
    assert min(len(VALID), len(MALFORMED), len(TAMPERED)) >= AT_LEAST
    assert {case["form"] for case in VALID} == set(FORMS)
    assert set(FORMS) - {case["form"] for case in MALFORMED} <= {"course"}
    for cases in (VALID, MALFORMED, TAMPERED):
        names = [(case.get("form"), case["name"]) for case in cases]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", VALID, ids=lambda case: f"{case['form']}: {case['name']}")
def test_a_valid_one_is_read_and_written_again(case: dict[str, Any]) -> None:
    """What stands here is of its form in every implementation."""
    form, data = FORMS[case["form"]], data_of(case)
    parsed = form.parse(data)
    assert form.write is None or form.write(parsed) == data


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: f"{case['form']}: {case['name']}")
def test_a_malformed_one_is_refused_by_its_code(case: dict[str, Any]) -> None:
    """Each by the error whose remedy fits."""
    with pytest.raises(LedgerError) as caught:
        FORMS[case["form"]].parse(data_of(case))
    assert caught.value.code == case["code"]


@pytest.fixture(scope="module")
def base() -> Memory:
    """The valid archive, unpacked."""
    source = open_source(VECTORS / "valid" / "archive.zip")
    return Memory({name: source.read(name) for name in source.names()})


def report(source: Memory, witnessed: list[bytes]) -> Report:
    known = trust.parse((VECTORS / "valid" / "archive.trust").read_bytes())
    authority = keys.parse_vkey((VECTORS / "valid" / "archive.authority").read_text("utf-8").strip())
    return verify(source, known, Options(authority=(authority,), witnessed=witnessed))


def test_the_archive_verifies(base: Memory) -> None:
    """Nothing is refused, and all of both sessions is credited."""
    found = report(base, [base.read("checkpoint")])
    assert not found.refused
    assert {str(step.status) for step in found.findings.steps.values()} == {"ok"}
    assert found.credited_ms == 70_000


@pytest.mark.parametrize("case", TAMPERED, ids=lambda case: case["name"])
def test_a_tampered_archive_is_refused_where_it_says(base: Memory, case: dict[str, Any]) -> None:
    """The first refusal names the step, the code, the session and the entry."""
    source = base
    for name, content in case["changes"].items():
        source = source.changed(name, None if content is None else data_of(content))
    found = report(source, [data_of(one) for one in case["witnessed"]])
    first = next(finding for finding in found.findings.all() if finding.code)
    assert {key: getattr(first, key) for key in ("step", "code", "sid", "index")} == {
        key: case[key] for key in ("step", "code", "sid", "index")
    }
