"""Write tests/vectors anew: `python -m tests.ledger.vectors`. Needed only when a format changes: keys are drawn anew.

What is written is checked by tests/ledger/test_vectors.py, and meant for whoever writes another verifier
(docs/wire-format.md); tests/vectors/README.md says how to read it.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ledger import canonical
from ledger.zipform import write_zip
from tests.ledger.builder import small
from tests.ledger.memory import Memory
from tests.ledger.parsers import examples
from tests.ledger.vectors import malformed, tampered

OUT = Path(__file__).parents[2] / "vectors"
A_FORM = 12  # valid examples of one form


def spelled(data: bytes) -> dict[str, str]:
    """Bytes as JSON can hold them: as text where that is the same."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}
    return {"text": text} if text.isprintable() or set(text) <= set(map(chr, range(32, 0x3000))) | {"\n"} else {
        "base64": b64encode(data).decode()
    }  # fmt: skip


def write(name: str, obj: Any) -> None:
    """One file of vectors."""
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(obj, ensure_ascii=False, indent=1) + "\n", "utf-8")


def valid() -> None:
    """Some of each form: as many kinds as there are, of events one a verb, of entries and bodies one a type."""
    cases = []
    for form, found in examples().items():
        kinds: dict[str, bytes] = {}
        for data in found:
            kinds.setdefault(_kind(data), data)
        cases += [{"form": form, "name": kind, **spelled(data)} for kind, data in list(kinds.items())[:A_FORM]]
    write("valid/forms.json", cases)


def _kind(data: bytes) -> str:
    """What sort of its form it is."""
    try:
        obj = canonical.decode(data)
        return str(obj.get("verb") or obj.get("type", "line")) + "/".join(["", *filter(None, [obj.get("role")])])
    except canonical.CanonicalError:
        first = data.partition(b"\n")[0]
        return first.decode("ascii", "replace")[:40] if first.startswith(b"trueseat/") else f"{len(data)} bytes"


def bent() -> None:
    """What parsers refuse."""
    write(
        "malformed/forms.json",
        [{"form": form, "name": name, "code": code, **spelled(data)} for form, name, data, code in malformed.cases()],
    )


def attacks() -> None:
    """An archive, its trust file, and what is done to it."""
    with tempfile.TemporaryDirectory() as folder:
        room, path = small(Path(folder) / "archive")
        source = Memory.of(path)
    packed = io.BytesIO()
    write_zip(source, packed)
    (OUT / "valid" / "archive.zip").write_bytes(packed.getvalue())
    (OUT / "valid" / "archive.trust").write_text(str(room.trust()), "utf-8")
    (OUT / "valid" / "archive.authority").write_text(f"{room.authority.vkey}\n", "utf-8")
    cases = []
    for attack in tampered.cases(room, source.files):
        case = asdict(attack)
        case["changes"] = {name: None if data is None else spelled(data) for name, data in attack.changes.items()}
        case["witnessed"] = [spelled(data) for data in attack.witnessed]
        cases.append(case)
    write("tampered/archives.json", cases)


def main() -> int:
    """Write all three."""
    for name in ("tampered", "malformed"):
        shutil.rmtree(OUT / name, ignore_errors=True)
    valid()
    bent()
    attacks()
    return 0


if __name__ == "__main__":
    sys.exit(main())
