"""What a learner writes to the school: a statement on what is to be clarified, an appeal, a request for deletion, a
question.

A letter is a paper of kind `letter`, in the class's place: whoever reviews the class finds it there and answers it. It
changes no figure and no record by itself; a statement or an appeal becomes part of the learner's case, where there is
one. The client names it (32 hex digits), so that sending it twice keeps it once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ledger import names
from server_stub.domain.cases import Cases
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError, UnreadableError
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, Papers, changed, fresh
from server_stub.domain.people import Account, People
from server_stub.domain.service import says
from server_stub.domain.wordlist import WordList
from server_stub.domain.work import Bench, class_of, in_state

KIND: Final = "letter"
HEARD: Final = ("statement", "appeal")  # these belong into a case
WHATS: Final = ("statement", "appeal", "deletion", "question")
LONGEST: Final = 4_000  # characters
OPEN, ANSWERED = "open", "answered"


@dataclass(frozen=True, slots=True)
class Letter:
    """What was written; `answer` is the school's, "" until there is one; `case` is the case that it is part of."""

    what: str
    registration: str
    text: str
    answer: str = ""
    case: str = ""
    marked: tuple[str, ...] = ()  # sorts of words to look at (`wordlist`)
    helped: str = ""  # what its writer says of the answer: yes | partly | no (`service`)


class Letters:
    """Takes letters and shows them to whoever wrote them."""

    def __init__(
        self, papers: Papers, people: People, cases: Cases, words: WordList, clock: Callable[[], int]
    ) -> None:
        self._papers, self._people, self._cases, self._clock = papers, people, cases, clock
        self._words = words

    def write(self, account: Account, letter: str, written: Letter) -> Paper:
        """Keep a letter under the name that the client gave it; the same again is kept once.

        `NotThereError` for a registration that is not this learner's, `UnreadableError` for another form.
        """
        if not names.is_a("sid", letter) or written.what not in WHATS:
            raise UnreadableError("a letter has a name of 32 hex digits and is a statement, an appeal or a deletion")
        text = written.text.strip()
        if len(text) > LONGEST or (not text and written.what != "deletion"):
            raise UnreadableError(f"a letter says something, in at most {LONGEST} characters")
        mine = self._people.registrations(learner=account.learner)
        found = next((item for item in mine if item.registration == written.registration), None)
        if found is None:
            raise NotThereError("no such registration of this learner")
        kept = self._papers.get(KIND, letter)
        if kept is not None:
            if kept.about != account.learner:
                raise NotThereError("no such letter of this learner")
            return kept
        value = Letter(written.what, written.registration, text, marked=self._words.marks(text))
        return self._keep(account.learner, found.class_id, letter, value)

    def _keep(self, learner: str, class_id: str, name: str, value: Letter) -> Paper:
        """The letter and the case that it belongs into, both or none."""
        case = self._cases.with_letter(learner, class_id, value.what, value.text) if value.what in HEARD else None
        value = replace(value, case=case.paper if case else "")
        paper = fresh(KIND, f"class/{class_id}", learner, OPEN, self._clock(), value)
        return self._papers.put(replace(paper, paper=name), *([case] if case else []))[0]

    def helped(self, account: Account, letter: str, said: str) -> None:
        """Say of an answer whether it helped (R4.6); `UnreadableError` for another word than `service.SAYS`."""
        found = self._papers.get(KIND, letter)
        if found is None or found.about != account.learner:
            raise NotThereError("no such letter of this learner")
        value = replace(in_state(found, ANSWERED).read(Letter), helped=says(said))
        self._papers.put(changed(found, self._clock(), value))

    def written(self, account: Account) -> Sequence[Paper]:
        """This learner's letters, the latest first."""
        return self._papers.find(KIND, about=[account.learner])


class Mailroom:
    """Where the staff read letters and answer them."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def listed(self, account: Account) -> list[tuple[Paper, Letter]]:
        """The letters of the account's classes, latest first."""
        found = self._bench.mine(account, Right.DECIDE, KIND, limit=200)
        return [(paper, paper.read(Letter)) for paper in found]

    def answer(self, account: Account, letter: str, text: str) -> Paper:
        """Answer a letter; the learner reads it on the own page."""
        found = in_state(self._bench.one(account, Right.DECIDE, KIND, letter), OPEN)
        self._bench.office.audit(account, "answered a letter", found.about, stated(text), class_of(found))
        return self._bench.change(found, replace(found.read(Letter), answer=stated(text)), ANSWERED)
