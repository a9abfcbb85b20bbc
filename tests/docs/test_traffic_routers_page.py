"""Do the manifests of the page about meshes and Ingress controllers work together, and is there one for each router?"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from rollouts.api.base import parse
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.traffic import BoundRouter, bind_routers
from rollouts.plan.validate_routed import routed_problems
from rollouts.ports import Destination, Kit, Reference, Route
from rollouts.ports.router import Raw
from rollouts.ports.testing import applied
from tests.docs.pages import ROOT, blocks
from tests.docs.routers import declared

PAGE = ROOT / "docs" / "how-to" / "traffic-routers.md"
KIT = Kit(steps={}, routers=declared())
ROLLOUT = {"name": "web", "namespace": "default", "uid": "uid-web"}
ON_ANOTHER_PAGE = "rollouts.traffic.gateway_api"


def manifests() -> Iterator[tuple[CanaryStrategy, dict[Reference, Raw | None]]]:
    """Yield the strategy and the objects of each block."""
    for block in blocks(PAGE):
        fragment, *others = yaml.safe_load_all(block.text)
        yield parse(CanaryStrategy, fragment["strategy"]["canary"]), dict(map(_object, others))


def _object(raw: Mapping[str, Any]) -> tuple[Reference, Raw | None]:
    group, _, _ = raw["apiVersion"].rpartition("/")
    return Reference(group, raw["kind"], "default", raw["metadata"]["name"]), raw


def bound(canary: CanaryStrategy) -> BoundRouter:
    (router,) = bind_routers(ROLLOUT, canary, KIT)
    return router


MANIFESTS = list(manifests())
KEYS = [bound(canary).router.key for canary, _ in MANIFESTS]


def test_each_router_of_the_page_has_a_manifest() -> None:
    keys = {key for key, router in KIT.routers.items() if not type(router).__module__.startswith(ON_ANOTHER_PAGE)}
    assert set(KEYS) == keys


@pytest.mark.parametrize(("canary", "objects"), MANIFESTS, ids=KEYS)
def test_its_manifest_has_no_problems(canary: CanaryStrategy, objects: dict[Reference, Raw | None]) -> None:
    assert list(routed_problems(canary, ROLLOUT, KIT, objects)) == []


@pytest.mark.parametrize(("canary", "objects"), MANIFESTS, ids=KEYS)
def test_its_weights_are_written_once(canary: CanaryStrategy, objects: dict[Reference, Raw | None]) -> None:
    route = Route(Destination("web-canary", "c", 20), Destination("web-stable", "s", 80))
    after = applied(objects, bound(canary).write(route, objects))
    assert after != objects
    assert bound(canary).write(route, after) == ()
