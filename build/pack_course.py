"""Encrypt a course package: `python build/pack_course.py FOLDER OUT [--key FILE]`.

OUT becomes the same course with its media encrypted (docs/courses.md) and their hashes in course.toml named anew;
OUT.key (0600) holds the content key: it goes to the operator of the server, beside the package and never in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ledger import content  # noqa: E402
from ledger import course as courses  # noqa: E402
from ledger.course import Course  # noqa: E402

MANIFEST = "course.toml"


def pack(source: Path, target: Path, key: bytes) -> Course:
    """Write the encrypted package to `target`, which must not exist; return its course. Captions stay readable."""
    manifest = (source / MANIFEST).read_text(encoding="utf-8")
    course = courses.parse(manifest.encode())
    target.mkdir(mode=0o755, parents=True)
    for name, digest in _media(course).items():
        manifest = manifest.replace(f'"{digest}"', f'"{_encrypt(source / name, target / name, digest, key)}"')
    for name in set(course.files()) - set(_media(course)):
        shutil.copyfile(source / name, target / name)
    (target / MANIFEST).write_text(manifest, encoding="utf-8")
    packed = courses.parse(manifest.encode())
    for name, digest in packed.files().items():
        if _digest(target / name) != digest:
            raise SystemExit(f"{name}: course.toml names {digest[:12]}…, which is not this file")
    return packed


def _media(course: Course) -> dict[str, str]:
    captions = {name for unit in course.units for name in unit.captions.values()}
    return {name: digest for name, digest in course.files().items() if name not in captions}


def _encrypt(source: Path, target: Path, digest: str, key: bytes) -> str:
    if _digest(source) != digest:
        raise SystemExit(f"{source} is not the file that {MANIFEST} names")
    with source.open("rb") as plain, target.open("wb") as sealed:
        for piece in content.seal(plain, source.stat().st_size, key):
            sealed.write(piece)
    return _digest(target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(path: Path | None) -> bytes:
    """The first key of a key file, or a fresh one."""
    if path is None:
        return secrets.token_bytes(content.KEY_BYTES)
    return next(iter(content.parse_keys(path.read_text(encoding="ascii")).values()))


def write_key(path: Path, key: bytes) -> None:
    """Keep the key in a file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content.write_keys([key]))


def main() -> None:
    """Pack, and say what is what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--key", type=Path, help="a key file whose first key is used instead of a fresh one")
    args = parser.parse_args()
    key = key_of(args.key)
    course = pack(args.folder, args.out, key)
    write_key(args.out.with_name(args.out.name + ".key"), key)
    print(f"{args.out}: course {course.id} {course.version}, sha256 {course.sha256}")
    print(f"{args.out}.key: key {content.key_id(key)}, for the operator; never send it with the package")


if __name__ == "__main__":
    main()
