"""Addresses: what the operator lists, what the registries publish, and what no address can be."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain.errors import SetupError
from server_stub.domain.warnings import networks
from server_stub.domain.warnings.networks import Networks, parse_delegated, parse_list
from tests.server_stub.cohorts import NETWORKS

DELEGATED = b"""2|apnic|20261101|4|19830613|20261031|+1000
apnic|*|ipv4|*|2|summary
apnic|CN|ipv4|1.0.1.0|256|20110414|allocated
apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated
apnic|CN|ipv6|2001:250::|35|20000426|allocated
apnic||ipv4|1.1.0.0|256||available
apnic|CN|asn|4134|1|20020801|allocated
"""


def test_a_classroom_an_office_and_a_carrier_are_many_people() -> None:
    """R2.2: sharing an address says nothing where many rightly share one."""
    listed, home = parse_list(NETWORKS)
    known = Networks(listed, (), home)
    assert [known.kind(text) for text in ("36.110.8.9", "117.136.3.4", "58.30.20.3", "100.64.7.7", "8.8.8.8")] == [
        "classroom", "carrier", "office", "carrier", "",
    ]  # fmt: skip
    assert known.kind("::ffff:36.110.8.9") == "classroom"
    assert known.kind("testclient") == ""


def test_the_country_comes_from_the_registries_own_lists() -> None:
    """R2.2: a foreign address is one that was given to another country, both ends of a block included."""
    known = Networks((), parse_delegated(DELEGATED))
    assert [known.country(text) for text in ("1.0.1.0", "1.0.1.255", "1.0.2.0", "1.0.31.255", "2001:250::1")] == [
        "CN", "CN", "", "JP", "CN",
    ]  # fmt: skip
    assert known.abroad("1.0.16.1")
    assert not known.abroad("1.0.1.1")
    assert not known.abroad("192.168.1.4")
    assert not known.abroad("no address")


def test_some_addresses_cannot_be() -> None:
    assert Networks.impossible("203.0.113.7")
    assert Networks.impossible("240.1.1.1")
    assert not any(Networks.impossible(text) for text in ("127.0.0.1", "10.1.2.3", "36.110.8.9", "unix socket", ""))


def test_a_data_directory_may_have_neither_file_or_both(tmp_path: Path) -> None:
    assert networks.load(tmp_path).listed == ()
    (tmp_path / "networks.toml").write_bytes(NETWORKS)
    (tmp_path / "delegated-apnic-latest").write_bytes(DELEGATED)
    found = networks.load(tmp_path)
    assert found.kind("36.110.8.1") == "classroom"
    assert found.country("1.0.16.1") == "JP"


@pytest.mark.parametrize(
    "text",
    ['[[network]]\ncidr = "36.110.8.9/24"\nkind = "classroom"\nname = "x"',
     '[[network]]\ncidr = "36.110.8.0/24"\nkind = "pub"\nname = "x"',
     '[[network]]\ncidr = "36.110.8.0/24"\nkind = "office"', 'home = "CN"', 'home = ["cn"]',
     "other = 1", "network = 1"],
)  # fmt: skip
def test_a_list_that_is_not_of_its_form_is_refused(text: str) -> None:
    with pytest.raises(SetupError):
        parse_list(text.encode())


def test_statistics_with_a_broken_line_name_the_line() -> None:
    with pytest.raises(SetupError, match="line 2"):
        parse_delegated(b"# x\napnic|CN|ipv4|1.0.1.999|256|2011|allocated\n")
    with pytest.raises(SetupError):
        parse_delegated(b"apnic|CN|ipv6|2001:250::|129|2000|allocated")


@given(st.binary(max_size=200))
def test_hostile_bytes_are_refused_with_our_own_error(data: bytes) -> None:
    for read in (parse_list, parse_delegated):
        with contextlib.suppress(SetupError):
            read(data)


@given(st.ip_addresses())
def test_every_address_has_an_answer(address: object) -> None:
    known = Networks(parse_list(NETWORKS)[0], parse_delegated(DELEGATED))
    assert known.kind(str(address)) in ("", *networks.KINDS)
    assert len(known.country(str(address))) in (0, 2)
