"""Sealed photos: only a recipient opens one, and only as what its event named."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import evidence, keys
from ledger.evidence import EvidenceError, Header, Recipient, Sealed, Taken, expect, parse_keys, seal

SID = "00112233445566778899aabbccddeeff"
ORIGIN = f"demo.trueseat.example/s/{SID}"
JPEG = b"\xff\xd8\xff\xe0" + b"nobody in particular" * 300 + b"\xff\xd9"
TAKEN = Taken(i=3, a=1, nonce="0f" * 16, mono=65_000, jpeg=JPEG)
VECTOR: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "valid" / "evidence.json").read_text(encoding="utf-8")
)


def person(name: str) -> Recipient:
    vkey, private = keys.generate_evidence(f"{name}.example/e")
    return Recipient(vkey, private)


SCHOOL, DISTRICT, STRANGER = person("school"), person("district"), person("stranger")
SEALED = seal(TAKEN, ORIGIN, [str(SCHOOL.vkey), str(DISTRICT.vkey)])


def test_every_recipient_of_the_grant_opens_the_photo_and_nobody_else() -> None:
    """Sealed to two authorities: each gets header and picture, a third key gets a refusal."""
    for who in (SCHOOL, DISTRICT):
        header, jpeg = who.open(SEALED, ORIGIN)
        assert jpeg == JPEG
        assert header == Header(SID, SEALED.named.eid, 3, 1, "0f" * 16, 65_000, len(JPEG))
        expect(header, 3, 1, "0f" * 16)
    with pytest.raises(EvidenceError, match="not sealed to stranger"):
        STRANGER.open(SEALED, ORIGIN)


def test_a_stolen_name_does_not_open_a_photo() -> None:
    """The right public key with another's private bytes opens nothing."""
    with pytest.raises(EvidenceError, match="does not open"):
        Recipient(SCHOOL.vkey, STRANGER.private).open(SEALED, ORIGIN)


def test_a_photo_moved_to_another_session_or_name_does_not_open() -> None:
    """Session and eid are bound by the seal, not by the place where the file lies."""
    with pytest.raises(EvidenceError):
        SCHOOL.open(SEALED, ORIGIN.replace("00", "11"))
    with pytest.raises(EvidenceError):
        SCHOOL.open(replace(SEALED, named=replace(SEALED.named, eid="ab" * 16)), ORIGIN)


def test_one_file_that_opens_under_two_keys_is_caught_by_kc() -> None:
    """AES-GCM does not commit to its key: sealed with a second key, the event's `kc` says which one was meant."""
    other = evidence._seal(TAKEN, ORIGIN, [str(SCHOOL.vkey)], SEALED.named.eid, bytes(32))
    named = replace(other.named, kc=SEALED.named.kc)
    with pytest.raises(EvidenceError, match="commits to"):
        SCHOOL.open(replace(other, named=named), ORIGIN)


def test_the_photo_of_another_attempt_is_refused() -> None:
    """A passed attempt's photo cannot stand in for a later one: check, attempt and nonce are inside the seal."""
    header, _ = SCHOOL.open(SEALED, ORIGIN)
    for i, a, nonce in ((4, 1, "0f" * 16), (3, 0, "0f" * 16), (3, 1, "00" * 16), ("close", 1, "0f" * 16)):
        with pytest.raises(EvidenceError, match="was taken for"):
            expect(header, i, a, nonce)


def test_the_length_of_the_file_hides_that_of_the_photo() -> None:
    """Padded to 4 KiB: photos of nearly the same size are of one length."""
    sizes = {
        len(seal(replace(TAKEN, jpeg=JPEG[:3] + bytes(n)), ORIGIN, [str(SCHOOL.vkey)]).file) for n in range(0, 3000, 97)
    }
    assert sizes == {4096 + 16}


def test_deleting_the_key_file_erases_the_photo() -> None:
    """The sealed file alone, even with every private key, is noise: an empty or foreign key file opens nothing."""
    other = seal(TAKEN, ORIGIN, [str(SCHOOL.vkey)])
    for keys_file in (b"", other.keys_file):
        named = replace(SEALED.named, keys=sha256(keys_file).hexdigest())
        with pytest.raises(EvidenceError):
            SCHOOL.open(Sealed(named, SEALED.file, keys_file), ORIGIN)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: replace(t, jpeg=b"GIF89a" * 20), "JPEG"),
        (lambda t: replace(t, jpeg=b"\xff\xd8\xff" + bytes(evidence.MAX_JPEG)), "bytes"),
        (lambda t: replace(t, i="later"), "'i'"),
        (lambda t: replace(t, nonce="0F" * 16), "nonce"),
        (lambda t: replace(t, mono=-1), "mono"),
    ],
)
def test_what_is_no_photo_of_a_check_is_not_sealed(change: Callable[[Taken], Taken], why: str) -> None:
    """Nothing but a JPEG with a whole header is sealed."""
    with pytest.raises(EvidenceError, match=why):
        seal(change(TAKEN), ORIGIN, [str(SCHOOL.vkey)])


def test_nothing_is_sealed_to_a_signing_key_or_to_nobody() -> None:
    """A recipient is an evidence key; a weak point has no shared secret; without recipients there is no photo."""
    signing = keys.generate("school.example/p/" + "0" * 32, keys.ED25519).vkey
    weak = keys.Vkey("weak.example/e", keys.EVIDENCE, bytes(32))
    for recipients in ([str(signing)], [str(weak)], ["nobody"], []):
        with pytest.raises(EvidenceError):
            seal(TAKEN, ORIGIN, recipients)


