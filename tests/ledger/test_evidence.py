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

from ledger import events as ev
from ledger import evidence, keys, parcel, sample
from ledger.errors import ArchiveError
from ledger.evidence import EvidenceError, Header, Recipient, Sealed, Taken, expect, parse_keys, seal
from ledger.findings import Status
from ledger.leaves import ErasedLeaf
from tests.ledger.builder import Classroom, Session
from tests.ledger.conftest import made
from tests.tries import tries

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


@settings(max_examples=tries(300), deadline=None)
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


@settings(max_examples=tries(300), deadline=None)
@given(st.integers(0, len(SEALED.file) * 8 - 1), st.booleans())
def test_no_flipped_bit_of_a_sealed_photo_survives(bit: int, named: bool) -> None:
    """Found by its hash; and even when the event was made to name the changed file, by the seal."""
    file = bytearray(SEALED.file)
    file[bit // 8] ^= 1 << bit % 8
    names = replace(SEALED.named, sha256=sha256(file).hexdigest()) if named else SEALED.named
    with pytest.raises(EvidenceError):
        SCHOOL.open(Sealed(names, bytes(file), SEALED.keys_file), ORIGIN)


@settings(max_examples=tries(200), deadline=None)
@given(st.binary(max_size=9000))
def test_hostile_plain_text_under_the_right_key_is_refused(plain: bytes) -> None:
    """A crooked client knows K: what it seals is a photo of the one form or an error of ours."""
    key, file = _resealed(plain + bytes(-len(plain) % 4096))
    with pytest.raises(EvidenceError):
        evidence.decrypt(key, file, ORIGIN, "e1" * 16)


# --- on its way -------------------------------------------------------------------------------------------------------


def test_a_parcel_is_read_as_it_was_packed() -> None:
    """Both files in one row of bytes, and back; nothing but the photo that the event names."""
    packed = parcel.pack(SEALED)
    assert parcel.unpack(packed, SEALED.named) == SEALED
    assert len(packed) <= parcel.MAX_PARCEL
    other = seal(TAKEN, ORIGIN, [str(SCHOOL.vkey)])
    for lie in (b"", packed[:3], packed[:-1], packed + b"\0", parcel.pack(other), b"\0" * 4 + packed[4:]):
        with pytest.raises(EvidenceError):
            parcel.unpack(lie, SEALED.named)


@settings(max_examples=tries(300), deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400), st.booleans())
def test_a_hostile_parcel_is_refused(data: bytes, at: int, whole: bool) -> None:
    """Cut, patched or made up: only our own error leaves, and never another photo."""
    packed = parcel.pack(SEALED)
    raw = packed[:at] + data + packed[at + len(data) :] if whole else data
    try:
        found = parcel.unpack(raw, SEALED.named)
    except EvidenceError:
        return
    assert raw == packed
    assert found == SEALED


def test_a_reviewer_is_who_holds_the_private_half() -> None:
    """The key's own bytes, no others, none at all."""
    SCHOOL.check()
    for private in (STRANGER.private, b"", bytes(31)):
        with pytest.raises(EvidenceError):
            Recipient(SCHOOL.vkey, private).check()


# --- a sample ---------------------------------------------------------------------------------------------------------

CLASS = "demo.trueseat.example/c/one"
PHOTOS = [(f"{n:032x}", f"{n * n:032x}") for n in range(200)]


def test_a_public_seed_draws_the_same_photos_for_everybody() -> None:
    """The formula of the page, spelled again: rank by SHA-256, take the first; order and repetition change nothing."""
    drawn = sample.draw("2026-11-22: 4 8 15", CLASS, PHOTOS, 5)
    assert sample.draw("2026-11-22: 4 8 15", CLASS, PHOTOS[::-1] + PHOTOS, 5) == drawn

    def rank(photo: tuple[str, str]) -> bytes:
        text = "\n".join(("trueseat/sample/v1", "2026-11-22: 4 8 15", CLASS, *photo, ""))
        return sha256(text.encode()).digest()

    assert drawn == sorted(PHOTOS, key=rank)[:5]


