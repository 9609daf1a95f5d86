"""`python -m client sync [--ahead]`: send what every learner of this computer has not sent, without a window.

Says for each how their records stand, in words. `--ahead` also downloads the courses of those who are signed in here,
so that they can be studied where there is no network; a download that broke off goes on where it was.
"""

from __future__ import annotations

import argparse
import time

from client.config import Config
from client.errors import ClientError
from client.player import i18n
from client.printed import printed
from client.profile import Profile, learners, release
from client.sync.carry import carry
from client.sync.enrol import Enrolment
from client.sync.standing import sentences
from client.sync.transport import HttpTransport


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], settings: argparse.ArgumentParser) -> None:
    """Add the command."""
    sync = commands.add_parser("sync", parents=[settings], help="send the records that wait, of everybody here")
    sync.add_argument("--ahead", action="store_true", help="also download the courses, to be studied offline")


def run(settings: Config, *, ahead: bool) -> int:
    """0 when everything is with the server, 1 when something still waits or a course is not here."""
    failed = False
    for learner in learners(settings.data):
        profile = Profile(settings.data, learner)
        transport = HttpTransport.of(settings)
        try:
            failed |= _send(profile, transport, settings.language)
            if ahead:
                failed |= _fetch(profile, transport)
        except ClientError as error:
            print(f"{learner[:8]}…  {error.code} {error.zh if settings.language == 'zh' else error.remedy}")
            failed = True
        finally:
            transport.close()
            release(profile.outbox)
    return int(failed)


def _send(profile: Profile, transport: HttpTransport, language: str) -> bool:
    found = carry(profile, transport, wall_ms, lambda: False)
    said = " ".join(i18n.say(language, sentence) for sentence in sentences(found, wall_ms()))
    print(printed(f"{profile.learner[:8]}…  {said}"))
    return found.waits


def _fetch(profile: Profile, transport: HttpTransport) -> bool:
    enrolment = Enrolment.resumed(transport, profile)
    if enrolment is None:
        print(f"{profile.learner[:8]}…  not signed in: no course was fetched")
        return True
    for registration in enrolment.me().registrations:
        enrolment.document(registration.policy)
        folder = enrolment.fetch_course(registration.course)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(printed(f"{profile.learner[:8]}…  {registration.title}: {size / 1e6:.1f} MB are here"))
    return False


def wall_ms() -> int:
    """Ms since the epoch."""
    return time.time_ns() // 1_000_000
