"""Setting up: private files are private, nothing is overwritten, every mistake is one sentence."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.trust import parse as parse_trust
from server_stub.__main__ import main
from server_stub.app import DevelopmentSender, Server
from server_stub.domain.errors import SetupError
from server_stub.settings import Settings, load
from server_stub.storage.packages import Packages
from tests.server_stub.conftest import make_course, policy


@pytest.fixture
def init(tmp_path: Path) -> Callable[..., int]:
    """`python -m server_stub init data …` with a good course and policy, unless the test says otherwise."""
    (tmp_path / "policy.toml").write_bytes(policy())
    make_course(tmp_path / "course")

    def run(**changes: str) -> int:
        options = {"course": str(tmp_path / "course"), "policy": str(tmp_path / "policy.toml"), "class": "class-1"}
        options |= {"server-name": "test.trueseat.example", "learner": "learner:学员"} | changes
        return main(["init", str(tmp_path / "data"), *(f"--{name}={value}" for name, value in options.items())])

    return run


def test_init_makes_a_server_that_can_be_opened(
    init: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And prints what a client and a verifier need, and the password, once."""
    assert init() == 0
    said = capsys.readouterr().out
    assert "password" in said
    settings = load(tmp_path / "data")
    trust = parse_trust((tmp_path / "data" / "class.trust").read_bytes())
    assert trust.quorum == "none"
    server = Server(settings)
    assert trust.logs == (server.keyring.log("class-1").vkey,)
    assert [item.title for item in server.people.classes()] == ["class-1"]
    server.close()


def test_private_files_are_for_their_owner_only(init: Callable[..., int], tmp_path: Path) -> None:
    """0600 for keys, secret and databases; the trust file is for everybody."""
    init()
    Server(load(tmp_path / "data")).close()
    for path in (tmp_path / "data").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.name == "class.trust":
            assert mode == 0o644
        else:
            assert mode & 0o077 == 0, path


def test_a_key_that_others_can_read_is_not_used(init: Callable[..., int], tmp_path: Path) -> None:
    init()
    (tmp_path / "data" / "keys" / "g.pem").chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        Server(load(tmp_path / "data"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"course": "nowhere"}, "nowhere"),
        ({"policy": "nowhere"}, "nowhere"),
        ({"server-name": "Not A Name"}, "server name"),
        ({"class": "../x"}, "class ID"),
        ({"model-files": "nowhere"}, "nowhere"),
        ({"notice": "nowhere"}, "nowhere"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing_behind(
    init: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], said: str
) -> None:
    """Exit 2, a code, a remedy; the directory was not begun."""
    assert init(**changes) == 2
    error = capsys.readouterr().err
    assert error.startswith("TS-S-050: ")
    assert said in error
    assert not (tmp_path / "data").exists()


def test_a_policy_with_nonsense_is_named(
    init: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.toml").write_bytes(policy({b"max_gap_ms = 30_000": b"max_gap_ms = 20_000"}))
    assert init() == 2
    assert "min_gap_ms > max_gap_ms / 10" in capsys.readouterr().err


def test_init_never_overwrites(init: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert init() == 0
    assert init() == 2
    assert "not empty" in capsys.readouterr().err


def test_a_changed_course_file_is_refused(init: Callable[..., int], tmp_path: Path) -> None:
    """The package must be what its manifest says."""
    (tmp_path / "course" / "lesson.mp4").write_bytes(b"another film")
    assert init() == 2
    assert not (tmp_path / "data").exists()
    with pytest.raises(SetupError, match=r"lesson\.mp4"):
        Packages(tmp_path / "c", tmp_path / "m").install(tmp_path / "course")


def test_populate_makes_example_learners_once(
    init: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init()
    capsys.readouterr()
    assert main(["populate", str(tmp_path / "data")]) == 0
    assert "zhang.wei" in capsys.readouterr().out
    assert main(["populate", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out == ""


def test_a_folder_that_is_no_server_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path), "class-1", str(tmp_path / "out")]) == 2
    assert "no data directory" in capsys.readouterr().err


def test_the_development_code_exists_only_in_development(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        DevelopmentSender(Settings(tmp_path, "test.trueseat.example", development=False))
