"""Learners' ways in, as the operator names them in `ways.toml` (0600): `[oidc]`, `[wechat]`, or none of them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from server_stub.domain.deviceflow import DeviceFlow
from server_stub.domain.errors import SetupError
from server_stub.domain.oidc import Oidc, Provider
from server_stub.domain.passkeys import KeyStore
from server_stub.domain.people import People
from server_stub.domain.signin import Clock, SignIn
from server_stub.domain.ways import IdentityProvider, Ways
from server_stub.domain.wechat import API, WeChat, WeChatApp
from server_stub.storage.providers import HttpWeb

_TABLES = {"oidc": ("issuer", "client", "secret", "name"), "wechat": ("app_id", "secret", "back", "name", "api")}


def read_ways(path: Path) -> dict[str, dict[str, str]]:
    """The tables of the file; {} without one, `SetupError` for one of another form."""
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SetupError(f"{path}: {error}") from error
    for way, table in tables.items():
        if not isinstance(table, dict) or not set(table) <= set(_TABLES.get(way, ())):
            raise SetupError(f"{path} states [oidc] issuer, client, secret, name and [wechat] app_id, secret, back")
        if not all(isinstance(text, str) for text in table.values()):
            raise SetupError(f"{path}: every value is a text")
    return tables


def called(path: Path) -> list[str]:
    """The addresses that the ways of the file call."""
    tables = read_ways(path)
    found = [tables["oidc"].get("issuer", "")] if "oidc" in tables else []
    return found + ([tables["wechat"].get("api", API)] if "wechat" in tables else [])


def open_ways(path: Path, web: HttpWeb, keys: KeyStore, people: People, sign_in: SignIn, clock: Clock) -> Ways:
    """The ways that the file names, ready to be asked."""
    tables = read_ways(path)
    found: dict[str, IdentityProvider] = {}
    try:
        if "oidc" in tables:
            provider = Provider(**{"secret": "", **tables["oidc"]})
            found["oidc"] = DeviceFlow(Oidc(provider, web, keys, people, sign_in, clock), web)
        if "wechat" in tables:
            found["wechat"] = WeChat(WeChatApp(**tables["wechat"]), web, keys, clock)
    except TypeError as error:
        raise SetupError(f"{path}: {error}") from error
    return Ways(found, keys, people, sign_in, clock)
