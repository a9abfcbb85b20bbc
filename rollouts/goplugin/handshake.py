"""What do a plugin and its host say to each other before they are connected? An environment, and one line.

Without the environment's cookie a plugin thinks that a person has started it by hand. The line says which versions of
the protocol it speaks, and where it listens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

COOKIE = "ARGO_ROLLOUTS_RPC_PLUGIN"
LONGEST_LINE = 4096
_CORE, _VERSION = "1", "1"
_FEWEST, _PROTOCOL = 4, 4


class Kind(Enum):
    """What a plugin is for: the cookie that it looks for, and the name that it answers to."""

    METRIC = ("metric provider", "metricprovider", "RpcMetricProviderPlugin")
    STEP = ("step", "step", "RpcStepPlugin")
    TRAFFIC = ("router", "trafficrouter", "RpcTrafficRouterPlugin")

    def __init__(self, title: str, cookie: str, service: str) -> None:
        self.title = title
        self.cookie = cookie
        self.service = service


class HandshakeError(Exception):
    """A program is no plugin that we can talk to; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a plugin listens: a unix socket's path, or host:port."""

    network: str
    place: str


def environment(kind: Kind, sockets: str) -> Mapping[str, str]:
    """Return what a plugin finds in its environment; its socket is made in the directory `sockets`."""
    return {
        COOKIE: kind.cookie,
        "PLUGIN_PROTOCOL_VERSIONS": _VERSION,
        "PLUGIN_MIN_PORT": "10000",
        "PLUGIN_MAX_PORT": "25000",
        "PLUGIN_UNIX_SOCKET_DIR": sockets,
        "TMPDIR": sockets,
    }


def read_line(line: str) -> Address:
    """Return where a plugin listens, as its first line says. Raises HandshakeError."""
    parts = line.strip().split("|")
    if len(parts) < _FEWEST:
        raise HandshakeError(f"its first line is {line.strip()[:100]!r}: is it a plugin of Argo Rollouts?")
    core, version, network, place = parts[:_FEWEST]
    protocol = parts[_PROTOCOL] if len(parts) > _PROTOCOL and parts[_PROTOCOL] else "netrpc"
    if core != _CORE or version != _VERSION:
        raise HandshakeError(f"it speaks version {version} of its protocol (core {core}), and we {_VERSION} (core 1)")
    if protocol != "netrpc":
        raise HandshakeError(f"it speaks {protocol[:20]!r}, and plugins of Argo Rollouts speak net/rpc")
    if network not in {"unix", "tcp"} or not place:
        raise HandshakeError(f"it listens at {network[:20]}:{place[:100]}, where nobody can reach it")
    return Address(network, place)
