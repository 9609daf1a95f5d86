"""Complaints and tips from anybody (R0.15): no account, a code to come back with, an answer from somebody named."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError, UnreadableError
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, fresh, required
from server_stub.domain.people import Account
from server_stub.domain.service import says
from server_stub.domain.wordlist import WordList
from server_stub.domain.work import Bench, in_state

KIND: Final = "tip"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that are read as another
_MAX_TEXT: Final = 2000


@dataclass(frozen=True, slots=True)
class Tip:
    """What somebody wrote. The contact is sealed; only the answer's author opens it."""

    about: str
    text: str
    contact: str = ""  # hex of the sealed contact
    answer: str = ""
    by: str = ""
    marked: tuple[str, ...] = ()  # sorts of words to look at (`wordlist`)
    helped: str = ""  # what its author says of the answer: yes | partly | no (`service`)


class Tips:
    """Takes and answers them."""

    def __init__(self, bench: Bench, words: WordList) -> None:
        self._bench, self._words = bench, words

    def take(self, about: str, text: str, contact: str) -> str:
        """Keep a tip; the code by which its author, and nobody else, sees what became of it."""
        said = text.strip()
        if not 4 <= len(said) <= _MAX_TEXT or len(about) > 200 or len(contact) > 200:
            raise UnreadableError(f"write 4 to {_MAX_TEXT} characters")
        bench, code = self._bench, "".join(secrets.choice(_LETTERS) for _ in range(12))
        sealed = bench.sealer.seal(contact.encode(), "tip").hex() if contact.strip() else ""
        value = Tip(about.strip(), said, sealed, marked=self._words.marks(f"{about}\n{said}"))
        bench.papers.put(fresh(KIND, "", _key(code), "new", bench.clock(), value))
        return code

    def follow(self, code: str) -> tuple[Paper, Tip]:
        """What became of a tip, for whoever has its code."""
        found = self._bench.papers.find(KIND, about=[_key(code)], limit=1)
        if not found:
            raise NotThereError("no tip has this code")
        return found[0], found[0].read(Tip)

    def helped(self, code: str, said: str) -> None:
        """Say of an answer whether it helped (R4.6): by whoever has the code, once there is an answer."""
        paper, tip = self.follow(code)
        in_state(paper, "answered")
        self._bench.change(paper, replace(tip, helped=says(said)))

    def listed(self, account: Account) -> list[tuple[Paper, Tip, str]]:
        """All tips with their contacts, for those who decide everywhere or somewhere."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        found = [(paper, paper.read(Tip)) for paper in self._bench.papers.find(KIND, limit=200)]
        return [(paper, tip, self._contact(tip)) for paper, tip in found]

    def _contact(self, tip: Tip) -> str:
        return self._bench.sealer.open(bytes.fromhex(tip.contact), "tip").decode() if tip.contact else ""

    def answer(self, account: Account, paper: str, text: str) -> Paper:
        """Somebody of the staff answers."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        found = in_state(required(self._bench.papers.get(KIND, paper)), "new")
        self._bench.office.audit(account, "answered a tip", found.paper, stated(text))
        return self._bench.change(found, replace(found.read(Tip), answer=stated(text), by=account.name), "answered")


def _key(code: str) -> str:
    """How a code is looked up: it is kept nowhere in the clear."""
    return sha256(f"trueseat/tip/v1\n{code.strip().upper()[:40]}".encode()).hexdigest()
