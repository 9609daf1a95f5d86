"""The keys of a course in the client: read strictly, kept in memory, shown nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import BadAnswerError, NetworkError
from client.ports import Reply
from client.sync.api import Api
from client.sync.content import ContentKeys, parse_answer
from ledger.content import key_id

KEY = bytes(range(32))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80), lambda inner: st.lists(inner, max_size=4)
)


class Answers:
    """A transport that gives these answers in turn; None is silence."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers, self.asked = list(answers), []

    def send(self, method: str, path: str, body: bytes = b"", headers: object = None) -> Reply:
        self.asked.append((method, path))
        answer = self.answers.pop(0)
        if answer is None:
            raise NetworkError("no answer")
        return Reply(200, answer)


def test_keys_are_there_while_the_lesson_is_and_no_repr_shows_them() -> None:
    """Fetched once the session is open, after an answer that was lost, too; forgotten with it."""
    transport, keys = Answers(None, json.dumps({"keys": [KEY.hex()]}).encode()), ContentKeys()
    keys.fetch(Api(transport), "a" * 32)
    assert transport.asked == [("GET", f"/v1/sessions/{'a' * 32}/content-key")] * 2
    assert keys[key_id(KEY)] == KEY
    assert KEY.hex() not in repr(keys)
    keys.forget()
    assert not keys


def test_a_server_that_never_answers_is_a_network_error() -> None:
    """Three tries, then the learner hears it."""
    with pytest.raises(NetworkError):
        ContentKeys().fetch(Api(Answers(None, None, None)), "a" * 32)


@given(ANYTHING)
def test_no_answer_breaks_the_parser(value: object) -> None:
    """Only our own error leaves it; what it takes is named by its own hash."""
    try:
        found = parse_answer({"keys": value})
    except BadAnswerError:
        return
    assert all(key_id(key) == name and len(key) == 32 for name, key in found.items())
