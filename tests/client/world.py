"""A whole world in one process: the server, its class, learners' machines, one clock for all of them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from client.errors import ClientError
from client.events import Identified, Order
from client.ports import UnitMedia
from client.profile import Profile
from client.study import Lesson, Ports, Study
from client.sync.enrol import Enrolment, Registration, SignedIn, finish_sign_in, start_sign_in
from client.sync.hand import put
from client.sync.identify import Who, ask
from client.sync.keyring import read_keys
from client.sync.logbook import Logbook, recover
from client.sync.marking import mark
from client.sync.opening import Granted, open_session
from client.sync.outbox import Kept, Outbox
from client.sync.rebuild import mend, refill, wants_refill
from client.sync.records import Records
from client.sync.uploader import Uploader
from ledger import archive, schedule, trust
from ledger import policy as policies
from ledger.events import Event
from ledger.events import decode as decode_event
from ledger.evidence import Recipient
from ledger.keys import generate_evidence
from ledger.policy import preset
from ledger.report import Report
from ledger.verify import verify
from server_stub import setup
from server_stub.app import Server, create_app
from server_stub.settings import Settings
from tests import ready
from tests.scripted import (
    FakeClock,
    ScriptedAgent,
    ScriptedPlayer,
    ScriptedProctor,
    ScriptedWindow,
    SteppedUploader,
    at_once,
)
from tests.simulator import Simulator

SERVER = "test.trueseat.example"
CLASS = "class-1"
NOTICE = "学习须知".encode()
TICK = 100
EASY = {
    b'opening_kind = "liveness"': b'opening_kind = "match"',
    b'kinds = ["match", "match", "liveness"]': b'kinds = ["match"]',
}


class Codes:
    """A sender that remembers the last code of each account."""

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}

    def send(self, account: str, code: str) -> None:
        self.sent[account] = code


class World:
    """The server's side: one class with the learners `learner` and `other`."""

    def __init__(
        self,
        folder: Path,
        units: Sequence[tuple[str, int]] = (("pass", 3_600_000),),
        changes: dict[bytes, bytes] | None = None,
        reviewers: int = 0,
        clock: FakeClock | None = None,
        portal: BlockingPortal | None = None,
        questions: Sequence[int] = (),
        learners: Sequence[str] = ("learner", "other"),
        calm_ms: int = 0,
    ) -> None:
        """`reviewers`: so many people may open photos; their keys are `reviewer`. `clock`: the server's.

        `portal`: the thread on which the server answers; without one each request starts its own. `questions`: at
        which ms the last unit asks one. `calm_ms`: for so long no session is drawn a check after its opening one, where
        a test is about something else.
        """
        self.folder, self.portal, self.calm_ms = folder, portal, calm_ms
        self.clock = clock or FakeClock()
        self.exports = 0
        self.codes = Codes()
        self.settings = Settings(folder / "server", SERVER)
        data = preset("demo")
        for old, new in (EASY | (changes or {})).items():
            assert old in data, old
            data = data.replace(old, new)
        self._policy = policies.parse(data)
        plan = setup.ClassPlan(CLASS, "Fire", _asking(_course(folder / "course", units), questions), data)
        ready.make_directory(self.settings)
        setup.make_class_key(self.settings, CLASS)
        server = Server(self.settings, self.clock.wall, self.codes)
        server.class_maker.make(plan, self.clock.wall)
        self.reviewer = [Recipient(*generate_evidence(f"school{n}.example/e")) for n in range(reviewers)]
        for key in self.reviewer:
            server.class_maker.add_reviewer(CLASS, str(key.vkey), self.clock.wall)
        for account in learners:
            setup.add_learner(server.people, CLASS, account, account.title())
        server.close()
        self.start()

    def start(self) -> None:
        """A server process on what the files hold; again after it was closed, at the same address."""
        self.app = create_app(self.settings, self.clock.wall, sender=self.codes)
        if self.calm_ms:
            self.server.services.sessions._seed = self._calm_seed  # type: ignore[method-assign]
        http = TestClient(self.app, raise_server_exceptions=False)
        http.portal = self.portal
        self.net = Simulator(http) if not hasattr(self, "net") else self.net
        self.net.http = http

    @property
    def server(self) -> Server:
        server: Server = self.app.state.server
        return server

    def _calm_seed(self, sid: str) -> bytes:
        """Drawn until it fits, as luck would have it."""
        for _ in range(100_000):
            seed = secrets.token_bytes(schedule.SEED_BYTES)
            if schedule.gap(seed, sid, 1, self._policy) >= self.calm_ms:
                return seed
        raise AssertionError(f"no session of this policy is calm for {self.calm_ms} ms")

    def sign_in(self, account: str = "learner") -> SignedIn:
        self.clock.advance(31_000)  # the server gives one code in 30 s
        challenge, _ = start_sign_in(self.net, account)
        return finish_sign_in(self.net, challenge, self.codes.sent[account])

    def machine(
        self, name: str = "pc", account: str = "learner", *, face: bool = True, photos: bool | None = None
    ) -> MachineSide:
        return MachineSide(self, self.folder / name, self.sign_in(account), face=face, photos=photos)

    def export(self, into: Path) -> Path:
        """The class archive as the operator exports it, after everything is settled."""
        self.server.services.exporter.write(CLASS, into, masked=False, zipped=False)
        return into

    def verified(self) -> Report:
        """Export the class and verify it as a supervisor would, against the trust file that the operator names."""
        self.exports += 1
        source = archive.Directory(self.export(self.folder / f"archive{self.exports}"))
        return verify(source, trust.parse(self.trust_file().read_bytes()))

    def trust_file(self) -> Path:
        path = self.folder / "class.trust"
        path.write_text(self.server.services.enrolment.trust(CLASS))
        return path

    def close(self) -> None:
        self.server.close()


