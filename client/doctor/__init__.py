"""What works on this machine and what to do about the rest: `python -m client doctor`, its screen, its support bundle.

Nothing is changed, and nothing sent but one `health`. The camera is opened for one picture, which nobody keeps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from client.config import Config
from client.doctor import computer, eyes, guards, nets
from client.doctor.found import Found, worst
from client.printed import printed

__all__ = ["Found", "examine", "main", "worst"]


def main(config: Config, *, as_json: bool = False, bundle: Path | None = None, camera: bool = True) -> int:
    """Print what was found in the language of the settings, or as JSON; exit 1 if studying does not work like this."""
    found: list[Found] = []
    for item in examine(config, camera=camera):
        found.append(item)
        if not as_json:
            print(_line(item, config.language), flush=True)
    if as_json:
        told = {"name": "doctor", "level": worst(found), "checks": [item.to_json() for item in found]}
        print(printed(json.dumps(told, ensure_ascii=False)))
    if bundle is not None:
        from client.doctor.bundle import write

        write(bundle, config, found)
        if not as_json:
            print(bundle)
    return 1 if worst(found) == "fail" else 0


def examine(config: Config, *, camera: bool = True, live: bool = True) -> Iterator[Found]:
    """Look at everything, what is quick first. `camera` False opens none; `live` False starts no agent, too."""
    for check in (computer.python, computer.libraries, computer.machine, computer.disk, computer.permissions):
        yield check(config)
    for check in (computer.display, computer.foreground, computer.models):
        yield check(config)
    yield guards.files()
    yield from nets.look(config)
    if live:
        yield guards.agent()
    yield from eyes.look(config) if camera else eyes.listed(config)


def _line(item: Found, language: str) -> str:
    colon = "：" if language == "zh" else ": "
    first = f"{item.level:5} {item.name(language)}{colon}{item.says(language)}"
    remedy = item.remedy(language)
    return printed(f"{first}\n      {remedy}" if remedy else first)
