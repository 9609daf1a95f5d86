"""The HTTP edge: whatever a server or a proxy answers, only our own errors come out."""

from __future__ import annotations

import contextlib
import json
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import (
    BadAnswerError,
    ForgedAnswerError,
    LocalRecordsError,
    NetworkError,
    ServerRefusedError,
    SignedOutError,
)
from client.ports import Reply
from client.profile import Profile
from client.sync import api, receipts, transport
from client.sync.api import Api, read_json, refusal
from client.sync.enrol import Enrolment
from client.sync.keyring import read_keys, write_keys
from client.sync.receipts import Keys
from client.sync.transport import HttpTransport
from ledger import checkpoint
from ledger.checkpoint import Checkpoint
from ledger.keys import COSIGNATURE, ED25519, generate

FIELDS = (
    "registration", "class", "title", "course", "policy", "rules", "models", "reference", "credited_ms", "server",
    "trust",
)  # fmt: skip


class Odd(BaseHTTPRequestHandler):
    """A server with bad habits, one for each path."""

    def do_GET(self) -> None:
        match self.path:
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"only this")
            case "/moved":
                self.send_response(302)
                self.send_header("Location", "/long")
                self.end_headers()
            case "/long":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(bytes(200_000))
            case "/silent":
                self.close_connection = True
            case _:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(self.headers.get("X-Name", "").encode() + b"|" + self.path.encode())

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def odd():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield HttpTransport(f"http://127.0.0.1:{server.server_port}", timeout=(60, 60))
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_request_is_what_was_asked(odd):
    """Method, path and headers arrive; the answer comes back whole."""
    assert odd.send("GET", "/hello?a=1", headers={"X-Name": "n"}) .body == b"n|/hello?a=1"


@pytest.mark.parametrize("path", ["/cut", "/silent"])
def test_half_an_answer_is_no_answer(odd, path):
    """A connection that ends early is a network error, and so is silence."""
    with pytest.raises(NetworkError):
        odd.send("GET", path)


def test_redirects_are_not_followed(odd):
    """A server that sends us elsewhere is answered with its own status, nothing more."""
    assert odd.send("GET", "/moved").status == 302


def test_an_endless_answer_is_cut_off(odd, monkeypatch):
    """No answer longer than we are ready to read."""
    monkeypatch.setattr(transport, "MAX_REPLY", 100_000)
    with pytest.raises(BadAnswerError):
        odd.send("GET", "/long")


def test_nobody_there_is_a_network_error():
    """A closed port is one sentence, not a traceback."""
    with pytest.raises(NetworkError):
        HttpTransport("http://127.0.0.1:9", timeout=(60, 60)).send("GET", "/v1/health")


@pytest.mark.parametrize("path", ["http://evil.example/", "no-slash", "/a b", "/a\r\nX: y", "/" + "x" * 600])
def test_a_path_is_a_path(odd, path):
    """Nothing that a server said can lead a request elsewhere."""
    with pytest.raises(BadAnswerError):
        odd.send("GET", path)


class Fixed:
    """A transport that always answers the same."""

    def __init__(self, *replies: Reply | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, str]] = []

    def send(self, method, path, body=b"", headers=None):
        self.asked.append(dict(headers or {}))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


def test_a_file_comes_in_pieces_and_is_kept_only_when_right(tmp_path, monkeypatch):
    """Range by Range; other bytes than the hash names are not kept."""
    monkeypatch.setattr(api, "PIECE", 4)
    data = b"0123456789"
    source = Fixed(Reply(206, data[:4]), Reply(206, data[4:8]), Reply(206, data[8:]))
    target = tmp_path / "f"
    Api(source).download("/v1/courses/x/f", sha256(data).hexdigest(), target)
    assert target.read_bytes() == data
    assert [asked["Range"] for asked in source.asked] == ["bytes=0-3", "bytes=4-7", "bytes=8-11"]
    with pytest.raises(BadAnswerError):
        Api(Fixed(Reply(200, b"other"))).download("/x", sha256(b"wanted").hexdigest(), tmp_path / "g")
    assert not (tmp_path / "g").exists()


