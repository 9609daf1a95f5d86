"""`python -m client`: the lesson window, and what needs no display: --version, doctor, config show, models."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from client import config
from client.about import VERSION
from client.errors import ClientError
from client.fit import ENGINES, LOADS
from client.printed import printed
from ledger.program import typed


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when all went well, 1 when something was refused, 2 for a wrong command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["models"]:
        from client.sync import models

        return _told(lambda: models.main(given[1:]))
    if given[:1] == ["course"]:
        return int(importlib.import_module("client.player.review.command").main(given[1:]))
    if given[:1] == ["demo"]:
        from client import demo

        return _told(lambda: demo.main(given[1:]))
    options = _parser().parse_args(given)
    return _told(lambda: _do(options))


def _told(command: object) -> int:
    """Run a command; a refusal is one sentence with its remedy, never a traceback."""
    assert callable(command)
    try:
        return int(command())
    except ClientError as error:
        print(printed(f"{error.code}: {error}\n{error.remedy}\n{error.zh}"), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=typed("client"), description="The lesson window, and what needs no display.")
    parser.add_argument("--version", action="version", version=f"trueseat {VERSION}")
    settings = argparse.ArgumentParser(add_help=False)
    settings.add_argument("--data", help="the data folder of this client")
    settings.add_argument("--server", help="address of the supervision server")
    settings.add_argument("--trust", help="this client's own trust file")
    settings.add_argument("--authority", help="vkeys that vouch for reviewers and supervisors, spaces between")
    settings.add_argument("--language", choices=config.LANGUAGES)
    settings.add_argument("--camera", help="the camera's number")
    settings.add_argument("--models", help="the folder of the models")
    settings.add_argument("--engine", choices=ENGINES, help="what reads faces (auto: what suits this machine)")
    settings.add_argument("--load", choices=LOADS, help="low: for an old computer (auto: what suits this machine)")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", parents=[settings], help="open the lesson window (what no command does, too)")
    doctor = commands.add_parser("doctor", parents=[settings], help="say what works here and what to do about the rest")
    doctor.add_argument("--json", action="store_true", help="one line of JSON")
    doctor.add_argument("--no-camera", action="store_true", help="open no camera")
    doctor.add_argument("--bundle", type=Path, metavar="OUT.zip", help="also what support needs, no personal data")
    doctor.add_argument("--window", action="store_true", help="show it in a window")
    commands.add_parser("text", parents=[settings], help="the same lessons on the terminal, for screen readers too")
    shown = commands.add_parser("config", parents=[settings], help="the settings in force")
    shown.add_argument("what", choices=["show"])
    shown.add_argument("--sources", action="store_true", help="where each of them comes from")
    commands.add_parser("models", help="fetch | verify | list the models")
    commands.add_parser("course", help="lint | fingerprint: a course package as a reviewer looks at it")
    commands.add_parser("demo", help="the demonstration lesson, studied by itself until somebody takes over")
    commands.add_parser("notice", parents=[settings], help="the text that a learner's consent names")
    from client import farewell, keeping, sending, updating  # not at the top: the detectors' process imports this, too

    keeping.add(commands, settings)
    farewell.add(commands, settings)
    sending.add(commands, settings)
    updating.add(commands, settings)
    return parser


def _do(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name, None) for name in config.NAMES}
    if options.command == "config" and options.sources:
        print(printed("\n".join(config.explain(config.places(given)))))
        return 0
    settings = config.load(given)
    match options.command:
        case "config":
            print(printed(str(settings)))
            return 0
        case "notice":
            from client.notice import text_of

            sys.stdout.buffer.write(text_of(settings.language))
            return 0
        case "export":
            from client import keeping

            return keeping.run(settings, options.out, claims=options.claims)
        case "sync":
            from client import sending

            return sending.run(settings, ahead=options.ahead)
        case "profile" | "photos":
            from client import farewell

            return farewell.run(settings, options)
        case "update":
            from client import updating

            return updating.run(settings, options)
        case "doctor":
            from client import doctor

            if options.window:
                return int(importlib.import_module("client.doctor.window").run(settings))
            return doctor.main(settings, as_json=options.json, bundle=options.bundle, camera=not options.no_camera)
        case "text":
            return int(importlib.import_module("client.app").run_text(settings))
        case _:
            app = importlib.import_module("client.app")  # kivy opens here and nowhere before
            return int(app.run(settings))


if __name__ == "__main__":
    sys.exit(main())
