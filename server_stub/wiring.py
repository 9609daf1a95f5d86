"""What a server is put together from, in the order in which one part needs another: stores, then the core of the
records, then what reaches outside; at the end the services that routes ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from server_stub.domain import houserules
from server_stub.domain.answers import Answers
from server_stub.domain.archive import Archivist
from server_stub.domain.broadcast import Broadcasts
from server_stub.domain.classlog import LATEST, ClassLogs
from server_stub.domain.clockwatch import ClockWatch
from server_stub.domain.content import ContentKeys, OpenSessions
from server_stub.domain.decisions import Decisions
from server_stub.domain.devices import Devices
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.erasure import Eraser
from server_stub.domain.feed import Feed
from server_stub.domain.fleet import Fleet
from server_stub.domain.gather import Gatherer, Witnesses
from server_stub.domain.handed import HandedIn
from server_stub.domain.hands import Hands
from server_stub.domain.identify import Identifier
from server_stub.domain.importer import Importer
from server_stub.domain.ingest import Ingest
from server_stub.domain.letters import Letters
from server_stub.domain.limits import Limits
from server_stub.domain.live import LiveSessions
from server_stub.domain.marking import Marker
from server_stub.domain.mine import Mine
from server_stub.domain.now import Board
from server_stub.domain.office import Office
from server_stub.domain.oidc import Oidc
from server_stub.domain.overview import Overview
from server_stub.domain.passkeys import Passkeys
from server_stub.domain.photos import Photos
from server_stub.domain.portraits import Portraits
from server_stub.domain.practice import AnswerFiles
from server_stub.domain.practice_desk import PracticeDesk
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
from server_stub.domain.supervision import Supervision
from server_stub.domain.tokens import EnrolTokens
from server_stub.domain.warnings import networks, rule
from server_stub.domain.warnings.desk import WarningDesk
from server_stub.domain.warnings.inspector import Inspector
from server_stub.domain.wordlist import WordList
from server_stub.domain.work import Bench
from server_stub.settings import Settings
from server_stub.storage import keyfiles, waysfile
from server_stub.storage.database import open_records
from server_stub.storage.evidence import PhotoFiles
from server_stub.storage.export import ArchiveExporter
from server_stub.storage.keys import SqlKeys
from server_stub.storage.packages import Packages
from server_stub.storage.papers import SqlPapers
from server_stub.storage.people import PeopleStore, open_engine
from server_stub.storage.portraits import SqlPortraits
from server_stub.storage.providers import HttpWeb, load_provider
from server_stub.storage.registry import SqlRegistry
from server_stub.storage.streams import Streams
from server_stub.storage.tokens import SqlTokens
from server_stub.storage.traces import SqlTraces


class Stores:
    """Everything that is kept: the two databases, files, keys, and the class logs as they stand."""

    def __init__(self, settings: Settings) -> None:
        self.keyring = keyfiles.load(settings)
        self.engine = open_engine(settings.people_url)
        self.people, self.registry = PeopleStore(self.engine), SqlRegistry(self.engine)
        self.papers, self.keys = SqlPapers(self.engine), SqlKeys(self.engine)
        self.portraits = SqlPortraits(self.engine)
        self.records = open_records(settings)
        self.packages = Packages(settings.courses, settings.models)
        self.photos = PhotoFiles(settings.evidence)
        self.logs = ClassLogs(self.keyring)
        self.records.write(self.logs.refresh)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test may put in the place of the world: time, messages, witnesses, and how one waits for these."""

    clock: Clock
    bring: CodeSender
    witnesses: Witnesses
    watch: ClockWatch
    wait: Callable[[float], None]


class Core:
    """What grants, records, settles and decides; all of supervision works on it."""

    def __init__(self, settings: Settings, kept: Stores, around: Surroundings, last_day: Callable[[str], str]) -> None:
        records, logs, keyring, clock = kept.records, kept.logs, kept.keyring, around.clock
        self.clock, self.bring = clock, around.bring
        self.secret = settings.secret.read_bytes()
        self.sealer = Sealer(self.secret)
        self.revealer = Revealer(records, logs, clock)
        self.gatherer = Gatherer(records, logs, keyring, around.witnesses, clock, around.watch, around.wait)
        self.enrolment = Enrolment(kept.people, records, logs, keyring, clock, last_day)
        self.settler = Settler(records, logs, settings.server, clock)
        self.sign_in = SignIn(kept.people, self.secret, clock, around.bring)
        self.decisions = Decisions(kept.people, records, logs, keyring, self.enrolment, self.settler, clock)
        self.office = Office(kept.people, kept.registry, records, self.decisions, self.sealer, clock)
        self.bench = Bench(
            settings.server, kept.papers, kept.people, kept.registry, records, self.decisions, self.office,
            self.enrolment, keyring, self.sealer, clock,
        )  # fmt: skip
        self.eraser = Eraser(records, kept.photos, logs, keyring, self.decisions, self.settler, clock)
        self.devices = Devices(records, logs, self.enrolment, self.sign_in, self.revealer, self.decisions, clock)
        self.segments = Segments(records, LiveSessions(settings.server, keyring.cosigner.vkey), keyring, self.revealer,
                                 self.settler, clock)  # fmt: skip


