"""Which Rollouts and ReplicaSets do the tests begin with? Builders of raw objects, as an API server delivers them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rollouts.api.timestamps import format_time

Raw = dict[str, Any]

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS: Sequence[Mapping[str, Any]] = (
    {"setWeight": 20},
    {"pause": {"duration": 5}},
    {"setWeight": 40},
    {"pause": {}},
    {"setWeight": 80},
)


def after(seconds: float) -> datetime:
    """Return the moment so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    """Return the same moment as the API writes it."""
    return format_time(after(seconds))


def template(image: str = "app:1") -> Raw:
    """Return a pod template."""
    return {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def rollout(
    image: str = "app:1",
    *,
    replicas: int | None = 5,
    steps: Sequence[Mapping[str, Any]] | None = STEPS,
    name: str = "web",
    canary: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Raw:
    """Return a Rollout of 5 pods that never has less than 5 of them and at most one more."""
    strategy: Raw = {"maxSurge": 1, "maxUnavailable": 0, **(canary or {})}
    if steps is not None:
        strategy["steps"] = list(steps)
    whole = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(image),
        "strategy": {"canary": strategy},
        **spec,
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {key: value for key, value in whole.items() if value is not None},
    }


def service(name: str, **selector: str) -> Raw:
    """Return a Service that selects the Rollout's pods."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": selector or {"app": "web"}},
    }
