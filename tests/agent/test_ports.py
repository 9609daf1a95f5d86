"""Debugging ports: a file that a browser leaves beside its profile, and somebody who listens there, together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.ports import DebugPorts, number_in
from agent.engine import Engine, gravest
from agent.tables import ProcessRow, SocketRow


def home(tmp_path: Path) -> Path:
    (tmp_path / ".config/google-chrome/Default").mkdir(parents=True)
    (tmp_path / ".config/google-chrome/DevToolsActivePort").write_text("9222\n/devtools/browser/5f", "ascii")
    firefox = tmp_path / ".mozilla/firefox/a.default"
    firefox.mkdir(parents=True)
    (firefox / "MarionetteActivePort").write_text("2828", "ascii")
    (firefox / "WebDriverBiDiServer.json").write_text(json.dumps({"ws_host": "127.0.0.1", "ws_port": 9223}), "ascii")
    return tmp_path


def test_every_browser_says_which_port_it_opened(tmp_path: Path) -> None:
    """At the usual places, and where a command line says that the profile lies."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "DevToolsActivePort").write_text("40001\n", "ascii")
    row = ProcessRow(name="chrome", cmdline=f"chrome --user-data-dir={other} about:blank")
    found = DebugPorts(lambda: [row], home(tmp_path), "linux").read()
    assert found == {9222: "devtools", 2828: "marionette", 9223: "bidi", 40001: "devtools"}


def test_a_port_that_speaks_devtools_is_reported_and_a_development_server_is_not(engine: Engine) -> None:
    """The protocol counts, not the number."""
    debugged = SocketRow("chrome", 5, "127.0.0.1", 40001, "devtools")
    assert gravest(engine.judge([debugged])) == "report"
    others = [SocketRow("node", 5, "127.0.0.1", 9229), SocketRow("sshd", 1, "0.0.0.0", 22)]
    assert gravest(engine.judge(others)) == "none"


@pytest.mark.parametrize("text", ["", "x", "99999", "-1", "0", "9222x", "１２３", "9" * 5000])
def test_a_file_of_another_form_says_nothing(tmp_path: Path, text: str) -> None:
    """Only a port number is one."""
    (tmp_path / "DevToolsActivePort").write_text(text, "utf-8")
    assert number_in(tmp_path / "DevToolsActivePort") == ()


@given(st.binary(max_size=60))
def test_any_file_is_a_port_or_nothing(data: bytes) -> None:
    """Whatever lies there."""
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        assert all(0 < port < 65_536 for port in number_in(Path(file.name)))
