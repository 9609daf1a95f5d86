"""A time-stamp authority for tests: `openssl ts`, with a root and a signing certificate of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

CONFIG = """[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
authorityKeyIdentifier = keyid
[tsa_config]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Answers requests; `root` is what a verifier trusts."""

    def __init__(self, folder: Path, name: str = "Time of the county") -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "serial").write_text("01\n")
        (folder / "conf").write_text(CONFIG.format(name=name, folder=folder))
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "conf"]
        self._run(
            "req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-extensions", "root", "-days", "9999"
        )
        self._run("req", "-new", *key, "-keyout", "tsa.key", "-out", "tsa.csr")
        signed = ["-CA", "root.pem", "-CAkey", "root.key", "-extfile", "conf", "-extensions", "tsa", "-days", "9999"]
        self._run("x509", "-req", "-in", "tsa.csr", *signed, "-out", "tsa.pem", "-set_serial", "7")
        self.root = folder / "root.pem"

    def answer(self, question: Path) -> Path:
        """The TimeStampResp to a request."""
        out = question.with_suffix(".tsr")
        self._run("ts", "-reply", "-config", "conf", "-section", "tsa_config", "-queryfile", question, "-out", out)
        return out

    def agrees(self, question: Path, answer: Path) -> bool:
        """Whether openssl itself takes the answer for good."""
        command = ["openssl", "ts", "-verify", "-queryfile", question, "-in", answer, "-CAfile", self.root]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _run(self, *words: object) -> None:
        subprocess.run(["openssl", *map(str, words)], cwd=self.folder, check=True, capture_output=True)
