"""`python -m server_stub init | serve | populate | export | …`: one supervision server in one data directory."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

from ledger.errors import LedgerError
from ledger.policy import parse as parse_policy
from server_stub import activation, evidence, follow, letter, setup, signing, staff, upkeep, watchers, witness
from server_stub.app import Server, create_app, wall_ms
from server_stub.conformance import command as conformance
from server_stub.domain.errors import ServerError, SetupError
from server_stub.patience import MAX_CONNECTIONS, Patient
from server_stub.settings import Settings, load, write_private
from server_stub.storage.keyfiles import parse_witnesses

PORT = 8799  # where a client looks when it is told nothing else


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it did what it says, 2 with one sentence otherwise."""
    os.umask(0o077)  # what the server writes is nobody else's
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ServerError, LedgerError) as error:
        print(f"{error.code}: {error}\n{error.remedy}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{SetupError.code}: {error}\n{SetupError.remedy}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server_stub", description=__doc__)
    commands = parser.add_subparsers(required=True)
    init = commands.add_parser("init", help="make a data directory with keys, an administrator and one class")
    init.set_defaults(run=_init)
    init.add_argument("directory", type=Path)
    init.add_argument("--server-name", required=True, help="the name for life, e.g. demo.trueseat.example")
    init.add_argument("--course", type=Path, required=True, help="a course package (folder with course.toml)")
    for document in ("policy", "rules", "models", "client"):
        init.add_argument(f"--{document}", type=Path, help=f"the {document} file that is in force")
    init.add_argument("--notice", type=Path, action="append", default=[], help="a text that learners consent to")
    init.add_argument("--witnesses", type=Path, help="who watches the class logs (docs/witnesses.md)")
    init.add_argument("--model-files", type=Path, help="a folder of model files to serve at /models/<sha256>")
    init.add_argument("--class", dest="class_id", default="class-1")
    init.add_argument("--title", default="")
    init.add_argument("--reviewer", type=Path, help="development: a new key file for whoever may open photos")
    init.add_argument("--learner", action="append", default=[], metavar="ACCOUNT:NAME")
    serve = commands.add_parser("serve", help="answer on HTTP")
    serve.set_defaults(run=_serve)
    serve.add_argument("directory", type=Path)
    serve.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--proxy", metavar="ADDRESS", help="the TLS proxy in front: it is believed on who asks, and how")
    serve.add_argument("--ready-file", type=Path, help="written with the URL once the server answers")
    populate = commands.add_parser("populate", help="make example learners")
    populate.set_defaults(run=_populate)
    populate.add_argument("directory", type=Path)
    export = commands.add_parser("export", help="write a class archive")
    export.set_defaults(run=_export)
    export.add_argument("directory", type=Path)
    export.add_argument("class_id")
    export.add_argument("out", type=Path)
    export.add_argument("--zip", action="store_true", dest="zipped")
    export.add_argument("--masked", action="store_true", help="leave out who the people are")
    export.add_argument("--learner", help="only this learner's sessions: a copy for verify --partial")
    witness.add_commands(commands)
    letter.add_commands(commands)
    watchers.add_commands(commands)
    signing.add(commands)
    staff.add(commands)
    upkeep.add(commands)
    evidence.add(commands)
    activation.add(commands)
    conformance.add(commands)
    follow.add(commands)
    return parser


def _init(options: argparse.Namespace) -> None:
    settings = Settings(options.directory.absolute(), options.server_name)
    plan = setup.ClassPlan(
        class_id=options.class_id,
        title=options.title or options.class_id,
        course=options.course,
        policy=_read(options.policy) or setup.default_policy(),
        rules=_read(options.rules) or setup.NO_RULES,
        models=_read(options.models) or setup.NO_MODELS,
        client=_read(options.client),
        notices=tuple(_read(path) or b"" for path in options.notice),
        learners=tuple((name, person or name) for name, _, person in (text.partition(":") for text in options.learner)),
    )
    setup.check(plan)
    witnesses = _read(options.witnesses)
    if witnesses is not None:
        parse_witnesses(witnesses)
    if options.model_files and not options.model_files.is_dir():
        raise SetupError(f"{options.model_files} is no folder")
    setup.make_directory(settings)
    setup.make_class_key(settings, plan.class_id)
    if witnesses is not None:
        write_private(settings.witnesses, witnesses)
    server = Server(settings)
    try:
        server.class_maker.make(plan, wall_ms)
        if options.reviewer:
            evidence.make_reviewer(server, plan.class_id, options.reviewer)
        if options.model_files:
            server.packages.install_models(options.model_files)
        password = setup.add_administrator(server.people)
        trust = settings.trust_file(plan.class_id, first=True)
        write_private(trust, server.services.enrolment.trust(plan.class_id).encode())
        trust.chmod(0o644)  # who may sign is for everybody
        _say(settings, plan, server, trust, password)
    finally:
        server.close()


def _say(settings: Settings, plan: setup.ClassPlan, server: Server, trust: Path, password: str) -> None:
    policy = parse_policy(plan.policy)
    print(f"Server      {settings.server} (in {settings.directory})")
    print(f"Class       {plan.class_id}: {plan.title}; policy {policy.id}, serial {policy.serial}")
    print(f"Trust file  {trust}")
    print(f"Log key     {server.keyring.log(plan.class_id).vkey}  (for witnesses)")
    if server.keyring.authority:
        print(f"Authority   {server.keyring.authority.vkey}  (development; for verify --authority)")
    print(f"Staff       account admin, password {password}  (printed once)")
    print(f"Start       python -m server_stub serve {settings.directory}")
    print(f"Connect     python -m client --server http://127.0.0.1:{PORT} --trust {trust}")


def _serve(options: argparse.Namespace) -> None:
    import uvicorn

    app = create_app(load(options.directory.absolute()))
    config = uvicorn.Config(
        app, host=options.host, port=options.port, log_level="warning", access_log=False,
        proxy_headers=bool(options.proxy), forwarded_allow_ips=options.proxy,
        server_header=False, timeout_graceful_shutdown=5,  # a live page never hangs up by itself
        http=Patient, limit_concurrency=MAX_CONNECTIONS,
    )  # fmt: skip
    socket = config.bind_socket()
    socket.listen(config.backlog)  # who comes before the first answer waits for it
    gc.set_threshold(50_000, 20, 50)  # what open sessions hold is long-lived: looked through seldom
    url = f"http://{options.host}:{socket.getsockname()[1]}"
    print(f"Answering at {url}", flush=True)
    if options.ready_file:
        app.state.on_ready.append(lambda: _write_ready(options.ready_file, url))
    uvicorn.Server(config).run([socket])


def _write_ready(path: Path, url: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(url + "\n", encoding="utf-8")
    os.replace(part, path)


def _populate(options: argparse.Namespace) -> None:
    server = Server(load(options.directory.absolute()))
    try:
        for line in setup.populate(server.people):
            print(line)
    finally:
        server.close()


def _export(options: argparse.Namespace) -> None:
    server = Server(load(options.directory.absolute()))
    try:
        server.services.exporter.write(
            options.class_id, options.out, masked=options.masked, zipped=options.zipped, learner=options.learner
        )
    finally:
        server.close()
    print(options.out)


def _read(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path else None
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
