"""What do the tests of `rollouts simulate` play?"""

from collections.abc import Callable
from typing import Any

from typer.testing import Result

from tests.plan.given import rollout

Json = dict[str, Any]
Simulate = Callable[..., Result]
STEPS: list[Json] = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "10m"}}]


def manifest(image: str = "app:1", /, **spec: Any) -> Json:
    """Return a Rollout as somebody would write it."""
    obj = rollout(**{"replicas": 4, "steps": STEPS, **spec})
    obj["apiVersion"] = "argoproj.io/v1alpha1"
    obj["metadata"] = {"name": "web"}
    obj["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return obj
