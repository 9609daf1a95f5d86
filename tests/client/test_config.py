"""Settings: checked once, refused by name, and the command line that needs no display."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import config
from client.__main__ import main
from client.about import VERSION, describe
from client.config import Config
from client.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def test_later_settings_win(tmp_path):
    """config.toml < environment < command line."""
    (tmp_path / "config.toml").write_text('language = "en"\nserver = "https://a.example"\n')
    data = {"data": str(tmp_path)}
    assert config.load(data, {}).language == "en"
    assert config.load(data, {"TRUESEAT_SERVER": "https://b.example"}).server == "https://b.example"
    given_ = {**data, "server": "https://c.example", "language": None}
    assert config.load(given_, {"TRUESEAT_SERVER": "https://b.example"}).server == "https://c.example"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"server": "ftp://a.example"}, "server"),
        ({"server": "http://school.example"}, "https"),
        ({"server": "https://user:word@school.example"}, "account"),
        ({"server": "https://school.example/path"}, "server"),
        ({"language": "fr"}, "language"),
        ({"colour": "red"}, "colour"),
        ({"trust": "/nowhere/class.trust"}, "trust"),
        ({"server": 5}, "server"),
        ({"server": ""}, "server"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path, values, named):
    """Plain http only to this machine, no password in an address, no unknown name, no missing file."""
    with pytest.raises(ConfigError, match=named):
        config.build({"data": tmp_path, **values})


def test_what_is_no_toml_is_refused(tmp_path):
    """A broken config.toml is one sentence, not a traceback."""
    (tmp_path / "config.toml").write_bytes(b"server = \xff")
    with pytest.raises(ConfigError):
        config.load({"data": str(tmp_path)}, {})


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(max_size=40), st.integers(), st.none(), st.booleans())))
def test_settings_survive_anything(values):
    """Whatever stands in the file: a Config or our own error."""
    with contextlib.suppress(ConfigError):
        assert isinstance(config.build({"data": "/tmp/x", **values}), Config)


def test_version_is_that_of_the_project():
    """What the client says of itself is what pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
    assert VERSION in describe("file")
    assert len(describe("x" * 500)) <= 200


def test_version_doctor_and_config_need_no_display(tmp_path):
    """No window opens, kivy is not imported; doctor names what is missing with its remedy."""
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    code = "import sys; from client.__main__ import main; c = main(sys.argv[1:]); assert 'kivy' not in sys.modules; "
    show = ["config", "show", "--data", str(tmp_path)]
    doctor = ["doctor", "--data", str(tmp_path), "--server", "http://127.0.0.1:9"]
    for arguments in (show, doctor):
        command = [sys.executable, "-c", code + "sys.exit(c)", *arguments]
        done = subprocess.run(command, check=False, env=env, cwd=ROOT, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
    assert "server: http://127.0.0.1:9" in done.stdout
    assert done.returncode == 1
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0


def test_a_refusal_is_one_sentence_with_its_remedy(tmp_path, capsys):
    """Code, what happened, remedy, and the Chinese sentence; exit 1."""
    assert main(["config", "show", "--data", str(tmp_path), "--server", "ftp://x"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("TS-C-010: ")
    assert ConfigError.remedy in said
    assert ConfigError.zh in said
