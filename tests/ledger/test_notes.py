"""Keys, signed notes and checkpoints: the published vectors hold, and a verifier is not talked into anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import checkpoint, keys, note, trust
from ledger.checkpoint import Checkpoint
from ledger.errors import (
    CheckpointFormatError,
    KeyFormatError,
    NoteFormatError,
    QuorumError,
    SignatureError,
    TrustError,
    UnknownSignerError,
)

VECTORS = Path(__file__).parent.parent / "vectors/valid"
NOTES = json.loads((VECTORS / "notes.json").read_text("utf-8"))
CHECKPOINTS = json.loads((VECTORS / "checkpoints.json").read_text("utf-8"))
PETER = keys.parse_vkey(NOTES["vkey"])
GOOD = NOTES["note"].encode()


# --- published vectors ------------------------------------------------------------------------------------------------


def test_the_note_of_the_go_reference_verifies_and_is_signed_the_same() -> None:
    """Ed25519 is deterministic: with the published private key we write the published note byte for byte."""
    parsed = note.parse(GOOD)
    note.verify(parsed, [PETER])
    private = Ed25519PrivateKey.from_private_bytes(keys.b64decode(NOTES["private"])[1:])
    assert note.sign(parsed.text, keys.Signer(PETER, private)) == GOOD


def test_the_published_vkeys_read_and_write_the_same() -> None:
    """Ed25519, ECDSA and cosignature keys; the key ID of ECDSA is that of its SPKI and does not cover the name."""
    for text in (NOTES["vkey"], NOTES["ecdsa_vkey"], *CHECKPOINTS["witnesses"].values()):
        assert str(keys.parse_vkey(text)) == text
    key = keys.parse_vkey(NOTES["ecdsa_vkey"])
    assert (key.type, keys.Vkey("other", key.type, key.key).key_id) == (keys.P256, key.key_id)


@pytest.mark.parametrize("case", CHECKPOINTS["checkpoints"], ids=lambda case: case["log"].partition("+")[0])
def test_checkpoints_of_public_logs_verify_with_their_witnesses(case: dict[str, object]) -> None:
    """Log signature, cosignatures and their times, as published; witnesses that we do not know are ignored."""
    lines = [f"log {case['log']}", *(f"witness {name} {key}" for name, key in CHECKPOINTS["witnesses"].items())]
    quorum = ["group seen all " + " ".join(case["seen_by"]), "quorum seen"]  # type: ignore[arg-type]
    policy = trust.parse("".join(f"{line}\n" for line in [*lines, *quorum]).encode())
    data = str(case["note"]).encode()
    seen = policy.verify(data, others=True)
    assert seen.checkpoint.size == case["size"]
    assert set(seen.times.values()) == {case["time"]}
    assert bytes(seen.note) == data
    with pytest.raises((SignatureError, CheckpointFormatError)):
        policy.verify(data.replace(str(case["size"]).encode(), b"42", 1), others=True)


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", NOTES["bad_vkeys"].values(), ids=NOTES["bad_vkeys"])
def test_published_bad_vkeys_are_refused(text: str) -> None:
    """A fitting key ID does not make a key."""
    with pytest.raises(KeyFormatError):
        keys.parse_vkey(text)


def test_no_part_of_a_vkey_and_no_other_spelling_is_a_vkey() -> None:
    """Cut anywhere, or with one character changed, it is refused."""
    for i in range(len(NOTES["vkey"])):
        for text in (NOTES["vkey"][:i], NOTES["vkey"][i + 1 :], NOTES["vkey"][:i] + "~" + NOTES["vkey"][i + 1 :]):
            with pytest.raises(KeyFormatError):
                keys.parse_vkey(text)


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255 - 1], ids=hex)
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_of_small_order_are_refused(y: int, sign: int) -> None:
    """By such a key anybody's signature "verifies", so nobody may name it as his own."""
    raw = (y | sign << 255).to_bytes(32, "little")
    with pytest.raises(KeyFormatError):
        keys.parse_vkey(str(keys.Vkey("weak.example", keys.ED25519, raw)))


