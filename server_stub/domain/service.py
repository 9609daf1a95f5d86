"""How requests were served (R4.6): letters of learners and tips of anybody, and what those who got an answer say of it.

One question to whoever got an answer: it helped, it helped in part, it did not. A rate of fewer than `LEAST` who said
so is not shown: it would tell on people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from server_stub.domain.errors import UnreadableError

LEAST: Final = 5
SAYS: Final = ("yes", "partly", "no")  # whether an answer helped


@dataclass(frozen=True, slots=True)
class Service:
    """How many wrote, how many got an answer, and of those that said so how many were helped, in part, or not."""

    sent: int
    answered: int
    helped: int
    partly: int
    not_helped: int

    @classmethod
    def count(cls, found: Iterable[tuple[str, str]]) -> Self:
        """Count (answer, what its reader says of it), "" for none of either."""
        pairs = list(found)
        says = [said for _, said in pairs]
        return cls(len(pairs), sum(bool(answer) for answer, _ in pairs), *(says.count(one) for one in SAYS))

    @property
    def said(self) -> int:
        """Who got an answer and said whether it helped."""
        return self.helped + self.partly + self.not_helped

    @property
    def answered_permille(self) -> int:
        """Response rate; -1 where nobody wrote."""
        return self.answered * 1000 // self.sent if self.sent else -1

    def share(self, *what: str) -> int:
        """Per mille of those who said one of these of the answer; -1 below `LEAST` who said anything."""
        number = {"yes": self.helped, "partly": self.partly, "no": self.not_helped}
        return sum(number[one] for one in what) * 1000 // self.said if self.said >= LEAST else -1

    @property
    def helped_permille(self) -> int:
        """Solution rate: the answer helped."""
        return self.share("yes")

    @property
    def satisfied_permille(self) -> int:
        """Satisfaction rate: it helped, wholly or in part."""
        return self.share("yes", "partly")


def says(text: str) -> str:
    """What somebody says of an answer, or `UnreadableError`."""
    if text not in SAYS:
        raise UnreadableError("an answer helped, helped in part, or did not")
    return text
