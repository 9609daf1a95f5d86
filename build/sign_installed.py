"""Sign the list of installed files, as the last step of building an installer: `build/sign_installed.py ROOT KEY NAME`.

KEY is a private key (PEM, 0600; made if there is none), NAME its name, such as `<server-name>/r`. Written into ROOT:
`agent/installed.note` and `agent/release.vkey`. Publish the printed list as the class's `client` document. Of a bundle
(ROOT is its `_internal`) also `agent/bundle.list`: what it loads beside our modules, each file by its hash.

    build/sign_installed.py --development [ROOT]

signs a checkout for itself, with a key of its own in `.work/` that is named so that nobody takes it for a release's:
`python -m agent files check` then says what changed since; the session records that the key is a development one.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agent import bundle
from agent.manifest import DEVELOPMENT, KEY, NOTE, ROOT, installed, text_of
from ledger import note
from ledger.keys import ED25519, Signer, generate, load_signer


def main() -> int:
    """Sign, and return the exit code: 2 where the name and the kind of key do not fit."""
    options = _arguments()
    root = options.root or ROOT
    key, name = options.key or root / ".work/development.pem", options.name or f"{DEVELOPMENT}/checkout"
    if options.development is not name.startswith(DEVELOPMENT):
        print(f"{name!r}: keys named {DEVELOPMENT}/… sign checkouts, and nothing else does", file=sys.stderr)
        return 2
    if root.name == "_internal":
        (root / bundle.LIST).write_text(bundle.text_of(bundle.base_of(root), root), "utf-8", newline="\n")
    text, signer = text_of(installed(root=root)), _signer(key, name)
    data = note.sign(text, signer)
    note.parse(data)  # a list that is too long for its readers ends the build here
    (root / NOTE).write_bytes(data)
    (root / KEY).write_text(f"{signer.vkey}\n", "ascii")
    if not options.development:
        sys.stdout.write(text)
    print(f"sha256 {note.digest(text)}, signed by {signer.vkey}", file=sys.stderr)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("key", type=Path, nargs="?")
    parser.add_argument("name", nargs="?")
    parser.add_argument("--development", action="store_true", help="sign a checkout for itself, with a key of its own")
    options = parser.parse_args()
    if not options.development and options.name is None:
        parser.error("ROOT, KEY and NAME are needed")
    return options


def _signer(path: Path, name: str) -> Signer:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(generate(name, ED25519).to_pem())
    return load_signer(name, ED25519, path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
