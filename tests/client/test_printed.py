"""What a terminal is given: whoever wrote the words, it shows them and obeys none of them."""

from __future__ import annotations

import json
import threading
import unicodedata
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import doctor
from client.__main__ import main
from client.config import Config, build
from client.printed import printed
from client.profile import Profile
from client.sync.enrol import SIGN_IN

HOSTILE = "school\x1b]0;x\x07\x1b[2J\x9b1;1H\u202eslaitnederc"


class Hostile(BaseHTTPRequestHandler):
    """Says to everything but its health that it refuses, in words that clear a screen."""

    def do_GET(self) -> None:
        well = {"server": HOSTILE + "x" * 300, "version": HOSTILE, "time": 1}
        said = well if self.path == "/v1/health" else {"code": "TS-S-001", "message": HOSTILE, "zh": HOSTILE}
        body = json.dumps(said).encode()
        self.send_response(200 if said is well else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@given(st.text())
def test_nothing_that_is_printed_is_obeyed(said: str) -> None:
    """Line ends and tabs stay; no other control, half character or turned direction is left; the rest is as it was."""
    shown = printed(said)
    assert len(shown) == len(said)
    for before, after in zip(said, shown, strict=True):
        assert after == before or after == "\ufffd"
        assert after in "\n\t" or unicodedata.category(after) not in ("Cc", "Cs")
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert printed("第一课\u3000消防 👩‍🚒\n") == "第一课\u3000消防 👩‍🚒\n"


def test_attack_a_server_that_speaks_to_the_terminal(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its refusal, its name and its version: told on one line each, and no escape sequence among them."""
    Profile(tmp_path, "ab" * 16).seal.put(SIGN_IN, b"token")
    assert main(["photos", "stop", "--data", str(tmp_path), "--server", address]) == 1
    refused = capsys.readouterr().err
    assert "TS-C-002: 403 TS-S-001: school" in refused
    settings: Config = build({"data": tmp_path, "server": address})
    monkeypatch.setattr(doctor, "examine", lambda config, **_: doctor.nets.look(config))
    for as_json in (False, True):
        doctor.main(settings, as_json=as_json)
        told = capsys.readouterr().out
        assert "school" in told
        assert len(told) < 2_000
        for line in (refused + told).split("\n"):
            assert line.isprintable(), line
