#!/bin/sh
# Makes the frozen apps for Windows under Wine: dist/windows/trueseat-agent, …-verifier, and the client as far as it goes.
#   build/freeze-windows.sh [agent|verifier|client …]
#   build/freeze-windows.sh lock      resolve build/wine/freeze.txt again
# The Wine of build/wine.sh is used, with packages in a folder of their own beside it. Evidence about the API contract,
# and a real bundle of real files; not yet a run on Windows.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "freeze-windows: $*" >&2; }

if [ "${1:-}" = lock ]; then
    .venv/bin/uv pip compile -q --python-platform x86_64-pc-windows-msvc --python-version 3.13 --generate-hashes --no-header \
        --extra client pyproject.toml build/wine/freeze.in --override build/requirements/freeze.override -o build/wine/freeze.txt
    exit
fi
build/wine.sh setup
env=$(build/wine.sh env)
while IFS= read -r line; do export "${line?}"; done <<EOF
$env
EOF
site="$TRUESEAT_WINE/freeze"
if ! cmp -s build/wine/freeze.txt "$site/.made"; then
    say "installing the locked packages for Windows"
    rm -rf "$site"
    .venv/bin/uv pip install -q --no-deps --target "$site" --python-platform x86_64-pc-windows-msvc --python-version 3.13 \
        --only-binary :all: --require-hashes -r build/wine/freeze.txt
    cp build/wine/sitecustomize.py "$site/"
    cp -r "$site/share" "$TRUESEAT_WINE/python/" # Kivy's libraries are looked for beside the interpreter
    cp build/wine/freeze.txt "$site/.made"
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}
models=${TRUESEAT_MODELS:-$(.venv/bin/python -c 'from client import manifest; print(manifest.cache_dir())')}
export SOURCE_DATE_EPOCH PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
export WINEPATH="Z:$(printf %s "$site/pywin32_system32" | tr / '\\')"
dist=${TRUESEAT_DIST:-dist}/windows over=0
mkdir -p .work/pyinstaller-windows "$dist"
for app in ${*:-agent verifier client}; do
    say "$app"
    log=.work/pyinstaller-windows/$app.log
    # Wine writes to a pipe, never to a file (build/wine.sh); the exit code is the spec's own last line
    PYTHONPATH="Z:$site;Z:$site/win32;Z:$site/win32/lib" TRUESEAT_MODELS="Z:$models" \
        nice wine "$TRUESEAT_WINE/python/python.exe" -m PyInstaller --noconfirm --clean --log-level WARN \
        --workpath ".work/pyinstaller-windows/$app" --distpath "$dist" build/freeze/trueseat.spec -- "$app" </dev/null 2>&1 | cat >"$log"
    case $app in client) name=trueseat ;; *) name=trueseat-$app ;; esac
    [ -d "$dist/$name/_internal" ] || { tail -30 "$log" >&2; exit 1; }
    .venv/bin/python build/freeze/finish.py "$app" "$dist/$name" --windows || over=1
done
exit $over
