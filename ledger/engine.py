"""Many archives at once: one after the other here, or each wherever Ray has a worker. The reports are the same.

Ray is an extra of its own (build/requirements/ray.txt); without it nothing here needs it. Its workers read the archives
by the same paths, so on several machines these lie on a shared disk. No report of Ray's own use is sent to anybody.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from ledger.archive import Source
from ledger.errors import LedgerError
from ledger.report import Report
from ledger.trust import Trust
from ledger.verify import Options, verify

Job = tuple[Source, Trust, Options]
Engine = Callable[[Mapping[str, Job]], dict[str, Report]]


class EngineError(LedgerError):
    """The engine that was asked for is not there."""

    code = "TS-L-078"
    remedy = "Install build/requirements/ray.txt into this environment, or verify without --engine ray."
    zh = "未安装 Ray。请安装 build/requirements/ray.txt 中的组件，或不使用 --engine ray。"


def local(jobs: Mapping[str, Job]) -> dict[str, Report]:
    """Verify one after the other in this process."""
    return {name: verify(*job) for name, job in jobs.items()}


def on_ray(jobs: Mapping[str, Job]) -> dict[str, Report]:
    """Verify each as a task of Ray: the cluster that RAY_ADDRESS names, or one of this machine's own.

    `EngineError` where Ray is not installed; a worker's `LedgerError` is raised here as it would be here.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # a verifier tells nobody what it does
    try:
        ray = import_module("ray")
    except ImportError as error:
        raise EngineError("Ray is not installed") from error
    begun = not ray.is_initialized()
    if begun:
        ray.init(include_dashboard=False, log_to_driver=False)
    try:
        task = ray.remote(verify)
        waiting = {name: task.remote(*job) for name, job in jobs.items()}
        return {name: ray.get(one) for name, one in waiting.items()}
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LedgerError):
            raise error.cause from error
        raise
    finally:
        if begun:
            ray.shutdown()


ENGINES: Final[Mapping[str, Engine]] = {"local": local, "ray": on_ray}
