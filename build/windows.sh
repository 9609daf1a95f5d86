#!/bin/sh
# Makes Windows' installers of what build/freeze-windows.sh left in dist/windows: an NSIS setup.exe and an .msi of each app.
#   build/windows.sh [client|agent|verifier …]     TRUESEAT_VERSION=…: another version than the client's (tests)
# Signing: TRUESEAT_SIGN="osslsigncode sign …" is called with -in and -out, for the programs, both installers, and the
# uninstaller that setup.exe carries (by `build/windows.sh --sign FILE`).
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "windows: $*" >&2; }

sign() {
    [ -n "${TRUESEAT_SIGN:-}" ] || return 0
    $TRUESEAT_SIGN -in "$1" -out "$1.signed" >/dev/null && mv "$1.signed" "$1"
}

[ "${1:-}" = --sign ] && { sign "$2"; exit; }
missing=""
for tool in makensis wixl msibuild; do command -v $tool >/dev/null || missing="$missing $tool"; done
if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || { say "please install once, as root: apt-get install --no-install-recommends nsis wixl msitools"; exit 1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nsis wixl msitools >/dev/null
fi
dist=${TRUESEAT_DIST:-dist}/windows
version=${TRUESEAT_VERSION:-$(.venv/bin/python -c 'from client.about import VERSION; print(VERSION)')}

cp build/freeze/trueseat.ico "$dist/"
for app in ${*:-client agent verifier}; do
    case $app in
        client) name=trueseat title="TrueSeat" main=trueseat.exe more="" ;;
        agent) name=trueseat-agent title="TrueSeat Agent" main=trueseat-agent.exe more="" ;;
        verifier) name=trueseat-verifier title="TrueSeat Verifier" main=trueseat-report.exe more="-DREPORT=trueseat-report.exe" ;;
    esac
    [ -d "$dist/$name/_internal" ] || { say "$app: not frozen, left out"; continue; }
    for program in "$dist/$name"/*.exe; do sign "$program"; done
    # a signed program is another file: the list of what a bundle loads names it as it is now
    [ -z "${TRUESEAT_SIGN:-}" ] || [ "$app" = verifier ] || .venv/bin/python build/freeze/finish.py "$app" "$dist/$name" --windows --again
    folder=$(cd "$dist/$name" && pwd)
    out=$(cd "$dist" && pwd)/$name-$version
    # TRUESEAT_NSIS="-XSetCompressor /FINAL zlib": quickly, for tests
    makensis -V2 ${TRUESEAT_NSIS:+"$TRUESEAT_NSIS"} -INPUTCHARSET UTF8 -DAPP="$name" -DTITLE="$title" -DVERSION="$version" -DSOURCE="$folder" -DOUT="$out-setup.exe" \
        -DSIZE="$(du -sk "$folder" | cut -f1)" -DMAIN="$main" $more \
        ${TRUESEAT_SIGN:+"-DSIGN=$PWD/build/windows.sh --sign"} build/windows/setup.nsi >&2
    sign "$out-setup.exe"
    .venv/bin/python build/windows/msi.py "$folder" "$name" "$title" "$version" >"$dist/$name.wxs"
    rm -f "$out.msi"
    wixl -a x64 -o "$out.msi" "$dist/$name.wxs"
    printf '\r\n\r\n65001\t_ForceCodepage\r\n' >"$dist/$name.idt" # first: what follows is in Chinese, too
    msibuild "$out.msi" -i "$dist/$name.idt"
    .venv/bin/python build/windows/msi.py --conditions | while IFS= read -r ask; do msibuild "$out.msi" -q "$ask"; done
    rm -f "$dist/$name.wxs" "$dist/$name.idt"
    sign "$out.msi"
    printf '{"name": "windows-%s", "setup_mib": %s, "msi_mib": %s}\n' "$app" \
        "$(($(stat -c %s "$out-setup.exe") >> 20))" "$(($(stat -c %s "$out.msi") >> 20))"
done