class Outside:
    """Who is called, by whose leave; `SetupError` for an address that the house's list does not hold."""

    def __init__(self, settings: Settings, kept: Stores, core: Core) -> None:
        self.rules, provider = houserules.load(settings.directory), load_provider(settings.provider)
        self.called = (*([provider.issuer] if provider else []), *waysfile.called(settings.ways))
        trusted = map(kept.keyring.trust, kept.keyring.logs)
        self.rules.check_all(url for trust in trusted for url in trust.urls.values())
        self.rules.check_all(self.called)
        web = HttpWeb(self.rules.check_all)
        self.oidc = Oidc(provider, web, kept.keys, kept.people, core.sign_in, core.clock) if provider else None
        self.ways = waysfile.open_ways(settings.ways, web, kept.keys, kept.people, core.sign_in, core.clock)


def services(
    settings: Settings, kept: Stores, core: Core, outside: Outside, supervised: Supervision, words: WordList
) -> Services:
    """The table of what a route may ask for; nothing here but names and what stands behind them."""
    people, registry, records, logs, keyring = kept.people, kept.registry, kept.records, kept.logs, kept.keyring
    clock, office, sign_in, decisions, bench = core.clock, core.office, core.sign_in, core.decisions, core.bench
    mine = Mine(bench, supervised.figures, core.settler, logs, core.devices, sign_in)
    granting = supervised.opening.before_grant(core.gatherer.before_grant)
    answers = AnswerFiles(settings.directory / "answers")
    desk = PracticeDesk(bench, answers)
    studied, board = OpenSessions(records, core.revealer, kept.packages), Board(people, records, clock)
    return Services(
        server=settings.server, version=release(), clock=clock, people=people, records=records, limits=Limits(clock),
        sign_in=sign_in, decisions=decisions, devices=core.devices, eraser=core.eraser, enrolment=core.enrolment,
        logs=logs, segments=core.segments, ingest=Ingest(core.segments), settler=core.settler, revealer=core.revealer,
        files=kept.packages, gatherer=core.gatherer, office=office, called=outside.called, origin=settings.origin,
        oidc=outside.oidc, ways=outside.ways, supervision=supervised, mine=mine, board=board,
        identifier=Identifier(people, records, logs, keyring, core.secret, clock, core.bring),
        publisher=Publisher(records, logs, clock),
        sessions=Sessions(records, core.enrolment, logs, keyring, core.revealer, clock, granting, mine.refused),
        overview=Overview(people, registry, records, core.enrolment),
        content=ContentKeys(studied, kept.packages),
        broadcasts=Broadcasts(studied, Streams(settings.streams), clock),
        exporter=ArchiveExporter(_archivist(kept, core), records, keyring, core.gatherer, settings.exports),
        feed=Feed(bench),
        letters=Letters(kept.papers, people, supervised.cases, words, clock),
        portraits=Portraits(kept.portraits, registry, office, core.sealer, clock, mine.agrees,
                            lambda class_id: _reviewers(kept, class_id), keyring.origin),
        importer=Importer(registry, office, core.sealer, clock),
        hands=Hands(records, clock), marker=Marker(records, logs, core.decisions, answers),
        rooms=Rooms(bench, logs, board),
        steering=Steering(records, office, decisions, keyring, clock),
        fleet=Fleet(registry, records, office),
        photos=Photos(records, kept.photos, clock),
        tokens=EnrolTokens(SqlTokens(kept.engine), office, people, registry, records, sign_in, clock),
        passkeys=Passkeys(kept.keys, people, sign_in, core.sealer, clock),
        reviewer=Reviewer(records, kept.photos, logs, keyring, decisions),
        sealed_answers=Answers(records, logs, keyring, decisions, answers),
        answers=answers, practice=desk, handed=HandedIn(bench, desk, supervised.providers),
        warnings=_warnings(settings, kept, core, supervised),
    )  # fmt: skip


def _reviewers(kept: Stores, class_id: str) -> list[str]:
    """The evidence keys that count in a class now, as texts."""
    found = kept.records.read(lambda tx: kept.logs.log(tx, class_id).counting("evidence", LATEST))
    return [str(key) for key in found]


def _archivist(kept: Stores, core: Core) -> Archivist:
    return Archivist(kept.people, kept.records, kept.photos, kept.logs, kept.keyring, core.revealer, core.settler,
                     core.clock)  # fmt: skip


def _warnings(settings: Settings, kept: Stores, core: Core, supervised: Supervision) -> WarningDesk:
    """The rules that come with the program, or those of the data directory."""
    own = settings.directory / "warnings"
    pack = rule.load(own) if own.is_dir() else _shipped_rules()
    known = networks.load(settings.directory)
    return WarningDesk(Inspector(core.bench, kept.logs, SqlTraces(kept.engine), pack, known), supervised.cases)


@functools.cache
def _shipped_rules() -> rule.Pack:
    """The rules that come with the program, read once a process."""
    return rule.load(Path(__file__).parent / "warnings")


def release() -> str:
    """Which release this is."""
    try:
        return version("trueseat")
    except PackageNotFoundError:
        return "0.1.0"  # run from its source
