"""What Windows hands over as bytes: written and read again, cut, bent, and of any content. Runs on every system."""

from __future__ import annotations

import ipaddress
import struct
import subprocess
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.proxies import bare, subjects
from agent.collectors.windows.arguments import arguments
from agent.collectors.windows.cameras import device_of
from agent.collectors.windows.clocks import BIAS, INTERRUPT_TIME, PAGE_BYTES, SYSTEM_TIME, Shared, parse_shared
from agent.collectors.windows.machine import ADDRESS, ADDRESS_LENGTH, CARD_BYTES, FLAGS, parse_cards
from agent.collectors.windows.networks import first_proxy
from agent.collectors.windows.resources import Version, parse_version
from agent.collectors.windows.smbios import Firmware, parse_smbios
from agent.collectors.windows.sockets import IPV4, IPV6, parse_table
from agent.collectors.windows.toolhelp import parse_counted
from agent.engine import Engine, gravest
from agent.tables import ProcessRow

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=40)


# --- version resources ------------------------------------------------------------------------------------------------


def block(key: str, value: bytes = b"", children: bytes = b"", *, text: bool = True) -> bytes:
    """One block of a VS_VERSIONINFO, as a resource compiler writes it."""
    body = key.encode("utf-16-le") + b"\0\0"
    body += bytes(-(6 + len(body)) % 4) + value
    if children:
        body += bytes(-(6 + len(body)) % 4) + children
    size = len(value) // 2 if text else len(value)
    return struct.pack("<HHH", 6 + len(body), size, text) + body


def joined(*blocks: bytes) -> bytes:
    return b"".join(entry + bytes(-len(entry) % 4) for entry in blocks)


def resource(*languages: Mapping[str, str]) -> bytes:
    tables = [
        block(
            f"{number:08x}",
            children=joined(*(block(key, (word + "\0").encode("utf-16-le")) for key, word in words.items())),
        )
        for number, words in enumerate(languages)
    ]
    strings = block("StringFileInfo", children=joined(*tables))
    other = block("VarFileInfo", children=block("OriginalFilename", "forged.exe\0".encode("utf-16-le")))
    return block("VS_VERSION_INFO", bytes(52), joined(other, strings), text=False)


@given(WORDS, WORDS)
def test_a_version_resource_comes_back(original: str, product: str) -> None:
    """The two names, wherever they stand among others; the same key outside the strings is none of them."""
    data = resource({"CompanyName": "x", "OriginalFilename": original, "ProductName": product, "Comments": ""})
    assert parse_version(data) == Version(original.strip(), product.strip())


def test_a_second_language_fills_what_the_first_leaves_out() -> None:
    """Empty is not told."""
    assert parse_version(resource({"OriginalFilename": ""}, {"OriginalFilename": "a.exe"})).original_name == "a.exe"


@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_a_bent_version_resource_is_read_or_left_out(at: int, byte: int, end: int) -> None:
    """Any byte changed, any end cut off: names or none, and no endless search."""
    data = bytearray(resource({"OriginalFilename": "AutoHotkey.exe", "ProductName": "AutoHotkey"}))
    data[at % len(data)] = byte
    assert isinstance(parse_version(bytes(data[:end])), Version)
    assert isinstance(parse_version(bytes(data)), Version)


@given(st.binary(max_size=600))
def test_any_version_resource_is_read(data: bytes) -> None:
    """Fuzz."""
    assert all(len(text) <= 260 for text in parse_version(data))


# --- firmware ---------------------------------------------------------------------------------------------------------


def structure(kind: int, fields: bytes, *texts: str) -> bytes:
    raw = b"".join(text.encode("latin-1") + b"\0" for text in texts) or b"\0"
    return bytes([kind, 4 + len(fields), 1, 0]) + fields + raw + b"\0"


def firmware(*structures: bytes) -> bytes:
    body = b"".join(structures)
    return struct.pack("<BBBBI", 0, 3, 0, 0, len(body)) + body


LATIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@given(LATIN, LATIN, LATIN)
def test_firmware_names_come_back(maker: str, model: str, board: str) -> None:
    """Maker, machine, firmware and board; a chassis or a serial number beside them is not read."""
    data = firmware(
        structure(0, bytes([1, 2]), "SeaBIOS", "1.16"), structure(3, bytes([1]), "serial"),
        structure(1, bytes([1, 2, 0, 3]), maker, model, "SERIAL-1"), structure(2, bytes([1, 2]), "QEMU", board),
        structure(1, bytes([1, 2]), "second", "second"), structure(127, b""),
    )  # fmt: skip
    assert parse_smbios(data) == Firmware(maker, model, "SeaBIOS 1.16", f"QEMU {board}")


@given(st.binary(max_size=300))
def test_any_firmware_table_is_read(data: bytes) -> None:
    """Fuzz, bare and behind a head that is in order."""
    for bytes_ in (data, firmware(data), firmware(structure(1, data[:8], "a"), data)):
        assert all(isinstance(text, str) for text in parse_smbios(bytes_))


# --- ports ------------------------------------------------------------------------------------------------------------


def port_number(port: int) -> int:
    return int.from_bytes(port.to_bytes(2, "big"), "little")


@given(st.ip_addresses(v=4), st.integers(1, 65_535), st.integers(0, 2**32 - 1))
def test_a_listener_comes_back(address: ipaddress.IPv4Address, port: int, pid: int) -> None:
    """Address, port in network order, owner; a connection beside it is no listener."""
    row = struct.pack("<I4sI4sII", 2, address.packed, port_number(port), bytes(4), 0, pid)
    other = struct.pack("<I4sI4sII", 5, address.packed, port_number(port), bytes(4), 0, pid)
    assert list(parse_table(struct.pack("<I", 2) + row + other, IPV4)) == [(pid, str(address), port)]


@given(st.ip_addresses(v=6), st.integers(1, 65_535), st.integers(0, 2**32 - 1))
def test_a_listener_of_ipv6_comes_back(address: ipaddress.IPv6Address, port: int, pid: int) -> None:
    """An address of IPv4 in disguise is told as such."""
    row = struct.pack("<16sII16sIIII", address.packed, 0, port_number(port), bytes(16), 0, 0, 2, pid)
    mapped = address.ipv4_mapped
    told = str(mapped) if mapped is not None else f"[{address}]"
    assert list(parse_table(struct.pack("<I", 1) + row, IPV6)) == [(pid, told, port)]


@given(st.binary(max_size=300), st.sampled_from([IPV4, IPV6]))
def test_any_port_table_is_read(data: bytes, family: int) -> None:
    """Fuzz; a count that is not kept to is not believed."""
    for pid, address, port in [*parse_table(data, family), *parse_table(b"\xff\xff\xff\xff" + data, family)]:
        assert pid >= 0
        assert address
        assert 0 < port < 65_536


# --- clocks, cards, texts ---------------------------------------------------------------------------------------------


@given(*[st.integers(0, 2**63 - 1)] * 3)
def test_the_kernels_page_comes_back(uptime: int, asleep: int, wall: int) -> None:
    """Three clocks; one that was being written is read again, not believed."""
    page = bytearray(PAGE_BYTES)
    for at, value in ((INTERRUPT_TIME, uptime), (SYSTEM_TIME, wall)):
        struct.pack_into("<III", page, at, value & 0xFFFFFFFF, value >> 32, value >> 32)
    struct.pack_into("<Q", page, BIAS, asleep)
    assert parse_shared(bytes(page)) == Shared(uptime, asleep, wall)
    page[INTERRUPT_TIME + 8] ^= 1
    assert parse_shared(bytes(page)) is None
    assert parse_shared(bytes(page[:-1])) is None


def card(address: bytes, flags: int) -> bytes:
    row = bytearray(CARD_BYTES)
    struct.pack_into("<I", row, ADDRESS_LENGTH, len(address))
    row[ADDRESS : ADDRESS + len(address)] = address
    row[FLAGS] = flags
    return bytes(row)