def test_a_download_goes_on_where_it_broke_off(tmp_path, monkeypatch):
    """The network fails in the middle: the next try asks for the rest only, and nothing stands there half."""
    monkeypatch.setattr(api, "PIECE", 4)
    data, target = b"0123456789", tmp_path / "f"
    digest = sha256(data).hexdigest()
    with pytest.raises(NetworkError):
        Api(Fixed(Reply(206, data[:4]), NetworkError("away"))).download("/f", digest, target)
    assert not target.exists()
    again = Fixed(Reply(206, data[4:8]), Reply(206, data[8:]))
    told: list[int] = []
    Api(again).download("/f", digest, target, told.append)
    assert (target.read_bytes(), told) == (data, [4, 8])
    assert [asked["Range"] for asked in again.asked] == ["bytes=4-7", "bytes=8-11"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_beginning_of_another_file_is_thrown_away(tmp_path, monkeypatch):
    """What lies there does not belong to these bytes: it is fetched once more from the start, and is right."""
    monkeypatch.setattr(api, "PIECE", 4)
    data, target = b"0123456", tmp_path / "f"
    (tmp_path / ".f.part").write_bytes(b"junk")
    source = Fixed(Reply(206, data[4:]), Reply(206, data[:4]), Reply(206, data[4:]))
    Api(source).download("/f", sha256(data).hexdigest(), target)
    assert target.read_bytes() == data


@pytest.mark.parametrize("said", [True, 2**53, -(2**53), 10**400, 1.5, "5", None])
def test_attack_a_number_that_overflows(said):
    """What no database holds, what no float holds, what is no number: refused where the answer is read."""
    with pytest.raises(BadAnswerError):
        api.field(read_json(json.dumps({"n": said}).encode()), "n", int)
    assert api.field({"n": 2**53 - 1}, "n", int) == 2**53 - 1


@pytest.mark.parametrize("piece", [b"0123", b"01234567"])
def test_attack_a_file_without_an_end(tmp_path, monkeypatch, piece):
    """Whole pieces for ever, or longer ones than were asked for: neither fills the disk, and nothing of it stays."""
    monkeypatch.setattr(api, "PIECE", 4)
    monkeypatch.setattr(api, "MAX_DOWNLOAD", 10)
    source = Fixed(Reply(206, piece))
    with pytest.raises(BadAnswerError):
        Api(source).download("/f", sha256(b"wanted").hexdigest(), tmp_path / "f")
    assert len(source.asked) <= 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("digest", ["/dev/zero", "../../secrets/sign-in", "\\\\evil.example\\share\\x", "", "none"])
def test_attack_a_document_named_by_a_path(tmp_path, digest):
    """What a server calls a hash is one before any file is looked for: no device is opened, no other computer asked."""
    source = Fixed(Reply(200, b"x"))
    enrolment = Enrolment(source, Profile(tmp_path, "ab" * 16), "token")  # type: ignore[arg-type]
    for ask in (enrolment.document, enrolment.document_file, enrolment.course, enrolment.fetch_course):
        with pytest.raises(BadAnswerError, match="by no hash"):
            ask(digest)
    assert source.asked == []


@given(st.integers(300, 599), st.binary(max_size=200))
def test_any_refusal_is_an_error_of_ours(status, body):
    """Whatever stands in the body: 401 is signed out, everything else a refusal with its status."""
    error = refusal(Reply(status, body))
    assert isinstance(error, SignedOutError if status == 401 else ServerRefusedError)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_object_or_refused(data):
    """Nothing but BadAnswerError leaves the parser."""
    with contextlib.suppress(BadAnswerError):
        assert isinstance(read_json(data), dict)


def test_deep_json_is_refused():
    """A parser's own stack is not ours to lose."""
    with pytest.raises(BadAnswerError):
        read_json(b"[" * 200_000)


def keys() -> Keys:
    cosigner, granter = generate("a.example/w", COSIGNATURE).vkey, generate("a.example/g", ED25519).vkey
    return Keys("a.example/c/one", (cosigner,), (granter,), ())


def test_keys_come_back_as_they_were_kept():
    """Round trip of the keys beside a session."""
    kept = keys()
    assert read_keys(write_keys(kept)) == kept


@given(st.text(max_size=100) | st.binary(max_size=50).map(lambda b: b.decode(errors="replace")))
def test_damaged_keys_are_refused(text):
    """Whatever somebody wrote into the database: our own error."""
    with pytest.raises(LocalRecordsError):
        read_keys(text)


@given(st.binary(max_size=400) | st.just(b'{"commands":[],"cosignature":"x","order":null,"seen":""}'))
def test_no_answer_is_believed_unless_it_is_signed(data):
    """Any bytes as the answer to a segment: refused as forged, never anything else."""
    origin = "a.example/s/" + "0" * 32
    signer = generate(origin, ED25519)
    signed = checkpoint.sign(Checkpoint(origin, 3, bytes(32)), signer)
    with pytest.raises(ForgedAnswerError):
        receipts.read_answer(data, signed, keys(), 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=12),
    max_leaves=30,
)


@given(JSON)
def test_any_answer_about_the_learner_is_read_or_refused(said):
    """`GET /v1/me` may say anything: a registration of the expected form, or BadAnswerError."""
    body = json.dumps({"learner": "l", "name": "n", "real_name": "open", "registrations": [said]}).encode()
    enrolment = Enrolment(Fixed(Reply(200, body)), None, "token")  # type: ignore[arg-type]
    with contextlib.suppress(BadAnswerError):
        assert enrolment.me().registrations[0].registration


def test_a_registration_comes_back_as_the_server_says_it():
    """All fields of docs/http-api.md, the class as its log's origin."""
    said = dict.fromkeys(FIELDS, "x") | {
        "server": "a.example", "class": "one", "registration": "ab" * 16, "credited_ms": 5,
    }  # fmt: skip
    body = json.dumps({"learner": "l", "name": "n", "real_name": "open", "registrations": [said]}).encode()
    found = Enrolment(Fixed(Reply(200, body)), None, "token").me().registrations[0]  # type: ignore[arg-type]
    assert (found.class_, found.class_id, found.credited_ms) == ("a.example/c/one", "one", 5)
