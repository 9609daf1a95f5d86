#!/bin/bash
# Runs `make demo` in a bare Debian (mmdebstrap minbase) with /proc and /sys mounted. Needs root and mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "test-fresh needs root: it makes a chroot" >&2; exit 1; }
command -v mmdebstrap >/dev/null || apt-get install -y -qq --no-install-recommends mmdebstrap
root=$(mktemp -d /var/tmp/trueseat-fresh.XXXXXX)
cleanup() {
    for dir in proc sys dev; do mountpoint -q "$root/$dir" && umount -l "$root/$dir"; done
    rm -rf --one-file-system "$root"
}
trap cleanup EXIT
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mmdebstrap --quiet --variant=minbase --include=make,ca-certificates "$suite" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sys "$root/sys"
mount --bind /dev "$root/dev"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cat /etc/ssl/certs/ca-certificates.crt > "$root/etc/ssl/certs/ca-certificates.crt" # a network's own root stays known
mkdir "$root/trueseat"
git ls-files -z | xargs -0 cp --parents -t "$root/trueseat"
chroot "$root" /bin/bash -c 'cd /trueseat && env -u DISPLAY HOME=/root LANG=C.UTF-8 make demo'
ls "$root/trueseat/demo-data"
