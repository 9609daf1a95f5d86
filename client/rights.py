"""What the learner may see and ask for: hours with reasons, findings, consents, photos, copies, letters, deletion.

Everything shown is read from this device's own signed records and computed by `ledger.credit`; letters come from the
server. Every function here is slow (disk, network, verification) and runs beside the screen.
"""

from __future__ import annotations

import io
import json
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, Final

from agent import pack
from client.errors import BadAnswerError, ClientError, NetworkError
from client.notice import text_of
from client.player.pages import Agreed, Found, Hours, Lost, Rights, Taken, Wrote
from client.player.shown import Course
from client.profile import disk, write_private
from client.sync.api import field
from client.sync.enrol import Enrolment, Registration
from client.sync.outbox import Outbox
from client.view import Words
from ledger import bodies, events, grant
from ledger.archive import open_source
from ledger.errors import LedgerError
from ledger.events import Answered, Event, Finding
from ledger.page.render import page
from ledger.reasons import REASONS
from ledger.verify import Options, verify

WHATS: Final = ("statement", "appeal", "deletion")
MOST: Final = 50  # findings and photos that are listed, the latest first
MAX_COPY: Final = 512 << 20


class CopyRefusedError(ClientError):
    """The copy that the server gave does not verify."""

    code = "TS-C-096"
    remedy = "Keep the file and show it to the supervisor: it proves that the server's records are not in order."
    zh = "服务器提供的副本未通过验签。请保留该文件，并交给监管人员核实。"


def gather(enrolment: Enrolment, registrations: Sequence[Registration], courses: Sequence[Course]) -> Rights:
    """Everything at once; without the network only the letters are missing."""
    with closing(Outbox(enrolment.profile.outbox)) as outbox:
        titles = {course.registration: course.title for course in courses}
        seen = list(_events(outbox, titles))
        consents = tuple(_agreed(outbox, registrations))
        photos = tuple(_photos(outbox, seen))
    try:
        letters: tuple[Wrote, ...] | None = written(enrolment)
    except NetworkError:
        letters = None
    return Rights(tuple(map(hours, courses)), tuple(_findings(seen)), consents, photos, letters)


def hours(course: Course) -> Hours:
    """What counts of one course, and the rest by reason, the largest first."""
    sums: dict[str, int] = {}
    for line in course.lines:
        for stretch in line.stretches:
            if stretch.code:
                sums[stretch.code] = sums.get(stretch.code, 0) + stretch.ms
    lost = (Lost(ms, Words(REASONS[code].zh, REASONS[code].en), REASONS[code].make_up) for code, ms in sums.items())
    ordered = tuple(sorted(lost, key=lambda one: -one.ms))
    return Hours(course.title, course.credited_ms, course.all_ms, ordered, course.worth)


# --- this device's records --------------------------------------------------------------------------------------------

Seen = tuple[str, Words, Event]  # sid, the course's title, the event


def _events(outbox: Outbox, titles: dict[str, Words]) -> Iterator[Seen]:
    for kept in outbox.sessions():
        title = titles.get(kept.registration, Words(kept.class_, kept.class_))
        for data in outbox.events(kept.sid):
            try:
                event = events.decode(data)
            except LedgerError:
                continue  # whoever verifies names it; here nothing rests on it
            if isinstance(event.body, Finding | Answered):
                yield kept.sid, title, event


def _findings(seen: Iterable[Seen]) -> list[Found]:
    rules = {rule.id: rule for rule in pack.load_folder().rules}
    found = []
    for _, title, event in seen:
        if isinstance(event.body, Finding):
            name = event.body.rule
            rule = rules.get(name)
            words = Words(rule.zh.title, rule.en.title) if rule is not None else Words(name, name)
            found.append(Found(event.wall, words, title))
    return sorted(found, key=lambda one: -one.at)[:MOST]


def _photos(outbox: Outbox, seen: Iterable[Seen]) -> list[Taken]:
    taken = []
    for sid, title, event in seen:
        if isinstance(event.body, Answered) and event.body.evidence is not None:
            given = grant.parse(outbox.session(sid).grant)[0]
            names = dict.fromkeys(text.partition("+")[0].removesuffix("/e") for text in given.recipients)
            taken.append(Taken(event.wall, title, tuple(names)))
    return sorted(taken, key=lambda one: -one.at)[:MOST]


def _agreed(outbox: Outbox, registrations: Iterable[Registration]) -> Iterator[Agreed]:
    """The latest word on each thing, over all registrations."""
    latest: dict[str, Agreed] = {}
    for registration in registrations:
        for said in outbox.consents(registration.registration):
            body = bodies.parse(said.note)[0]
            at = body.at if isinstance(body, bodies.Consent) else 0
            if said.what not in latest or at >= latest[said.what].at:
                latest[said.what] = Agreed(said.what, said.given, at, said.sent)
    yield from latest.values()


