"""What do the backends of a list weigh, where each stands for itself and those of others stay as they are?"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rollouts.ports import Route
from rollouts.ports.router import Raw

NameOf = Callable[[Raw], str]
"""Tells which Service a backend is; empty where it can't be one of a Rollout."""


def shares_of(route: Route) -> dict[str, int]:
    """Return the weight of each Service, the canary's first and the stable one last."""
    ends = (route.canary, *route.additional, route.stable)
    return {each.service: each.weight for each in ends}


def weighed(backends: Iterable[Raw], shares: Mapping[str, int], name_of: NameOf) -> list[dict[str, Any]]:
    """Return the backends with the weights of those that have a share."""
    return [{**each, **({"weight": shares[name]} if (name := name_of(each)) in shares else {})} for each in backends]