def test_a_key_in_another_encoding_is_refused() -> None:
    """P-256 in its one DER form, and on its curve."""
    good = keys.generate("d", keys.P256).vkey
    for key in (good.key + b"\x00", good.key[:-1], good.key[:-1] + bytes([good.key[-1] ^ 1]), b"", b"\x30\x00"):
        with pytest.raises(KeyFormatError):
            keys.parse_vkey(str(keys.Vkey("d", keys.P256, key)))


@pytest.mark.parametrize("kind", [keys.ED25519, keys.P256, keys.COSIGNATURE])
def test_a_private_key_comes_back_from_its_pem(kind: int) -> None:
    """What was stored signs for the same public key; a key of another type is refused."""
    signer = keys.generate("a.example/x", kind)
    assert keys.load_signer("a.example/x", kind, signer.to_pem()).vkey == signer.vkey
    other = keys.ED25519 if kind == keys.P256 else keys.P256
    for pem in (b"", b"hello", signer.to_pem()[:-40]):
        with pytest.raises(KeyFormatError):
            keys.load_signer("a.example/x", kind, pem)
    with pytest.raises(KeyFormatError):
        keys.load_signer("a.example/x", other, signer.to_pem())


def test_a_private_key_does_not_show_itself() -> None:
    """Neither repr nor str of a signer holds key material; logs are read by many."""
    assert "Private" not in repr(keys.generate("a", keys.ED25519))


# --- notes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("no signatures", GOOD.rpartition(b"\n\n")[0] + b"\n"),
        ("no blank line", GOOD.replace(b"\n\n", b"\n")),
        ("no newline at the end", GOOD[:-1]),
        ("a blank line at the end", GOOD + b"\n"),
        ("carriage returns", GOOD.replace(b"\n", b"\r\n")),
        ("a tab", GOOD.replace(b"answer", b"\tanswer")),
        ("a zero byte", GOOD.replace(b"answer", b"\x00answer")),
        ("not UTF-8", GOOD.replace(b"answer", b"\xff")),
        ("text after the signature", GOOD + b"P.S.\n"),
        ("a hyphen for the dash", GOOD.replace("—".encode(), b"-")),
        ("two spaces", GOOD.replace("— ".encode(), "—  ".encode())),
        ("a no-break space", GOOD.replace(b"PeterNeumann ", "PeterNeumann\u00a0".encode())),
        ("a plus in the name", GOOD.replace(b"PeterNeumann", b"Peter+Neumann")),
        ("no padding", GOOD.replace(b"=\n", b"\n")),
        ("loose bits in base64", GOOD.replace(b"nAM=", b"nAN=")),
        ("a signature of four bytes", GOOD.rpartition(b" ")[0] + b" x08goA==\n"),
        ("the same signature twice", GOOD + GOOD.rpartition(b"\n\n")[2]),
        ("65 signatures", GOOD + b"".join(f"— k{i} AAAAAAAA\n".encode() for i in range(64))),
        ("longer than an entry may be", b"x" * 70_000 + GOOD),
        ("empty", b""),
    ],
)
def test_a_malformed_note_is_refused(name: str, data: bytes) -> None:
    """Exact newlines, one spelling, no trailing text: what two programs could read differently is refused."""
    with pytest.raises(NoteFormatError):
        note.parse(data)


def test_a_text_may_hold_blank_lines() -> None:
    """The text ends at the last blank line."""
    signer = keys.generate("a", keys.ED25519)
    parsed = note.parse(note.sign("one\n\n\ntwo\n", signer))
    assert parsed.text == "one\n\n\ntwo\n"
    note.verify(parsed, [signer.vkey])


