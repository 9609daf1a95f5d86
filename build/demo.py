"""`make demo`: the main job end to end on this machine, and what it proves. See README.md.

Server, client, agent and verifier run as the programs that they are; this script only starts them one after another,
gives them a screen where there is none, and prints what came out. Everything it makes stays in demo-data/.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import demo_evidence
import demo_witnesses

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TRUESEAT_DEMO_DATA") or ROOT / "demo-data")
SERVER = DATA / "server"
ARCHIVE = DATA / "archive"
TRUST = DATA / "class.trust"
CLASS = "demo"
NAME = "demo.trueseat.example"
ACCOUNT = "13800000000"
PATIENCE_S = 1200  # the lesson has 60 s; a machine that needs twenty times that has stopped


def main() -> int:
    """Run the demo (or tamper with its archive) and return the exit code."""
    args = _arguments()
    if not (args.tamper and ARCHIVE.is_dir()):
        run(args)
    if args.tamper:
        return tamper()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--headless", action="store_true", help="bring a virtual display even if there is a real one")
    parser.add_argument("--route", choices=("face", "code"), default="face", help="code: a learner who shows no face")
    parser.add_argument("--engine", choices=("auto", "mediapipe", "dnn"), default="auto", help="what reads faces")
    parser.add_argument("--witnesses", type=int, default=0, metavar="N", help="N witnesses, the last one external")
    parser.add_argument("--client", type=Path, metavar="PROGRAM", help="a frozen client (`make freeze`)")
    parser.add_argument("--tamper", action="store_true", help="change one byte in a copy and verify that")
    return parser.parse_args()


# --- the main job -----------------------------------------------------------------------------------------------------


def run(args: argparse.Namespace) -> None:
    """Serve, study by `route` with `engine`, export, verify; with `witnesses` programs watching the class log."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(mode=0o700)
    say("1  a class of its own: keys, policy, course, one learner")
    watching = demo_witnesses.make(DATA, args.witnesses) if args.witnesses else None
    _init(["--witnesses", watching.policy] if watching else [])
    started = time.monotonic()
    with watching or contextlib.nullcontext(), _server() as url, _screen(args.headless) as screen:
        if watching:
            say(f"   {watching.said}")
        say(f"2  the server listens on {url}; the client starts on {screen['SHOWN']}")
        _study(url, screen, args)
        looked = demo_evidence.look(DATA, CLASS) if args.route == "face" else ""
        say("3  the class archive is exported")
        _python("server_stub", "export", SERVER, CLASS, ARCHIVE, quiet=True)
        if watching:
            watching.keep(f"{NAME}/c/{CLASS}")
    say("4  anyone verifies it, offline, with the trust file alone\n")
    code = _verify(ARCHIVE, watching)
    took = time.monotonic() - started
    if looked:
        print(f"\n{looked}")
    print(f"\nFrom server start to report: {took:.0f} s (set-up not counted).")
    fresh = f" --witnessed demo-data/{watching.kept.name}" if watching else ""
    print(
        f"Again at any time:   .venv/bin/python -m ledger verify demo-data/archive --trust demo-data/class.trust{fresh}"
    )
    print("One byte changed:    make demo TAMPER=1")
    if code:
        sys.exit(f"the archive did not verify (exit {code})")


def _init(more: list[object], course: Path = ROOT / "client" / "player" / "demo_course") -> None:
    rules = DATA / "rules.json"
    rules.write_bytes(_output("agent", "rules", "pack"))
    notices = []
    for language in ("zh", "en"):
        notice = DATA / f"notice.{language}.txt"
        notice.write_bytes(_output("client", "notice", "--language", language, "--data", DATA / "client"))
        notices += ["--notice", notice]
    out = _output(
        "server_stub", "init", SERVER, "--server-name", NAME, "--course", course,
        "--policy", ROOT / "ledger" / "presets" / "demo.toml", "--rules", rules,
        "--models", ROOT / "client" / "proctor" / "models.toml", "--class", CLASS,
        "--title", "消防安全入门 · Fire safety", "--learner", f"{ACCOUNT}:演示学员",
        "--reviewer", DATA / "reviewer" / "key", *notices, *more,
    )  # fmt: skip
    private(DATA / "server-init.txt", out)  # the administrator's first password stands in it
    shutil.copy(SERVER / "class.trust", TRUST)


