"""A client of the tests without a screen, in a process of its own: real HTTP, real disk, scripted player and checks.

Prints one JSON line whenever something is news. `--play-ms` ends the lesson after that much was shown; without it the
lesson goes on until somebody kills the process.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from client.events import Identified
from client.ports import UnitMedia
from client.profile import learners
from client.study import Lesson, Ports, Study
from client.sync.enrol import Enrolment, Profile, finish_sign_in, start_sign_in
from client.sync.logbook import Logbook, recover
from client.sync.opening import open_session
from client.sync.outbox import Outbox
from client.sync.records import Records
from client.sync.transport import HttpTransport
from client.sync.uploader import UploaderThread
from ledger import policy as policies
from tests.scripted import ScriptedAgent, ScriptedPlayer, ScriptedProctor, ScriptedWindow

TICK_S = 0.1


class Now:
    """The machine's own clock, as the scripted ports read it."""

    def mono(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall(self) -> int:
        return time.time_ns() // 1_000_000

    @property
    def now(self) -> int:
        return self.mono()


def say(**news: object) -> None:
    print(json.dumps(news), flush=True)


def code_of(log: Path, account: str, before: int) -> str:
    """The code that the development server printed after position `before` of its log."""
    for _ in range(2_400):  # two minutes: only a broken server takes so long
        found = re.findall(rf"development code for {account}: (\d{{6}})", log.read_text()[before:])
        if found:
            return str(found[-1])
        time.sleep(0.05)
    raise SystemExit("no code came")


def signed_in(options: argparse.Namespace, transport: HttpTransport) -> Enrolment:
    """The earlier sign-in of this data folder, or a new one with everything that comes before the first session."""
    own = options.trust.read_bytes()
    known = learners(options.data)
    if known:
        found = Enrolment.resumed(transport, Profile(options.data, known[0]), own_trust=own)
        assert found is not None
        return found
    before = options.codes.stat().st_size
    challenge, _ = start_sign_in(transport, options.account)
    who = finish_sign_in(transport, challenge, code_of(options.codes, options.account, before))
    enrolment = Enrolment.signed_in(transport, options.data, who, own_trust=own)
    registration = enrolment.me().registrations[0]
    outbox = Outbox(enrolment.profile.outbox)
    enrolment.identify(registration)
    for what in ("notice", "face"):
        enrolment.consent(outbox, registration, what, given=True, notice="须知".encode())
    enrolment.refer(registration, b"template")
    outbox.close()
    return enrolment


def no_question(*_asked: object) -> Identified:
    raise AssertionError("these policies ask for looks alone")


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("data", "trust", "codes"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("server", "account"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--play-ms", type=int, default=10**9)
    options = parser.parse_args()
    enrolment = signed_in(options, HttpTransport(options.server))
    outbox, profile = Outbox(enrolment.profile.outbox), enrolment.profile
    say(recovered=recover(outbox, profile.seal, Now().wall))
    registration = enrolment.me().registrations[0]
    policy = policies.parse(enrolment.document(registration.policy))
    course = enrolment.course(registration.course)
    records = Records(profile.outbox, registration.registration, course, policy)
    trusted, clock = enrolment.trust(registration), Now()
    uploader = UploaderThread(
        profile.outbox, lambda: HttpTransport(options.server), profile.seal, trust_of=lambda _origin: trusted
    )

    def opened(take_over: bool):
        mine = Outbox(profile.outbox)
        try:
            return open_session(enrolment, mine, registration, take_over=take_over)
        finally:
            mine.close()

    def credit():
        found = records.credit()
        return found, records.place(found)

    lesson = Lesson(
        policy=policy, course=course, face=True, about="scripted", agent="scripted",
        media={unit.id: UnitMedia(unit.id, unit.title.en, options.data, unit.duration_ms) for unit in course.units},
        open=opened, book=lambda granted: Logbook(outbox, granted.sid, granted.signer),
        consents=lambda: outbox.consents(registration.registration), credit=credit, identify=no_question,
        withdraw=lambda what: enrolment.withdraw(outbox, registration, what),
    )  # fmt: skip
    player, window = ScriptedPlayer(clock), ScriptedWindow()
    ports = Ports(clock, player, window, ScriptedProctor(clock), ScriptedAgent(clock), uploader)
    with ThreadPoolExecutor(1) as pool:
        study = Study(ports, lesson, pool.submit)
        study.press("play")
        run(study, options.play_ms)
    uploader.close()
    return 0


def run(study: Study, play_ms: int) -> None:
    """Tick until the session is done, telling what changes."""
    told: tuple[object, ...] = ()
    ended = False
    while True:
        study.tick()
        view, state = study.view(), study.state
        news = (view.phase, view.sentence.key, study.sid, state.cosigned)
        if news != told:
            told = news
            say(phase=view.phase, say=view.sentence.key, sid=study.sid, cosigned=state.cosigned, at=state.position_ms)
        if study.problem is not None:
            say(problem=study.problem.code, text=str(study.problem))
            study.press("play")
        if state.tally.studied_ms >= play_ms and not ended:
            ended = True
            study.press("end")
        if view.phase == "done":
            result = study.result()
            assert result is not None
            parts = [[part.from_ms, part.to_ms] for part in result.parts]
            say(credited_ms=result.credited_ms, all_ms=result.credited_all_ms, parts=parts, sent=result.sent)
            return
        time.sleep(TICK_S)


if __name__ == "__main__":
    sys.exit(main())