def _resealed(plain: bytes) -> tuple[bytes, bytes]:
    key = bytes(range(32))
    return key, AESGCM(key).encrypt(bytes(12), plain, evidence.associated(ORIGIN, "e1" * 16))


@pytest.mark.parametrize(
    "attack", ["longer than it is", "padded with a message", "a page more", "two lines", "no line"]
)
def test_a_photo_that_lies_about_itself_is_refused(attack: str) -> None:
    """Sealed by a crooked client: lengths, padding and header must be the one form."""
    header = evidence.Header(SID, "e1" * 16, 3, 1, "0f" * 16, 1, len(JPEG)).to_json()
    line = evidence.canonical.encode(header)
    plain = line + b"\n" + JPEG
    padded = plain + bytes(-len(plain) % 4096)
    bent = {
        "longer than it is": evidence.canonical.encode(header | {"bytes": 900_000}) + b"\n" + JPEG,
        "padded with a message": padded[:-5] + b"hello",
        "a page more": padded + bytes(4096),
        "two lines": b" " + padded[:-1],
        "no line": bytes(4096),
    }[attack]
    key, file = _resealed(bent + bytes(-len(bent) % 4096))
    with pytest.raises(EvidenceError):
        evidence.decrypt(key, file, ORIGIN, "e1" * 16)
    good = _resealed(padded)
    assert evidence.decrypt(*good, ORIGIN, "e1" * 16)[1] == JPEG


# --- vectors and fuzz -------------------------------------------------------------------------------------------------


def test_the_published_vector_seals_and_opens() -> None:
    """Same key, same name, same photo: the same file, byte for byte; and the recipient opens it."""
    v = VECTOR
    taken = Taken(v["i"], v["a"], v["nonce"], v["mono"], bytes.fromhex(v["jpeg"]))
    made = evidence._seal(taken, v["origin"], [v["recipient"]], v["eid"], bytes.fromhex(v["key"]))
    assert (made.named.sha256, made.named.kc) == (v["sha256"], v["kc"])
    named = replace(made.named, keys=v["keys"])
    who = Recipient(keys.parse_vkey(v["recipient"]), bytes.fromhex(v["private"]))
    header, jpeg = who.open(Sealed(named, made.file, v["keys_file"].encode()), v["origin"])
    assert (header.i, header.mono, jpeg.hex()) == (3, 65_000, v["jpeg"])


def test_the_sealed_key_opens_by_an_independent_reading_of_rfc_9180() -> None:
    """HPKE base mode, X25519, HKDF-SHA-256, AES-256-GCM, `info` = the AAD of the file: written out from the RFC."""
    v = VECTOR
    sealed = parse_keys(v["keys_file"].encode())[v["recipient"]]
    info = f"trueseat/evidence/v1\n{v['origin']}\n{v['eid']}\n".encode()
    assert rfc9180_open(bytes.fromhex(v["private"]), info, sealed).hex() == v["key"]


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return _hmac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return _hmac(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01")[:length]


def rfc9180_open(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """RFC 9180, sections 4.1, 5.1 and 5.2: SetupBaseR and one Open."""
    enc, text = sealed[:32], sealed[32:]
    mine = X25519PrivateKey.from_private_bytes(private)
    kem, suite = b"KEM" + b"\x00\x20", b"HPKE" + b"\x00\x20" + b"\x00\x01" + b"\x00\x02"
    shared = mine.exchange(X25519PublicKey.from_public_bytes(enc))
    prk = _extract(kem, b"", b"eae_prk", shared)
    secret = _expand(kem, prk, b"shared_secret", enc + mine.public_key().public_bytes_raw(), 32)
    context = b"\x00" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    schedule = _extract(suite, secret, b"secret", b"")
    key, nonce = (_expand(suite, schedule, label, context, n) for label, n in ((b"key", 32), (b"base_nonce", 12)))
    return AESGCM(key).decrypt(nonce, text, b"")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_hostile_key_file_is_refused_or_reads_in_one_way(data: st.DataObject) -> None:
    """Cut, doubled, replaced, or anything at all: our own error, or the same bytes again."""
    raw = SEALED.keys_file if data.draw(st.booleans()) else data.draw(st.binary(max_size=100))
    at = data.draw(st.integers(0, len(raw)))
    end = min(len(raw), at + data.draw(st.integers(0, 9)))
    raw = raw[:at] + data.draw(st.binary(max_size=4) | st.sampled_from([b'"', b",", b"{", b"\n"])) + raw[end:]
    try:
        found = parse_keys(raw)
    except EvidenceError:
        return
    assert evidence._encode_keys(found) == raw


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SEALED.file) * 8 - 1), st.booleans())
def test_no_flipped_bit_of_a_sealed_photo_survives(bit: int, named: bool) -> None:
    """Found by its hash; and even when the event was made to name the changed file, by the seal."""
    file = bytearray(SEALED.file)
    file[bit // 8] ^= 1 << bit % 8
    names = replace(SEALED.named, sha256=sha256(file).hexdigest()) if named else SEALED.named
    with pytest.raises(EvidenceError):
        SCHOOL.open(Sealed(names, bytes(file), SEALED.keys_file), ORIGIN)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=9000))
def test_hostile_plain_text_under_the_right_key_is_refused(plain: bytes) -> None:
    """A crooked client knows K: what it seals is a photo of the one form or an error of ours."""
    key, file = _resealed(plain + bytes(-len(plain) % 4096))
    with pytest.raises(EvidenceError):
        evidence.decrypt(key, file, ORIGIN, "e1" * 16)
