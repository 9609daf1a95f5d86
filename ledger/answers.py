"""The answer to a question of a lesson, sealed: it stands in the signed `question` event, and only those who may open
photos of the session can read it.

Each recipient has a copy of its own (HPKE, as evidence keys are; records.md, "Evidence"), padded so that its length
says nothing, and bound to the session, unit, item and attempt: a copy moved to another event does not open there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ledger.errors import FormatError, KeyFormatError
from ledger.events import Question
from ledger.evidence import MAX_RECIPIENTS, Recipient
from ledger.keys import EVIDENCE, b64decode, b64encode, parse_vkey

LABEL: Final = "trueseat/answer/v1\n"
CHOICES: Final = 8  # a course allows no more
PLAIN: Final = 16  # bytes: the number of the choice in ASCII, then zeros
COPY: Final = 32 + PLAIN + 16  # the sender's share, the answer, a tag
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealedAnswerError(FormatError):
    """A sealed answer does not open: another event, another key, changed, or no sealed answer at all."""

    code = "TS-L-087"
    remedy = "Open it with the key of a reviewer whom the session's grant names, and with the event that holds it."
    zh = "加密答案无法打开。请使用授权书所列查看人的密钥，并核对该答案所在的记录。"


def seal(choice: int, origin: str, question: Question, recipients: Sequence[str]) -> str:
    """`choice` (from 0) for the evidence keys `recipients`, in their order, as the event's `sealed`; "" for nobody.

    `SealedAnswerError` for a choice that no question has and for what is no evidence key.
    """
    if not 0 <= choice < CHOICES or len(recipients) > MAX_RECIPIENTS:
        raise SealedAnswerError(f"choice {choice} for {len(recipients)} recipients")
    plain = str(choice).encode().ljust(PLAIN, b"\0")
    info = about(origin, question)
    return b64encode(b"".join(_seal(plain, recipient, info) for recipient in recipients))


def open_(sealed_to: Sequence[str], recipient: Recipient, origin: str, question: Question) -> int:
    """The choice that `question` holds for `recipient`; `sealed_to` are the grant's recipients in their order."""
    copy = copy_for(sealed_to, str(recipient.vkey), question)
    try:
        private = X25519PrivateKey.from_private_bytes(recipient.private)
        plain = _SUITE.decrypt(copy, private, info=about(origin, question))
    except (InvalidTag, ValueError) as error:
        raise SealedAnswerError("the answer does not open with this key for this event") from error
    text = plain.rstrip(b"\0")
    if len(plain) != PLAIN or text not in [str(choice).encode() for choice in range(CHOICES)]:
        raise SealedAnswerError("what was sealed is no choice")
    return int(text)


def copy_for(sealed_to: Sequence[str], vkey: str, question: Question) -> bytes:
    """The one copy of an answer that is sealed to `vkey`, still sealed, or `SealedAnswerError`."""
    try:
        data = b64decode(question.sealed)
    except KeyFormatError as error:
        raise SealedAnswerError(str(error)) from error
    if len(data) != COPY * len(sealed_to) or vkey not in sealed_to:
        raise SealedAnswerError(f"{len(data)} bytes for {len(sealed_to)} recipients, or not sealed to this key")
    at = list(sealed_to).index(vkey) * COPY
    return data[at : at + COPY]


def about(origin: str, question: Question) -> bytes:
    """What binds a sealed answer to its session, unit, item and attempt: HPKE's `info`."""
    return f"{LABEL}{origin}\n{question.unit}/{question.item}/{question.attempt}\n".encode()


def _seal(plain: bytes, recipient: str, info: bytes) -> bytes:
    try:
        vkey = parse_vkey(recipient)
        if vkey.type != EVIDENCE:
            raise SealedAnswerError(f"{vkey.name} is no evidence key")
        return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(vkey.key), info=info)
    except (KeyFormatError, ValueError) as error:
        raise SealedAnswerError(f"nothing can be sealed to {recipient[:60]!r}") from error
