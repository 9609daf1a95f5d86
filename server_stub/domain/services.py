"""Everything that a route may ask for, wired once by `app`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from server_stub.domain.answers import Answers
from server_stub.domain.broadcast import Broadcasts
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.content import ContentKeys
from server_stub.domain.decisions import Decisions
from server_stub.domain.devices import Devices
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.erasure import Eraser
from server_stub.domain.feed import Feed
from server_stub.domain.fleet import Fleet
from server_stub.domain.gather import Gatherer
from server_stub.domain.handed import HandedIn
from server_stub.domain.hands import Hands
from server_stub.domain.identify import Identifier
from server_stub.domain.importer import Importer
from server_stub.domain.ingest import Ingest
from server_stub.domain.letters import Letters
from server_stub.domain.limits import Limits
from server_stub.domain.marking import Marker
from server_stub.domain.mine import Mine
from server_stub.domain.now import Board
from server_stub.domain.office import Office
from server_stub.domain.oidc import Oidc
from server_stub.domain.overview import Overview
from server_stub.domain.passkeys import Passkeys
from server_stub.domain.people import People
from server_stub.domain.photos import Photos
from server_stub.domain.portraits import Portraits
from server_stub.domain.ports import Records
from server_stub.domain.practice import AnswerFiles
from server_stub.domain.practice_desk import PracticeDesk
from server_stub.domain.publish import Publisher
from server_stub.domain.reveal import Revealer
from server_stub.domain.reviewing import Reviewer
from server_stub.domain.rooms import Rooms
from server_stub.domain.segments import Segments
from server_stub.domain.sessions import Sessions
from server_stub.domain.settle import Settler
from server_stub.domain.signin import Clock, SignIn
from server_stub.domain.steer import Steering
from server_stub.domain.supervision import Supervision
from server_stub.domain.tokens import EnrolTokens
from server_stub.domain.warnings.desk import WarningDesk
from server_stub.domain.ways import Ways


class Files(Protocol):
    """Course packages and models on the disk; `NotThereError` for what no manifest names."""

    def file(self, digest: str, name: str) -> Path: ...
    def model(self, digest: str) -> Path: ...


class Exporter(Protocol):
    """Writes class archives."""

    def zip(self, class_id: str, *, masked: bool, learner: str | None = None) -> Path:
        """A new archive as .zip in a temporary file, which the caller removes; `learner` as in `write`."""

    def write(self, class_id: str, out: Path, *, masked: bool, zipped: bool, learner: str | None = None) -> None:
        """Write the archive of a class to `out`, which must not exist (or be an empty folder); `ExportError` if not.

        `learner`: only this one's sessions and documents, a copy for `verify --partial`.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """The domain of one running server."""

    server: str
    version: str
    clock: Clock
    people: People
    records: Records
    limits: Limits
    sign_in: SignIn
    identifier: Identifier
    enrolment: Enrolment
    logs: ClassLogs
    sessions: Sessions
    segments: Segments
    ingest: Ingest
    revealer: Revealer
    settler: Settler
    overview: Overview
    files: Files
    content: ContentKeys
    broadcasts: Broadcasts
    exporter: Exporter
    feed: Feed
    decisions: Decisions
    devices: Devices
    publisher: Publisher
    eraser: Eraser
    gatherer: Gatherer
    office: Office
    letters: Letters
    importer: Importer
    portraits: Portraits
    board: Board
    hands: Hands
    marker: Marker
    rooms: Rooms
    steering: Steering
    fleet: Fleet
    photos: Photos
    reviewer: Reviewer
    sealed_answers: Answers
    warnings: WarningDesk
    mine: Mine
    answers: AnswerFiles
    practice: PracticeDesk
    handed: HandedIn
    passkeys: Passkeys
    tokens: EnrolTokens
    oidc: Oidc | None  # the organisation's own sign-in, where there is one
    ways: Ways  # learners' sign-in elsewhere
    called: tuple[str, ...]  # addresses that signing in elsewhere calls
    origin: str  # where the pages stand, "" unless the operator says so
    supervision: Supervision

    def sweep(self) -> int:
        """Do what time alone asks for: log checkpoints, end what is over, settle what ended; return how much it was."""
        self.records.write(self.logs.refresh)
        done = self.revealer.sweep() + self.settler.sweep() + self.warnings.inspector.sweep()
        return done + self.supervision.retention.tick()
