"""Importing learners: seen before it is done, done whole or not at all, and done again only where something changed."""

from __future__ import annotations

import pytest

from ledger import bodies
from ledger.bodies import Audit
from server_stub.domain import citizen
from server_stub.domain.duties import Duty, Place
from server_stub.domain.errors import (
    NotAllowedError,
    NotThereError,
    ServerError,
    SheetError,
    StalePreviewError,
    UnreadableError,
)
from server_stub.domain.office import Office
from server_stub.domain.people import Account
from server_stub.domain.roster import Plan
from tests.server_stub.conftest import Room, kept
from tests.server_stub.learner import CLASS


def number(serial: int) -> str:
    first = f"11010519900307{serial:03d}"
    return first + citizen.check_digit(first)


def admin(room: Room) -> Account:
    found = room.server.people.account("admin")
    assert found is not None
    return found


def staff(room: Room, name: str, role: str, place: str) -> Account:
    """Somebody of the staff with one duty."""
    room.server.services.office.add_staff(admin(room), name, name.title(), "correct horse battery", (role, place))
    found = room.server.people.account(name)
    assert found is not None
    return found


def look(room: Room, text: str, class_id: str = CLASS) -> tuple[str, Plan]:
    return room.server.services.importer.look(admin(room), class_id, text.encode())


def bring(room: Room, text: str, *, leave_out: bool = False) -> Plan:
    draft, _ = look(room, text)
    return room.server.services.importer.confirm(admin(room), draft, leave_out=leave_out)


def audits(room: Room) -> list[Audit]:
    """The audit notes of the class, in leaf order."""

    def find(tx: object) -> list[Audit]:
        log = room.server.services.logs.log(tx, CLASS)  # type: ignore[arg-type]
        found = [tx.log.body(leaf.sha256) for _, leaf in log.bodies if leaf.kind == "audit"]  # type: ignore[attr-defined]
        return [body for data in found if isinstance(body := bodies.parse(data)[0], Audit)]

    return room.server.records.read(find)


LIST = f"姓名,身份证号,手机号\n张伟,{number(1)},13800138001\n李娜,{number(2)},13800138002\n"


def test_a_preview_changes_nothing_and_a_confirmation_everything(room: Room) -> None:
    """Preview → confirm; the learner signs in by the phone number afterwards."""
    draft, plan = look(room, LIST)
    assert [line.state for line in plan.lines] == ["new", "new"]
    assert room.server.people.account("13800138001") is None
    room.server.services.importer.confirm(admin(room), draft, leave_out=False)
    assert room.learner("13800138001").sign_in().me()["name"] == "张伟"
    with pytest.raises(NotThereError):
        room.server.services.importer.confirm(admin(room), draft, leave_out=False)


def test_the_same_list_again_changes_nothing(room: Room) -> None:
    bring(room, LIST)
    _, plan = look(room, LIST)
    assert [line.state for line in plan.lines] == ["same", "same"]


def test_a_list_with_changes_updates_by_the_identity_number(room: Room) -> None:
    """Another phone number and name of the same person: the account stays, what changed is shown before it is done."""
    bring(room, LIST)
    plan = bring(room, f"姓名,身份证号,手机号\n张玮,{number(1)},13800138009\n")
    assert plan.lines[0].state == "change"
    assert plan.lines[0].changes == (("name", "张伟", "张玮"), ("phone", "13800138001", "13800138009"))
    people, _ = room.server.services.office.search(admin(room), "张玮")
    assert [(person.account, person.phone) for person in people] == [("13800138001", "13800138009")]
    assert room.server.services.office.search(admin(room), "张伟") == ([], False)


def test_every_damaged_row_is_named(room: Room) -> None:
    """What a spreadsheet spoiled, twice the same person, no way to sign in: each row says what it is."""
    bring(room, LIST)
    room.server.registry.put_place(Place("employer/works", "机械厂"))
    text = "\n".join([
        "姓名,身份证号,手机号,账号,单位",
        "甲,1.10105E+17,13800138011,,",
        "乙,110105199003071000,13800138012,,",
        f"丙,{number(3)},1.38E+10,,",
        f"丁,{number(4)},13800138014,,机械厂",
        f"戊,{number(4)},13800138015,,",
        "己,,13800138014,,",
        f"庚,{number(1)},13800138001,other,",
        "辛,,,,",
        f"壬,{number(9)},13800138001,,",
        "癸,,,admin,",
        "子,,13800138020,,不存在的厂",
        ",,13800138021,,",
    ])  # fmt: skip
    _, plan = look(room, text)
    assert [[problem.code for problem in line.problems] for line in plan.lines] == [
        ["id_scientific"], ["id_rounded"], ["phone_scientific"], [], ["twice_identity"], ["twice_account"],
        ["person_elsewhere"], ["no_account"], ["account_other_person"], ["account_staff"], ["employer_unknown"],
        ["name_missing"],
    ]  # fmt: skip
    assert plan.lines[4].problems[0].about == "5"
    assert plan.lines[6].problems[0].about == "13800138001"


def test_rows_with_a_problem_stop_all_unless_they_are_left_out(room: Room) -> None:
    """Nothing is half imported; leaving out what cannot be read is a decision of its own."""
    text = LIST + "王芳,1.10105E+17,13800138003\n"
    with pytest.raises(SheetError):
        bring(room, text)
    assert room.server.people.account("13800138001") is None
    bring(room, text, leave_out=True)
    assert room.server.people.account("13800138002") is not None
    assert room.server.people.account("13800138003") is None


def test_what_changed_since_the_preview_is_looked_at_again(room: Room) -> None:
    """Two officers import the same list: the second one's confirmation would do something else than it showed."""
    first, _ = look(room, LIST)
    bring(room, LIST)
    with pytest.raises(StalePreviewError):
        room.server.services.importer.confirm(admin(room), first, leave_out=False)


