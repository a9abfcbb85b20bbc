"""The affinity of an update, as the planner hands it to routers."""

from dataclasses import replace

from rollouts.plan.affinity import Sticking
from rollouts.ports import Route
from rollouts.ports.affinity import Affinity
from tests.traffic.routers import route

ATTRIBUTES = "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"


def sticky(weight: int, *past: int, **more: object) -> Route:
    """Return a route whose clients stick; `past` are the weights of the steps before."""
    return sticking(route(weight, **more), *past)  # type: ignore[arg-type]


def sticking(wanted: Route, *past: int, rollout: str = "web") -> Route:
    """Return a route with clients of a Rollout that stick."""
    return Sticking(f"default/{rollout}", f"rollout-{rollout}", ATTRIBUTES, wanted.canary.pod_hash, past).on(wanted)


def affinity(wanted: Route) -> Affinity:
    assert wanted.affinity is not None
    return wanted.affinity


def of_another_update(wanted: Route) -> Route:
    """Return the same route for pods of another template."""
    other = replace(wanted, canary=replace(wanted.canary, pod_hash="other"), affinity=None)
    return Sticking("default/web", "rollout-web", ATTRIBUTES, "other", ()).on(other)
