"""The staff at work: what somebody may see and do, and that everything done leaves an audit leaf before it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from server_stub.domain.decisions import Decisions
from server_stub.domain.duties import EVERYWHERE, Duty, Place, Right, Tree
from server_stub.domain.errors import NotAllowedError, NotThereError, UnreadableError
from server_stub.domain.passwords import check_strength, hash_password
from server_stub.domain.people import Account, Classroom, People
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.registry import Deed, Person, Registry, Sought, Wanted
from server_stub.domain.sealing import Sealer
from server_stub.domain.signin import Clock, account_name

PAGE = 50
EVERYTHING: Final = Sought()


class Office:
    """Asks for rights and keeps the journal. A class that somebody may not see does not exist for them: 404."""

    def __init__(
        self, people: People, registry: Registry, records: Records, decisions: Decisions, sealer: Sealer, clock: Clock
    ) -> None:
        self._people, self._registry, self._records = people, registry, records
        self._decisions, self._sealer, self._clock = decisions, sealer, clock

    # --- rights -------------------------------------------------------------------------------------------------------

    def tree(self) -> Tree:
        """All places as they lie in each other now; a class that nobody placed lies nowhere in particular."""
        return Tree(self._registry.places())

    def duties(self, account: Account) -> tuple[Duty, ...]:
        """What the account is for: its roles everywhere, its duties at places."""
        everywhere = tuple(Duty(account.name, role) for role in account.roles)
        return (*everywhere, *self._registry.duties(account.name))

    def rights(self, account: Account) -> frozenset[Right]:
        """What the account may do somewhere: the pages' menu."""
        tree, duties = self.tree(), self.duties(account)
        return frozenset(right for right in Right if tree.anywhere(duties, right))

    def may(self, account: Account, right: Right, class_id: str) -> bool:
        """Whether the account may do this in this class."""
        return self.tree().may(self.duties(account), right, class_place(class_id))

    def require(self, account: Account, right: Right, class_id: str) -> Classroom:
        """The class, if the account may do this there: `NotThereError` if it may not even see it, `NotAllowedError`
        if it may see it and not do that."""
        found = next((item for item in self._people.classes() if item.class_id == class_id), None)
        if found is not None and self.may(account, right, class_id):
            return found
        if found is not None and any(self.may(account, other, class_id) for other in (Right.SEE, Right.FIGURES)):
            raise NotAllowedError(f"{right} is not among the duties of this account here")
        raise NotThereError("no such class")

    def require_place(self, account: Account, right: Right, key: str) -> str:
        """The name of a place at which the account may do this, or `NotThereError`."""
        tree = self.tree()
        place = tree.places.get(key)
        if place is None or not tree.may(self.duties(account), right, key):
            raise NotThereError("no such place")
        return place.name

    def require_anywhere(self, account: Account, right: Right) -> None:
        """Return quietly, or raise `NotAllowedError`: the account may do this at no place."""
        if right not in self.rights(account):
            raise NotAllowedError(f"{right} is not among the duties of this account")

    def classes(self, account: Account, right: Right = Right.SEE) -> list[Classroom]:
        """The classes in which the account may do this, in the order in which they were made."""
        tree, duties = self.tree(), self.duties(account)
        return [item for item in self._people.classes() if tree.may(duties, right, class_place(item.class_id))]

    def sees_all(self, account: Account, right: Right) -> bool:
        """Whether the account may do this everywhere, also where no class is yet."""
        return self.tree().may(self.duties(account), right, EVERYWHERE)

    # --- people -------------------------------------------------------------------------------------------------------

    def search(
        self, account: Account, text: str, class_id: str = "", after: tuple[str, str] = ("", "")
    ) -> tuple[list[Person], bool]:
        """Up to 50 learners of the account's classes by name, account, phone or whole identity number, and whether
        there are more."""
        self.require_anywhere(account, Right.SEE)
        if class_id:
            self.require(account, Right.SEE, class_id)
            classes: list[str] | None = [class_id]
        else:
            everywhere = self.sees_all(account, Right.SEE)
            classes = None if everywhere else [item.class_id for item in self.classes(account)]
        text = " ".join(text.split())[:100]
        number = text.replace(" ", "").upper()
        identity = self._sealer.digest(number) if len(number) == 18 and number[:17].isdigit() else ""
        wanted = Wanted("" if identity else text, identity, classes, after=after)
        found = list(self._registry.search(wanted, PAGE + 1))
        return found[:PAGE], len(found) > PAGE

    def person(self, account: Account, learner: str) -> Person:
        """One learner of a class that the account may see, with those classes only; `NotThereError` for others."""
        found = self._registry.person(learner)
        seen = {item.class_id for item in self.classes(account)}
        if found is None or not (seen & set(found.classes) or self.sees_all(account, Right.SEE)):
            raise NotThereError("no such learner")
        return Person(
            found.account, found.learner, found.name, found.phone, found.employer, found.identity, found.sealed,
            tuple(item for item in found.classes if item in seen),
        )  # fmt: skip

    def reveal_identity(self, account: Account, learner: str, reason: str) -> str:
        """The identity number in full, for a stated reason; who asked stands in the class log first."""
        person = self.person(account, learner)
        reason = stated(reason)
        allowed = [class_id for class_id in person.classes if self.may(account, Right.REVEAL, class_id)]
        if not allowed:
            raise NotAllowedError("this account may not see identity numbers")
        if not person.sealed:
            raise NotThereError("no identity number is kept of this learner")
        self.audit(account, "saw an identity number", learner, reason, *allowed)
        return self._sealer.open(person.sealed, learner).decode()

    # --- staff and places ---------------------------------------------------------------------------------------------

    def add_staff(self, account: Account, name: str, person: str, password: str, duty: tuple[str, str]) -> None:
        """Make an account of the staff with its first duty (role, place)."""
        name = account_name(name)
        given = Duty(name, *duty)
        self.tree().check_duty(given, self.duties(account))
        check_strength(password, name)
        person = " ".join(person.split())
        if not 0 < len(person) <= 100:
            raise UnreadableError("a person has a name of 1 to 100 characters")
        if self._people.account(name) is not None:
            raise UnreadableError(f"the account {name!r} exists already")
        self._audit_place(account, "made an account", f"{given.role}: {self._sealer.pseudonym(name)}", given.place)
        self._people.add_account(Account(name, person, password=hash_password(password)))
        self._registry.add_duty(given)

    def give(self, account: Account, name: str, role: str, place: str) -> None:
        """Give an account of the staff one more duty."""
        duty = self._duty(account, name, role, place)
        self._audit_place(account, "gave a duty", f"{role}: {self._sealer.pseudonym(duty.account)}", place)
        self._registry.add_duty(duty)

    def take_back(self, account: Account, name: str, role: str, place: str) -> None:
        """End a duty; the account's sign-ins end with it."""
        duty = self._duty(account, name, role, place)
        self._audit_place(account, "ended a duty", f"{role}: {self._sealer.pseudonym(duty.account)}", place)
        if not self._registry.drop_duty(duty):
            raise NotThereError("no such duty")
        self._people.drop_tokens(duty.account)

    def _duty(self, account: Account, name: str, role: str, place: str) -> Duty:
        other = self._people.account(account_name(name))
        duty = Duty(account_name(name), role, place)
        self.tree().check_duty(duty, self.duties(account))
        if other is None or not other.staff:
            raise NotThereError("no such account of the staff")
        if other.name == account.name:
            raise NotAllowedError("nobody changes their own duties")
        return duty

    def all_duties(self, account: Account) -> list[tuple[Account, list[Duty]]]:
        """The staff whose duties the account may change, by account, with those duties."""
        tree, mine = self.tree(), self.duties(account)
        found: dict[str, list[Duty]] = {}
        everywhere = [Duty(item.name, role) for item in self._people.staff() for role in item.roles]
        for duty in [*everywhere, *self._registry.duties()]:
            if tree.may(mine, Right.STAFF, duty.place):
                found.setdefault(duty.account, []).append(duty)
        accounts = [item for name in sorted(found) if (item := self._people.account(name)) is not None]
        return [(item, found[item.name]) for item in accounts]

    def places(self, account: Account) -> list[Place]:
        """The places at which the account may give duties, by key; classes that nobody placed yet among them."""
        tree, mine = self.tree(), self.duties(account)
        classes = [Place(class_place(item.class_id), item.title) for item in self._people.classes()]
        known = [*tree.places.values(), *(place for place in classes if place.key not in tree.places)]
        return sorted((item for item in known if tree.may(mine, Right.STAFF, item.key)), key=lambda item: item.key)

    def put_place(self, account: Account, place: Place) -> None:
        """Add a place or move it: by whoever holds both where it was and where it comes."""
        tree = self.tree()
        tree.check_place(place)
        duties = self.duties(account)
        keys = {place.parent, place.key} if place.key in tree.places or place.kind == "class" else {place.parent}
        if not all(tree.may(duties, Right.STAFF, key) for key in keys):
            raise NotAllowedError("this place is not among the duties of this account")
        classes = {class_place(item.class_id) for item in self._people.classes()}
        if place.kind == "class" and place.key not in classes:
            raise NotThereError("no such class")
        self._audit_place(account, "put a place", f"{place.key} in {place.parent or 'no other'}", place.key)
        self._registry.put_place(place)

    # --- the journal --------------------------------------------------------------------------------------------------

    def audit(self, account: Account, did: str, target: str, reason: str, *class_ids: str) -> None:
        """Write down who does what, before it is done: a leaf in every class it touches, and a line of the journal."""
        by = self._sealer.pseudonym(account.name)

        def append(tx: Transaction) -> int:
            leaves = [self._decisions.audit(tx, item, did, target, reason, by) for item in class_ids]
            return leaves[0] if leaves else -1

        leaf = self._records.write(append) if class_ids else -1
        place = class_place(class_ids[0]) if class_ids else EVERYWHERE
        self._registry.write_down(Deed(self._clock(), account.name, did, target, reason, place, leaf))

    def _audit_place(self, account: Account, did: str, target: str, place: str) -> None:
        tree = self.tree()
        below = [item.class_id for item in self._people.classes() if place in tree.chain(class_place(item.class_id))]
        self.audit(account, did, target, f"at {place or 'every place'}", *below)

    def journal(self, account: Account, sought: Sought = EVERYTHING, class_id: str = "") -> Sequence[Deed]:
        """The latest deeds that the account may see, of the places of its duties (or of one class of them), that fit.

        A person is sought by a part of the account or of the name. `NotThereError` for a class that it may not see.
        """
        self.require_anywhere(account, Right.SEE)
        if class_id:
            self.require(account, Right.SEE, class_id)
            places: Sequence[str] | None = [class_place(class_id)]
        else:
            everywhere = self.sees_all(account, Right.SEE)
            places = None if everywhere else [class_place(item.class_id) for item in self.classes(account)]
        by = " ".join(sought.by.split())[:100]
        named = [item.name for item in self._people.staff() if by and by.lower() in item.person.lower()]
        return self._registry.journal(replace(sought, places=places, accounts=named, by=by), PAGE)


def class_place(class_id: str) -> str:
    """The key of a class among the places."""
    return f"class/{class_id}"


def stated(reason: str) -> str:
    """A reason as it is kept, or `UnreadableError`: nobody sees or does this for no reason."""
    text = " ".join(reason.split())
    if not 4 <= len(text) <= 500:
        raise UnreadableError("state a reason of 4 to 500 characters")
    return text