def test_a_wrong_signature_by_a_known_key_refuses_the_whole_note() -> None:
    """Even when another known key signed well; a stranger's line is ignored only in notes from the network."""
    one, two = (keys.generate(name, keys.ED25519) for name in ("one", "two"))
    good = note.parse(note.sign("text\n", one, two))
    forged = note.Signature("two", two.vkey.key_id, one.sign(b"text\n"))
    with pytest.raises(SignatureError):
        note.verify(note.Note(good.text, (good.signatures[0], forged)), [one.vkey, two.vkey])
    with pytest.raises(UnknownSignerError):
        note.verify(good, [one.vkey])
    assert note.verify(good, [one.vkey], others=True) == good.signatures[:1]
    with pytest.raises(UnknownSignerError):
        note.verify(good, [keys.generate("three", keys.ED25519).vkey], others=True)


def test_a_key_counts_by_name_and_id_together() -> None:
    """The same key under another name is another signer; for P-256, whose ID is blind to names, too."""
    for kind in (keys.ED25519, keys.P256):
        signer = keys.generate("one", kind)
        other = keys.Vkey("two", kind, signer.vkey.key)
        with pytest.raises(UnknownSignerError):
            note.verify(note.parse(note.sign("text\n", signer)), [other], others=True)


def test_two_known_keys_with_one_name_and_id_are_refused() -> None:
    """Which of them signed could not be said."""
    one = keys.generate("d", keys.P256)

    class Twin(keys.Vkey):
        @property
        def key_id(self) -> bytes:
            return one.vkey.key_id

    twin = Twin("d", keys.P256, keys.generate("d", keys.P256).vkey.key)
    with pytest.raises(SignatureError):
        note.verify(note.parse(note.sign("text\n", one)), [one.vkey, twin])


# --- checkpoints ------------------------------------------------------------------------------------------------------

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"a b\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n٣\n{ROOT}\n",
        f"a\n1.0\n{ROOT}\n",
        f"a\n{2**53}\n{ROOT}\n",
        f"a\n1\n{ROOT[:-2]}J=\n",
        f"a\n1\n{ROOT[:-4]}\n",
        f"a\n1\n{ROOT}\nextension\n",
        f"a\n1\n{ROOT}\n\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    """Three lines, one spelling; no extension lines, which nobody could audit."""
    with pytest.raises(CheckpointFormatError):
        checkpoint.parse_text(text)


def test_a_cosignature_binds_its_time() -> None:
    """The time stands in what is signed: another time does not verify, and only the named key's line is taken."""
    witness = keys.generate("w.example/w", keys.COSIGNATURE)
    found = Checkpoint("a.example", 3, bytes(32))
    line = checkpoint.cosign(found, witness, 1_700_000_000)
    assert checkpoint.verify_cosignature(found, line, witness.vkey) == 1_700_000_000
    parsed = note.parse_line(line)
    later = (1_700_000_001).to_bytes(8, "big") + parsed.raw[8:]
    with pytest.raises(SignatureError):
        checkpoint.verify_cosignature(found, str(note.Signature(parsed.name, parsed.key_id, later)), witness.vkey)
    with pytest.raises(SignatureError):
        checkpoint.verify_cosignature(Checkpoint("a.example", 4, bytes(32)), line, witness.vkey)
    with pytest.raises(UnknownSignerError):
        checkpoint.verify_cosignature(found, line, keys.generate("w.example/w", keys.COSIGNATURE).vkey)
    with pytest.raises(KeyFormatError):
        witness.sign(b"text\n")


# --- trust files ------------------------------------------------------------------------------------------------------

LOG, W1, W2, W3 = (
    keys.generate("log.example/c/k", keys.ED25519),
    *(keys.generate(f"w{n}.example/w", keys.COSIGNATURE) for n in (1, 2, 3)),
)
LINES = f"log {LOG.vkey}\nwitness w1 {W1.vkey}\nwitness w2 {W2.vkey} https://w2.example/\nwitness w3 {W3.vkey}\n"


def witnessed(*witnesses: keys.Signer) -> bytes:
    found = Checkpoint(LOG.vkey.name, 7, bytes(32))
    return note.add(
        checkpoint.sign(found, LOG), *(checkpoint.cosign(found, w, 100 + i) for i, w in enumerate(witnesses))
    )


