#!/bin/sh
# Builds apps twice, in two fresh clones of this commit, and says of every file whether both builds made the same bytes.
#   build/freeze/reproduce.sh [verifier agent client]      the last line is JSON; exit 1 when something differs
# TRUESEAT_KEEP=folder: keep the first build there.
set -eu
cd "$(dirname "$0")/../.."
apps=${*:-verifier}
work=$(mktemp -d /var/tmp/trueseat-twice.XXXXXX)
commit=$(git rev-parse HEAD)
trap 'rm -rf "$work"' EXIT
for turn in one two; do
    git clone -q . "$work/$turn"
    git -C "$work/$turn" checkout -q "$commit"
    for name in .venv; do ln -s "$(readlink -f "$name")" "$work/$turn/$name"; done
    mkdir -p "$work/$turn/.work"
    ln -s "$(readlink -f .work/freeze)" "$work/$turn/.work/freeze"
    cp .work/development.pem "$work/$turn/.work/"
    (cd "$work/$turn" && TRUESEAT_ZSTD=${TRUESEAT_ZSTD:--3} build/freeze.sh $apps >/dev/null)
    for app in $apps; do
        [ "$app" = agent ] || (cd "$work/$turn" && TRUESEAT_XZ=0 .venv/bin/python build/deb/make.py "$app" >/dev/null)
    done
done
if [ -n "${TRUESEAT_KEEP:-}" ]; then mkdir -p "$TRUESEAT_KEEP" && cp -a "$work/one/dist/." "$TRUESEAT_KEEP/"; fi
.venv/bin/python - "$work/one/dist" "$work/two/dist" <<'END_'
import hashlib, json, sys
from pathlib import Path
one, two = (
    {str(p.relative_to(top)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(top.rglob("*")) if p.is_file() and not p.is_symlink()}
    for top in map(Path, sys.argv[1:])
)
differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
print("".join(f"differs: {name}\n" for name in differ[:40]), end="")
packed = {name: name not in differ for name in one if name.endswith((".zst", ".deb"))}
print(json.dumps({"name": "reproduce", "files": len(one), "differ": len(differ), "same": packed}))
sys.exit(1 if differ else 0)
END_
