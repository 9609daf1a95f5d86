"""Archives: what the server exports verifies offline, and says what the server said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ledger.archive import open_source
from ledger.events import Asked
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from server_stub.__main__ import main as server_stub
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device, Learner


def study(learner: Learner, *, close: bool = True) -> Device:
    """A minute between two passed checks."""
    device = learner.open()
    device.send()
    for _ in range(6):
        device.play(10_000)
        device.send()
    device.add(Asked("close"))
    device.send()
    device.send()
    if close:
        device.close()
    return device


def test_an_exported_archive_verifies_with_the_trust_file_alone(room: Room, tmp_path: Path) -> None:
    """Exit 0, and the credited figure is the one that the server settled."""
    study(room.learner().ready())
    out = tmp_path / "archive"
    room.server.services.exporter.write(CLASS, out, masked=False, zipped=False)
    trust = tmp_path / "class.trust"
    trust.write_text(room.server.services.enrolment.trust(CLASS))
    report = verify(open_source(out), parse_trust(trust.read_bytes()), Options())
    assert not report.refused, [finding.message for finding in report.findings.all()]
    assert [row.credited_ms for row in report.sessions] == [60_000]


def test_the_command_line_exports_and_the_verifier_exits_0(room: Room, tmp_path: Path) -> None:
    """`python -m server_stub export` and `python -m ledger verify`, each a program of its own."""
    study(room.learner().ready())
    out, trust = tmp_path / "archive", tmp_path / "class.trust"
    trust.write_text(room.server.services.enrolment.trust(CLASS))
    assert server_stub(["export", str(room.settings.directory), CLASS, str(out)]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "ledger", "verify", str(out), "--trust", str(trust)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
