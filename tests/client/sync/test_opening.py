"""What a client asks of a grant before it studies by it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from client.errors import GrantRefusedError
from client.sync import opening
from ledger import bodies
from ledger.keys import ED25519, generate

NOW, ORIGIN, ANNA, BERT = 1_795_000_000_000, "school.example/c/fire", "a" * 32, "b" * 32


@pytest.mark.parametrize(
    ("learner", "until", "taken"), [(ANNA, NOW + 1, True), (ANNA, NOW, False), (BERT, NOW + 1, False)]
)
def test_attack_a_grant_names_an_accommodation_that_ran_out_or_is_anothers(monkeypatch, learner, until, taken):
    """The verifier counts neither, so the client does not study by them: the hour would be lost."""
    supervisor = generate("school.example/p/" + "c" * 32, ED25519)
    signed = bodies.sign(bodies.Accommodation(NOW, ORIGIN, learner, {"deadline_ms": 120_000}, until), supervisor)
    monkeypatch.setattr(opening, "keys_of", lambda _log, _role: [supervisor.vkey])
    api = SimpleNamespace(raw=lambda *_: SimpleNamespace(body=signed))
    enrolment, grant = SimpleNamespace(authority=(), api=api), SimpleNamespace(learner=ANNA, time=NOW)

    def asked():
        return opening._accommodation(enrolment, grant, bodies.parse(signed)[1].digest, None)

    if taken:
        assert asked().until == until
    else:
        with pytest.raises(GrantRefusedError):
            asked()
