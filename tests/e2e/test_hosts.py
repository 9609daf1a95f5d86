"""A release opens connections to configured hosts only (R4.7): whole lessons in a network where every other name is
written down and every packet to elsewhere is counted. What is configured here is this machine; nothing else may be."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LONG = os.environ.get("TRUESEAT_LONG") == "1"
APART = ("unshare", "--net", "--mount")


@functools.cache
def may() -> bool:
    """Whether this kernel and user may make networks of their own."""
    try:
        made = subprocess.run(
            [*APART, "ip", "link", "add", "probe0", "type", "veth"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return made.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not may(), reason="left out: needs root, unshare and ip (Debian: iproute2)"),
]


def recorded(out: Path, *command: str) -> tuple[int, dict]:
    """Run a command apart; its exit code and whom it looked for."""
    done = subprocess.run(
        [*APART, sys.executable, "-m", "tests.e2e.recorder", out, *command],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert out.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(out.read_text())


def test_the_recorder_sees_names_and_addresses(tmp_path: Path) -> None:
    """Its own proof: a name that is asked for and an address that is connected to are both there."""
    code = (
        "import socket\n"
        "try: socket.getaddrinfo('telemetry.example.com', 443)\n"
        "except OSError: pass\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', ('203.0.113.7', 9))\n"
    )
    _, seen = recorded(tmp_path / "seen.json", sys.executable, "-c", code)
    assert seen["names"] == ["telemetry.example.com"]
    assert seen["packets"] >= 1


DETECTORS = (
    "import cv2; from client import manifest; from client.proctor import evaluate; "
    "portrait, = [asset.file for asset in manifest.load().assets if asset.name == \"portrait\"]; "
    "picture = cv2.imread(str(manifest.cache_dir() / portrait)); "
    "assert evaluate.embed(picture) is not None; evaluate.pad(picture); evaluate.video([picture] * 8, 25.0)"
)
SHORT = ["tests/e2e/test_scripted.py::test_a_scripted_lesson_over_real_http"]
WHOLE = ["tests/e2e/test_real_clip.py", "tests/e2e/test_desk.py", "tests/e2e/test_demo.py"]


@pytest.mark.skipif(not LONG, reason="left out: whole lessons once more; make test-long")
@pytest.mark.parametrize("lesson", [*SHORT, *WHOLE])
def test_a_lesson_looks_for_nobody_but_the_configured_server(tmp_path: Path, lesson: str) -> None:
    """Server, client, agent and detectors over a whole lesson: no name is looked up, no packet leaves."""
    code, seen = recorded(
        tmp_path / "seen.json", sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", lesson
    )
    assert code == 0
    assert seen == {"names": [], "packets": 0}


def test_doctor_agent_verifier_and_detectors_look_for_nobody(tmp_path: Path) -> None:
    """What needs no lesson, against a server on this machine that does not answer; the detectors' libraries are other
    people's native code, so they judge frames of a face here."""
    script = "; ".join(
        [
            f"{sys.executable} -m client doctor --data {tmp_path} --server http://127.0.0.1:9",
            f"{sys.executable} -m agent scan --json",
            f"{sys.executable} -m ledger --help",
            f"{sys.executable} -c '{DETECTORS}' && echo judged >{tmp_path / 'judged'}",
        ]
    )
    _, seen = recorded(tmp_path / "seen.json", "sh", "-c", f"{script} 2>&1")
    assert (tmp_path / "judged").exists()
    assert seen == {"names": [], "packets": 0}
