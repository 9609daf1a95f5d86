"""`python -m client sync [--ahead]`: what waits is sent without a window; courses come to be studied offline."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from client import sending
from client.__main__ import main
from client.sync.outbox import Outbox
from tests.client.world import MachineSide, World
from tests.simulator import Simulator


class Line(Simulator):
    """A way to the server that can be hung up."""

    def close(self) -> None:
        """Nothing is kept open."""


@pytest.fixture
def left(make_world: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[World, MachineSide, Line]:
    """A learner's computer after an offline lesson: the window is closed, the records were never sent."""
    world = make_world(units=(("pass", 600_000),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    pc.net.down = True
    pc.run(study, 60_000)
    pc.outbox.close()
    line = Line(world.net.http)
    monkeypatch.setattr(sending, "HttpTransport", SimpleNamespace(of=lambda _settings: line))
    monkeypatch.setattr(sending, "wall_ms", world.clock.wall)
    return world, pc, line


def synced(pc: MachineSide, *more: str) -> int:
    return main(["sync", "--data", str(pc.folder), "--language", "en", *more])


def test_everything_that_waits_is_sent_and_the_command_says_so(left: Any, capsys: Any) -> None:
    """0 and one line: everything is with the server, closed as recovered, and it verifies."""
    world, pc, _ = left
    assert synced(pc) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{pc.profile.learner[:8]}…")
    assert "Everything is with the server." in told
    with closing(Outbox(pc.profile.outbox)) as outbox:
        assert [kept.state for kept in outbox.sessions()] == ["sent"]
    assert world.verified().exit_code == 0
    assert synced(pc) == 0, "again: nothing twice"


def test_offline_it_says_what_waits_and_loses_nothing(left: Any, capsys: Any) -> None:
    """1, in words and without a traceback; the next run sends all of it."""
    world, pc, line = left
    line.down = True
    assert synced(pc) == 1
    assert synced(pc, "--ahead") == 1
    told = capsys.readouterr()
    assert "Everything is with the server" not in told.out
    assert "Traceback" not in told.err
    line.down = False
    assert synced(pc) == 0
    assert world.verified().exit_code == 0


@pytest.mark.slow
def test_ahead_the_courses_come_too_and_a_broken_download_goes_on(left: Any, capsys: Any) -> None:
    """With --ahead every course of the signed-in learner lies here whole; where the line breaks it says so first."""
    _, pc, line = left
    line.hits = lambda method, path: method == "GET" and "course" in path
    line.faults.extend(["drop answer"])
    assert synced(pc, "--ahead") == 1
    assert synced(pc, "--ahead") == 0
    told = capsys.readouterr().out
    assert pc.registration.title in told
    assert "MB are here" in told
    files = [path for path in pc.folder.rglob("*") if path.suffix == ".mp4"]
    assert files
    assert not list(pc.folder.rglob("*.part"))


def test_who_is_not_signed_in_gets_no_course(left: Any, capsys: Any) -> None:
    """The token has ended: records still go, courses do not, and it is said."""
    _, pc, _ = left
    pc.net.down = False
    pc.enrolment.sign_out()
    assert synced(pc, "--ahead") == 1
    told = capsys.readouterr().out
    assert "Everything is with the server." in told
    assert "no course was fetched" in told


def test_a_computer_without_learners_has_nothing_to_send(tmp_path: Any, capsys: Any) -> None:
    """An empty data folder: 0, and not a word."""
    assert main(["sync", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
