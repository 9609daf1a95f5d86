#!/bin/sh
# Makes the frozen apps: dist/trueseat (client and agent), dist/trueseat-agent, dist/trueseat-verifier, and a tar.zst of each.
#   build/freeze.sh [client|agent|verifier …]      TRUESEAT_RELEASE_KEY, TRUESEAT_RELEASE_NAME: sign as a release
#   build/freeze.sh lock                           resolve build/requirements/freeze.txt again
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "freeze: $*" >&2; }

lock() {
    .venv/bin/uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --extra client pyproject.toml \
        build/requirements/freeze.in --override build/requirements/freeze.override -c build/requirements/app.txt \
        -o build/requirements/freeze.txt
}

environment() { # of its own: what a developer has installed must not come along
    cmp -s build/requirements/freeze.txt .work/freeze/.made && return
    say "installing the locked packages (build/requirements/freeze.txt)"
    [ -x .work/freeze/bin/python ] || .venv/bin/uv venv -q --python "$(readlink -f .venv/bin/python)" .work/freeze
    .venv/bin/uv pip sync -q --python .work/freeze/bin/python --require-hashes build/requirements/freeze.txt
    cp build/requirements/freeze.txt .work/freeze/.made
}

[ "${1:-}" = lock ] && { lock; exit; }
for tool in zstd objdump strip cc; do
    command -v $tool >/dev/null || { say "please install once, as root: apt-get install zstd binutils gcc"; exit 1; }
done
environment
.venv/bin/python -m client models verify >/dev/null || .venv/bin/python -m client models fetch --developer
# Everything that PyInstaller writes comes out the same for the same source: build/README.md
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}
TRUESEAT_MODELS=${TRUESEAT_MODELS:-$(.venv/bin/python -c 'from client import manifest; print(manifest.cache_dir())')}
export SOURCE_DATE_EPOCH TRUESEAT_MODELS PYTHONHASHSEED=0 PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1
dist=${TRUESEAT_DIST:-dist} over=0
mkdir -p .work/pyinstaller "$dist"
for app in ${*:-client agent verifier}; do
    say "$app"
    log=.work/pyinstaller/$app.log
    nice .work/freeze/bin/python -m PyInstaller --noconfirm --clean --log-level WARN --workpath ".work/pyinstaller/$app" --distpath "$dist" \
        build/freeze/trueseat.spec -- "$app" >"$log" 2>&1 || { tail -40 "$log" >&2; exit 1; }
    case $app in client) name=trueseat ;; *) name=trueseat-$app ;; esac
    .venv/bin/python build/freeze/finish.py "$app" "$dist/$name" || over=1
done
exit $over