# --- consents ---------------------------------------------------------------------------------------------------------


def decide(
    enrolment: Enrolment, registrations: Iterable[Registration], what: str, language: str, *, given: bool
) -> None:
    """Give or withdraw one consent everywhere: signed and kept at once, sent now or later. Without a face the other
    way serves; a template is erased here."""
    with closing(Outbox(enrolment.profile.outbox)) as outbox:
        for registration in registrations:
            if given:
                enrolment.consent(outbox, registration, what, given=True, notice=text_of(language))
            else:
                enrolment.withdraw(outbox, registration, what)
                if what == "face":
                    enrolment.refer(registration, None)


# --- letters ----------------------------------------------------------------------------------------------------------


def written(enrolment: Enrolment) -> tuple[Wrote, ...]:
    """What the learner wrote to the school, the latest first, with the answers."""
    answer = enrolment.api.json("GET", "/v1/letters")
    return tuple(map(_wrote, field(answer, "letters", list)))


def write(enrolment: Enrolment, registration: Registration, what: str, text: str) -> Wrote:
    """Send a statement, an appeal or a request for deletion; the answer says when it was kept."""
    body = {"letter": secrets.token_hex(16), "registration": registration.registration, "what": what, "text": text}
    return _wrote(enrolment.api.json("POST", "/v1/letters", body))


def _wrote(item: Any) -> Wrote:
    if not isinstance(item, dict) or item.get("what") not in WHATS:
        raise BadAnswerError("a letter says what it is")
    what: Any = item["what"]
    text, answer = field(item, "text", str)[:4000], field(item, "answer", str, "")[:4000]
    return Wrote(what, field(item, "at", int), text, answer, bool(field(item, "marked", list, [])))


# --- copies -----------------------------------------------------------------------------------------------------------


def copy(enrolment: Enrolment, registration: Registration, folder: Path, day: date) -> Path:
    """Save the learner's own copy of a class, verified, readable by this user alone; `CopyRefusedError`."""
    data = enrolment.api.long(f"/v1/classes/{registration.class_id}/copy")
    if len(data) > MAX_COPY:
        raise BadAnswerError(f"a copy of {len(data)} bytes")
    path = _free(folder / f"trueseat-{registration.class_id}-{day}.zip")
    write_private(path, data)
    _report(enrolment, registration, path, "zh")
    return path


def bundle(
    enrolment: Enrolment, registration: Registration, folder: Path, day: date, language: str, statement: str
) -> Path:
    """Save everything that an appeal needs in one .zip: the verifiable copy, what a verifier says of it (page and
    JSON), the learner's words, the trust file, and how anybody verifies it without us."""
    data = enrolment.api.long(f"/v1/classes/{registration.class_id}/copy")
    path = _free(folder / f"trueseat-appeal-{registration.class_id}-{day}.zip")
    half = path.with_name(f".{path.name}.copy")
    write_private(half, data)
    try:
        report = _report(enrolment, registration, half, language)
        letters = [f"[{one.what}]\n{one.text}\n" for one in written(enrolment)]
        files = {
            "copy.zip": data,
            "report.html": report[0],
            "report.json": report[1],
            "statement.txt": "\n".join([statement.strip(), "", *letters]).strip().encode() + b"\n",
            "class.trust": registration.trust.encode(),
            "README.txt": HOW.encode(),
        }
        write_private(path, _zipped(files))
    finally:
        half.unlink(missing_ok=True)
    return path


HOW: Final = """\
申诉材料 / Appeal

copy.zip       本人学习记录的可验签副本 / the learner's own verifiable copy
report.html    验签结果（可打印） / what a verifier says of it (to print)
report.json    同上，供程序读取 / the same for programs
statement.txt  本人说明 / the learner's own words
class.trust    信任文件，请与培训机构公布的核对 / the trust file; compare it with the published one

任何人都可离线验签 / anybody verifies it offline:
    python -m ledger verify copy.zip --trust class.trust --partial
"""


def _report(enrolment: Enrolment, registration: Registration, path: Path, language: str) -> tuple[bytes, bytes]:
    """The page and the JSON of a verification; `CopyRefusedError` when the copy does not verify."""
    try:
        report = verify(open_source(path), enrolment.trust(registration), Options(partial=True))
    except LedgerError as error:
        raise CopyRefusedError(str(error)) from error
    if report.refused:
        raise CopyRefusedError(f"{path.name} does not verify")
    return page(report, language), json.dumps(report.to_json(), ensure_ascii=False, indent=1).encode() + b"\n"


def _zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return made.getvalue()


def _free(path: Path) -> Path:
    """`path`, or the next name that nothing has: nothing of the learner's is ever replaced."""
    with disk(str(path)):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, free = 1, path
        while free.exists():
            number += 1
            free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
