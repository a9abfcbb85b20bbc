"""How do clients stay on the side that they were given, as routers need to know it?

A client without a cookie of this update is shared out by the weights, and told by a cookie which side it was given. One
that comes again goes by its cookie. No more than that has to be kept: a cookie of another update means nothing here.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

_COOKIE = re.compile(r"[^=;\s]+=ro-([0-9a-f]{10})-(?:canary|stable-[0-9]+);.*")
_SESSION = re.compile(r".+-ro-([0-9a-f]{10})")
_HALF = 5  # of an update's digits are the Rollout's
_MOST_OF_NAME = 100


@dataclass(frozen=True, slots=True)
class Returning:
    """Clients whose cookie has one of some values, and the weights by which they are shared out."""

    values: tuple[str, ...]
    canary: int
    stable: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session that the router itself keeps; `seconds` is how long at most, None where its user agent ends it.

    `field` is where the API carries the name.
    """

    name: str
    field: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Affinity:
    """The cookie, its values for clients that are shared out now, and where those go that come again.

    `returning` have no value in common. `attributes` are those of the Set-Cookie header, in its notation. With a
    `session` nothing else counts: the router tells clients by a cookie of its own.
    """

    cookie: str
    attributes: str
    canary: str
    stable: str
    returning: tuple[Returning, ...]
    session: Session | None = None

    @property
    def to_canary(self) -> str:
        """The Set-Cookie header for clients that are given the canary."""
        return f"{self.cookie}={self.canary}; {self.attributes}"

    @property
    def to_stable(self) -> str:
        """The Set-Cookie header for clients that are given stable."""
        return f"{self.cookie}={self.stable}; {self.attributes}"


def update_of(rollout: str, canary_hash: str, stable_hash: str) -> str:
    """Return ten hex digits for an update of a Rollout (namespace/name). The first half of them is the Rollout's.

    So Rollouts that share a route know their own cookies: two that took out each other's would write without end.
    """
    return _digits(rollout) + _digits(f"{canary_hash}/{stable_hash}")


def canary_value(update: str) -> str:
    """Return the cookie's value for clients that an update has given the canary."""
    return f"ro-{update}-canary"


def stable_value(update: str, weight: int) -> str:
    """Return the value for clients that were given stable while the canary had a weight."""
    return f"ro-{update}-stable-{weight}"


def is_affinity_cookie(header: str, rollout: str) -> bool:
    """Tell whether a Set-Cookie header is one of a Rollout's (namespace/name), so that it can be taken out again."""
    return _is_of(rollout, _COOKIE.fullmatch(header))


def session_name(cookie: str, update: str) -> str:
    """Return what an update's sessions are called: those of another one mean nothing. Routers know 128 letters."""
    return f"{cookie[:_MOST_OF_NAME]}-ro-{update}"


def is_affinity_session(name: str, rollout: str) -> bool:
    """Tell whether a session's name is one of a Rollout's (namespace/name)."""
    return _is_of(rollout, _SESSION.fullmatch(name))


def _is_of(rollout: str, match: re.Match[str] | None) -> bool:
    return match is not None and match[1].startswith(_digits(rollout))


def _digits(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HALF]
