"""A program that dies between two steps on the file system: what it was doing must be found, and finished, later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

STEPS = tuple((os, name) for name in ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync", "symlink"))


class Died(BaseException):
    """Nothing of the program's runs any more; what still runs here changes nothing."""


class Life:
    """How far it came."""

    whole = False  # whether it came to its end


@contextmanager
def dies_at(step: int, *also: tuple[Any, str]) -> Iterator[Life]:
    """Let what runs inside die before its `step`-th change on the disk (0: before the first), or come to its end.

    `also`: more functions, by owner and name, of which every call is such a step.
    """
    life, done = Life(), 0

    def counted(function: Any) -> Any:
        def called(*args: Any, **named: Any) -> Any:
            nonlocal done
            if done >= step:
                raise Died
            done += 1
            return function(*args, **named)

        return called

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (*STEPS, *also):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        try:
            yield life
            life.whole = True
        except Died:
            pass
