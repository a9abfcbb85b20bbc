"""What does a TrafficSplit say?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import SmiTrafficRouting
from rollouts.ports import Create, Objects, Patch, Reference
from rollouts.traffic.owned import owned_by
from rollouts.traffic.smi import Smi
from tests.traffic.routers import BY_OTHERS, OURS, OWNER, Json, raw_object, route, said, written

ROUTER = Smi()
SPLIT = Reference("split.smi-spec.io", "TrafficSplit", "default", "web")


def spec(**fields: Any) -> SmiTrafficRouting:
    return parse(SmiTrafficRouting, fields)


def backends(*weights: tuple[str, Any]) -> list[Json]:
    return [{"service": name, "weight": weight} for name, weight in weights]


def split(*weights: tuple[str, Any], version: str = "v1alpha4", **fields: Any) -> Objects:
    (raw,) = raw_object(SPLIT, {"service": "web-stable", "backends": backends(*weights), **fields}, **OURS).values()
    return {SPLIT: {**raw, "apiVersion": f"split.smi-spec.io/{version}"}}


def test_it_is_made_and_belongs_to_the_rollout() -> None:
    shares = backends(("web-canary", 5), ("web-stable", 95))
    assert ROUTER.write(spec(), OWNER, route(5), {SPLIT: None}) == (
        Create(
            SPLIT,
            {"metadata": {"ownerReferences": owned_by(OWNER)}, "spec": {"service": "web-stable", "backends": shares}},
        ),
    )


def test_its_name_and_the_service_that_clients_address() -> None:
    named = replace(SPLIT, name="shares")
    after = written(ROUTER, spec(rootService="web", trafficSplitName="shares"), route(0), {named: None})
    assert (after[named] or {})["spec"]["service"] == "web"


def test_another_weight_is_one_patch_and_the_rest_stays() -> None:
    matches = [{"kind": "HTTPRouteGroup", "name": "web"}]
    before = split(("web-canary", 5), ("web-stable", 95), matches=matches)
    (patch,) = ROUTER.write(spec(), OWNER, route(20), before)
    assert patch == Patch(SPLIT, {"spec": {"backends": backends(("web-canary", 20), ("web-stable", 80))}})


def test_experiments_come_and_go() -> None:
    during = written(ROUTER, spec(), route(5, additional={"web-1-baseline": 5}), split())
    shares = [("web-canary", 5), ("web-1-baseline", 5), ("web-stable", 90)]
    assert (during[SPLIT] or {})["spec"]["backends"] == backends(*shares)
    after = written(ROUTER, spec(), route(5), during)
    assert (after[SPLIT] or {})["spec"]["backends"] == backends(("web-canary", 5), ("web-stable", 95))


def test_the_first_version_has_quantities_for_weights() -> None:
    before = split(("web-canary", "5"), ("web-stable", 95), version="v1alpha1")
    assert ROUTER.write(spec(), OWNER, route(5), before) == ()
    after = written(ROUTER, spec(), route(20), before)
    assert (after[SPLIT] or {})["spec"]["backends"] == backends(("web-canary", "20"), ("web-stable", "80"))
    odd = split(("web-canary", "500m"), ("web-stable", "1"), version="v1alpha1")
    assert (written(ROUTER, spec(), route(0), odd)[SPLIT] or {})["spec"]["backends"][0]["weight"] == "0"


def test_a_split_of_others_is_left_alone() -> None:
    assert ROUTER.write(spec(), OWNER, route(5), raw_object(SPLIT, {}, **BY_OTHERS)) == ()


NEEDED = "and its name is needed: delete or rename it"
ROWS: dict[str, tuple[Json, Objects | None, list[tuple[str, str]]]] = {
    "the root is the canary": (
        {"rootService": "web-canary"},
        None,
        [("rootService", '"web-canary" is the canaryService, too: name the Service that clients address')],
    ),
    "another Rollout's": (
        {},
        raw_object(SPLIT, {}, **BY_OTHERS),
        [("", f"TrafficSplit web belongs to Rollout shop, {NEEDED}")],
    ),
    "nobody's": (
        {"trafficSplitName": "web"},
        raw_object(SPLIT, {}),
        [("trafficSplitName", f"TrafficSplit web wasn't made by this Rollout, {NEEDED}")],
    ),
    "ours": ({}, split(), []),
}


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    fields, objects, expected = ROWS[name]
    assert said(ROUTER, spec(**fields), objects) == expected
