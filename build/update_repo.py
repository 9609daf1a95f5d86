"""The repository of updates, as The Update Framework has it: keys, signed metadata, and the files of releases by hash.

    init REPO KEYS                              new keys (PEM, 0600) and roles; prints the path of the first root.json
    add REPO KEYS BUNDLE VERSION PLATFORM       a frozen client, such as: dist/client 0.2.0 linux-x86_64
    ring REPO KEYS RING PLATFORM VERSION SHARE  give SHARE of a ring's thousand computers the version
    refresh REPO KEYS                           sign timestamp and snapshot anew (daily, by a timer)
    rotate REPO KEYS ROLE                       a new key for a role, signed by the old root and the new one

REPO is what a web server shows; KEYS stays off it: `root` and `targets` on a stick in a safe, `snapshot` and
`timestamp` where the timer runs. The first root.json goes into the client as `client/sync/update_root.json`.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import lzma
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from client import release
from client.release import File, Release

ROLES = ("root", "targets", "snapshot", "timestamp")
LASTS = {"root": 365, "targets": 180, "snapshot": 14, "timestamp": 3}  # days
XZ = {"format": lzma.FORMAT_XZ, "preset": 6}  # unpacks in 9 MiB of memory, on an old PC too


def now() -> datetime.datetime:
    """The time that metadata is signed at."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


class Repo:
    """One repository on disk and the keys that sign it. Every change ends in a consistent snapshot."""

    def __init__(self, folder: Path, keys: Path, clock=now) -> None:
        self.folder, self.keys, self.clock = folder, keys, clock

    # --- what people do -------------------------------------------------------------------------------------------

    def init(self) -> Path:
        """New keys and empty roles; the path of the first root.json is returned."""
        for role in ROLES:
            self._new_key(role)
        root = Root(consistent_snapshot=True, expires=self._ends("root"))
        for role in ROLES:
            root.add_key(self._signer(role).public_key, role)
        self._write(Metadata(root), "root")
        self._write(Metadata(Targets(expires=self._ends("targets"))), "targets")
        self._write(Metadata(Snapshot(expires=self._ends("snapshot"))), "snapshot")
        self._write(Metadata(Timestamp(expires=self._ends("timestamp"))), "timestamp")
        self.refresh()
        return self.folder / "metadata" / "1.root.json"

    def add(self, bundle: Path, version: str, platform: str) -> Release:
        """Put a frozen client into the repository; files that it has already are not written again."""
        files, links = [], {}
        for name, path in release.walk(bundle):
            if path.is_symlink():
                links[name] = os.readlink(path)
            else:
                files.append(self._blob(name, path))
        made = Release(version, platform, tuple(files), links)
        release.parse(release.dump(made))  # what a client would refuse is not published
        self._target(f"releases/{version}-{platform}.json", release.dump(made))
        return made

    def ring(self, ring: str, platform: str, version: str, permille: int) -> None:
        """Say where a ring is, and for how many of a thousand computers."""
        data = json.dumps({"version": version, "permille": permille}).encode()
        release.parse_pointer(data)
        self._target(f"rings/{ring}-{platform}.json", data)

    def refresh(self) -> None:
        """A new snapshot of the targets as they are, and a new timestamp of it."""
        targets, snapshot = self._read("targets"), self._read("snapshot")
        snapshot.signed.meta["targets.json"] = MetaFile(targets.signed.version)
        self._sign_next(snapshot, "snapshot")
        timestamp = self._read("timestamp")
        timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
        self._sign_next(timestamp, "timestamp")

    def rotate(self, role: str) -> None:
        """A new key for `role`; a new root, signed by the old root key and the new one, says so."""
        root = self._read("root")
        old_root = self._signer("root")
        root.signed.revoke_key(self._signer(role).public_key.keyid, role)
        self._key_path(role).rename(self._key_path(role).with_suffix(".old"))
        self._new_key(role)
        root.signed.add_key(self._signer(role).public_key, role)
        root.signed.version += 1
        root.signed.expires = self._ends("root")
        root.sign(old_root)
        self._write(root, "root", append=role == "root")
        if role == "targets":
            self._sign_next(self._read("targets"), "targets")
        if role != "root":
            self.refresh()

    # --- how it is kept -------------------------------------------------------------------------------------------

    def _blob(self, name: str, path: Path) -> File:
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        blob = self.folder / "blobs" / f"{digest}.xz"
        if not blob.exists():
            blob.parent.mkdir(parents=True, exist_ok=True)
            fresh = blob.with_suffix(".new")
            fresh.write_bytes(lzma.compress(data, **XZ))
            fresh.replace(blob)
        return File(name, digest, len(data), blob.stat().st_size, bool(path.stat().st_mode & 0o100))

    def _target(self, path: str, data: bytes) -> None:
        info = TargetFile.from_data(path, data, ["sha256"])
        folder, _, name = path.rpartition("/")
        place = self.folder / "targets" / folder / f"{info.hashes['sha256']}.{name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        targets = self._read("targets")
        targets.signed.targets[path] = info
        self._sign_next(targets, "targets")
        self.refresh()

    def _sign_next(self, metadata: Metadata, role: str) -> None:
        metadata.signed.version += 1
        metadata.signed.expires = self._ends(role)
        self._write(metadata, role)

    def _write(self, metadata: Metadata, role: str, *, append: bool = False) -> None:
        metadata.sign(self._signer(role), append=append or (role == "root" and bool(metadata.signatures)))
        folder = self.folder / "metadata"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{role}.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        metadata.to_file(str(folder / name))

    def _read(self, role: str) -> Metadata:
        folder = self.folder / "metadata"
        if role == "timestamp":
            return Metadata.from_file(str(folder / "timestamp.json"))
        newest = max(folder.glob(f"*.{role}.json"), key=lambda path: int(path.name.partition(".")[0]))
        return Metadata.from_file(str(newest))

    def _ends(self, role: str) -> datetime.datetime:
        return self.clock() + datetime.timedelta(days=LASTS[role])

    def _key_path(self, role: str) -> Path:
        return self.keys / f"{role}.pem"

    def _new_key(self, role: str) -> None:
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._key_path(role), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(CryptoSigner.generate_ed25519().private_bytes)

    def _signer(self, role: str) -> CryptoSigner:
        return CryptoSigner(load_pem_private_key(self._key_path(role).read_bytes(), None))


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, more in {
        "init": (),
        "add": ("bundle", "version", "platform"),
        "ring": ("ring", "platform", "version", "permille"),
        "refresh": (),
        "rotate": ("role",),
    }.items():
        command = commands.add_parser(name)
        for argument in ("repo", "keys", *more):
            command.add_argument(argument, choices=ROLES if argument == "role" else None)
    options = parser.parse_args()
    repo = Repo(Path(options.repo), Path(options.keys))
    match options.command:
        case "init":
            print(repo.init())
        case "add":
            made = repo.add(Path(options.bundle), options.version, options.platform)
            print(f"{len(made.files)} files, {sum(file.packed for file in made.files)} bytes packed")
        case "ring":
            repo.ring(options.ring, options.platform, options.version, int(options.permille))
        case "refresh":
            repo.refresh()
        case "rotate":
            repo.rotate(options.role)
    return 0


if __name__ == "__main__":
    sys.exit(main())