def test_taking_photos_away_does_not_steer_the_draw() -> None:
    """Each keeps its rank: who deletes one that was drawn only lets the next one in, and the rest stays."""
    drawn = sample.draw("seed", CLASS, PHOTOS, 10)
    left = sample.draw("seed", CLASS, [photo for photo in PHOTOS if photo != drawn[3]], 10)
    assert left[:9] == drawn[:3] + drawn[4:]


def test_every_photo_has_the_same_chance() -> None:
    """600 seeds draw 10 of 200 each: every photo about 30 times (within five standard deviations)."""
    counts = dict.fromkeys(PHOTOS, 0)
    for seed in range(600):
        for photo in sample.draw(f"seed {seed}", CLASS, PHOTOS, 10):
            counts[photo] += 1
    assert max(abs(count - 30) for count in counts.values()) < 5 * (600 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize(("seed", "count"), [("", 1), ("  ", 1), ("two\nlines", 1), ("x" * 1_001, 1), ("x", 0)])
def test_no_sample_without_a_seed_and_a_number(seed: str, count: int) -> None:
    """A seed is one line that can be published."""
    with pytest.raises(sample.SampleError):
        sample.draw(seed, CLASS, PHOTOS, count)


# --- in the archive ---------------------------------------------------------------------------------------------------


def photographed(room: Classroom) -> tuple[Session, int]:
    """A session whose opening answer names a real sealed photo, kept in the archive; and the event's index."""
    session = room.session(room.device(room.learner()), recipients=(str(room.evidence),))
    photo = seal(TAKEN, ORIGIN.replace(SID, session.sid), [str(room.evidence)])
    room.evidence_files = {f"sha256/{photo.named.sha256}": photo.file, f"keys/{photo.named.eid}.json": photo.keys_file}
    session.say(ev.Answered("spot-1", 0, "match", "passed", "ok", {}, {}, photo.named.to_json()))
    index = len(session.log) - 1
    return session.study(10_000).close(), index


def erase(room: Classroom, session: Session, index: int) -> None:
    """The keeper's leaf that the photo of an event is gone, and its receipt."""
    receipt = room.keep_plain(b"trueseat/erasure/v1\n{}\n")
    room.append(ErasedLeaf(room.now, session.sid, (index,), receipt))


def test_an_erased_photo_is_listed_with_its_leaf_and_everything_else_verifies(tmp_path: Path) -> None:
    """Settled, erased, gone: nothing refused, the event still shown, the report names the entry."""
    room = Classroom()
    session, index = photographed(room)
    session.settle(10_000)
    erase(room, session, index)
    room.evidence_files = {}
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert not report.refused
    assert report.findings.steps["10"].status is Status.NOT_CHECKABLE
    assert any("its photo was erased" in item.message for item in report.findings.all())
    assert report.sessions[0].withheld == 0


@pytest.mark.parametrize("attack", ["kept in secret", "erased before the figure"])
def test_an_erasure_that_is_none_is_refused(tmp_path: Path, attack: str) -> None:
    """A photo that the log calls erased lies in the archive; or it went before a `settled` leaf stood."""
    room = Classroom()
    session, index = photographed(room)
    if attack == "kept in secret":
        session.settle(10_000)
    else:
        room.evidence_files = {}
    erase(room, session, index)
    if attack != "kept in secret":
        session.settle(10_000)
    message = "says it was erased" if attack == "kept in secret" else "before a settlement"
    with pytest.raises(ArchiveError, match=message):
        room.export(tmp_path / "a")


def test_a_sample_of_an_archive_is_one_of_its_photos(tmp_path: Path) -> None:
    """Anybody with the archive draws, without server or keys."""
    room = Classroom()
    session, _ = photographed(room)
    room.export(tmp_path / "a")
    ((sid, eid),) = sample.of_archive(made(room, tmp_path / "a").source, "seed", 9)
    assert sid == session.sid
    assert f"keys/{eid}.json" in room.evidence_files
