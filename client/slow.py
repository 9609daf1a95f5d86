"""Work that takes its time beside the screen: begun here, its result taken on the screen's own tick."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from client.errors import ClientError

Work = Callable[[Callable[[], Any]], "Future[Any]"]


class Slow:
    """What is on its way, and who takes it when it is there. `work` runs a job somewhere else (a test: at once)."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._jobs: list[tuple[Future[Any], Callable[[Any], None], Callable[[ClientError], None]]] = []

    def __bool__(self) -> bool:
        """Whether something is on its way."""
        return bool(self._jobs)

    def begin(
        self, job: Callable[[], Any], done: Callable[[Any], None], refused: Callable[[ClientError], None]
    ) -> None:
        """Run `job`; its result goes to `done`, an error of ours to `refused`, both from within `finish`."""
        self._jobs.append((self._work(job), done, refused))

    def finish(self) -> None:
        """Hand over everything that is ready; an error that is not ours is a fault of the program and leaves here."""
        ready = [job for job in self._jobs if job[0].done()]
        self._jobs = [job for job in self._jobs if not job[0].done()]
        for future, done, refused in ready:
            try:
                found = future.result()
            except ClientError as error:
                refused(error)
            else:
                done(found)
