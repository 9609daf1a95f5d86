"""What a helper far away needs to see of this machine, without a word about who sits at it.

Only what is on a list of ours goes in: levels, numbers, versions, codes of our errors. No log line, no path, no name of
a person, a computer, a camera or a network is copied: there is nothing to forget to black out.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from client.about import VERSION
from client.config import Config
from client.doctor.found import Found
from client.errors import DiskError
from client.profile import Profile, learners

MAX_LOG: Final = 4 << 20  # bytes of one log that are read
_CODE: Final = re.compile(r"TS-[A-Z]-[0-9]{3}")
_ERROR: Final = re.compile(r"\b(?:[A-Z][a-z]+){1,4}Error\b")
# Settings whose value is one of a few words of ours; of all others only whether they are set.
OPEN: Final = ("language", "engine", "load", "ring")
PACKAGES: Final = ("av", "cryptography", "kivy", "mediapipe", "numpy", "psutil", "requests", "yara-x")
_EPOCH: Final = (2026, 1, 1, 0, 0, 0)
README: Final = """What is in here: how this machine is, by numbers and fixed words. What is not: names, accounts,
addresses, paths, pictures, study records, lines of logs. Read it before you send it; it is plain text.
这里只有本机状况的数字与固定用语，没有姓名、账号、地址、路径、照片、学习记录或日志原文。发送前可自行查看。
"""


def write(out: Path, config: Config, found: list[Found]) -> None:
    """Write the .zip, for its owner alone to read; `DiskError` when it cannot be written."""
    parts = {
        "doctor.json": [item.plain() for item in found],
        "system.json": system(),
        "settings.json": settings(config),
        "records.json": records(config.data),
        "errors.json": errors(config.data),
    }
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(zipfile.ZipInfo("README.txt", _EPOCH), README)
            for name, told in parts.items():
                packed.writestr(zipfile.ZipInfo(name, _EPOCH), json.dumps(told, indent=1) + "\n")
    except OSError as error:
        raise DiskError(f"the support bundle: {error.strerror}") from error


def system() -> Mapping[str, Any]:
    """Versions; nothing that tells this computer from others of its kind."""
    return {
        "trueseat": VERSION,
        "frozen": bool(getattr(sys, "frozen", False)),
        "python": platform.python_version(),
        "system": platform.system(),
        "release": ".".join(re.findall(r"[0-9]+", platform.release())[:3]),
        "machine": platform.machine(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def settings(config: Config) -> Mapping[str, Any]:
    """Which settings are there, and the value of those that can only be a word of ours."""
    return {name: text if name in OPEN else bool(text) for name, text in config.shown()}


def records(data: Path) -> Mapping[str, Any]:
    """How many learners, and how much is kept for them; none of it is opened."""
    found = learners(data)
    sizes = []
    for learner in found:
        outbox = Profile(data, learner).outbox
        sizes.append(outbox.stat().st_size if outbox.is_file() else 0)
    return {"learners": len(found), "outbox_bytes": sorted(sizes)}


def errors(data: Path) -> Mapping[str, Any]:
    """How often which of our codes, and which kinds of error, stand in the logs."""
    codes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for text in _logs(data):
        codes.update(_CODE.findall(text))
        kinds.update(name for name in _ERROR.findall(text) if name in _KNOWN)
    return {"codes": dict(sorted(codes.items())), "kinds": dict(sorted(kinds.items()))}


def _logs(data: Path) -> Iterator[str]:
    for path in sorted(data.glob("*.log")):
        try:
            with path.open("rb") as file:
                yield file.read(MAX_LOG).decode("utf-8", "replace")
        except OSError:
            continue


def _names(kind: type[BaseException]) -> Iterator[str]:
    """A kind of error and all below it that are loaded: a word that merely looks like one may be somebody's name."""
    yield kind.__name__
    for below in kind.__subclasses__():
        yield from _names(below)


_KNOWN: Final = frozenset(_names(Exception))
