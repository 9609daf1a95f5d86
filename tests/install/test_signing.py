"""The hook for code signing, with a certificate of the test: a program is signed, and one changed byte is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.install.chroot import ROOT

COMPILER, SIGNER = "x86_64-w64-mingw32-gcc", "osslsigncode"
MISSING = [name for name in (COMPILER, SIGNER, "openssl") if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"left out: needs {', '.join(MISSING)}")


def run(*command: object, **more: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A code-signing certificate and its key as PKCS #12, with its authority beside it."""
    key, pem, pack = tmp_path / "key.pem", tmp_path / "ca.pem", tmp_path / "code.p12"
    run(
        "openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", pem, "-days", 2,
        "-subj", "/CN=TrueSeat test signing", "-addext", "extendedKeyUsage=codeSigning",
    )  # fmt: skip
    run("openssl", "pkcs12", "-export", "-inkey", key, "-in", pem, "-out", pack, "-passout", "pass:")
    return pack


def program(folder: Path) -> Path:
    """A small Windows program."""
    source = folder / "hello.c"
    source.write_text('#include <stdio.h>\nint main(void) { puts("TrueSeat"); return 0; }\n')
    run(COMPILER, "-s", "-o", folder / "hello.exe", source)
    return folder / "hello.exe"


def verified(path: Path, authority: Path) -> bool:
    """What osslsigncode says of a file."""
    done = subprocess.run(
        [SIGNER, "verify", "-CAfile", authority, "-in", path], capture_output=True, text=True, check=False
    )
    return done.returncode == 0


def test_the_hook_signs_a_program_and_one_changed_byte_is_told(tmp_path: Path, certificate: Path) -> None:
    """`TRUESEAT_SIGN` as an administrator sets it, called as build/windows.sh calls it; without it nothing is."""
    made = program(tmp_path)
    plain = made.read_bytes()
    function = (ROOT / "build/windows.sh").read_text(encoding="utf-8")
    start = function.index("sign() {")
    hook = tmp_path / "hook.sh"
    hook.write_text(f'set -eu\n{function[start : function.index(chr(10) + "}", start) + 2]}\nsign "$1"\n')
    run("sh", hook, made, env={**os.environ, "TRUESEAT_SIGN": ""})
    assert made.read_bytes() == plain
    sign = f"{SIGNER} sign -pkcs12 {certificate} -h sha256 -n TrueSeat"
    run("sh", hook, made, env={**os.environ, "TRUESEAT_SIGN": sign})
    assert verified(made, certificate.with_name("ca.pem"))
    data = bytearray(made.read_bytes())
    data[data.index(b"TrueSeat")] ^= 1
    made.write_bytes(bytes(data))
    assert not verified(made, certificate.with_name("ca.pem"))
