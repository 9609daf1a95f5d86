"""The server behind the nginx of build/server/nginx.conf: TLS, body limits, and who is believed on who asks."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or ""
ACCOUNT = "13800000000"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not NGINX, reason="nginx is not installed (Debian: nginx-light)")]


@dataclass(frozen=True)
class Front:
    """The published address, as browsers at several addresses see it."""

    port: int
    certificate: Path
    password: str
    log: Path

    def ask(
        self, method: str, path: str, body: bytes = b"", *, at: str = "127.0.0.1", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request over TLS from address `at`; status, headers, body."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(
            "localhost", self.port, timeout=300, source_address=(at, 0), context=trust
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()

    def start_sign_in(self, at: str, **headers: str) -> int:
        """Ask for a code, as a client does."""
        body = f'{{"account":"{ACCOUNT}"}}'.encode()
        return self.ask("POST", "/v1/sign-in/start", body, at=at, Content_Type="application/json", **headers)[0]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A server of its own as a program, and nginx with our example before it."""
    folder = tmp_path_factory.mktemp("nginx")
    made = subprocess.run(
        [sys.executable, "-m", "server_stub", "init", folder / "data", "--server-name", "front.example",
         "--course", ROOT / "client/player/demo_course", "--policy", ROOT / "ledger/presets/demo.toml",
         "--learner", f"{ACCOUNT}:Learner"],
        check=True, cwd=ROOT, capture_output=True, text=True,
    ).stdout  # fmt: skip
    password = made.partition("account admin, password ")[2].split()[0]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
         folder / "fullchain.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    ready = folder / "url"
    with (
        running(sys.executable, "-m", "server_stub", "serve", folder / "data", "--port", "0", "--proxy", "127.0.0.1",
                "--ready-file", ready) as server,
        open(folder / "nginx.log", "wb"),
    ):  # fmt: skip
        wait_for(ready.exists, server)
        inner = urllib.parse.urlsplit(ready.read_text().strip()).port
        with contextlib.ExitStack() as proxy:
            port = started(proxy, folder, inner or 0)
            yield Front(port, folder / "fullchain.pem", password, folder / "trueseat.log")


def started(proxy: contextlib.ExitStack, folder: Path, inner: int) -> int:
    """nginx before the server at port `inner`, until `proxy` ends; its own port. Between the choice of a port and its
    use another program may take it: then another one is chosen."""
    for _ in range(5):
        port, plain = free_ports(2)
        (folder / "nginx.conf").write_text(configuration(folder, port, plain, inner))
        command = (NGINX, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;")
        with contextlib.ExitStack() as running_:
            nginx = running_.enter_context(running(*command))
            while nginx.poll() is None:
                if answers(port, folder / "fullchain.pem"):
                    proxy.push(running_.pop_all())
                    return port
                time.sleep(0.05)
    raise AssertionError("nginx does not start: " + (folder / "nginx.conf").read_text())


def configuration(folder: Path, port: int, plain: int, inner: int) -> str:
    """The example as it is, but for ports and files; nginx's own folders lie in `folder`."""
    site = (ROOT / "build/server/nginx.conf").read_text(encoding="utf-8")
    for theirs, ours in {
        "listen 80;": f"listen 127.0.0.1:{plain};", "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;", "listen [::]:443 ssl http2;": "",
        "study.example": "localhost", "127.0.0.1:8799": f"127.0.0.1:{inner}", "/etc/ssl/trueseat": str(folder),
        "/var/log/nginx": str(folder),
    }.items():  # fmt: skip
        assert theirs in site, theirs
        site = site.replace(theirs, ours)
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"pid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{site}}}\n"


@contextlib.contextmanager
def running(*command: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program until the block ends."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(300)


def wait_for(ready, process: subprocess.Popen[bytes]) -> None:
    """Until `ready`, or the program has ended."""
    while not ready():
        assert process.poll() is None, process.args
        time.sleep(0.05)


def answers(port: int, certificate: Path) -> bool:
    """Whether whoever listens there holds our certificate."""
    trust = ssl.create_default_context(cafile=str(certificate))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            trust.wrap_socket(plain, server_hostname="localhost").close()
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody has."""
    with contextlib.ExitStack() as probes:
        found = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in found:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in found]


def test_pages_and_interface_answer_over_tls_and_the_cookie_is_for_tls_alone(front: Front) -> None:
    """Health, the sign-in page with HSTS, and a cookie that no plain connection carries."""
    assert front.ask("GET", "/v1/health")[0] == 200
    status, headers, body = front.ask("GET", "/")
    assert (status, b"<form" in body) == (200, True)
    assert "max-age" in headers["strict-transport-security"]
    form = urllib.parse.urlencode({"account": "admin", "password": front.password}).encode()
    status, headers, _ = front.ask("POST", "/sign-in", form, Content_Type="application/x-www-form-urlencoded")
    assert status == 303
    assert "secure" in headers["set-cookie"].lower()


def test_the_server_sees_who_asks_and_no_header_says_otherwise(front: Front) -> None:
    """One address that asks for too many codes is told to wait, whatever it claims to be; another one is not."""
    asked = [front.start_sign_in("127.0.0.5") for _ in range(40)]
    assert asked[0] == 200
    assert 429 in asked
    assert front.start_sign_in("127.0.0.5", X_Forwarded_For="127.0.0.77") == 429
    body = b'{"account":"13900000001"}'
    other = front.ask("POST", "/v1/sign-in/start", body, at="127.0.0.6", Content_Type="application/json")
    assert other[0] == 200


def test_a_body_beyond_every_limit_ends_at_nginx(front: Front) -> None:
    """More than a segment can have is refused before the server reads it; a roster may be larger."""
    big = b"x" * (2 << 20)
    assert front.ask("POST", "/v1/sessions/" + "ab" * 16 + "/segments", big)[0] == 413
    assert front.ask("POST", "/import", big)[0] != 413
    assert front.ask("POST", "/import/photos", big)[0] != 413


def test_the_log_before_the_server_holds_no_number_that_was_searched_for(front: Front) -> None:
    """A search by a whole identity number, and the page after it: the line holds the path alone."""
    number = "11010519491231002X"
    front.ask("GET", f"/people?q={number}")
    front.ask("GET", "/tips", Referer=f"https://localhost/people?q={number}")
    wait_for_lines(front, "GET /tips", "GET /people")
    assert number not in front.log.read_text(encoding="utf-8")


def wait_for_lines(front: Front, *wanted: str) -> None:
    """Until nginx has written them; it writes a line when its answer has gone."""
    for _ in range(2_400):
        said = front.log.read_text(encoding="utf-8") if front.log.exists() else ""
        if all(line in said for line in wanted):
            return
        time.sleep(0.05)
    raise AssertionError(said)
