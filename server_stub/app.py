"""The composition root: which store stands behind which port, which route behind which address."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute

from server_stub import web_guard, wiring
from server_stub.domain import supervision, wordlist
from server_stub.domain.clockwatch import ClockWatch
from server_stub.domain.errors import SetupError
from server_stub.domain.gather import Witnesses
from server_stub.domain.signin import Clock, CodeSender
from server_stub.fastlane import FastLane
from server_stub.published import REFUSALS
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
from server_stub.storage.forgetting import SqlForgetting
from server_stub.storage.province import HttpProvince
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
        kept = wiring.Stores(settings)
        self.keyring, self.people, self.registry = kept.keyring, kept.people, kept.registry
        self.records, self.packages = kept.records, kept.packages
        bring = sender or DevelopmentSender(settings)
        around = wiring.Surroundings(clock, bring, witnesses or HttpWitnesses(), *_waiting(clock))
        core = wiring.Core(
            settings, kept, around,
            lambda class_id: supervised.applications.last_day(class_id),  # noqa: PLW0108 - it is made below
        )  # fmt: skip
        outside, words = wiring.Outside(settings, kept, core), wordlist.load(settings.directory)
        supervised = supervision.wire(
            core.bench, outside.rules, core.settler, kept.logs, core.gatherer.gather,
            HttpProvince(outside.rules.province), core.eraser, SqlForgetting(kept.engine), kept.portraits, words,
        )  # fmt: skip
        self.class_maker = ClassMaker(self.people, self.records, kept.logs, self.keyring, self.packages)
        self.services = wiring.services(settings, kept, core, outside, supervised, words)
        self.gatherer, self.ingest = core.gatherer, self.services.ingest

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
        title="TrueSeat supervision server", version=wiring.release(), lifespan=lifespan, docs_url=None, redoc_url=None,
        responses=REFUSALS,
    )  # fmt: skip
    app.state.services, app.state.server = server.services, server
    app.state.on_ready = []  # called when the socket, bound already, is about to be answered
    app.router.routes.extend(_routes())
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "web" / "static"), name="static")
    web_guard.install(app)
    app.add_middleware(SafeHeaders)
    app.add_middleware(FastLane, services=server.services)
    return app


@functools.cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every route, put together once a process: they hold nothing of a server, and what FastAPI works out of their
    signatures at a first request (a third of a second) serves every later app as well."""
    together = APIRouter(responses=REFUSALS)
    for room in (accounts, learners, sessions, content, evidence, staff, log, pages, portrait_pages, people_pages,
                 live_pages, office_pages, supervision_pages, key_pages,
                 warning_pages, room_pages, me_pages, me_more_pages, ways):  # fmt: skip
        together.include_router(room.router)
    together.include_router(room_pages.hands)
    return tuple(together.routes)


async def _for_ever(sweep: Callable[[], int], every_s: float) -> None:
    while True:
        try:
            await asyncio.to_thread(sweep)
        except Exception:
            _log.exception("the sweep failed; it is tried again")
        await asyncio.sleep(every_s)