@contextlib.contextmanager
def _server() -> Iterator[str]:
    ready = DATA / "server.url"
    log = os.open(DATA / "server.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)  # it shows the code
    command = [sys.executable, "-m", "server_stub", "serve", str(SERVER), "--port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    os.close(log)
    try:
        wait_for(lambda: ready.exists() and ready.read_text().strip(), process, "the server", DATA / "server.log")
        yield ready.read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


@contextlib.contextmanager
def _screen(headless: bool) -> Iterator[dict[str, str]]:
    """The display that the client is shown on: the one there is, or Xvfb with a window manager of our own."""
    if not headless and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        yield {**os.environ, "SHOWN": "your screen; touch it to take over"}
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    manager = None
    try:
        with os.fdopen(read) as pipe:
            display = ":" + pipe.readline().strip()
        if display == ":":
            sys.exit("Xvfb did not start: no virtual display (is another one in the way of /tmp/.X11-unix?)")
        env = {**os.environ, "DISPLAY": display, "SHOWN": f"a virtual display ({display})", "HEADLESS": "1"}
        env.pop("WAYLAND_DISPLAY", None)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        manager = subprocess.Popen(["openbox"], env=env, **quiet)  # type: ignore[call-overload]
        yield env
    finally:
        for process in (manager, server):
            if process is not None:
                process.terminate()
                process.wait(120)


def _study(url: str, screen: dict[str, str], args: argparse.Namespace) -> None:
    headless = "HEADLESS" in screen
    env = {k: v for k, v in screen.items() if k not in ("SHOWN", "HEADLESS")}
    program = [str(args.client.absolute())] if args.client else [sys.executable, "-m", "client"]
    command = [
        *program, "demo", "--server", url, "--data", str(DATA / "client"), "--trust", str(TRUST),
        "--account", ACCOUNT, "--codes", str(DATA / "server.log"), "--pictures", str(DATA / "screens"),
        "--route", args.route, "--engine", args.engine,
        *([] if headless else ["--ask-camera"]),
    ]  # fmt: skip
    log = DATA / "client.log"
    with log.open("wb") as out:
        os.chmod(log, 0o600)
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=None, stdout=None, stderr=out)
        try:
            code = process.wait(PATIENCE_S if headless else None)
        except subprocess.TimeoutExpired:
            process.kill()
            code = -1
    if code:
        tail = log.read_text(errors="replace").splitlines()[-25:]
        sys.exit("the client did not finish the lesson:\n  " + "\n  ".join(tail))


# --- one byte ---------------------------------------------------------------------------------------------------------


def tamper() -> int:
    """Change one byte of one signed event in a copy; succeed when the verifier refuses it."""
    copy = DATA / "tampered"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ARCHIVE, copy)
    path, offset = _a_played_second(copy)
    data = bytearray(path.read_bytes())
    before = bytes(data[offset : offset + 1])
    after = b"9" if before != b"9" else b"8"
    data[offset : offset + 1] = after
    path.write_bytes(data)
    place = f"{path.relative_to(DATA.parent)} at {offset}"
    say(f"one byte changed in {place}: {before.decode()} → {after.decode()} (the length of a played span)\n")
    code = _verify(copy)
    if code != 1:
        print(f"\nThe changed archive was NOT refused (exit {code}).", file=sys.stderr)
        return 1
    print("\nRefused, as it must be. The untouched archive still stands in demo-data/archive.")
    return 0


def _a_played_second(archive: Path) -> tuple[Path, int]:
    """The first digit of `to` in some `played` event: longer than it was."""
    for path in sorted(archive.glob("sessions/*/tile/entries/**/*")):
        if path.is_file():
            data = path.read_bytes()
            places = [i for i in range(len(data)) if data.startswith(b'"to":', i)]
            if places:
                return path, secrets.choice(places) + len(b'"to":')
    sys.exit("this archive holds no played second to change; run make demo again")


# --- small things -----------------------------------------------------------------------------------------------------


def _verify(archive: Path, watching: demo_witnesses.Watching | None = None) -> int:
    report = DATA / ("report.json" if archive == ARCHIVE else "tampered-report.json")
    arguments = [sys.executable, "-m", "ledger", "verify", str(archive), "--trust", str(TRUST)]
    arguments += ["--witnessed", str(watching.kept)] if watching else []
    report.write_bytes(subprocess.run([*arguments, "--json"], cwd=ROOT, stdout=subprocess.PIPE, check=False).stdout)
    return subprocess.run(arguments, cwd=ROOT, check=False).returncode


def _python(*command: object, quiet: bool = False) -> None:
    subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL if quiet else None
    )


def _output(*command: object) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout


def private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


def wait_for(done: object, process: subprocess.Popen[bytes], what: str, log: Path) -> None:
    """Wait until `done()`; end with the log's tail when the process died or took too long."""
    until = time.monotonic() + 60
    while not done():  # type: ignore[operator]
        if process.poll() is not None or time.monotonic() > until:
            sys.exit(f"{what} did not start:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-20:]))
        time.sleep(0.1)


def say(line: str) -> None:
    """One line of the demo's own, before what the programs print."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
