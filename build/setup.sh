#!/bin/sh
# Makes the environment: system packages, .venv/, locked requirements, models. Second runs find everything and end at once.
#   build/setup.sh app | dev        app: what the demo needs · dev: the tests' tools as well
set -eu
cd "$(dirname "$0")/.."
want=${1:?app or dev}
export PYTHONUTF8=1

# Exact list of a bare Debian 12: GL, X client libraries, touch, one font with Latin and CJK, and the demo's own display.
packages="libgl1 libegl1 libgles2 libglib2.0-0 libsm6 libxext6 libxrender1 libmtdev1 fonts-wqy-microhei xvfb openbox"
[ "$want" = dev ] && packages="$packages xdotool wmctrl softhsm2"

say() { printf '%s\n' "setup: $*" >&2; }

find_python() {
    for name in python3.11 python3.12 python3.13 python3; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

system_packages() {
    command -v dpkg-query >/dev/null || { say "this is no Debian: see to it that these are installed: $packages"; return; }
    missing=""
    for name in $packages; do
        case "$(dpkg-query -W -f '${Status}\n' "$name" "${name}t64" 2>/dev/null)" in
            *"install ok installed"*) ;;
            *) missing="$missing $name" ;;
        esac
    done
    find_python >/dev/null || missing="$missing python3 python3-venv"
    [ -z "$missing" ] && return
    if [ "$(id -u)" != 0 ]; then
        say "please install once, as root: apt-get install --no-install-recommends$missing"
        exit 1
    fi
    say "installing$missing"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null || { cat "$log" >&2; exit 1; }
    rm -f "$log"
}

python_packages() {
    lock=build/requirements/$want.txt
    stamp=.venv/.made-from-$want
    [ "$want" = app ] && [ -e .venv/.made-from-dev ] && cmp -s build/requirements/dev.txt .venv/.made-from-dev && return
    cmp -s "$lock" "$stamp" && return
    [ -x .venv/bin/python ] || "$(find_python)" -m venv .venv
    say "installing the locked Python packages ($lock)"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r build/requirements/uv.txt 2>&1 | grep -v "^WARNING: Location" || true
    .venv/bin/uv pip sync -q --python .venv/bin/python --require-hashes "$lock" build/requirements/uv.txt
    rm -f .venv/.made-from-*
    cp "$lock" "$stamp"
}

system_packages
python_packages
.venv/bin/python -m client models fetch --developer
.venv/bin/python build/sign_installed.py --development 2>/dev/null