@pytest.mark.parametrize(
    ("rest", "enough", "short"),
    [
        ("quorum none\n", [()], []),
        ("quorum w1\n", [(W1,), (W1, W2)], [(), (W2, W3)]),
        ("group g any w1 w2\nquorum g\n", [(W2,)], [(), (W3,)]),
        ("group g all w1 w2\nquorum g\n", [(W1, W2)], [(W1,), (W2, W3)]),
        ("group g 2 w1 w2 w3\nquorum g\n", [(W1, W3), (W1, W2, W3)], [(W1,)]),
        ("group g any w1 w2\ngroup h all g w3\nquorum h\n", [(W2, W3)], [(W1, W2), (W3,)]),
    ],
)  # fmt: skip
def test_a_quorum_is_what_the_trust_file_says(
    rest: str, enough: list[tuple[keys.Signer, ...]], short: list[tuple[keys.Signer, ...]]
) -> None:
    """Any, all, so many of, and groups of groups (the example of tlog-policy)."""
    policy = trust.parse((f"# who I trust\n\t{LINES} \n" + rest).encode())
    for by in enough:
        assert set(policy.verify(witnessed(*by)).times.values()) == set(range(100, 100 + len(by)))
    for by in short:
        with pytest.raises(QuorumError):
            policy.verify(witnessed(*by))


UNCLEAR = [
    LINES,
    LINES + "quorum none\nquorum none\n",
    LINES + "quorum nobody\n",
    LINES + "quorum g\ngroup g any w1\n",
    LINES + "group g any\nquorum none\n",
    LINES + "group g 0 w1\nquorum none\n",
    LINES + "group g 2 w1\nquorum none\n",
    LINES + "group g 01 w1\nquorum none\n",
    LINES + "group g any w1 w1\nquorum none\n",
    LINES + "group g any w1\ngroup h any w1\nquorum none\n",
    LINES + "group g any none\nquorum none\n",
    LINES + "group w1 any w2\nquorum none\n",
    LINES + "group none any w2\nquorum none\n",
    LINES + f"witness w4 {W1.vkey}\nquorum none\n",
    LINES + f"witness w1 {keys.generate('w4', keys.COSIGNATURE).vkey}\nquorum none\n",
    LINES + f"witness w4 {keys.Vkey('other', keys.COSIGNATURE, W1.vkey.key)}\nquorum none\n",
    LINES + f"witness w4 {keys.Vkey('log-key-as-witness', keys.COSIGNATURE, LOG.vkey.key)}\nquorum none\n",
    LINES + f"witness w4 {keys.generate('w4', keys.ED25519).vkey}\nquorum none\n",
    LINES + f"log {LOG.vkey}\nquorum none\n",
    LINES + f"log {keys.generate('x', keys.P256).vkey}\nquorum none\n",
    LINES + "log\nquorum none\n",
    LINES + "trust me\nquorum none\n",
    LINES + "quorum none",
    LINES.replace("\n", "\r\n") + "quorum none\n",
]


@pytest.mark.parametrize(
    "text", UNCLEAR, ids=range(len(UNCLEAR))
)  # some hold fresh keys: no two runs would name them alike
def test_a_trust_file_that_says_nothing_clear_is_refused(text: str) -> None:
    """No quorum, two, an undefined one; a key that stands twice under any name; a wrong type; odd line ends."""
    with pytest.raises(TrustError):
        trust.parse(text.encode())


def test_a_witness_cannot_stand_in_for_the_log() -> None:
    """A checkpoint that only witnesses signed is no checkpoint of the log."""
    found = Checkpoint(LOG.vkey.name, 7, bytes(32))
    text = str(found)
    raw = W1.cosign(text.encode(), 5)
    signed = bytes(note.Note(text, (note.Signature(W1.vkey.name, W1.vkey.key_id, raw),)))
    with pytest.raises(QuorumError):
        trust.parse((LINES + "quorum w1\n").encode()).verify(signed)
