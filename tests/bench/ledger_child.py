"""One measurement of the ledger, in a process of its own; prints one line of JSON (see tests/bench/ledger.py).

On one core the clock is that of the processor, so that a busy machine does not count; on two it is the wall's.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import tempfile
import time
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any


def floor(archive: Path) -> dict[str, Any]:
    """Hash every event and check every signature that the verifier checks, each bare and once."""
    from ledger import keys, tiles, trust
    from ledger.archive import Directory
    from ledger.verify import verify

    checked: list[tuple[Any, ...]] = []
    plain = keys.Vkey.verify

    def record(self: keys.Vkey, text: bytes, signature: bytes) -> None:
        checked.append((self, text, signature))
        plain(self, text, signature)

    keys.Vkey.verify = record  # type: ignore[method-assign]
    source = Directory(archive)
    verify(source, trust.parse(archive.with_suffix(".trust").read_bytes()))
    keys.Vkey.verify = plain  # type: ignore[method-assign]
    bundles = [source.read(name) for name in source.names("sessions/") if "/tile/entries/" in name]
    entries = [entry for bundle in bundles for entry in tiles.decode_bundle(bundle)]
    bare = [_bare(*one) for one in checked]
    gc.collect()
    gc.disable()
    begin = time.process_time()
    for entry in entries:
        sha256(entry).digest()
    hashed = time.process_time()
    for check, arguments in bare:
        check(*arguments)
    end = time.process_time()
    return {"seconds": end - begin, "hash_s": hashed - begin, "signatures": len(bare)}


def _bare(key: Any, text: bytes, signature: bytes) -> tuple[Any, tuple[Any, ...]]:
    """The library's own call behind one signature check."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    from ledger import keys

    check = keys._public(key.type, key.key).verify
    if key.type == keys.P256:
        return check, (signature, text, ec.ECDSA(SHA256()))
    if key.type == keys.COSIGNATURE:
        return check, (signature[8:], keys.cosigned_message(text, keys.cosignature_time(signature)))
    return check, (signature, text)


def _peak_kb() -> int:
    """The most memory of this program; `ru_maxrss` would also count that of whoever started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def run(archive: Path, jobs: int) -> dict[str, Any]:
    """Verify as the command line does."""
    from ledger import trust
    from ledger.archive import Directory
    from ledger.parallel import collect_seldom
    from ledger.verify import Options, verify

    collect_seldom()
    known = trust.parse(archive.with_suffix(".trust").read_bytes())
    clock = time.process_time if jobs == 1 else time.perf_counter
    begin = clock()
    report = verify(Directory(archive), known, Options(jobs=jobs))
    seconds = clock() - begin
    if report.refused:
        raise SystemExit("refused: " + next(f.message for f in report.findings.all() if f.code))
    peak = _peak_kb()
    if jobs > 1:
        peak += jobs * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of the greatest; shared pages twice
    return {"seconds": seconds, "peak_kb": peak, "credited_ms": report.credited_ms}


def tree(leaves: int) -> dict[str, Any]:
    """Appending, proofs, and opening a tree again from its tiles."""
    from ledger import tiles
    from ledger.storedtree import StoredTree
    from ledger.tree import Tree, leaf_hash

    entries = [b"%064d" % i for i in range(leaves)]
    bare, appended = [], []
    for _ in range(3):
        begin = time.process_time()
        for entry in entries:
            sha256(entry + b"\0").digest()
            sha256(entry + b"\0").digest()
        bare.append(time.process_time() - begin)
        grown = Tree()
        begin = time.process_time()
        for entry in entries:
            grown.append(leaf_hash(entry))
        appended.append(time.process_time() - begin)
    files = dict(tiles.hash_tiles(grown))
    reopened = []
    for _ in range(3):
        begin = time.process_time()
        again = StoredTree(leaves, files.__getitem__)
        assert again.root() == grown.root()
        reopened.append(time.process_time() - begin)
    proofs = [_slowest_proof(one, leaves) for one in (grown, again)]
    return {
        "leaves": leaves, "append_ratio": round(min(appended) / min(bare), 2), "proof_ms": round(max(proofs), 3),
        "reopen_ms": round(min(reopened) * 1000, 2),
    }  # fmt: skip


def _slowest_proof(log: Any, size: int) -> float:
    """Ms of the slowest among many proofs, each the quickest of three tries: the machine is not ours alone."""
    slowest = 0.0
    for n in range(300):
        index = n * 7_654_321 % size
        for ask in (lambda: log.inclusion_proof(index, size), lambda: log.consistency_proof(index + 1, size)):  # noqa: B023
            tries = []
            for _ in range(3):
                begin = time.process_time()
                ask()
                tries.append(time.process_time() - begin)
            slowest = max(slowest, min(tries))
    return slowest * 1000


def memory() -> dict[str, Any]:
    """What each further session costs at the worst moment: classes of 2,000 and of 4,000, four a learner.

    Not of fewer: the interpreter itself keeps the first 2,000 freed tuples of each length.
    """
    from ledger import trust
    from ledger.archive import Directory
    from ledger.verify import verify
    from tests.bench.big_class import make

    held = {}
    with tempfile.TemporaryDirectory() as folder:
        for sessions in (2000, 4000):
            archive = Path(folder) / str(sessions)
            make(archive, sessions, 2, 8)
            known = trust.parse(archive.with_suffix(".trust").read_bytes())
            gc.collect()
            tracemalloc.start(1)
            report = verify(Directory(archive), known)
            held[sessions] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert not report.refused
            assert len(report.sessions) == sessions
    return {"bytes_a_session": round((held[4000] - held[2000]) / 2000)}


def main() -> int:
    """Do one of the measurements."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger_child")
    parser.add_argument("what", choices=["floor", "verify", "tree", "memory"])
    parser.add_argument("archive", type=Path, nargs="?")
    parser.add_argument("--stdlib", action="store_true", help="as where orjson is not installed")
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.stdlib:
        sys.modules["orjson"] = None  # type: ignore[assignment]
    match arguments.what:
        case "floor":
            found = floor(arguments.archive)
        case "verify":
            found = run(arguments.archive, arguments.jobs)
        case "tree":
            found = tree(arguments.leaves)
        case _:
            found = memory()
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
