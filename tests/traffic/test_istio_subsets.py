"""Which pods do the subsets of a DestinationRule select, and what of it stays untouched?"""

from typing import Any

import pytest

from rollouts.ports import Patch, Route
from tests.traffic.istio import (
    ADDED,
    BY_HOST,
    BY_SUBSET,
    HASH,
    MANAGED_BY,
    ROUTER,
    WITHOUT_SERVICES,
    Json,
    annotations,
    destination_rule,
    hashed,
    http,
    named,
    reference,
    route,
    rule,
    spec,
    spec_of,
    subset,
    virtual_service,
    written,
)

PLACE = reference("DestinationRule")
WEB = virtual_service(rule(subset("stable", 100), subset("canary", 0)))
ROWS: dict[str, tuple[list[Json], Route, list[Json]]] = {
    "each side's subset gets the hash of its pods": (
        [named("stable"), named("canary")],
        route(20, services=False),
        [hashed("stable", "s"), hashed("canary", "c")],
    ),
    "other labels, and all else, stay": (
        [{**named("stable", app="web"), "trafficPolicy": {"tls": {}}}, named("canary", app="web")],
        route(20, services=False),
        [{**hashed("stable", "s", app="web"), "trafficPolicy": {"tls": {}}}, hashed("canary", "c", app="web")],
    ),
    "subsets of other people stay where they are": (
        [named("debug", app="debug"), hashed("canary", "old"), hashed("stable", "s")],
        route(20, services=False),
        [named("debug", app="debug"), hashed("canary", "c"), hashed("stable", "s")],
    ),
    "without a hash a subset stays as it is": (
        [hashed("stable", "s"), hashed("canary", "old")],
        route(0, services=False, canary=""),
        [hashed("stable", "s"), hashed("canary", "old")],
    ),
    "with Services as well": (
        [named("stable"), named("canary")],
        route(20),
        [hashed("stable", "s"), hashed("canary", "c")],
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_subsets(before: list[Json], wanted: Route, after: list[Json]) -> None:
    assert spec_of(written(WEB | destination_rule(*before), wanted, BY_SUBSET), PLACE)["subsets"] == after


def test_a_rule_says_who_manages_it() -> None:
    after = written(WEB | destination_rule(named("stable"), named("canary")), route(0), BY_SUBSET)
    assert annotations(after, PLACE) == {MANAGED_BY: "web"}


def test_subsets_without_services() -> None:
    assert ROUTER.needs_services(BY_HOST)
    assert not ROUTER.needs_services(BY_SUBSET)


def test_a_rule_of_another_namespace() -> None:
    rule_ = {"name": "web.edge", "canarySubsetName": "canary", "stableSubsetName": "stable"}
    settings = spec(virtualService={"name": "web.v1.edge"}, destinationRule=rule_)
    assert ROUTER.reads(settings, WITHOUT_SERVICES) == (
        reference(name="web.v1", namespace="edge"),
        reference("DestinationRule", namespace="edge"),
    )


SUBSETS = [hashed("stable", "s"), hashed("canary", "c")]
EXPERIMENT: Any = {"a": 5}


def test_pods_of_an_experiment_without_a_service_get_a_subset_before_they_get_traffic() -> None:
    before = written(WEB | destination_rule(*SUBSETS), route(10, services=False), BY_SUBSET, WITHOUT_SERVICES)
    wanted = route(10, additional=EXPERIMENT, services=False)
    writes = ROUTER.write(BY_SUBSET, WITHOUT_SERVICES, wanted, before)
    assert [each.reference.kind for each in writes] == ["DestinationRule"]
    during = written(before, wanted, BY_SUBSET, WITHOUT_SERVICES, passes=2)
    ours = {"name": "web-hash-a", "labels": {HASH: "hash-a"}}
    assert spec_of(during, PLACE)["subsets"] == [*SUBSETS, ours]
    assert http(during) == [rule(subset("stable", 85), subset("canary", 10), subset("web-hash-a", 5))]
    assert annotations(during, PLACE)[ADDED] == '{"default/web":{"backends":["web-hash-a"]}}'


def test_the_subset_of_an_experiment_goes_after_its_traffic() -> None:
    before = written(WEB | destination_rule(*SUBSETS), route(10, services=False), BY_SUBSET, WITHOUT_SERVICES)
    wanted = route(10, additional=EXPERIMENT, services=False)
    during = written(before, wanted, BY_SUBSET, WITHOUT_SERVICES, passes=2)
    writes = ROUTER.write(BY_SUBSET, WITHOUT_SERVICES, route(10, services=False), during)
    assert [each.reference.kind for each in writes] == ["VirtualService"]
    assert written(during, route(10, services=False), BY_SUBSET, WITHOUT_SERVICES, passes=2) == before


def test_only_what_has_changed_is_written() -> None:
    before = written(WEB | destination_rule(*SUBSETS), route(10), BY_SUBSET)
    [write] = ROUTER.write(BY_SUBSET, WITHOUT_SERVICES, route(10, canary="d"), before)
    assert isinstance(write, Patch)
    assert write.reference == PLACE
    assert write.body == {"spec": {"subsets": [hashed("stable", "s"), hashed("canary", "d")]}}
