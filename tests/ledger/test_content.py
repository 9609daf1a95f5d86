"""Encrypted media: what was changed never opens, and says where; nothing else ever leaves the parser."""

from __future__ import annotations

import io
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import content
from ledger.content import CHUNK, TAG, ContentError, Header, Opener

KEY = bytes(range(32))


def sealed(plain: bytes, key: bytes = KEY) -> bytes:
    return b"".join(content.seal(io.BytesIO(plain), len(plain), key))


def opened(data: bytes, key: bytes = KEY) -> bytes:
    opener = Opener(content.parse_header(data), key)
    if len(data) != opener.header.file_length:
        raise ContentError("another length")
    places = [opener.place(n) for n in range(opener.header.chunks)]
    return b"".join(opener.chunk(n, data[at : at + size]) for n, (at, size) in enumerate(places))


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 77])
def test_what_was_sealed_opens_to_the_byte(length: int) -> None:
    """Every length around the borders of chunks."""
    plain = secrets.token_bytes(length)
    data = sealed(plain)
    assert content.is_encrypted(data)
    assert len(data) == content.parse_header(data).file_length
    assert opened(data) == plain


def test_the_same_file_is_never_sealed_the_same_way() -> None:
    """A fresh salt a file: two files of one course share no key stream."""
    one, other = sealed(b"x" * 1000), sealed(b"x" * 1000)
    assert one[-1000:] != other[-1000:]


@given(st.data())
def test_a_flipped_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    """In the header the file does not open, in a chunk exactly that chunk is named."""
    whole = sealed(bytes(2 * CHUNK + 100))
    at = data.draw(st.integers(0, len(whole) - 1))
    bent = bytearray(whole)
    bent[at] ^= 1 << data.draw(st.integers(0, 7))
    head = len(content.parse_header(whole).encode())
    with pytest.raises(ContentError) as error:
        opened(bytes(bent))
    if at >= head:
        assert f"chunk {(at - head) // (CHUNK + TAG)} of 3" in str(error.value)


def test_chunks_swapped_or_taken_from_another_file_do_not_open() -> None:
    """The number is the nonce, the header the associated data, the key the file's own."""
    one, other = sealed(b"a" * 2 * CHUNK), sealed(b"b" * 2 * CHUNK)
    opener = Opener(content.parse_header(one), KEY)
    (first, size), (second, _) = opener.place(0), opener.place(1)
    assert opener.chunk(0, one[first : first + size]) == b"a" * CHUNK
    for number, stolen in ((1, one[first : first + size]), (0, one[second : second + size]), (0, other[first:][:size])):
        with pytest.raises(ContentError, match=f"chunk {number} of 2 was changed"):
            opener.chunk(number, stolen)


def test_a_file_cut_at_the_border_of_a_chunk_is_noticed() -> None:
    """The length stands in the header, which every chunk authenticates."""
    whole = sealed(b"a" * 2 * CHUNK)
    header = content.parse_header(whole)
    shorter = Header(header.key_id, header.salt, CHUNK)
    cut = shorter.encode() + whole[len(header.encode()) :][: CHUNK + TAG]
    with pytest.raises(ContentError, match="chunk 0 of 1 was changed"):
        opened(cut)


def test_another_key_is_refused_before_any_chunk() -> None:
    """AES-GCM does not commit to its key; the name in the header does."""
    with pytest.raises(ContentError, match="another content key"):
        Opener(content.parse_header(sealed(b"x")), bytes(32))


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: content.MAGIC + tail))
def test_no_header_breaks_the_parser(data: bytes) -> None:
    """Only our own error leaves it; what is read is written the same."""
    try:
        header = content.parse_header(data)
    except ContentError:
        return
    assert data.startswith(header.encode())


@given(st.builds(Header, st.binary(min_size=16, max_size=16).map(bytes.hex), st.binary(min_size=32, max_size=32),
                 st.integers(0, content.MAX_LENGTH)))  # fmt: skip
def test_a_header_is_read_as_it_was_written(header: Header) -> None:
    """Round trip."""
    assert content.parse_header(header.encode() + b"rest") == header


@given(st.text(max_size=300) | st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5))
def test_key_files_are_read_strictly(given_: str | list[bytes]) -> None:
    """Round trip, and nothing but our error for anything else."""
    if isinstance(given_, list):
        assert list(content.parse_keys(content.write_keys(given_)).values()) == list(dict.fromkeys(given_))
        return
    try:
        keys = content.parse_keys(given_)
    except ContentError:
        return
    assert all(content.key_id(key) == name for name, key in keys.items())


def test_a_plain_file_of_another_length_is_not_sealed() -> None:
    """Half a lesson is no lesson."""
    for length in (9, 11):
        with pytest.raises(ContentError, match="plain file"):
            list(content.seal(io.BytesIO(b"0123456789"), length, KEY))
