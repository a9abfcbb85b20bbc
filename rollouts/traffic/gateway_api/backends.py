"""What do the backends of a rule have to weigh?"""

from collections.abc import Collection, Mapping
from typing import Any

from rollouts.ports.router import Raw
from rollouts.traffic.proportions import Weights

Rule = dict[str, Any]

MOST_WEIGHT = 1_000_000
SERVICE = {"group": "", "kind": "Service"}


def service_of(backend: Raw, here: str, there: str) -> str:
    """Return which Service of the Rollout's namespace (`there`) a backend of a route (`here`) is, empty if none."""
    is_service = backend.get("group", "") == "" and backend.get("kind", "Service") == "Service"
    name: str = backend["name"]
    return name if is_service and (backend.get("namespace") or here) == there else ""


class Backends:
    """The backends of one route, whose namespace is `here`; the Rollout's Services are `there`."""

    def __init__(self, here: str, there: str) -> None:
        self._here = here
        self._there = there

    def services(self, rule: Raw) -> list[str]:
        """Return the Services of a rule, empty for what isn't one that a Rollout could own."""
        return [self._service(each) for each in rule.get("backendRefs") or ()]

    def _service(self, backend: Raw) -> str:
        return service_of(backend, self._here, self._there)

    def reference(self, rule: Raw, like: Collection[str], name: str) -> dict[str, Any]:
        """Return a bare reference to a Service, by the port that a similar one has in this rule."""
        model = self._model(rule, like)
        kept = {key: model[key] for key in ("namespace", "port") if key in model}
        return {**SERVICE, **kept, "name": name}

    def weighed(self, rule: Raw, shares: Mapping[str, int], gone: Collection[str]) -> Raw:
        """Return a rule with these shares of the traffic that is ours; the very same rule if it has them already.

        Backends in `gone` are taken out, missing ones are put at the end.
        """
        model = self._model(rule, shares)
        backends = Weights(self._service, most=MOST_WEIGHT).shared(
            rule["backendRefs"], shares, new=lambda name: {**model, "name": name}, gone=gone
        )
        return rule if backends is rule["backendRefs"] else {**rule, "backendRefs": backends}

    def _model(self, rule: Raw, like: Collection[str]) -> Raw:
        """Return the backend that a new one of ours is made after."""
        return next(
            (each for each in rule["backendRefs"] if self._service(each) in like),
            {**SERVICE, "name": ""},
        )
