"""`python -m client update`: the next version, fetched beside the one in use, examined, and then pointed to.

Never during a lesson, never without the next version having passed `doctor` at least as well as the present one; the
present one is kept. What goes wrong leaves everything as it is, and a begun download goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from client import profile, release
from client.config import Config
from client.errors import AlreadyRunningError
from client.profile import Profile, held, learners
from client.release import BadReleaseError, File, Pointer, Release
from client.versions import Versions

EXAMINED_S: Final = 180.0  # a doctor that takes longer is ill itself
CLOSING_S: Final = 30.0  # how long a window that was just closed may take to end

State = Literal["current", "later", "studying", "refused", "updated"]
Examined = Mapping[str, str]  # what a version's doctor looked at → the level it found
Examine = Callable[[Path], Examined]


class Repository(Protocol):
    """What the update needs of `client.sync.updates.Repository`."""

    def pointer(self, ring: str, platform: str) -> Pointer: ...

    def manifest(self, version: str, platform: str) -> Release: ...

    def fetch(self, file: File) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try: the state, the version that it is about, bytes fetched, and one sentence."""

    state: State
    version: str
    fetched: int
    why: str

    def __str__(self) -> str:
        return f"{self.state}: {self.version}: {self.why} ({self.fetched} bytes fetched)"


@dataclass(frozen=True, slots=True)
class Updating:
    """One installation and what it asks. `examine` names what is wrong with a program, `studying` tells whether a
    lesson is open on this computer."""

    versions: Versions
    repository: Repository
    ring: str
    examine: Examine
    studying: Callable[[], bool]

    def run(self) -> Outcome:
        """Bring the installation to where its ring is, or say why not; a `ClientError` where the offer is no good.

        One at a time: a second one would refuse, and clear away, what the first has just pointed to.
        """
        alone = self.versions.root / "update"
        try:
            profile.claim(alone)
        except AlreadyRunningError:
            return Outcome("later", self.versions.current() or "", 0, "another update is at work here")
        try:
            return self._run()
        finally:
            profile.release(alone)

    def _run(self) -> Outcome:
        present = self.versions.current()
        if present is None:
            raise BadReleaseError(f"{self.versions.root} has no current version")
        pointer = self.repository.pointer(self.ring, here())
        wanted = pointer.version
        if release.order(wanted) <= release.order(present):
            return Outcome("current", present, 0, "nothing newer is offered")
        if wanted in self.versions.refused():
            return Outcome("refused", wanted, 0, "it did not pass its examination on this computer")
        if self.versions.bucket() >= pointer.permille:
            return Outcome("later", wanted, 0, f"given to {pointer.permille} of 1000 computers so far")
        return self._build(self.repository.manifest(wanted, here()), present)

    def _build(self, wanted: Release, present: str) -> Outcome:
        fetched = 0
        for file in self.versions.missing(wanted):
            if self.studying():
                return Outcome("studying", wanted.version, fetched, "a lesson is open; it goes on afterwards")
            self.versions.put(wanted, file, self.repository.fetch(file))
            fetched += file.packed
        self.versions.complete(wanted)
        folder = self.versions.folder
        worse = worsened(self.examine(folder(wanted.version)), self.examine(folder(present)))
        if worse:
            self.versions.refuse(wanted.version)
            return Outcome("refused", wanted.version, fetched, f"it fails here: {', '.join(sorted(worse))}")
        if self.studying():
            return Outcome("studying", wanted.version, fetched, "a lesson is open; it goes on afterwards")
        self.versions.point_to(wanted.version)
        self.versions.tidy()
        return Outcome("updated", wanted.version, fetched, f"from {present}; used from the next start")


def here() -> str:
    """This platform's name in a repository."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{system}-{machine}"


def lesson_open(data: Path) -> bool:
    """Tell whether any learner of this computer has a window open."""
    return any(held(Profile(data, learner).outbox) for learner in learners(data))


def examined(folder: Path, data: Path) -> Examined:
    """What the doctor of the version in `folder` found; the doctor itself fails if it does not answer."""
    program = folder / ("trueseat.exe" if sys.platform == "win32" else "trueseat")
    try:
        done = subprocess.run(
            [program, "doctor", "--json", "--data", data], check=False, capture_output=True, timeout=EXAMINED_S
        )
        return {str(item["what"]): str(item["level"]) for item in json.loads(done.stdout)["checks"]}
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return {"doctor": "fail"}


def worsened(wanted: Examined, present: Examined) -> frozenset[str]:
    """What fails in the wanted version and did not in the present one. What only the wanted one looks at says something
    about this computer and nothing about the version."""
    known = {"doctor": "ok", **present}
    return frozenset(what for what, level in wanted.items() if level == "fail" and known.get(what, "fail") != "fail")


def begin(config: Config) -> None:
    """After the window was closed: let another process look for an update, where this installation keeps itself."""
    if config.updates and Versions.of_this_program() is not None:
        apart = {"creationflags": 0x00000008} if sys.platform == "win32" else {"start_new_session": True}
        subprocess.Popen(
            [sys.executable, "update", "apply", "--after", "--data", config.data],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **apart,
        )  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], settings: argparse.ArgumentParser) -> None:
    """Add the command."""
    update = commands.add_parser("update", parents=[settings], help="look for the next version, or install it")
    update.add_argument("what", choices=["look", "apply"])
    update.add_argument("--after", action="store_true", help="wait for a window that is just being closed")


def run(settings: Config, options: argparse.Namespace) -> int:
    """Exit 0 when nothing is left to do now, 1 when something was refused."""
    from client.sync.updates import NoUpdateSourceError
    from client.sync.updates import Repository as Tuf

    versions = Versions.of_this_program()
    if versions is None:
        raise NoUpdateSourceError("this program is not an installation that updates itself")
    repository = Tuf.configured(settings, versions.root / "repository")
    if options.what == "look":
        pointer = repository.pointer(settings.ring, here())
        print(f"in use {versions.current()}, ring {settings.ring} is at {pointer.version}")
        return 0
    ends = time.monotonic() + (CLOSING_S if options.after else 0)
    while lesson_open(settings.data) and time.monotonic() < ends:
        time.sleep(1)
    updating = Updating(
        versions, repository, settings.ring,
        lambda folder: examined(folder, settings.data), lambda: lesson_open(settings.data),
    )  # fmt: skip
    outcome = updating.run()
    _note(versions, str(outcome))
    print(outcome)
    return 1 if outcome.state == "refused" else 0


def _note(versions: Versions, line: str) -> None:
    """Keep the last outcome for whoever looks after this computer."""
    (versions.root / "last-update").write_text(line + "\n", encoding="utf-8")
