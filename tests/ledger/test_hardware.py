"""A device key in a PKCS#11 token (SoftHSM): what it signs is what a key in this process signs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import hardware, keys, names
from ledger.errors import LedgerError
from ledger.hardware import TokenError
from tests.ledger.builder import SERVER, Classroom
from tests.ledger.conftest import made

MODULE = next((path for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so",)) if path.exists()), Path("none"))
NAME = names.device(SERVER, "ab" * 16)
PIN = "314159"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh token; its label."""
    pytest.importorskip("pkcs11", reason="an extra: build/requirements/extras.txt")
    if not MODULE.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("needs softhsm2")
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "conf").write_text(f"directories.tokendir = {folder}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "conf"))  # the library reads it when it is first loaded
        words = ["softhsm2-util", "--init-token", "--free", "--label", "desk", "--pin", PIN, "--so-pin", "271828"]
        subprocess.run(words, check=True, capture_output=True)
        yield "desk"


def test_a_session_by_a_key_in_a_token_verifies(token: str, tmp_path: Path) -> None:
    """Consent and certificates are signed in the token; a stranger verifies the archive as any other."""
    signer = hardware.draw(MODULE, token, PIN, NAME)
    assert isinstance(signer, keys.NoteSigner)
    room = Classroom()
    room.session(room.device(room.learner(), signer)).study(20_000).close().settle(20_000)
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert not report.refused
    assert report.credited_ms == 20_000


def test_the_key_is_found_again_and_stays_inside(token: str) -> None:
    """The same public half by the same name; the private half cannot be taken out; a name is drawn once."""
    import pkcs11

    name = names.device(SERVER, "cd" * 16)
    signer = hardware.draw(MODULE, token, PIN, name)
    again = hardware.load(MODULE, token, PIN, name)
    assert again.vkey == signer.vkey
    again.vkey.verify(b"text\n", signer.sign(b"text\n"))
    with pytest.raises(TokenError, match="already"):
        hardware.draw(MODULE, token, PIN, name)
    with pkcs11.lib(str(MODULE)).get_token(token_label=token).open(user_pin=PIN) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=name)
        with pytest.raises(pkcs11.PKCS11Error):
            key[pkcs11.Attribute.VALUE]


WRONG = [("desk", "000000", NAME), ("gone", PIN, NAME), ("desk", PIN, "x/d/y")]


@pytest.mark.parametrize(("label", "pin", "name"), WRONG)
def test_a_token_that_does_not_serve_is_said_in_our_words(token: str, label: str, pin: str, name: str) -> None:
    """A wrong PIN, no such token, no such key: our error, and no PIN in it."""
    with pytest.raises(TokenError) as caught:
        hardware.load(MODULE, label, pin, name)
    assert pin not in str(caught.value)
    assert PIN not in repr(hardware.TokenSigner(MODULE, label, PIN, keys.generate(NAME, keys.P256).vkey))


def test_without_the_extra_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other error than ours leaves."""
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(LedgerError, match="not installed"):
        hardware.load(Path("/nowhere.so"), "desk", PIN, NAME)
