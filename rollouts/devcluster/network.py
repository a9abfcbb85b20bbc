"""Which addresses do pods and Gateways have? Invented ones, or loopback addresses that answer."""

from __future__ import annotations

from typing import Protocol

_FIRST, _LAST = 2, 253


class Network(Protocol):
    """Hands addresses out."""

    def take(self) -> str:
        """Return an address that nobody has."""

    def give_back(self, address: str) -> None:
        """Let an address be handed out again."""


class Invented:
    """Addresses at which nobody is: a pod without a program needs no more."""

    def __init__(self) -> None:
        self._count = 0

    def take(self) -> str:
        """Return the next address."""
        self._count += 1
        return f"10.244.{self._count // 250 % 250}.{self._count % 250 + 1}"

    def give_back(self, address: str) -> None:
        """Forget it: there are enough."""


class Loopback:
    """Addresses 127.X.Y.Z of this machine. X.Y is the API server's port, so that two clusters never share one."""

    def __init__(self, port: int) -> None:
        self._prefix = f"127.{port >> 8}.{port & 255}"
        self._taken: set[int] = set()
        self._last = _LAST

    @property
    def own(self) -> str:
        """The address of the cluster itself."""
        return f"{self._prefix}.{_LAST + 1}"

    def take(self) -> str:
        """Return the address that has been free for longest, so that a late packet meets nobody else."""
        every = [*range(self._last + 1, _LAST + 1), *range(_FIRST, self._last + 1)]
        found = next((number for number in every if number not in self._taken), None)
        if found is None:
            raise OSError(f"all {len(every)} addresses are taken: a dev cluster whose pods answer has no more of them")
        self._taken.add(found)
        self._last = found
        return f"{self._prefix}.{found}"

    def give_back(self, address: str) -> None:
        """Let an address be handed out again."""
        self._taken.discard(int(address.rpartition(".")[2]))
