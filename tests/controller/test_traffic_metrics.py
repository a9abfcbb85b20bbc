"""What do the metrics tell of traffic, and do they go with the Rollout?"""

from typing import Any

import pytest

from rollouts.controller.key import Key
from rollouts.controller.metrics import Metrics
from rollouts.controller.outcome import Outcome
from rollouts.controller.traffic_metrics import wanted_weight
from rollouts.kube.errors import Invalid
from rollouts.plan import Plan
from rollouts.plan.actions import PatchObject
from tests.controller.harness import Harness, running
from tests.controller.test_inquiries import NO, UNKNOWN, YES, Balancer, updating
from tests.controller.test_traffic import at_rest, begins_update, drop_router, goes_on, service, shares, weight
from tests.controller.world import Object, error
from tests.routing import KEY as ROUTER
from tests.routing import KIT, SPLIT, by_router

NAMES = {"namespace": "default", "name": "web"}


def written(here: Harness, outcome: str, router: str = ROUTER) -> float:
    labels = {"router": router, "outcome": outcome}
    return here.metrics.registry.get_sample_value("rollouts_route_writes_total", labels) or 0


def followed(here: Harness) -> tuple[float, float]:
    """Return how many times a route was seen to follow, and how long it took altogether."""
    value = here.metrics.registry.get_sample_value
    count, total = (value(f"rollouts_route_follow_seconds_{each}", {"router": ROUTER}) for each in ("count", "sum"))
    return count or 0, total or 0


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_each_change_of_weight_is_one_write_that_was_followed() -> None:
    async with at_rest() as here:
        before, (seen, _) = written(here, "done"), followed(here)
        await begins_update(here)
        assert written(here, "done") - before == 1
        await goes_on(here)
        await here.until(lambda: weight(here) == 60 and here.status().get("phase") == "Paused")
        assert written(here, "done") - before == 2
        assert followed(here)[0] - seen == 2


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_what_was_refused_and_what_came_too_late() -> None:
    async with at_rest() as here:
        (seen, _) = followed(here)
        here.world.fail["patch", SPLIT.kind] = [error(Invalid, 422, "Invalid", "only on Mondays")]
        containers = [{"name": "web", "image": "app:2"}]
        here.world.change("Rollout", "web", {"spec": {"template": {"spec": {"containers": containers}}}})
        await here.until(lambda: written(here, "refused") == 1)
        assert followed(here)[0] == seen
        here.world.before["patch", SPLIT.kind] = lambda: here.world.change(
            SPLIT.kind, "web", {"spec": {"timeout": "9s"}}, deliver=False
        )
        await here.until(lambda: weight(here) == 20, 120)
        assert written(here, "outdated") == 1
        assert followed(here)[0] - seen == 1


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_writes_for_a_router_that_was_dropped_have_a_name_of_their_own() -> None:
    async with at_rest() as here:
        await begins_update(here)
        drop_router(here)
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: "routedBy" not in here.status())
        assert shares(here) == {"c": 0, "s": 100}
        assert written(here, "done", "left") == 1


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_route_that_is_verified_late_has_followed_late() -> None:
    async with running(kit=KIT) as here:
        for name in ("c", "s"):
            here.world.put(service(name))
        here.world.put(verified_by_its_object())
        await here.until(lambda: weight(here) == 0)
        plane = here.world.get_now(SPLIT.kind, "web")
        assert followed(here) == (0, 0)
        before = here.now()
        await here.until(lambda: (here.now() - before).total_seconds() > 20)
        here.world.change(SPLIT.kind, "web", {"status": {"followed": plane["metadata"].get("generation")}})
        await here.until(lambda: followed(here)[0] == 1)
        assert followed(here)[1] >= 20


def verified_by_its_object() -> Object:
    raw = dict(by_router("app:1", steps=[{"setWeight": 20}], verifies=True))
    metadata = {"name": "web", "namespace": "default"}
    return {**raw, "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata}


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_answers_are_counted_one_by_one() -> None:
    balancer = Balancer()
    async with updating(balancer, NO) as here:

        def answers(answer: str) -> float:
            found = (
                sample.value
                for family in here.metrics.registry.collect()
                for sample in family.samples
                if sample.name == "rollouts_route_verifications_total" and sample.labels["answer"] == answer
            )
            return sum(found)

        await here.until(lambda: answers("not_yet") >= 2, 60)
        balancer.answer = UNKNOWN
        await here.until(lambda: answers("error") >= 1, 60)
        before = answers("yes")
        balancer.answer = YES
        await here.until(lambda: answers("yes") > before, 600)


@pytest.mark.parametrize(("is_gone", "times"), [(False, 1), (True, None)])
def test_what_was_written_is_forgotten_with_its_rollout(is_gone: bool, times: float | None) -> None:  # noqa: FBT001
    metrics, web = Metrics(), Key("default", "web")
    write = PatchObject(SPLIT, "uid-split", "8", {})
    metrics.routes.performed(web, {ROUTER: (SPLIT,)}, [write], Outcome(acknowledged=[write]))
    if is_gone:
        metrics.forget(web)
    metrics.routes.decided(web, by_router(), Plan(), is_refused=False)
    found = metrics.registry.get_sample_value("rollouts_route_follow_seconds_count", {"router": ROUTER})
    assert found == times


def canary(index: int, weights: Any, **status: Any) -> Object:
    steps = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}]
    routing = {"nginx": {"stableIngress": "shop"}}
    return {
        "metadata": dict(NAMES),
        "spec": {"strategy": {"canary": {"steps": steps, "trafficRouting": routing}}},
        "status": {
            "stableRS": "a", "currentPodHash": "b", "currentStepIndex": index, "canary": {"weights": weights}, **status,
        },
    }  # fmt: skip


def gauges(raw: Object) -> list[float | None]:
    metrics = Metrics()
    metrics.show(lambda: [raw])
    value = metrics.registry.get_sample_value
    return [value(f"rollout_traffic_weight{suffix}", NAMES) for suffix in ("_wanted", "", "_verified")]


def test_weights_that_are_wanted_set_and_verified() -> None:
    assert gauges(canary(1, {"canary": {"weight": 20}, "verified": True})) == [20, 20, 1]
    assert gauges(canary(2, {"canary": {"weight": 20}, "verified": False})) == [60, 20, 0]
    assert gauges(canary(1, {"canary": {"weight": 20}})) == [20, 20, 1]


@pytest.mark.parametrize("weights", [None, "rubbish", {}, {"canary": "rubbish"}, {"canary": {"weight": "x"}}])
def test_without_a_known_weight_nothing_is_told(weights: Any) -> None:
    assert gauges(canary(1, weights)) == [None, None, None]


def test_what_is_wanted() -> None:
    assert wanted_weight(canary(3, None)) == 100
    assert wanted_weight(canary(1, None, abort=True)) == 0
    assert wanted_weight(canary(3, None, stableRS="b")) == 0
