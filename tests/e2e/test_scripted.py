"""Server and client core over real HTTP, player and checks scripted: the archive verifies, kills and cuts included."""

from __future__ import annotations

from pathlib import Path

import pytest

MODULE = "tests.e2e.scripted"
SHORT = {
    b'opening_kind = "liveness"': b'opening_kind = "match"',
    b"segment_ms = 10_000": b"segment_ms = 3_000",
}


@pytest.mark.slow
def test_a_scripted_lesson_over_real_http(world, tmp_path: Path):
    """Sign-in, grant, segments, closing check, export: `python -m ledger verify` exits 0 and counts what was shown."""
    server = world(SHORT)
    client = world.client(server, "pc", "--play-ms", "12000", module=MODULE)
    result = client.wait_for(lambda line: "credited_ms" in line)
    assert result["sent"]
    assert result["credited_ms"] >= 12_000
    assert result["parts"] == []
    code, report = server.verify(server.export(tmp_path / "archive"))
    assert code == 0
    assert report["credited_ms"] == result["credited_ms"]


@pytest.mark.slow
def test_killed_and_cut_off_in_mid_lesson(world, tmp_path: Path):
    """The network goes, the client is killed by SIGKILL, both come back: the archive verifies, exactly what was proven
    before counts, and the tail is studied again."""
    server = world(SHORT)
    client = world.client(server, "pc", module=MODULE)
    playing = client.wait_for(lambda line: line.get("phase") == "playing")
    client.wait_for(lambda line: line.get("at", 0) >= 6_000)
    server.stop()
    client.wait_quiet("playing", 5)  # no check just now: something is signed after the last one
    client.kill()
    server.start()
    again = world.client(server, "pc", "--play-ms", "8000", module=MODULE)
    assert again.wait_for(lambda line: "recovered" in line)["recovered"] == [playing["sid"]]
    result = again.wait_for(lambda line: "credited_ms" in line)
    assert result["sent"]
    code, report = server.verify(server.export(tmp_path / "archive"))
    assert code == 0
    first = next(item for item in report["sessions"] if item["sid"] == playing["sid"])
    passed = [check["seq"] for check in first["checks"] if check["outcome"] == "passed"]
    assert first["state"] == "closed"
    assert all(part["last"] < max(passed) for part in first["credited"]), "nothing after the last passed check counts"
    tail = [part for part in first["not_credited"] if part["first"] > max(passed)]
    assert tail, "the tail after the last check is listed"
    assert again.said[-1]["all_ms"] == report["credited_ms"] == result["all_ms"]
    start = next(line["at"] for line in again.said if line.get("phase") == "opening")
    assert start == min(part["from"] for part in first["not_credited"]), "the tail is studied first"


@pytest.mark.slow
def test_one_window_for_one_learner(world):
    """A second start on the same data is told that the client is open already, and touches nothing."""
    server = world(SHORT)
    client = world.client(server, "pc", module=MODULE)
    client.wait_for(lambda line: line.get("phase") == "playing")
    second = world.client(server, "pc", module=MODULE)
    assert second.process.wait(300) != 0
    assert "AlreadyRunningError" in second.errors.read_text()
    seen = len(client.said)
    client.wait_for(lambda line: line.get("cosigned", 0) > 0, after=seen)
