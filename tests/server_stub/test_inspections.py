"""双随机、一公开: R1.1, R1.2, R3.7. Announced before the seed is known, drawn by anybody alike, published."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.__main__ import main as ledger
from ledger.errors import LedgerError
from ledger.inspection import InspectionError, Listing, draw, parse
from server_stub.domain.duties import Duty
from server_stub.domain.people import Account
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import Browsers, hire, kept_password
from tests.tries import tries

NEW = {"name": "十一月抽查", "source": "双色球 2026136 期开奖号码", "count": "1", "each": "2"}
SEED = "03 08 15 21 26 30 + 07"


@pytest.fixture
def browsers(room: Room) -> Browsers:
    found = hire(room)
    for name in ("second", "third"):
        room.server.people.add_account(Account(name, name.title(), password=kept_password()))
        room.server.registry.add_duty(Duty(name, "supervisor", "district/north"))
    return found


def announce(browsers: Browsers, **changes: str) -> str:
    made = browsers["supervisor"].post("/inspections", NEW | changes)
    assert made.status_code == 303, made.text
    return made.headers["location"]


def carried_out(room: Room, browsers: Browsers, seed: str, *, compliant: bool) -> str:
    """A whole round, written down by one of those who were drawn."""
    room.clock.now += 60_000
    path = announce(browsers)
    assert browsers["supervisor"].post(f"{path}/draw", {"seed": seed}).status_code == 303
    work = room.server.services.supervision.inspections
    value = work.published(path.rpartition("/")[2])[1]
    for who, by in (value.drawn or {}).items():
        form = {"who": who, "how": "phone", "text": "电话接通", "compliant": "yes" if compliant else "no"}
        name = value.people[by[0]]
        assert browsers[name].post(f"{path}/result", form).status_code == 303
    assert browsers["supervisor"].post(f"{path}/publish").status_code == 303
    return path


def test_anybody_draws_the_same_from_what_was_published(room: Room, browsers: Browsers, tmp_path: Path,
                                                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """The list stood in the class log before the seed was known; the command of anybody gives the page's draw."""
    path = announce(browsers)
    public = f"/public{path}"
    room.http.cookies.clear()
    listed = room.http.get(f"{public}/list").content
    digest = parse(listed).digest
    before = room.server.records.read(lambda tx: tx.log.size(CLASS))
    browsers["supervisor"].post(f"{path}/draw", {"seed": SEED})
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) > before
    (tmp_path / "list").write_bytes(listed)
    assert ledger(["draw", str(tmp_path / "list"), "--seed", SEED]) == 0
    said = capsys.readouterr().out.split("\n")
    assert said[0] == f"list {digest}"
    page = room.http.get(public).text
    assert all(word in page for word in said[1].split())
    assert digest in page
    assert "Learner" not in page  # no name


def test_only_who_was_drawn_writes_down_what_was_found(room: Room, browsers: Browsers) -> None:
    """Inspectors are drawn as well: nobody takes a friend's visit."""
    path = announce(browsers, each="1")
    browsers["supervisor"].post(f"{path}/draw", {"seed": SEED})
    value = room.server.services.supervision.inspections.published(path.rpartition("/")[2])[1]
    ((who, by),) = (value.drawn or {}).items()
    form = {"who": who, "how": "video", "text": "画面清楚", "compliant": "yes"}
    others = {"supervisor", "second", "third"} - {value.people[by[0]]}
    for name in sorted(others):
        assert "TS-S-085" in browsers[name].post(f"{path}/result", form).text
    assert "TS-S-087" in browsers["supervisor"].post(f"{path}/publish").text  # not visited yet


def test_a_stranger_leads_no_round_and_reads_no_name(room: Room, browsers: Browsers) -> None:
    """Somebody of another district may be drawn as an inspector, and then knows the one who is visited; no others."""
    path = announce(browsers, count="2")
    assert browsers["far"].post(f"{path}/draw", {"seed": SEED}).status_code == 403
    assert browsers["supervisor"].post(f"{path}/draw", {"seed": SEED}).status_code == 303
    work = room.server.services.supervision
    value = work.inspections.published(path.rpartition("/")[2])[1]
    me = work.bench.sealer.pseudonym("far")
    page = browsers["far"].get(path).text
    for who, by in (value.drawn or {}).items():
        account = room.server.people.account_of(who)
        assert account is not None
        assert (f">{account.person}</a>" in page) == (me in by)


