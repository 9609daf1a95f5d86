"""`python -m client profile list | delete`, `python -m client photos stop`: what a learner takes back on this machine.

Deleting a profile deletes what this machine knows of the learner: face template, keys, photos that were not sent,
records, sign-in. What the server and the class archive hold is not touched; the institution erases that on request.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from contextlib import closing

from client.config import Config
from client.errors import ClientError, LocalRecordsError
from client.profile import Profile, claim, disk, erase_file, erased, learners
from client.sync.enrol import Enrolment
from client.sync.outbox import Outbox
from client.sync.transport import HttpTransport
from ledger.program import typed


class UnsentProfileError(ClientError):
    """A profile holds records that the server does not have; deleting it would lose them."""

    code = "TS-C-080"
    remedy = "Open the client until everything is sent, or export the records first; --unsent deletes them as well."
    zh = "该学员还有尚未上传的记录。请先联网上传或导出；确要一并删除，请加 --unsent。"


class UnknownProfileError(ClientError):
    """Nobody of this name has a profile on this machine."""

    code = "TS-C-081"
    remedy = f"Look the name up with `{typed('client')} profile list`; --data names another data folder."
    zh = "本机没有该学员的资料。请用 profile list 查看，或用 --data 指定其他数据目录。"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], settings: argparse.ArgumentParser) -> None:
    """Add the commands."""
    profile = commands.add_parser("profile", help="the learners of this machine: list them, delete one")
    kinds = profile.add_subparsers(dest="what", required=True)
    kinds.add_parser("list", parents=[settings], help="who has a profile here, and what it holds")
    delete = kinds.add_parser("delete", parents=[settings], help="delete template, keys, photos and records of one")
    delete.add_argument("learner", help="as `profile list` shows it")
    delete.add_argument("--unsent", action="store_true", help="also if records or photos were not sent yet")
    photos = commands.add_parser("photos", help="take back the consent to sealed photos")
    photos.add_subparsers(dest="what", required=True).add_parser("stop", parents=[settings])


def run(settings: Config, options: argparse.Namespace) -> int:
    """Do what was asked for; close the client first."""
    if options.command == "photos":
        return stop_photos(settings)
    if options.what == "list":
        for learner in learners(settings.data):
            print(f"{learner}  {_holds(Profile(settings.data, learner))}")
        return 0
    if options.learner not in learners(settings.data):
        raise UnknownProfileError(f"no learner {options.learner[:40]!r} on this machine")
    delete_profile(Profile(settings.data, options.learner), unsent=options.unsent)
    print(f"{options.learner}: nothing is left on this machine")
    return 0


def delete_profile(profile: Profile, *, unsent: bool = False) -> None:
    """Overwrite and delete everything of one learner, keys first: without them the template cannot be read any more.

    `AlreadyRunningError` while a window is open, `UnsentProfileError` when something was not sent, or nobody can tell
    (`unsent` deletes it all the same). A crash in between leaves a folder without keys; the next call goes on.
    """
    claim(profile.outbox)
    if not unsent:
        waiting = _waiting(profile)
        if waiting != (0, 0):
            raise UnsentProfileError(f"{waiting[0]} records and {waiting[1]} bytes of photos were not sent yet")
    for folder in (profile.folder / "secrets", profile.folder):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                erase_file(path)
    with disk(str(profile.folder)):
        shutil.rmtree(profile.folder)


def _waiting(profile: Profile) -> tuple[int, int]:
    """Records that are not cosigned, bytes of photos that were not sent; `UnsentProfileError` where nobody knows."""
    if erased(profile.outbox):
        return 0, 0
    try:
        with closing(Outbox(profile.outbox)) as outbox:
            return sum(kept.size - kept.cosigned for kept in outbox.sessions()), outbox.photos_waiting()
    except LocalRecordsError as error:
        raise UnsentProfileError(f"what was not sent cannot be told: {error}") from error


def _holds(profile: Profile) -> str:
    face = "a face template, encrypted" if any(profile.folder.glob("template-*")) else "no face template"
    try:
        waiting = _waiting(profile)
    except UnsentProfileError as error:
        return f"{face}; {error}"
    return f"{face}; {waiting[0]} records and {waiting[1]} bytes of photos not sent"


def stop_photos(settings: Config) -> int:
    """Withdraw the consent to photos for every registration of every learner who is signed in on this machine.

    Signed and kept at once, sent now or before the next session; photos that were not sent are deleted here. (In a
    lesson the button below the notice of a photo does the same.)
    """
    found = 0
    for learner in learners(settings.data):
        profile = Profile(settings.data, learner)
        enrolment = Enrolment.resumed(HttpTransport.of(settings), profile)
        if enrolment is None:
            print(f"{learner}: not signed in; sign in and try again", file=sys.stderr)
            continue
        outbox = Outbox(profile.outbox)
        try:
            for registration in enrolment.me().registrations:
                enrolment.withdraw(outbox, registration, "photos")
                found += 1
        finally:
            outbox.close()
    print(f"{time.strftime('%Y-%m-%d %H:%M')}: no photo is taken from the next session on ({found} registrations)")
    return 0 if found else 1
