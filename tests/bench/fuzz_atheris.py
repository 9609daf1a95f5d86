"""The parsers under libFuzzer, steered by coverage: `python -m tests.bench.fuzz_atheris RUNS` (needs atheris).

The first byte of an input chooses the form, the rest is its bytes; the examples of every form are the corpus.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ledger"]):
    from tests.bench.hostile import Hostile


def main() -> None:
    """Fuzz; libFuzzer ends the process, with a report and another exit code than 0 if anything was found."""
    hostile = Hostile()
    names = sorted(hostile.seeds)
    corpus = Path(tempfile.mkdtemp(prefix="fuzz-ledger-"))
    for at, name in enumerate(names):
        for n, data in enumerate(hostile.seeds[name][:20]):
            (corpus / f"{at}-{n}").write_bytes(bytes([at]) + data)

    def one(data: bytes) -> None:
        if data:
            hostile.check(names[data[0] % len(names)], data[1:])

    atheris.Setup([sys.argv[0], f"-runs={sys.argv[1]}", "-max_len=8192", "-rss_limit_mb=1024", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
