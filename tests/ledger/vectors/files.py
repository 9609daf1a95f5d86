"""Malformed files: keys, proofs, tiles, trust files, rules, uploads, photos and .zip archives."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ledger import evidence, keys
from ledger.keys import COSIGNATURE, ED25519, Vkey, b64encode
from tests.ledger.parsers import JPEG, SID
from tests.ledger.vectors.malformed import Case, fields, sub, swap

_HEADER = evidence.Header(SID, SID[::-1], 3, 1, "0f" * 16, 65_000, len(JPEG))


def _vkey(name: str, kind: int, key: bytes) -> bytes:
    return str(Vkey(name, kind, key)).encode()


def vkeys(seed: bytes) -> Iterator[Case]:
    """Verifier keys."""
    name, key_id, material = seed.decode().split("+", 2)
    raw = keys.b64decode(material)
    for what, data in {
        "the ID of another key": f"{name}+{int(key_id, 16) ^ 1:08x}+{material}".encode(),
        "an ID in capitals": f"{name}+ABCDEF01+{material}".encode(),
        "an unknown type": _vkey(name, 0x07, raw[1:]),
        "31 bytes of key": _vkey(name, ED25519, raw[1:-1]),
        "a point of small order": _vkey(name, ED25519, bytes.fromhex("01" + "00" * 31)),
        "another point of small order": _vkey(name, COSIGNATURE, bytes.fromhex(keys._ORDER_8[1])),
        "a point beyond the field": _vkey(name, ED25519, bytes.fromhex("ee" + "ff" * 30 + "7f")),
        "a P-256 key that is no SPKI": _vkey(name, keys.P256, bytes(91)),
        "a space in the name": seed.replace(b".", b" ", 1),
        "no plus": seed.replace(b"+", b"-"),
    }.items():
        yield "vkey", what, data, "TS-L-030"


def logs(seeds: dict[str, list[bytes]]) -> Iterator[Case]:
    """Receipts, tiles, bundles, trust files."""
    receipt, trust = seeds["receipt"][0], seeds["trust file"][0]
    for what, change in {
        "another first line": swap("tlog-proof@v1", "tlog-proof@v2"),
        "an index with a leading zero": swap("index 7", "index 07"),
        "a hash of 31 bytes": sub(r"\n[A-Za-z0-9+/]{43}=\n", "\n" + b64encode(bytes(31)) + "\n"),
        "65 hashes": sub(r"(\n[A-Za-z0-9+/]{43}=\n)", (b64encode(bytes(32)) + "\n").join(["\n"] + [""] * 65)),
        "no checkpoint": lambda data: data[: data.index(b"\n\n") + 2],
    }.items():
        yield "receipt", what, change(receipt), "TS-L-052"
    yield "tile", "a byte short", seeds["tile"][0][:-1], "TS-L-051"
    yield "tile", "a hash too many", seeds["tile"][0] + bytes(32), "TS-L-051"
    yield "bundle", "cut within an entry", seeds["bundle"][0][:-1], "TS-L-051"
    yield "bundle", "cut within a length", seeds["bundle"][0] + b"\0", "TS-L-051"
    witness = next(line for line in trust.decode().split("\n") if line.startswith("witness"))
    log = next(line for line in trust.decode().split("\n") if line.startswith("log"))
    for what, change in {
        "no quorum": sub(r"quorum .*\n", ""),
        "two quorums": lambda data: data + b"quorum none\n",
        "an unknown word": lambda data: b"trust everybody\n" + data,
        "a witness under two names": swap(witness, f"{witness}\nwitness w9 {witness.split(' ')[2]}"),
        "a log that is its own witness": swap(witness, f"witness w0 {log.split(' ')[1]}"),
        "more asked for than there are": sub(r"group all (all|2) ", "group all 9 "),
        "a group of itself": sub(r"group all (all|\d+) ", "group all 1 all "),
        "a quorum of nobody known": sub(r"quorum .*\n", "quorum friends\n"),
        "a NUL": lambda data: data + b"\0\n",
    }.items():
        yield "trust file", what, change(trust), "TS-L-053"


def rules(seeds: dict[str, list[bytes]]) -> Iterator[Case]:
    """Policies, courses and people."""
    policy, people = seeds["policy"][0], seeds["people"][0]
    for what, change in {
        "no TOML": lambda _: b"= 1\n",
        "an unknown field": lambda data: b"generosity = 1\n" + data,
        "a missing field": sub(r"min_gap_ms = .*\n", ""),
        "a smallest gap above the largest": sub(r"max_gap_ms = .*\n", "max_gap_ms = 1_000\n"),
        "a float for a time": sub(r"min_gap_ms = .*\n", "min_gap_ms = 1.5\n"),
        "no UTF-8": lambda data: data + b"# \xff\n",
    }.items():
        yield "policy", what, change(policy), "TS-L-070"
    course = seeds["course"][0]
    for what, change in {
        "no TOML": lambda _: b"[[unit]\n",
        "an unknown field": lambda data: b"price = 1\n" + data,
        "no units": lambda data: data[: data.index(b"[[unit]]")],
        "a unit twice": sub('id = "u2"', 'id = "u1"'),
        "a unit without length": sub(r"duration_ms = .*\n", ""),
        "a length in seconds and a half": sub(r"duration_ms = .*\n", "duration_ms = 600.5\n"),
        "media outside the package": sub('media = "u1.mp4"', 'media = "../u1.mp4"'),
        "media under two hashes": sub('media = "u2.mp4"\nmedia_sha256 = "0', 'media = "u1.mp4"\nmedia_sha256 = "1'),
        "a hash of 63 digits": sub('media_sha256 = "0', 'media_sha256 = "'),
        "no UTF-8": lambda data: data + b"# \xff\n",
    }.items():
        yield "course", what, change(course), "TS-L-073"
    table = seeds["points"][0]
    for what, change in {
        "no TOML": lambda _: b"version = \n",
        "an unknown field": lambda data: data + b"bonus_tenths = 5\n",
        "a missing field": sub(r"check_tenths = .*\n", ""),
        "half a tenth": sub(r"hour_tenths = .*\n", "hour_tenths = 1.5\n"),
        "points below none": sub(r"hour_tenths = .*\n", "hour_tenths = -1\n"),
        "a flag for a number": sub(r"hour_tenths = .*\n", "hour_tenths = true\n"),
        "no UTF-8": lambda data: data + b"# \xff\n",
    }.items():
        yield "points", what, change(table), "TS-L-070"
    for what, change in {
        "a salt of 31 digits": lambda data: data[1:],
        "other columns": swap("learner,name", "name,learner"),
        "a learner twice": lambda data: data + data.split(b"\n", 2)[2],
        "a cell too many": sub(r"\n(1{32},.*)\n", r"\n\1,x\n"),
        "a quote that never ends": lambda data: data + b'"',
    }.items():
        yield "people", what, change(people), "TS-L-065"


def uploads(seeds: dict[str, list[bytes]]) -> Iterator[Case]:
    """Segments, answers, requests to witnesses."""
    segment, answer, request = seeds["segment"][0], seeds["answer"][0], seeds["submission"][0]
    for what, data in {
        "a head longer than the body": struct.pack(">I", 2**31) + segment[4:],
        "fewer entries than its sizes say": segment[:-4],
        "an entry without bytes": segment[:-7] + b"\0\0\0\4xxyy",
        "an old size beyond the new": segment.replace(b"old 3", b"old 9"),
        "nothing": b"",
    }.items():
        yield "segment", what, data, "TS-L-055"
    yield "answer", "a field too many", fields(more=1)(answer), "TS-L-055"
    yield "answer", "no order and no null", fields(order="")(answer), "TS-L-055"
    one = b64encode(bytes(32)).encode() + b"\n"
    for what, data in {
        "backwards": request.replace(b"old 5", b"old 9007"),
        "64 hashes": b"old 5\n" + one * 64 + b"\n" + request.partition(b"\n\n")[2],
        "a hash that is none": request.replace(b"old 5\n", b"old 5\nhello\n"),
        "no old size": request.partition(b"\n")[2],
    }.items():
        yield "submission", what, data, "TS-L-056"


def photos(seeds: dict[str, list[bytes]]) -> Iterator[Case]:
    """What lies inside the seal (to be sealed by the reader of this vector), and the file of sealed keys."""
    photo, sealed = seeds["photo"][0], seeds["sealed keys"][0]
    code = evidence.EvidenceError.code
    for what, data in {
        "a length that is too small": fields(bytes=len(JPEG) - 1)(photo[: photo.index(b"\n") + 1]) + JPEG,
        "a length that is too great": fields(bytes=9_000)(photo[: photo.index(b"\n") + 1]) + JPEG,
        "no JPEG": photo.replace(JPEG[:4], b"GIF8"),
        "another session": photo.replace(SID.encode(), b"ab" * 16, 1),
        "padded with something": photo + b"\0\1",
        "no header": JPEG,
    }.items():
        yield "photo", what, data, code
    for what, data in {
        "no newline": sealed[:-1],
        "no recipient": b'{"keys":[],"v":1}\n',
        "another version": sealed.replace(b'"v":1', b'"v":2'),
    }.items():
        yield "sealed keys", what, data, code


def zips(seed: bytes) -> Iterator[Case]:
    """The one form of a .zip, left in every way that other programs would take."""
    second = seed.index(b"PK\x03\x04", 4)
    central, end = seed.index(b"PK\x01\x02"), seed.index(b"PK\x05\x06")

    def patch(at: int, value: bytes) -> bytes:
        return seed[:at] + value + seed[at + len(value) :]

    both = bytearray(seed)
    both[30:31] = both[central + 46 : central + 47] = b"z"
    dots = seed.replace(b"b/c.txt", b"../.txt")
    for what, data in {
        "bytes before the first member": b"MZ" + seed,
        "bytes after the end": seed + b"\0",
        "bytes between members": seed[:second] + b"\0" + seed[second:],
        "a comment": seed[:-2] + b"\1\0!",
        "a time of day": patch(10, b"\1\0"),
        "an encrypted member": patch(6, b"\1\0"),
        "an unknown method": patch(8, b"\x0c\0"),
        "a wrong CRC": patch(14, b"\0\0\0\0"),
        "a member that is not in the directory": seed[:central] + seed[end:],
        "a directory that names another member": patch(central + 46, b"c"),
        "members that are not sorted": bytes(both),
        "a path that leaves the folder": dots,
        "an absolute path": seed.replace(b"b/c.txt", b"/bc.txt"),
        "two disks": patch(end + 4, b"\1\0"),
        "an external attribute": patch(central + 38, b"\0\0\xff\xa1"),
        "a Zip64 size": patch(18, b"\xff\xff\xff\xff"),
        "cut at the end": seed[:-1],
        "nothing": b"",
    }.items():
        yield "zip", what, data, "TS-L-061"


def cases(seeds: dict[str, list[bytes]]) -> list[Case]:
    """All of them."""
    return [
        *vkeys(seeds["vkey"][0]), *logs(seeds), *rules(seeds), *uploads(seeds), *photos(seeds), *zips(seeds["zip"][0]),
    ]  # fmt: skip