def test_only_hardware_cards_are_told() -> None:
    """A host adapter of a VM program, a filter and a tunnel are left out."""
    real, virtual = bytes.fromhex("3c5282112233"), bytes.fromhex("00155d010203")
    data = card(real, 0x01) + card(virtual, 0x00) + card(virtual, 0x03) + card(real + b"\1\2", 0x01)
    assert list(parse_cards(data)) == ["3c:52:82:11:22:33"]


@given(st.binary(max_size=3 * CARD_BYTES))
def test_any_card_table_is_read(data: bytes) -> None:
    """Fuzz."""
    assert all(len(text) == 17 for text in parse_cards(data))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_a_counted_text_comes_back(text: str) -> None:
    """UNICODE_STRING: length in bytes, room, pointer, characters."""
    raw = text.encode("utf-16-le")
    assert parse_counted(struct.pack("<HH4xQ", len(raw), len(raw), 7) + raw + b"junk") == text


@given(st.binary(max_size=100))
def test_any_counted_text_is_read(data: bytes) -> None:
    """Fuzz."""
    assert isinstance(parse_counted(data), str)


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=20), max_size=6))
def test_arguments_come_back(words: list[str]) -> None:
    """As subprocess joins them for Windows, so they are taken apart; the program may hold blanks."""
    line = subprocess.list2cmdline(["C:\\Program Files\\a.exe", *words])
    assert arguments(line) == ["C:\\Program Files\\a.exe", *words]


@given(st.text(alphabet='"\\ \ta', max_size=60))
def test_any_command_line_is_taken_apart(line: str) -> None:
    """Fuzz: quotation marks, backslashes and blanks in any order come to an end."""
    assert len("".join(arguments(line))) <= len(line)


def test_a_profile_with_blanks_is_one_argument(engine: Engine) -> None:
    """Quoted switches are read as rules expect them."""
    line = r'"C:\Program Files\Google\chrome.exe" "--user-data-dir=C:\a b" --remote-debugging-port=9222'
    assert arguments(line)[1:] == ["--user-data-dir=C:\\a b", "--remote-debugging-port=9222"]
    row = ProcessRow(name="chrome.exe", cmdline=" ".join(arguments(line)))
    assert gravest(engine.judge([row])) in ("report", "pause")


@given(st.text(max_size=80))
def test_any_device_link_is_read(link: str) -> None:
    """Fuzz: registry keys are anybody's."""
    assert device_of(link).count("\\") in (0, 2) or "\\" in link


def test_a_device_link_names_its_device() -> None:
    """As Windows writes them."""
    link = "##?#USB#VID_13D3&PID_56A2&MI_00#6&2c1&0&0000#{e5323777-f976-4f5b-9b55-b94699c46e44}"
    assert device_of(link) == "USB\\VID_13D3&PID_56A2&MI_00\\6&2c1&0&0000"
    assert device_of("USB#VID") == ""


# --- proxies and certificates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "proxy"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"), ("http=a:1;https=b:2;ftp=c:3", "b:2"), ("http=a:1", "a:1"), ("", ""),
        ("socks=d:4", "d:4"), (" ; ", ""), ("HTTPS=b:2", "b:2"), ("http://a:1", "http://a:1"),
    ],
)  # fmt: skip
def test_the_proxy_of_the_settings(told: str, proxy: str) -> None:
    """One for all, or one a protocol: ours is the one for TLS."""
    assert first_proxy(told) == proxy


@given(st.text(max_size=100))
def test_any_proxy_setting_is_read(told: str) -> None:
    """Fuzz."""
    assert isinstance(first_proxy(told), str)
    assert isinstance(bare(told), str)


def test_a_proxys_password_is_left_out() -> None:
    """With or without a scheme."""
    assert bare("http://me:secret@10.0.0.1:8080") == "http://10.0.0.1:8080"
    assert bare("me:secret@10.0.0.1:8080") == "10.0.0.1:8080"
    assert bare("socks5://10.0.0.1:1080") == "socks5://10.0.0.1:1080"


@given(st.binary(max_size=300), st.booleans())
def test_any_certificate_is_read_or_left_out(data: bytes, pem: bool) -> None:
    """Fuzz: DER, and bytes that call themselves PEM."""
    told = b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n" if pem else data
    assert list(subjects(told)) == []