def test_a_second_draw_is_refused(room: Room, browsers: Browsers) -> None:
    """A draw that did not please cannot be drawn again with other numbers."""
    path = announce(browsers)
    assert browsers["supervisor"].post(f"{path}/draw", {"seed": SEED}).status_code == 303
    assert "TS-S-087" in browsers["supervisor"].post(f"{path}/draw", {"seed": "other"}).text


@pytest.mark.slow
def test_two_rounds_below_eighty_percent_open_a_case_about_the_class(room: Room, browsers: Browsers) -> None:
    """R1.2: one is not enough, a compliant one counts for nothing; people decide what follows."""
    work = room.server.services.supervision
    carried_out(room, browsers, "1", compliant=False)
    carried_out(room, browsers, "2", compliant=True)
    assert not work.bench.papers.find("case")
    carried_out(room, browsers, "3", compliant=False)
    (case,) = work.bench.papers.find("case")
    assert (case.about, case.state) == ("", "open")
    assert "80%" in case.data["title"]
    assert [(good, seen) for _, good, seen in work.inspections.shares(CLASS)] == [(0, 1), (1, 1), (0, 1)]


def test_a_call_sheet_is_printed_by_a_named_person(room: Room, browsers: Browsers) -> None:
    """R1.1: names and telephones of those who were drawn, and a leaf that says who printed them."""
    path = announce(browsers)
    browsers["supervisor"].post(f"{path}/draw", {"seed": SEED})
    page = browsers["supervisor"].post(f"{path}/calls").text
    assert "电话回访表" in page
    assert "打印电话回访表" in browsers["supervisor"].get("/journal").text


LISTS = st.builds(
    Listing, st.just("name"), st.just("source"), st.integers(1, 50), st.integers(1, 9),
    st.sets(st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True), min_size=1, max_size=30).map(lambda s: tuple(sorted(s))),
    st.sets(st.from_regex(r"[a-z0-9/]{1,9}", fullmatch=True).filter(lambda t: t[0] != "/"), min_size=1, max_size=9).map(
        lambda s: tuple(sorted(s))
    ),
)  # fmt: skip


@settings(max_examples=tries(40))
@given(LISTS, st.text(min_size=1, max_size=40).filter(lambda t: t.strip() and t.isprintable()))
def test_a_list_reads_back_and_every_draw_is_of_it(listing: Listing, seed: str) -> None:
    """Round trip; nobody is drawn twice, nobody who was not listed; the same seed, the same draw."""
    assert parse(bytes(listing)) == listing
    pairs = draw(listing, seed)
    chosen = [item for item, _ in pairs]
    assert len(set(chosen)) == len(chosen) == min(listing.count, len(listing.inspectees))
    assert set(chosen) <= set(listing.inspectees)
    for _, by in pairs:
        assert len(set(by)) == min(listing.each, len(listing.inspectors))
    assert draw(listing, seed) == pairs


@given(st.binary(max_size=300))
def test_no_other_bytes_are_a_list(data: bytes) -> None:
    """Hostile until parsed: our own error, nothing else."""
    with pytest.raises(LedgerError):
        parse(data)


def test_who_is_taken_off_the_list_changes_no_other_rank() -> None:
    """A draw depends on names and seed alone: removing one who was not drawn changes nothing."""
    everybody = tuple(f"l{n:03d}" for n in range(200))
    pairs = draw(Listing("n", "s", 5, 1, everybody, ("i",)), "seed")
    chosen = {item for item, _ in pairs}
    fewer = tuple(item for item in everybody if item in chosen or int(item[1:]) % 2)
    assert draw(Listing("n", "s", 5, 1, fewer, ("i",)), "seed") == pairs
    with pytest.raises(InspectionError):
        draw(Listing("n", "s", 5, 1, everybody, ("i",)), " ")
