"""Sign the list of installed files, as the last step of building an installer: `build/sign_installed.py ROOT KEY NAME`.

KEY is a private key (PEM, 0600; made if there is none), NAME its name, such as `<server-name>/r`. Written into ROOT:
`agent/installed.note` and `agent/release.vkey`. Publish the printed list as the class's `client` document.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agent.manifest import KEY, NOTE, installed, text_of
from ledger import note
from ledger.keys import ED25519, Signer, generate, load_signer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("key", type=Path)
    parser.add_argument("name")
    options = parser.parse_args()
    text = text_of(installed(root=options.root))
    signer = _signer(options.key, options.name)
    (options.root / NOTE).write_bytes(note.sign(text, signer))
    (options.root / KEY).write_text(f"{signer.vkey}\n", "ascii")
    sys.stdout.write(text)
    print(f"sha256 {note.digest(text)}, signed by {signer.vkey}", file=sys.stderr)


def _signer(path: Path, name: str) -> Signer:
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(generate(name, ED25519).to_pem())
    return load_signer(name, ED25519, path.read_bytes())


if __name__ == "__main__":
    main()
