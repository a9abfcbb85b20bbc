"""In which order do managed routes stand? The first that fits a request takes it, so the Rollout's list decides."""

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.ports import Owner, Route


def in_order(route: Route, owner: Owner) -> list[SetHeaderRoute | SetMirrorRoute]:
    """Return the managed routes in force, the most important first; one that isn't listed comes last."""
    every: list[SetHeaderRoute | SetMirrorRoute] = [*route.headers, *route.mirrors]
    order = {name: index for index, name in enumerate(owner.managed_routes)}
    return sorted(every, key=lambda each: order.get(each.name or "", len(order)))
