"""Which clients stay where, once a cookie has told them which side they were given?

The cookie's value names the update, and for stable the canary's weight at that moment. So nothing has to be remembered:
a cookie of another update is none, and when the weight goes up from 10 to 20, those who were given stable at 10 are
shared out once more, 10 : 80. Ten in a hundred had the canary, ten of the other ninety get it now: the canary's share
of the clients is its weight, however often they come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rollouts.api.affinity import SessionAffinity
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.bound import BoundStep
from rollouts.plan.state import State
from rollouts.plan.wishes import weights_before
from rollouts.ports import Affinity, Owner, Returning, Route, Session
from rollouts.ports.affinity import canary_value, session_name, stable_value, update_of


@dataclass(frozen=True, slots=True)
class Sticking:
    """How the clients of a Rollout (namespace/name) stick, to pods of this hash.

    `past` are the weights that the steps before have asked for. With `named_by` the router keeps sessions itself, for
    so many seconds at most: it is the field with a session's name.
    """

    rollout: str
    cookie: str
    attributes: str
    pod_hash: str
    past: tuple[int, ...]
    named_by: str | None = None
    seconds: int | None = None

    def on(self, route: Route) -> Route:
        """Return a route with the affinity that it has.

        There is none where one side gets everything, or where the canary's traffic still goes to pods that are to go.
        """
        canary, stable = route.canary, route.stable
        if not (canary.weight and stable.weight) or canary.pod_hash != self.pod_hash:
            return route
        update = update_of(self.rollout, canary.pod_hash, stable.pod_hash)
        affinity = Affinity(
            cookie=self.cookie,
            attributes=self.attributes,
            canary=canary_value(update),
            stable=stable_value(update, canary.weight),
            returning=tuple(self._returning(update, canary.weight, route.max_weight)),
            session=Session(session_name(self.cookie, update), self.named_by, self.seconds) if self.named_by else None,
        )
        return replace(route, affinity=affinity)

    def _returning(self, update: str, weight: int, whole: int) -> Iterator[Returning]:
        """Yield who comes again: the canary's clients, stable's, and those of stable's that may get the canary now.

        Of the last, those that weren't there for a step get the canary more seldom than they should, never too often.
        """
        yield Returning((canary_value(update),), whole, 0)
        stay = sorted({weight, *(each for each in self.past if each > weight)})
        yield Returning(tuple(stable_value(update, each) for each in stay), 0, whole)
        if less := sorted({each for each in self.past if 0 < each < weight}):
            values = tuple(stable_value(update, each) for each in less)
            yield Returning(values, weight - less[-1], whole - weight)


def sticking_in(owner: Owner, spec: CanaryStrategy, steps: Sequence[BoundStep], state: State) -> Sticking | None:
    """Return how clients stick now; not at all once an update is given up, so that all can leave the canary at once."""
    affinity = spec.traffic_routing.session_affinity if spec.traffic_routing is not None else None
    if affinity is None or state.abort or state.is_promoted:
        return None
    attributes = "; ".join(_attributes(affinity))
    seconds = int(affinity.max_age_or_default.total_seconds())
    return Sticking(
        owner.rollout,
        cookie_name(affinity, owner.name),
        attributes,
        state.pod_hash,
        weights_before(steps, state),
        named_by=affinity.session_persistence,
        seconds=None if affinity.max_age is None else seconds,
    )


def cookie_name(affinity: SessionAffinity, rollout: str) -> str:
    """Return the name of the cookie: every Rollout has its own, so that several may share a host."""
    return affinity.cookie_name or f"rollout-{rollout}"


def _attributes(affinity: SessionAffinity) -> Iterator[str]:
    yield f"Max-Age={int(affinity.max_age_or_default.total_seconds())}"
    yield f"Path={affinity.path or '/'}"
    if affinity.domain:
        yield f"Domain={affinity.domain}"
    if affinity.secure:
        yield "Secure"
    if affinity.http_only is not False:
        yield "HttpOnly"
    yield f"SameSite={affinity.same_site or 'Lax'}"
