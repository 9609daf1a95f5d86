"""RFC 3161: the word of a time-stamp authority that a class log stood at some size at some time.

It speaks of the checkpoint's text (origin, size, root), which anybody computes again from the entries; so a token needs
no place in the log. In an archive it is `timestamps/<size>/<SHA-256 of the file>`, a whole TimeStampResp (DER). Reading
one takes an extra, rfc3161-client (build/requirements/extras.txt): without it tokens are not checkable, never ok.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from typing import Any, Final

from cryptography import x509

from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError

FOLDER: Final = "timestamps/"
MAX_TOKEN: Final = 64 * 1024  # a token with its certificates is about 5 KiB
NAME: Final = re.compile(r"timestamps/([1-9][0-9]{0,15})/([0-9a-f]{64})")


class TimestampError(LedgerError):
    """A time stamp is malformed, of another checkpoint, or not by an authority whose certificate was given."""

    code = "TS-L-079"
    remedy = "Ask for the time stamp again, or check that the certificate given with --tsa is its authority's."
    zh = "时间戳无效，或不属于该存证点，或签发机构未被认可。请重新获取时间戳并核对 --tsa 证书。"


class NoReaderError(TimestampError):
    """The library that reads time stamps is not installed."""

    code = "TS-L-077"
    remedy = "Install build/requirements/extras.txt into this environment."
    zh = "未安装时间戳读取组件。请安装 build/requirements/extras.txt。"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """`authority` said at `time` (POSIX seconds) that the log stood at `size`."""

    size: int
    time: int
    authority: str


def name(size: int, token: bytes) -> str:
    """Where a token lies in an archive."""
    return f"{FOLDER}{size}/{sha256(token).hexdigest()}"


def request(checkpoint: Checkpoint) -> bytes:
    """The question for an authority (TimeStampReq, DER): a hash, and nothing else of the class."""
    library = _library()
    builder = library.TimestampRequestBuilder().data(str(checkpoint).encode())
    builder = builder.hash_algorithm(library.HashAlgorithm.SHA256).cert_request(cert_request=True)
    return bytes(builder.build().as_bytes())


def verify(token: bytes, checkpoint: Checkpoint, roots: bytes) -> Timestamp:
    """Return what the token says of `checkpoint`, or raise `TimestampError`; `roots`: trusted certificates in PEM."""
    library = _library()
    try:
        builder = library.VerifierBuilder()
        for root in x509.load_pem_x509_certificates(roots):
            builder = builder.add_root_certificate(root)
        answer = _parsed(token)
        builder.build().verify_message(answer, str(checkpoint).encode())
        info = answer.tst_info
        return Timestamp(checkpoint.size, int(info.gen_time.timestamp()), str(info.name.value.rfc4514_string()))
    except (ValueError, TypeError, AttributeError, OverflowError, library.VerificationError) as error:
        raise TimestampError(f"the time stamp at {checkpoint.size} does not hold: {str(error)[:200]}") from error


def check_form(token: bytes, checkpoint: Checkpoint) -> None:
    """Return quietly, or raise `TimestampError`: a granted token over this checkpoint; who signed it is not asked."""
    try:
        imprint = bytes(_parsed(token).tst_info.message_imprint.message)
    except (ValueError, TypeError, AttributeError) as error:
        raise TimestampError(f"no time stamp: {str(error)[:200]}") from error
    if imprint != sha256(str(checkpoint).encode()).digest():
        raise TimestampError(f"the time stamp is not over the checkpoint at {checkpoint.size}")


def _parsed(token: bytes) -> Any:
    if len(token) > MAX_TOKEN:
        raise TimestampError(f"a time stamp of {len(token)} bytes, more than {MAX_TOKEN}")
    return _library().decode_timestamp_response(token)


def _library() -> Any:
    try:
        return import_module("rfc3161_client")
    except ImportError as error:
        raise NoReaderError("rfc3161-client is not installed, which reads time stamps") from error
