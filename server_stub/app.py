"""The composition root: which store stands behind which port, which route behind which address."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from server_stub import web_guard
from server_stub.domain import houserules, supervision
from server_stub.domain.archive import Archivist
from server_stub.domain.broadcast import Broadcasts
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.clockwatch import ClockWatch
from server_stub.domain.content import ContentKeys, OpenSessions
from server_stub.domain.decisions import Decisions
from server_stub.domain.devices import Devices
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.erasure import Eraser
from server_stub.domain.errors import SetupError
from server_stub.domain.fleet import Fleet
from server_stub.domain.gather import Gatherer, Witnesses
from server_stub.domain.hands import Hands
from server_stub.domain.identify import Identifier
from server_stub.domain.importer import Importer
from server_stub.domain.ingest import Ingest
from server_stub.domain.letters import Letters
from server_stub.domain.limits import Limits
from server_stub.domain.live import LiveSessions
from server_stub.domain.mine import Mine
from server_stub.domain.now import Board
from server_stub.domain.office import Office
from server_stub.domain.oidc import Oidc
from server_stub.domain.overview import Overview
from server_stub.domain.passkeys import Passkeys
from server_stub.domain.photos import Photos
from server_stub.domain.portraits import Portraits
from server_stub.domain.practice import AnswerFiles
from server_stub.domain.publish import Publisher
from server_stub.domain.reveal import Revealer
from server_stub.domain.reviewing import Reviewer
from server_stub.domain.rooms import Rooms
from server_stub.domain.sealing import Sealer
from server_stub.domain.segments import Segments
from server_stub.domain.services import Services
from server_stub.domain.sessions import Sessions
from server_stub.domain.settle import Settler
from server_stub.domain.signin import Clock, CodeSender, SignIn
from server_stub.domain.steer import Steering
from server_stub.domain.tokens import EnrolTokens
from server_stub.domain.warnings import networks, rule
from server_stub.domain.warnings.desk import CaseBook, WarningDesk
from server_stub.domain.warnings.inspector import Inspector
from server_stub.domain.work import Bench
from server_stub.fastlane import FastLane
from server_stub.routes import (
    accounts,
    content,
    evidence,
    key_pages,
    learners,
    live_pages,
    log,
    me_more_pages,
    me_pages,
    office_pages,
    pages,
    people_pages,
    portrait_pages,
    room_pages,
    sessions,
    staff,
    supervision_pages,
    warning_pages,
    ways,
)
from server_stub.safe_headers import SafeHeaders
from server_stub.settings import Settings
from server_stub.setup import ClassMaker
from server_stub.storage import keyfiles, waysfile
from server_stub.storage.database import open_records
from server_stub.storage.evidence import PhotoFiles
from server_stub.storage.export import ArchiveExporter
from server_stub.storage.forgetting import SqlForgetting
from server_stub.storage.keys import SqlKeys
from server_stub.storage.packages import Packages
from server_stub.storage.papers import SqlPapers
from server_stub.storage.people import PeopleStore, open_engine
from server_stub.storage.portraits import SqlPortraits
from server_stub.storage.providers import HttpWeb, load_provider
from server_stub.storage.province import HttpProvince
from server_stub.storage.registry import SqlRegistry
from server_stub.storage.streams import Streams
from server_stub.storage.tokens import SqlTokens
from server_stub.storage.traces import SqlTraces
from server_stub.storage.witnessed import HttpWitnesses

SWEEP_EVERY_S = 5.0
GATHER_EVERY_S = 2.0  # witnesses are asked only when a class log has grown
_log = logging.getLogger("server_stub")


def wall_ms() -> int:
    """Ms since the epoch by this machine."""
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Ms that no adjustment of the day's time moves."""
    return time.monotonic_ns() // 1_000_000


def _waiting(clock: Clock) -> tuple[ClockWatch, Callable[[float], None]]:
    """How the gatherer tells time apart from the wall's, and waits."""
    if clock is wall_ms:
        return ClockWatch(steady_ms, clock), time.sleep
    return ClockWatch(clock, clock), _no_time


