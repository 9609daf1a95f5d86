"""What waits for a person: counted by kind and by class, for the first page; nothing of it is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server_stub.domain import application, cases, handed, letters, tips
from server_stub.domain.duties import Right
from server_stub.domain.people import Account
from server_stub.domain.warnings.inspector import WARNING
from server_stub.domain.work import Bench

# what → (kind of paper, its state, where to go on)
KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "appeal": (cases.KIND, "appealed", "/cases?state=appealed"),
    "second": (cases.KIND, "proposed", "/cases?state=proposed"),
    "case": (cases.KIND, "open", "/cases?state=open"),
    "warning": (WARNING, "open", "/warnings"),
    "letter": (letters.KIND, letters.OPEN, "/cases#letters"),
    "tip": (tips.KIND, "new", "/cases#tips"),
    "questions": (handed.KIND, handed.WAITING, "#classes"),
    "application": (application.KIND, "submitted", "#classes"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """`total`: what → how many; `by_class`: class ID → what → how many."""

    total: Mapping[str, int]
    by_class: Mapping[str, Mapping[str, int]]

    @property
    def any(self) -> bool:
        """Whether anything waits."""
        return any(self.total.values())


def waiting(bench: Bench, account: Account) -> Waiting | None:
    """What waits at the places where the account decides, by a query a kind; None for one that decides nowhere."""
    tree, duties = bench.office.tree(), bench.office.duties(account)
    if not tree.anywhere(duties, Right.DECIDE):
        return None
    total: dict[str, int] = dict.fromkeys(KINDS, 0)
    by_class: dict[str, dict[str, int]] = {}
    counted = {kind: bench.papers.count(kind) for kind in {kind for kind, _, _ in KINDS.values()}}
    for what, (kind, state, _) in KINDS.items():
        for (place, at), number in counted[kind].items():
            if at != state or (place and not tree.may(duties, Right.DECIDE, place)):
                continue  # a tip lies at no place: whoever decides anywhere reads it
            total[what] += number
            if place.startswith("class/"):
                own = by_class.setdefault(place.removeprefix("class/"), {})
                own[what] = own.get(what, 0) + number
    return Waiting(total, by_class)
