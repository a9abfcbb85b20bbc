"""How do clients stay on the side that they were given, as routers need to know it?

A client without a cookie of this update is shared out by the weights, and told by a cookie which side it was given. One
that comes again goes by its cookie. No more than that has to be kept: a cookie of another update means nothing here.
"""

import re
from dataclasses import dataclass

_OURS = re.compile(r"[^=;\s]+=ro-[0-9a-f]{10}-(?:canary|stable-[0-9]+);.*")


@dataclass(frozen=True, slots=True)
class Returning:
    """Clients whose cookie has one of some values, and the weights by which they are shared out."""

    values: tuple[str, ...]
    canary: int
    stable: int


@dataclass(frozen=True, slots=True)
class Affinity:
    """The cookie, its values for clients that are shared out now, and where those go that come again.

    `returning` have no value in common. `attributes` are those of the Set-Cookie header, in its notation.
    """

    cookie: str
    attributes: str
    canary: str
    stable: str
    returning: tuple[Returning, ...]

    @property
    def to_canary(self) -> str:
        """The Set-Cookie header for clients that are given the canary."""
        return f"{self.cookie}={self.canary}; {self.attributes}"

    @property
    def to_stable(self) -> str:
        """The Set-Cookie header for clients that are given stable."""
        return f"{self.cookie}={self.stable}; {self.attributes}"


def canary_value(update: str) -> str:
    """Return the cookie's value for clients that an update has given the canary; `update` has ten hex digits."""
    return f"ro-{update}-canary"


def stable_value(update: str, weight: int) -> str:
    """Return the value for clients that were given stable while the canary had a weight."""
    return f"ro-{update}-stable-{weight}"


def is_affinity_cookie(header: str) -> bool:
    """Tell whether a Set-Cookie header is one of these, of whichever update: so that it can be taken out again."""
    return _OURS.fullmatch(header) is not None