def _no_time(_seconds: float) -> None:
    """Under a clock that somebody else moves there is nothing to wait for."""


class DevelopmentSender:
    """Prints the code instead of sending it; refuses to exist outside development."""

    def __init__(self, settings: Settings) -> None:
        if not settings.development:
            raise SetupError("the development code exists only in development")

    def send(self, account: str, code: str) -> None:
        """One line on standard error."""
        print(f"development code for {account}: {code}", file=sys.stderr, flush=True)


class Server:
    """One data directory, opened: the stores and the domain on them."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock = wall_ms,
        sender: CodeSender | None = None,
        witnesses: Witnesses | None = None,
    ) -> None:
        self.settings, self.clock = settings, clock
        self.keyring = keyfiles.load(settings)
        engine = open_engine(settings.people_url)
        self.people, self.registry = PeopleStore(engine), SqlRegistry(engine)
        self.records = open_records(settings)
        self.packages = Packages(settings.courses, settings.models)
        photos = PhotoFiles(settings.evidence)
        logs = ClassLogs(self.keyring)
        self.records.write(logs.refresh)
        revealer = Revealer(self.records, logs, clock)
        asked = witnesses or HttpWitnesses()
        self.gatherer = Gatherer(self.records, logs, self.keyring, asked, clock, *_waiting(clock))
        enrolment = Enrolment(
            self.people, self.records, logs, self.keyring, clock,
            lambda name: supervised.applications.last_day(name),  # noqa: PLW0108 - it is made below
        )  # fmt: skip
        live = LiveSessions(settings.server, self.keyring.cosigner.vkey)
        settler = Settler(self.records, logs, settings.server, clock)
        archivist = Archivist(self.people, self.records, photos, logs, self.keyring, revealer, settler, clock)
        secret = settings.secret.read_bytes()
        bring = sender or DevelopmentSender(settings)
        sign_in = SignIn(self.people, secret, clock, bring)
        decisions = Decisions(self.people, self.records, logs, self.keyring, enrolment, settler, clock)
        sealer = Sealer(secret)
        keys, provider = SqlKeys(engine), load_provider(settings.provider)
        office = Office(self.people, self.registry, self.records, decisions, sealer, clock)
        bench = Bench(settings.server, SqlPapers(engine), self.people, self.registry, self.records, decisions, office,
                      enrolment, self.keyring, sealer, clock)  # fmt: skip
        rules = houserules.load(settings.directory)
        called = (*([provider.issuer] if provider else []), *waysfile.called(settings.ways))
        rules.check_all(url for trust in map(self.keyring.trust, self.keyring.logs) for url in trust.urls.values())
        rules.check_all(called)
        web = HttpWeb(rules.check_all)
        eraser = Eraser(self.records, photos, logs, self.keyring, decisions, settler, clock)
        portraits = SqlPortraits(engine)
        supervised = supervision.wire(
            bench, rules, settler, logs, self.gatherer.gather, HttpProvince(rules.province), eraser,
            SqlForgetting(engine), portraits,
        )  # fmt: skip
        before_grant = supervised.opening.before_grant(self.gatherer.before_grant)
        board = Board(self.people, self.records, clock)
        devices = Devices(self.records, logs, enrolment, sign_in, revealer, decisions, clock)
        mine = Mine(bench, supervised.figures, settler, logs, devices, sign_in)
        self.class_maker = ClassMaker(self.people, self.records, logs, self.keyring, self.packages)
        segments = Segments(self.records, live, self.keyring, revealer, settler, clock)
        self.ingest = Ingest(segments)
        studied = OpenSessions(self.records, revealer, self.packages)
        self.services = Services(
            server=settings.server,
            version=_version(),
            clock=clock,
            people=self.people,
            records=self.records,
            limits=Limits(clock),
            sign_in=sign_in,
            identifier=Identifier(self.people, self.records, logs, self.keyring, secret, clock, bring),
            decisions=decisions,
            devices=devices,
            publisher=Publisher(self.records, logs, clock),
            eraser=eraser,
            enrolment=enrolment,
            logs=logs,
            sessions=Sessions(self.records, enrolment, logs, self.keyring, revealer, clock, before_grant, mine.refused),
            segments=segments,
            ingest=self.ingest,
            settler=settler,
            revealer=revealer,
            overview=Overview(self.people, self.registry, self.records, enrolment),
            files=self.packages,
            content=ContentKeys(studied, self.packages),
            broadcasts=Broadcasts(studied, Streams(settings.streams), clock),
            exporter=ArchiveExporter(archivist, self.records, self.keyring, self.gatherer, settings.exports),
            gatherer=self.gatherer,
            office=office,
            letters=Letters(SqlPapers(engine), self.people, supervised.cases, clock),
            portraits=Portraits(portraits, self.registry, office, sealer, clock, mine.agrees),
            importer=Importer(self.registry, office, sealer, clock),
            board=board,
            hands=Hands(self.records, clock),
            rooms=Rooms(bench, logs, board),
            steering=Steering(self.records, office, decisions, self.keyring, clock),
            fleet=Fleet(self.registry, self.records, office),
            photos=Photos(self.records, photos, clock),
            tokens=EnrolTokens(
                SqlTokens(engine), office, self.people, self.registry, self.records, sign_in, clock
            ),
            passkeys=Passkeys(keys, self.people, sign_in, sealer, clock),
            oidc=Oidc(provider, web, keys, self.people, sign_in, clock) if provider else None,
            ways=waysfile.open_ways(settings.ways, web, keys, self.people, sign_in, clock),
            called=called,
            origin=settings.origin,
            reviewer=Reviewer(self.records, photos, logs, self.keyring, decisions),
            supervision=supervised,
            mine=mine,
            answers=AnswerFiles(settings.directory / "answers"),
            warnings=_warnings(bench, logs, SqlTraces(engine), settings, supervised.cases),
        )

    def close(self) -> None:
        """Close the databases; wait for no witness."""
        self.ingest.close()
        self.gatherer.close()
        self.records.close()
        self.people.close()


def create_app(
    settings: Settings, clock: Clock = wall_ms, *, sender: CodeSender | None = None, witnesses: Witnesses | None = None
) -> FastAPI:
    """The ASGI app of one data directory; `clock` gives ms since the epoch. `app.state.services.sweep()` is what
    the background task calls every few seconds; a test calls it itself."""
    server = Server(settings, clock, sender, witnesses)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(_for_ever(server.services.sweep, SWEEP_EVERY_S)),
            asyncio.create_task(_for_ever(server.gatherer.sweep, GATHER_EVERY_S)),
        ]
        for ready in app.state.on_ready:
            ready()
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        server.close()

    app = FastAPI(
        title="TrueSeat supervision server", version=_version(), lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.services, app.state.server = server.services, server
    app.state.on_ready = []  # called when the socket, bound already, is about to be answered
    for room in (accounts, learners, sessions, content, evidence, staff, log, pages, portrait_pages, people_pages,
                 live_pages,
                 office_pages, supervision_pages, key_pages,
                 warning_pages, room_pages, me_pages, me_more_pages, ways):  # fmt: skip
        app.include_router(room.router)
    app.include_router(room_pages.hands)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "web" / "static"), name="static")
    web_guard.install(app)
    app.add_middleware(SafeHeaders)
    app.add_middleware(FastLane, services=server.services)
    return app


def _warnings(bench: Bench, logs: ClassLogs, traces: SqlTraces, settings: Settings, cases: CaseBook) -> WarningDesk:
    """The rules that come with the program, or those of the data directory."""
    own = settings.directory / "warnings"
    pack = rule.load(own if own.is_dir() else Path(__file__).parent / "warnings")
    return WarningDesk(Inspector(bench, logs, traces, pack, networks.load(settings.directory)), cases)


async def _for_ever(sweep: Callable[[], int], every_s: float) -> None:
    while True:
        try:
            await asyncio.to_thread(sweep)
        except Exception:
            _log.exception("the sweep failed; it is tried again")
        await asyncio.sleep(every_s)


def _version() -> str:
    try:
        return version("trueseat")
    except PackageNotFoundError:
        return "0.1.0"  # run from its source