def _course(folder: Path, units: Sequence[tuple[str, int]]) -> Path:
    folder.mkdir()
    media = bytes(range(256)) * 4
    (folder / "lesson.mp4").write_bytes(media)
    digest = hashlib.sha256(media).hexdigest()
    text = 'id = "fire"\nversion = 1\n[title]\nzh = "消防"\nen = "Fire"\n'
    for name, duration in units:
        text += f'[[unit]]\nid = "{name}"\nduration_ms = {duration}\nmedia = "lesson.mp4"\nmedia_sha256 = "{digest}"\n'
        text += f'[unit.title]\nzh = "{name}"\nen = "{name}"\n'
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder


def _asking(folder: Path, questions: Sequence[int]) -> Path:
    """The course whose last unit asks a question at each of these ms."""
    text = ""
    for number, at in enumerate(questions):
        text += f'[[unit.question]]\nid = "q{number}"\nat_ms = {at}\npoint = "steps"\nchoices = [\n'
        text += "".join(f'{{ zh = "第{n}项", en = "Choice {n}" }},\n' for n in range(4)) + "]\n"
        text += f'prompt = {{ zh = "第{number}题", en = "Question {number}" }}\n'
    with (folder / "course.toml").open("a", encoding="utf-8") as file:
        file.write(text)
    return folder


