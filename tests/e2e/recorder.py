"""Runs a command in a network of its own and writes down whom it looks for: `python -m tests.e2e.recorder OUT COMMAND…`

Started by `unshare --net --mount`: there is the loopback, a name server that knows nobody and writes down every name,
and a default route that leads nowhere and counts every packet. Native libraries are seen as Python is.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

NOWHERE = "nowhere0"


def network() -> None:
    """Loopback up, a route to nowhere, and ourselves as the only name server."""
    for line in (
        "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
        "ip link set lo up",
        f"ip link add {NOWHERE} type veth peer name {NOWHERE}-end",
        f"ip link set {NOWHERE}-end up",
        f"ip addr add 198.18.0.2/15 dev {NOWHERE}",
        f"ip link set {NOWHERE} up arp off",
        f"ip route add default dev {NOWHERE}",
    ):
        subprocess.run(line.split(), check=True)
    resolver = Path(tempfile.mkdtemp()) / "resolv.conf"
    # no domain of this machine's own is tried behind a name, and the answer has all the time that it needs
    resolver.write_text("nameserver 127.0.0.1\nsearch .\noptions timeout:30 attempts:1\n")
    subprocess.run(["mount", "--bind", resolver, "/etc/resolv.conf"], check=True)


def packets() -> int:
    """How many packets left for anywhere but this machine."""
    (line,) = [line for line in Path("/proc/net/dev").read_text().splitlines() if f" {NOWHERE}:" in f" {line.strip()}"]
    return int(line.split(":")[1].split()[9])


def listen(names: list[str]) -> None:
    """Answer that nobody has that name, for ever."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def answer() -> None:
        while True:
            query, who = server.recvfrom(4096)
            names.append(name_in(query))
            server.sendto(query[:2] + b"\x81\x83" + query[4:6] + b"\0\0" * 3 + query[12:], who)

    threading.Thread(target=answer, daemon=True).start()


def name_in(query: bytes) -> str:
    """The name that a DNS query asks for (RFC 1035, section 4.1.2)."""
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels)


def main() -> int:
    """The command's exit code; OUT says what it looked for."""
    out, command = Path(sys.argv[1]), sys.argv[2:]
    network()
    names: list[str] = []
    listen(names)
    before = packets()
    code = subprocess.run(command, check=False).returncode
    out.write_text(json.dumps({"names": sorted(set(names)), "packets": packets() - before}))
    return code


if __name__ == "__main__":
    sys.exit(main())
