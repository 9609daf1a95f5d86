#!/bin/sh
# The tools that the agent is tried against (`make tools`): Debian's, and an environment of their own in .work/tools/.
# Nothing of this is part of the product; the second run finds everything and ends at once.
set -eu
cd "$(dirname "$0")/.."
packages="chromium chromium-driver firefox-esr x11vnc gdb faketime xdotool wmctrl openbox xvfb xserver-xephyr
 tigervnc-standalone-server webext-ublock-origin-chromium libreoffice-writer keepassxc orca onboard ibus mousepad
 at-spi2-core dbus-x11"
command -v npm >/dev/null || packages="$packages nodejs npm" # another source than Debian may have brought them

say() { printf '%s\n' "tools: $*" >&2; }

missing=""
for name in $packages; do
    case "$(dpkg-query -W -f '${Status}\n' "$name" 2>/dev/null)" in
        *"install ok installed"*) ;;
        *) missing="$missing $name" ;;
    esac
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ]; then
        say "left out, install once as root: apt-get install --no-install-recommends$missing"
    else
        say "installing$missing"
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing </dev/null >&2
    fi
fi

place=.work/tools
lock=build/requirements/tools.txt
if ! cmp -s "$lock" "$place/.made-from"; then
    say "installing the locked Python tools ($lock) into $place/venv"
    [ -x .venv/bin/uv ] || { say "run make setup-dev first"; exit 1; }
    rm -rf "$place/venv"
    .venv/bin/uv venv -q --python .venv/bin/python "$place/venv"
    .venv/bin/uv pip sync -q --python "$place/venv/bin/python" --require-hashes "$lock"
    cp "$lock" "$place/.made-from"
fi
if ! cmp -s build/tools/package-lock.json "$place/node/package-lock.json"; then
    command -v npm >/dev/null || { say "left out: npm is not installed"; exit 0; }
    say "installing playwright-core into $place/node"
    mkdir -p "$place/node"
    cp build/tools/package.json build/tools/package-lock.json "$place/node/"
    npm ci --prefix "$place/node" --ignore-scripts --silent --no-audit --no-fund || { rm "$place/node/package-lock.json"; exit 1; }
fi
say "ready"