class MachineSide:
    """One learner's machine: its data folder, and whatever a start of the client makes of it."""

    outbox_of: type[Outbox] = Outbox

    def __init__(
        self,
        world: World,
        folder: Path,
        who: SignedIn,
        *,
        prepared: bool = False,
        face: bool = True,
        photos: bool | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        """`clock`: this machine's own, where it is not the one of the whole world."""
        self.world, self.folder, self.who, self.clock = world, folder, who, clock or world.clock
        self.net = self._line()
        self.enrolment = Enrolment.signed_in(self.net, folder, who)
        self.profile: Profile = self.enrolment.profile
        self.registration: Registration = self.enrolment.me().registrations[0]
        self.rebuilt = mend(self.profile.outbox)
        self.outbox = self.outbox_of(self.profile.outbox)
        if not prepared:
            self._prepare(face=face, photos=photos)
        self.recovered = recover(self.outbox, self.profile.seal, self.clock.wall)
        if wants_refill(self.profile.outbox):
            with suppress(ClientError):
                refill(self.enrolment, self.outbox, [self.registration])
        self._ports()

    def _line(self) -> Any:
        """The way to the server."""
        return Simulator(self.world.net.http)

    def _prepare(self, *, face: bool, photos: bool | None) -> None:
        self.enrolment.identify(self.registration)
        for what, given in (("notice", True), ("face", face), ("photos", photos)):
            if given is not None:
                self.enrolment.consent(self.outbox, self.registration, what, given=given, notice=NOTICE)
        self.enrolment.refer(self.registration, b"template" if face else None)
        self.registration = self.enrolment.me().registrations[0]

    def _ports(self) -> None:
        clock = self.clock
        self.player, self.window = ScriptedPlayer(clock), ScriptedWindow()
        self.proctor, self.agent = ScriptedProctor(clock), ScriptedAgent(clock)
        trusted = self.enrolment.trust(self.registration)
        worker = Uploader(self.outbox, self.net, self.profile.seal, trust_of=lambda _o: trusted, chance=lambda: 0.5)
        self.uploader = SteppedUploader(worker, clock)
        self.ports = Ports(clock, self.player, self.window, self.proctor, self.agent, self.uploader)

    def restart(self, folder: Path | None = None) -> MachineSide:
        """What a new process finds: nothing but the files (of `folder`, a copy, if given)."""
        return type(self)(self.world, folder or self.folder, self.who, prepared=True, clock=self.clock)

    def lesson(self) -> Lesson:
        registration = self.registration
        policy = policies.parse(self.enrolment.document(registration.policy))
        course = self.enrolment.course(registration.course)
        records = Records(self.profile.outbox, registration.registration, course, policy)

        def credit() -> tuple[object, object]:
            found = records.credit()
            return found, records.place(found)

        def opened(take_over: bool) -> Granted:
            return open_session(self.enrolment, self.outbox, registration, take_over=take_over)

        def identified(granted: Granted, order: Order, code: str) -> Identified:
            keys = read_keys(self.outbox.session(granted.sid).keys)
            return ask(self.enrolment.api, Who(granted.sid, granted.grant.learner, keys), order, code)

        media = {unit.id: UnitMedia(unit.id, unit.title.en, self.folder, unit.duration_ms) for unit in course.units}
        return Lesson(
            policy=policy,
            course=course,
            media=media,
            face=registration.reference != "none",
            about="client under test",
            agent="agent under test",
            open=opened,
            book=lambda granted: Logbook(self.outbox, granted.sid, granted.signer),
            consents=lambda: self.outbox.consents(registration.registration),
            credit=credit,  # type: ignore[arg-type]
            identify=identified,
            mark=lambda granted, sheet: mark(
                self.enrolment.api,
                Who(granted.sid, granted.grant.learner, read_keys(self.outbox.session(granted.sid).keys)),
                sheet,
            ),
            withdraw=lambda what: self.enrolment.withdraw(self.outbox, registration, what),
            hand=lambda sid, up: put(self.enrolment.api, sid, up=up),
        )

    def study(self) -> Study:
        """A lesson whose Start was pressed."""
        study = Study(self.ports, self.lesson(), at_once)
        study.press("play")
        return study

    def run(self, study: Study, ms: int, *, step: int = TICK, until: str = "") -> None:
        """Let time pass in ticks, at most `ms`, or until the screen is in phase `until`."""
        for _ in range(0, ms, step):
            self.clock.advance(step)
            study.tick()
            if until and study.view().phase == until:
                return
        assert not until, f"still {study.view().phase} ({study.view().sentence.key}), not {until}, after {ms} ms"

    def finish(self, study: Study) -> None:
        """End, take the closing look, send everything."""
        study.press("end")
        self.run(study, 120_000, until="done")

    def events(self, sid: str) -> list[Event]:
        return [decode_event(data) for data in self.outbox.events(sid)]

    def verbs(self, sid: str) -> list[str]:
        return [event.body.verb for event in self.events(sid)]

    def kept(self, sid: str) -> Kept:
        return self.outbox.session(sid)

    def send_all(self) -> None:
        """Let the uploader work until nothing is left that can be sent, receipts too."""
        for _ in range(100):
            self.clock.advance(1_000)
            self.world.server.services.sweep()
            self.uploader.next_at = 0
            self.uploader.poll()
            if all(kept.receipt or kept.problem for kept in self.outbox.sessions()) and not self.outbox.photos():
                return
        raise AssertionError([(kept.sid, kept.state, kept.problem) for kept in self.outbox.sessions()])
