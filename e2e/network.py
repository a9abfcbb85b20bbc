"""How do tests get a network of their own, with addresses for pods that exist nowhere else?

A process that does nothing holds it, and programs are started in it. `python -m e2e.network` is that process.
"""

import fcntl
import ipaddress
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from e2e import arguments
from e2e.kubelet import PODS
from e2e.program import Program, ProgramError
from e2e.waiting import eventually

SET_ADDRESS, SET_MASK, SET_FLAGS = 0x8916, 0x891C, 0x8914  # of linux/sockios.h
UP = 0x1
READY = "ready"
CLEAR_HELP = """\
The tests of data planes need a network of their own: neither root's `unshare --net` nor anybody's `unshare -Urn` is \
allowed here ({said}). Run them as root, or allow user namespaces: `sysctl kernel.unprivileged_userns_clone=1`, in \
containers a security profile that lets `unshare` pass."""


class Network:
    """A network of its own: loopback, where each address of the pods' network is local, and nothing else."""

    def __init__(self, directory: Path) -> None:
        self._options = _allowed()
        line = ["unshare", *self._options, sys.executable, "-m", "e2e.network"]
        self._holder = Program("network", line, directory / "network.log", arguments.environment())

    async def open(self) -> None:
        """Make it; programs may be started in it when this returns."""
        self._holder.start()

        async def is_up() -> bool:
            self._holder.require_running()
            return READY in self._holder.tail()

        await eventually(is_up, what="a network of its own")

    def close(self) -> None:
        """Let it go: it ends with the last program in it."""
        self._holder.kill()

    def inside(self, *line: str | Path) -> list[str | Path]:
        """The command line that runs a command in it."""
        user = ["--user", "--preserve-credentials"] if "--user" in self._options else []
        return ["nsenter", f"--target={self._holder.pid}", "--net", *user, "--", *line]


def _allowed() -> list[str]:
    """The options by which `unshare` works here; fails and says what would help where it doesn't."""
    said = ""
    for options in (["--net"], ["--user", "--map-root-user", "--net"]):
        try:
            done = subprocess.run(
                ["unshare", *options, "true"], check=False, capture_output=True, text=True, timeout=30
            )
        except FileNotFoundError:
            said = "there is no program `unshare`: it is part of util-linux"
            break
        if done.returncode == 0:
            return options
        said = done.stderr.strip()
    raise ProgramError(CLEAR_HELP.format(said=said))


def _bring_up(pods: ipaddress.IPv4Network) -> None:
    """On a loopback device a whole network is local, not only the address in it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh", b"lo", UP))
        fcntl.ioctl(control, SET_ADDRESS, _request(b"lo:1", pods.network_address + 1))
        fcntl.ioctl(control, SET_MASK, _request(b"lo:1", pods.netmask))


def _request(device: bytes, address: ipaddress.IPv4Address) -> bytes:
    return struct.pack("16sHH4s8x", device, socket.AF_INET, 0, address.packed)


if __name__ == "__main__":
    _bring_up(ipaddress.IPv4Network(PODS))
    print(READY, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
