"""Malformed bytes of every form, each named after what is wrong with it, and the code that it must be refused with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ledger import keys, note
from ledger.keys import b64encode
from tests.ledger.parsers import examples

Case = tuple[str, str, bytes, str]  # form, name, bytes, code
Change = Callable[[bytes], bytes]
JSON, EVENT, LEAF, NOTE = "TS-L-010", "TS-L-040", "TS-L-050", "TS-L-031"


def swap(old: bytes | str, new: bytes | str) -> Change:
    """Replace the first occurrence, which must be there."""
    before, after = (text.encode() if isinstance(text, str) else text for text in (old, new))

    def change(data: bytes) -> bytes:
        assert before in data, before
        return data.replace(before, after, 1)

    return change


def sub(pattern: str, new: str) -> Change:
    """Replace the first match, which must be there."""

    def change(data: bytes) -> bytes:
        found, count = re.subn(pattern.encode(), new.encode(), data, count=1)
        assert count == 1, pattern
        return found

    return change


def fields(**changes: Any) -> Change:
    """Change (None: drop) fields of a canonical line, or of the one in a note, and write it canonically."""

    def change(data: bytes) -> bytes:
        at, end = data.index(b"{"), data.rindex(b"}") + 1
        obj = {key: value for key, value in {**json.loads(data[at:end]), **changes}.items() if value is not None}
        line = json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        return data[:at] + line + data[end:]

    return change


def _reversed_keys(data: bytes) -> bytes:
    return json.dumps(dict(reversed(json.loads(data).items())), separators=(",", ":")).encode()


_ANY: list[tuple[str, Change, str]] = [
    ("an integer written as a float", sub(r'"mono":(\d+)', r'"mono":\1.0'), JSON),
    ("an integer with an exponent", sub(r'"mono":\d+', '"mono":1e3'), JSON),
    ("a negative zero", sub(r'"mono":\d+', '"mono":-0'), JSON),
    ("a leading zero", sub(r'"mono":(\d+)', r'"mono":0\1'), JSON),
    ("an integer beyond 2**53 - 1", sub(r'"mono":\d+', '"mono":9007199254740992'), JSON),
    ("NaN", sub(r'"mono":\d+', '"mono":NaN'), JSON),
    ("a key twice", swap("{", '{"mono":0,'), JSON),
    ("keys in another order", _reversed_keys, JSON),
    ("a space after a colon", swap('"v":1', '"v": 1'), JSON),
    ("a letter written as an escape", swap('"verb":"', '"\\u0076erb":"'), JSON),
    ("a raw tab in a string", sub(r'"unit":"u1"', '"unit":"u\t1"'), JSON),
    ("a NUL in a string, escaped", sub(r'"unit":"u1"', '"unit":"u\\\\u00001"'), JSON),
    ("half a surrogate pair, escaped", sub(r'"unit":"u1"', '"unit":"\\\\ud800"'), JSON),
    ("half a surrogate pair in UTF-8", swap('"unit":"u1"', b'"unit":"\xed\xa0\x80"'), JSON),
    ("an overlong UTF-8 sequence", swap('"unit":"u1"', b'"unit":"\xc0\xaf"'), JSON),
    ("a byte order mark", lambda data: b"\xef\xbb\xbf" + data, JSON),
    ("UTF-16", lambda data: data.decode().encode("utf-16"), JSON),
    ("a newline at the end", lambda data: data + b"\n", JSON),
    ("a second object", lambda data: data + b"{}", JSON),
    ("nesting of five", swap('"unit":"u1"', '"unit":[[[[1]]]]'), JSON),
    ("a nest of 2,000 brackets", lambda _: b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}", JSON),
    ("no object", lambda _: b"[]", JSON),
    ("nothing", lambda _: b"", JSON),
    ("an unknown verb", swap('"verb":"played"', '"verb":"skipped"'), EVENT),
    ("a missing field", fields(shown=None), EVENT),
    ("a field too many", fields(zeal=1), EVENT),
    ("another version", fields(v=2), EVENT),
    ("true for the version", fields(v=True), EVENT),
    ("true for a number", fields(seq=True), EVENT),
    ("a negative time", fields(mono=-1), EVENT),
    ("a session ID in capitals", fields(sid="AB" * 16), EVENT),
    ("a path for a unit", fields(unit="../u1"), EVENT),
]


def events(seed: bytes) -> Iterator[Case]:
    """What is wrong with a `played` event."""
    for name, change, code in _ANY:
        yield "event", name, change(seed), code


def leaves(entries: list[bytes]) -> Iterator[Case]:
    """Entries of a class log."""
    kinds = ("class", "revealed", "settled")
    by = {kind: next(e for e in entries if f'"type":"{kind}"'.encode() in e) for kind in kinds}
    device = next(e for e in entries if b'"role":"device"' in e)
    person = next(e for e in entries if b'"role":"supervisor"' in e)
    session = next(e for e in entries if b"/s/" in e[:60] and not e.startswith(b"{"))
    anchor = next(e for e in entries if b"/c/" in e[:60] and not e.startswith(b"{"))
    first, second = (line + b"\n" for line in session.split(b"\n")[4:6])
    head = session[: session.index(b"\xe2\x80\x94")]
    sid = json.loads(by["revealed"])["sid"]
    erased = fields(type="erased", at=1, sid=sid, sha256="0" * 64, size=None, credited_ms=None)(by["settled"])
    for name, data in {
        "an unknown type": fields(type="granting")(by["class"]),
        "a device key without an owner": fields(owner=None)(device),
        "a supervisor without a voucher": fields(vouched=None)(person),
        "a key of another type than its role's": fields(role="grant", owner=None)(device),
        "an unknown way to end": fields(how="lost")(by["revealed"]),
        "a size beyond 2**53 - 1": fields(size=2**53)(by["settled"]),
        "erased indexes that fall": fields(index=[3, 2])(erased),
        "nothing erased": fields(index=[])(erased),
        "a session's checkpoint without a cosignature": head + first,
        "the server's line before the session's": head + second + first,
        "a third line on a session's checkpoint": session + second.replace(b"/w ", b"/x "),
        "an anchor whose log signs second": anchor[: anchor.index(b"\xe2\x80\x94")]
        + b"".join(line + b"\n" for line in reversed(anchor.strip().split(b"\n")[4:])),
        "an anchor of no class": anchor.replace(b"/c/", b"/q/"),
        "neither a line nor a checkpoint": b"hello\n",
    }.items():
        yield "leaf", name, data, LEAF


def notes(seed: bytes) -> Iterator[Case]:
    """Signed notes."""
    line = seed.rstrip(b"\n").rsplit(b"\n", 1)[1] + b"\n"
    name, _, raw = line[4:].decode().strip().partition(" ")
    data = keys.b64decode(raw)
    others = b"".join(f"— a.example/{n} {raw}\n".encode() for n in range(64))
    for what, changed in {
        "CR LF line ends": seed.replace(b"\n", b"\r\n"),
        "no newline at the end": seed[:-1],
        "a newline too many": seed + b"\n",
        "no blank line": seed.replace(b"\n\n", b"\n"),
        "a hyphen for the dash": seed.replace("—".encode(), b"-"),
        "base64 without padding": seed.replace(raw.encode(), b64encode(data + b"\0").rstrip("=").encode()),
        "base64 with loose bits": seed.replace(raw.encode(), b64encode(data + b"\0")[:-2].encode() + b"B="),
        "two signatures by one key": seed + line,
        "65 signatures": seed + others,
        "a signature without bytes": seed.replace(raw.encode(), b64encode(data[:4]).encode()),
        "a tab": b"\t" + seed,
        "no UTF-8": b"\xff" + seed,
        "two spaces before the signature": seed.replace(f"{name} ".encode(), f"{name}  ".encode()),
    }.items():
        yield "note", what, changed, NOTE


def checkpoints(seed: bytes) -> Iterator[Case]:
    """The three lines."""
    origin, size, root, *_ = seed.decode().split("\n")
    for what, changed in {
        "an extension line": swap(f"{root}\n", f"{root}\nmore\n"),
        "a size with a leading zero": swap(f"\n{size}\n", f"\n0{size}\n"),
        "a size with a sign": swap(f"\n{size}\n", f"\n+{size}\n"),
        "a size of eighty digits": swap(f"\n{size}\n", f"\n{'9' * 80}\n"),
        "a root of 31 bytes": swap(root, b64encode(bytes(31))),
        "a root with loose bits": swap(root, root[:-2] + chr(ord(root[-2]) + 1) + "="),
        "a space in the origin": swap(origin, origin + " x"),
        "two lines": swap(f"\n{root}\n", "\n"),
    }.items():
        yield "checkpoint", what, changed(seed), "TS-L-034"


def signed(seeds: dict[str, list[bytes]]) -> Iterator[Case]:
    """Certificates, grants and bodies."""
    certificate, grant, body = (seeds[form][0] for form in ("certificate", "grant", "body"))
    for what, change in {
        "another first line": swap("session/v1", "session/v2"),
        "a line too many": swap("none\n", "none\nnone\n"),
        "a chain in no known form": swap("none\n", "None\n"),
        "a registration of 31 digits": sub(r"\n[0-9a-f]([0-9a-f]{31})\n", r"\n\1\n"),
        "the session's key under another name": sub(r"/s/[0-9a-f]{32}\+", "/s/" + "ab" * 16 + "+"),
    }.items():
        yield "certificate", what, change(certificate), "TS-L-035"
    for what, change in {
        "a field too many": fields(bonus=1),
        "a missing field": fields(nonce=None),
        "a text for a time": fields(open_by="soon"),
        "limits with a third": fields(limits={"session_ms": 1, "offline_ms": 1, "daily_ms": 1}),
        "33 recipients": fields(recipients=[f"x{n}" for n in range(33)]),
        "another kind of note": swap("grant/v1", "grant/v2"),
    }.items():
        yield "grant", what, change(grant), "TS-L-036"
    for what, change in {
        "an unknown kind": sub(r"trueseat/\w+/v1", "trueseat/promotion/v1"),
        "a field too many": fields(zeal=1),
        "another version": fields(v=2),
        "two lines of JSON": swap("}\n", "}\n{}\n"),
    }.items():
        yield "body", what, change(body), "TS-L-037"


def cases() -> list[Case]:
    """All of them; those of whole files stand in `files.py`."""
    from tests.ledger.vectors import files

    seeds = examples()
    played = next(data for data in seeds["event"] if b'"verb":"played"' in data)
    assert note.parse(seeds["note"][0])
    return [
        *events(played), *leaves(seeds["leaf"]), *notes(seeds["note"][0]), *checkpoints(seeds["checkpoint"][0]),
        *signed(seeds), *files.cases(seeds),
    ]  # fmt: skip
