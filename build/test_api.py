"""The published interface under fire: `python build/test_api.py --schemathesis .work/api/bin/schemathesis`.

Starts the real server with a learner signed in, and lets schemathesis send what its OpenAPI allows and what it does
not. Wanted: no fault of the server (5xx) by anything, and no status, kind or form of an answer that is not published.
Exit 1 otherwise; closes with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench_server import open_sessions

from server_stub.app import Server
from server_stub.settings import Settings
from tests.server_stub.learner import CLASS, Device

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def main() -> int:
    """One run; the tool's own report above the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemathesis", required=True)
    parser.add_argument("--examples", type=int, default=30)
    parser.add_argument("--known", action="store_true", help="name the session and class that are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        settings, devices = open_sessions(Path(name), 1)
        token, config = _token(settings), Path(name) / "schemathesis.toml"
        config.write_text(_config(devices[0]) if options.known else "", encoding="utf-8")
        ready = Path(name) / "ready"
        command = [sys.executable, "-m", "server_stub", "serve", str(settings.directory), "--port", "0",
                   "--ready-file", str(ready)]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not ready.exists():
                time.sleep(0.1)
            url = ready.read_text().strip()
            done = subprocess.run(
                [options.schemathesis, "--config-file", str(config), "run", f"{url}/openapi.json",
                 "--checks", CHECKS, "--max-examples", str(options.examples), "--seed", "1", "--no-color",
                 "--exclude-path", "/v1/sign-out",  # the token would be gone
                 "-H", f"Authorization: Bearer {token}"],
                check=False,
            )  # fmt: skip
            alive = httpx.get(f"{url}/v1/health").status_code == 200 and process.poll() is None
        finally:
            process.terminate()
            process.wait()
    right = done.returncode == 0 and alive
    print(json.dumps({"name": "API under fire", "examples": options.examples, "known": options.known,
                      "checks": CHECKS.split(","), "alive": alive, "right": right}))  # fmt: skip
    return 0 if right else 1


def _config(device: Device) -> str:
    """What is there, for whoever looks further than 404."""
    return f'[parameters]\n"path.sid" = "{device.sid}"\n"path.class_id" = "{CLASS}"\n'


def _token(settings: Settings) -> str:
    server = Server(settings)
    try:
        account = server.people.account("learner0")
        assert account is not None
        return server.services.sign_in.admit(account)
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
