"""`python -m server_stub keys DIR [--letter FILE]`: who may sign, in groups that people read to one another.

The letter is one printed page for each authority: the keys that its verifier will show, by the same groups
(`ledger.fingerprint`), and the trust file of each class as a QR code. It goes by another way than the archives.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from ledger import fingerprint
from ledger.keys import Vkey
from ledger.trust import Trust
from server_stub.domain.keyring import Keyring
from server_stub.settings import load, write_private
from server_stub.storage import keyfiles

_TEMPLATES = Path(__file__).parent / "web" / "templates"
_ROLE = {
    "trust": ("信任文件", "trust file"), "log": ("班级日志", "class log"), "witness": ("见证方", "witness"),
    "authority": ("本机关", "this authority"), "grant": ("授权签发", "grants"), "cosign": ("数据段存证", "segments"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One key of a page: what it does, its name, its groups on two lines."""

    role: tuple[str, str]
    name: str
    halves: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ClassKeys:
    """One class: its trust file, as text and as a QR code ("" when it is too long for one), and the keys in it."""

    origin: str
    trust: str
    qr: Markup
    lines: tuple[Line, ...]


def classes(keyring: Keyring) -> Iterator[ClassKeys]:
    """Every class of the server."""
    for class_id in keyring.logs:
        trust = keyring.trust(class_id)
        yield ClassKeys(keyring.origin(class_id), str(trust), qr(str(trust)), tuple(_lines(trust)))


def _lines(trust: Trust) -> Iterator[Line]:
    yield Line(_ROLE["trust"], "", fingerprint.halves(fingerprint.of_trust(trust)))
    for key in trust.logs:
        yield _line("log", key)
    for key in trust.witnesses.values():
        yield _line("witness", key)


def _line(role: str, key: Vkey) -> Line:
    return Line(_ROLE[role], key.name, fingerprint.halves(fingerprint.of_key(key)))


def qr(text: str) -> Markup:
    """The text as a QR code in SVG; "" beyond what one holds."""
    import segno  # one command needs it; the server does not

    try:
        code = segno.make(text, error="l", micro=False, boost_error=True)
    except segno.DataOverflowError:
        return Markup("")
    return Markup(code.svg_inline(scale=3, border=4))  # noqa: S704 - made of modules, holds no text


def letter(keyring: Keyring) -> str:
    """The printable pages: one an authority whose word the server takes, or one for everybody."""
    own = [_line("grant", keyring.grant.vkey), _line("cosign", keyring.cosigner.vkey)]
    authorities = [*keyring.authorities, *([keyring.authority.vkey] if keyring.authority else [])]
    unique = {key.key: key for key in authorities}.values()
    pages = [(key.name, [_line("authority", key), *own]) for key in unique] or [("", own)]
    loader = FileSystemLoader(_TEMPLATES)
    page = Environment(loader=loader, autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    return page.get_template("letter.html").render(server=keyring.server, pages=pages, classes=list(classes(keyring)))


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `keys` to the server's command line."""
    keys = commands.add_parser("keys", help="print who may sign; --letter: a page for each authority, to be printed")
    keys.set_defaults(run=_keys)
    keys.add_argument("directory", type=Path)
    keys.add_argument("--letter", type=Path, metavar="FILE.html", help="write the pages there")


def _keys(options: argparse.Namespace) -> None:
    keyring = keyfiles.load(load(options.directory.absolute()))
    if options.letter:
        write_private(options.letter, letter(keyring).encode())
        options.letter.chmod(0o644)  # made to be handed out
        print(options.letter)
        return
    for item in classes(keyring):
        print(item.origin)
        for line in item.lines:
            label = f"{line.role[1]} {line.name}".strip()
            print(f"  {label:<48}  {line.halves[0]}\n  {'':<48}  {line.halves[1]}")