def test_a_failure_in_the_middle_leaves_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database refuses the last statement: no account of the list is there afterwards."""
    from server_stub.storage import registry

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(registry.SqlRegistry, "_check_not_enrolled", full)
    with pytest.raises(OSError, match="disk full"):
        bring(room, LIST)
    assert room.server.people.account("13800138001") is None
    assert room.server.services.office.search(admin(room), "张伟") == ([], False)


def test_a_preview_is_its_makers_for_an_hour_and_sealed(room: Room) -> None:
    draft, _ = look(room, LIST)
    other = staff(room, "chen", "officer", place(room))
    with pytest.raises(NotThereError):
        room.server.services.importer.again(other, draft)
    assert number(1).encode() not in kept(room)
    room.clock.now += 3_600_001
    with pytest.raises(NotThereError):
        room.server.services.importer.again(admin(room), draft)


def place(room: Room, key: str = "institution/school") -> str:
    """The class, put into a school."""
    office = room.server.services.office
    office.put_place(admin(room), Place(key, "School"))
    office.put_place(admin(room), Place(f"class/{CLASS}", "Fire", key))
    return key


def test_identity_numbers_are_sealed_and_shown_for_a_reason(room: Room) -> None:
    """In no file in the clear; whoever sees one leaves their pseudonym and the reason in the class log."""
    bring(room, LIST)
    office: Office = room.server.services.office
    [person], _ = office.search(admin(room), number(1))
    assert number(1).encode() not in kept(room)
    assert b"13800138001" in kept(room)
    with pytest.raises(UnreadableError):
        office.reveal_identity(admin(room), person.learner, " ")
    officer = staff(room, "chen", "officer", place(room))
    with pytest.raises(NotAllowedError):
        office.reveal_identity(officer, person.learner, "to compare the card")
    assert office.reveal_identity(admin(room), person.learner, "to compare the card") == number(1)
    last = audits(room)[-1]
    assert (last.did, last.target, last.reason) == ("saw an identity number", person.learner, "to compare the card")
    assert last.by.startswith("staff/")
    assert "admin" not in str(last)


def test_everything_the_staff_do_is_an_audit_leaf(room: Room) -> None:
    """Import, places, accounts, duties: a leaf in every class that it touches, and a line of the journal."""
    bring(room, LIST)
    school = place(room)
    office = room.server.services.office
    chen = staff(room, "chen", "officer", school)
    office.give(admin(room), "chen", "teacher", f"class/{CLASS}")
    office.take_back(admin(room), "chen", "teacher", f"class/{CLASS}")
    did = [audit.did for audit in audits(room)]
    assert did == [
        "imported learners", "put a place", "made an account", "gave a duty", "ended a duty",
    ]  # fmt: skip
    journal = office.journal(admin(room))
    assert [deed.did for deed in reversed(journal)][-3:] == did[-3:]
    assert office.journal(chen)


def test_a_scoped_officer_finds_only_their_own(room: Room) -> None:
    """Search, persons and classes end where the duty ends, and what lies beyond does not exist."""
    bring(room, LIST)
    place(room)
    room.server.registry.put_place(Place("institution/far", "Far"))
    far, near = staff(room, "far", "officer", "institution/far"), staff(room, "near", "officer", "institution/school")
    office = room.server.services.office
    assert len(office.search(near, "")[0]) == 4
    assert office.search(far, "") == ([], False)
    assert office.search(far, number(1)) == ([], False)
    [person], _ = office.search(near, "张伟")
    for job in (
        lambda: office.person(far, person.learner),
        lambda: office.search(far, "", CLASS),
        lambda: room.server.services.importer.look(far, CLASS, LIST.encode()),
    ):
        with pytest.raises(NotThereError):
            job()


def test_nobody_changes_their_own_duties(room: Room) -> None:
    """Nor makes an account that may do more than they may."""
    school = place(room)
    mei = staff(room, "mei", "administrator", school)
    office = room.server.services.office
    office.add_staff(mei, "tea", "Tea", "correct horse battery", ("teacher", f"class/{CLASS}"))
    for job in (
        lambda: office.give(mei, "mei", "officer", school),
        lambda: office.add_staff(mei, "boss", "Boss", "correct horse battery", ("administrator", "")),
        lambda: office.take_back(mei, "admin", "administrator", ""),
        lambda: office.put_place(mei, Place("institution/new", "New")),
    ):
        with pytest.raises(ServerError):
            job()
    assert Duty("mei", "officer", school) not in room.server.registry.duties("mei")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "weak-mei-weak-mei"])
def test_a_password_that_is_easy_to_guess_is_refused(room: Room, password: str) -> None:
    with pytest.raises(ServerError):
        room.server.services.office.add_staff(admin(room), "mei", "Mei", password, ("supervisor", ""))


def test_search_reads_markup_and_wildcards_as_text(room: Room) -> None:
    """% and _ are letters, so is a quote."""
    bring(room, "姓名,账号\n百分之%百,percent\n")
    office = room.server.services.office
    assert [person.account for person in office.search(admin(room), "%")[0]] == ["percent"]
    assert office.search(admin(room), "' OR 1=1 --") == ([], False)


def test_pages_of_a_search_follow_each_other(room: Room) -> None:
    """50 a page, by name and account, nobody twice and nobody left out."""
    bring(room, "name,account\n" + "".join(f"Same Name,person{index:03d}\n" for index in range(120)))
    office, after, found = room.server.services.office, ("", ""), []
    while True:
        page, more = office.search(admin(room), "same", after=after)
        found += [person.account for person in page]
        if not more:
            break
        after = (page[-1].name, page[-1].account)
    assert found == [f"person{index:03d}" for index in range(120)]
