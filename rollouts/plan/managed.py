"""Which managed routes are in force?

Header routes and mirrors send requests to the canary whatever its weight. The steps wish for them; they are in force
while the canary has pods for them, go as soon as it has none, and come back with its pods.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.plan.route import Side
from rollouts.ports import Route, Wishes
from rollouts.ports.cookies import by_header


@dataclass(frozen=True, slots=True)
class Managed:
    """Managed routes, each kind in the order of trafficRouting.managedRoutes."""

    headers: tuple[SetHeaderRoute, ...] = ()
    mirrors: tuple[SetMirrorRoute, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.headers or self.mirrors)

    def __str__(self) -> str:
        named = [f"header route {each.name}" for each in self.headers]
        every = (*named, *(f"mirror route {each.name}" for each in self.mirrors))
        return " and ".join(every) or "no managed routes"

    def on(self, route: Route) -> Route:
        """Return a route with these managed routes, and no others."""
        return replace(route, headers=self.headers, mirrors=self.mirrors)


NONE = Managed()


def wished_for(wishes: Wishes, names: Sequence[str]) -> Managed:
    """Return what the steps wish for; `names` are those of trafficRouting.managedRoutes."""
    order = dict.fromkeys(names)
    headers = {each.name: by_header(each) for each in wishes.header_routes}
    mirrors = {each.name: each for each in wishes.mirrors}
    return Managed(
        tuple(headers[name] for name in order if name in headers),
        tuple(mirrors[name] for name in order if name in mirrors),
    )


def withheld(canary: Side, pods: int, lacks: str) -> str:
    """Say what keeps managed routes out of force, or nothing; `pods` is how many the canary is to have."""
    if pods == 0:
        return "the canary is to have no pods: setWeight or setCanaryScale gives it some"
    if not canary.is_right:
        return lacks or f"{canary.name} doesn't select the canary's pods yet"
    if not canary.has_pods:
        return lacks or "the canary has no available pods"
    return ""
