"""Which loopback ports are free, and stay ours while a server is being restarted?"""

import os
import random
import socket
from pathlib import Path

LOWEST = 20_000
# Test runs side by side each take their ports from a part of the range: what one has found free, no other takes.
PARTS = 8
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# A server that was given one may not have opened it yet, or be about to open it again.
_given: set[int] = set()


def free(count: int) -> list[int]:
    """Free ports below the range that outgoing connections use.

    A port of that range could be taken while its server is down, even by a client that connects to itself.
    """
    below = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PARTS
    mine = [port for port in range(LOWEST + part, below, PARTS) if port not in _given]
    candidates = random.sample(mine, k=min(200, len(mine)))
    ports: list[int] = []
    for port in candidates:
        if _is_free(port):
            ports.append(port)
        if len(ports) == count:
            _given.update(ports)
            return ports
    raise OSError(f"no {count} free loopback ports between {LOWEST} and {below}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
