"""An emulated radio between any ground station and a vehicle: a TCP port that carries one connection over a bad link.

Run: python benchmarks/radio.py "chaos+tcp:127.0.0.1:5760?baud=57600&latency=0.02&loss=0.02&seed=1"
Prints the port it listens on; when the connection ends, the bytes it carried: {"up": to the vehicle, "down": from it}.
"""

from __future__ import annotations

import json
import select
import socket
import sys

from dronekit_cfg.errors import LinkError
from dronekit_cfg.links.base import Link
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.url import make_link

SLICE = 0.001
"""Longest wait on one side in seconds, which is how late the other one may be served."""
ACCEPT_SECONDS = 60.0
CHUNK = 65536


def carry(client: socket.socket, link: Link) -> dict[str, int]:
    """Carry bytes both ways until one side ends; give how many."""
    counts = {"up": 0, "down": 0}
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            down = link.read(SLICE)
            if down:
                counts["down"] += len(down)
                client.sendall(down)
            if select.select([client], [], [], 0)[0]:
                up = client.recv(CHUNK)
                if not up:
                    return counts
                counts["up"] += len(up)
                link.write(up)
    except (OSError, LinkError):
        return counts


def main(url: str) -> None:
    """Serve one connection."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        server.settimeout(ACCEPT_SECONDS)
        print(server.getsockname()[1], flush=True)
        client, _ = server.accept()
    link = make_link(url, clock=RealClock())
    with client:
        link.open()
        try:
            counts = carry(client, link)
        finally:
            link.close()
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
