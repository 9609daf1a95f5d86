"""The detectors' process as the machine sees it: quiet, small, and off the core that the player needs."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Final

import cv2

MAX_LOG: Final = 256 * 1024  # bytes; a longer log begins anew
# glibc's mallopt: M_ARENA_MAX (a heap for each of a dozen threads costs 25 MB), and M_MMAP_THRESHOLD (what a network
# held goes back to the system when it is let go).
HEAP: Final = ((-8, 1), (-3, 1 << 20))


def settle(log: Path | None) -> None:
    """Be a quiet neighbour: no Ctrl-C, the libraries' noise into `log` (0600) or nowhere, core 0 left to the player."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    target = _log(log) if log else os.open(os.devnull, os.O_WRONLY)
    sys.stderr.flush()
    os.dup2(target, 2)
    os.close(target)
    cv2.setNumThreads(1)
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt"):  # musl has none
        for option, value in HEAP:
            ctypes.CDLL(None).mallopt(option, value)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[1:])


def _log(path: Path) -> int:
    """Open the log to append to; one that grew long begins anew."""
    long = path.exists() and path.stat().st_size > MAX_LOG
    return os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if long else os.O_APPEND), 0o600)
