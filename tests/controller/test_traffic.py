"""What does the controller make of the objects of traffic routers: seen, written, changed by others, out of sight?"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rollouts.api.selectors import parse_selector
from rollouts.controller.clusters import Cluster, Clusters
from rollouts.controller.following import PATIENCE
from rollouts.controller.traffic import RETRY, Kind, Traffic
from rollouts.kube.errors import Forbidden, Invalid, NotFound
from rollouts.kube.resources import Resource
from rollouts.ports import Reference, Selected
from tests.controller.harness import KEY, Harness, running
from tests.controller.world import Object, error, rollout
from tests.plugins.strangers import PAGE, Routes, Stays, fall, kit_with, sleep
from tests.routing import KIT, SPLIT, by_router

if TYPE_CHECKING:
    from rollouts.kube.client import Api

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


FIGHT = (
    "argocd-controller has changed back what the Rollout writes to Split web: have it leave that to the Rollout, "
    "in Argo CD by ignoreDifferences with RespectIgnoreDifferences=true"
)


def split(**spec: Any) -> Object:
    metadata = {"name": "web", "namespace": "default"}
    return {"apiVersion": f"{SPLIT.group}/v1", "kind": SPLIT.kind, "metadata": metadata, "spec": spec}


def service(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": "web"}}}


def routed(**settings: Any) -> Object:
    raw = dict(by_router("app:1", steps=STEPS, **settings))
    metadata = {"name": "web", "namespace": "default"}
    return {**raw, "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata}


def shares(here: Harness) -> dict[str, int]:
    return {each["to"]: each["weight"] for each in here.world.get_now(SPLIT.kind, "web")["spec"]["shares"]}


def weight(here: Harness) -> int | None:
    found: int | None = here.status().get("canary", {}).get("weights", {}).get("canary", {}).get("weight")
    return found


def writes(here: Harness) -> list[str]:
    return [each for each in here.world.requests if SPLIT.kind in each]


@asynccontextmanager
async def at_rest() -> AsyncIterator[Harness]:
    """Run a world with a Rollout that is complete, and whose traffic is shared by a router."""
    async with running(kit=KIT) as here:
        for name in ("c", "s"):
            here.world.put(service(name))
        here.world.put(split(shares=[], timeout="3s"))
        here.world.put(routed())
        await here.until(lambda: here.status().get("phase") == "Healthy" and weight(here) == 0)
        here.world.requests.clear()
        yield here


def set_image(here: Harness) -> None:
    containers = [{"name": "web", "image": "app:2"}]
    here.world.change("Rollout", "web", {"spec": {"template": {"spec": {"containers": containers}}}})


async def begins_update(here: Harness) -> None:
    set_image(here)
    await here.until(lambda: here.status().get("phase") == "Paused" and weight(here) == 20)


async def goes_on(here: Harness) -> None:
    here.world.change("Rollout", "web", {"status": {"pauseConditions": None}})


async def test_weights_follow_the_steps_by_one_write_each() -> None:
    async with at_rest() as here:
        await begins_update(here)
        assert shares(here) == {"c": 20, "s": 80}
        assert len(writes(here)) == 1
        await goes_on(here)
        await here.until(lambda: weight(here) == 60)
        assert shares(here) == {"c": 60, "s": 40}
        assert len(writes(here)) == 2
        await here.until(lambda: here.status().get("phase") == "Paused")
        await goes_on(here)
        await here.until(lambda: here.status().get("phase") == "Healthy" and weight(here) == 0, 200)
        assert shares(here) == {"c": 0, "s": 100}
        assert len(writes(here)) == 4
        assert here.world.get_now(SPLIT.kind, "web")["spec"]["timeout"] == "3s"
        told = [each for each in here.events if "TrafficWeightUpdated" in each]
        assert [each.partition("updated ")[2] for each in told][-4:] == [
            "from 0 to 20", "from 20 to 60", "from 60 to 100", "from 100 to 0",
        ]  # fmt: skip


async def test_an_abort_takes_the_weight_away() -> None:
    async with at_rest() as here:
        await begins_update(here)
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: here.status().get("phase") == "Degraded" and weight(here) == 0)
        assert shares(here) == {"c": 0, "s": 100}


async def test_what_others_change_is_put_right_and_what_is_theirs_stays() -> None:
    async with at_rest() as here:
        await begins_update(here)
        theirs = {"shares": [{"to": "c", "weight": 90}, {"to": "s", "weight": 10}], "timeout": "9s"}
        here.world.change(SPLIT.kind, "web", {"spec": theirs})
        await here.until(lambda: shares(here) == {"c": 20, "s": 80})
        assert here.world.get_now(SPLIT.kind, "web")["spec"]["timeout"] == "9s"


async def test_whoever_changes_it_back_each_time_is_answered_less_and_less_often() -> None:
    async with at_rest() as here:
        await begins_update(here)
        managed = [{"manager": "argocd-controller", "operation": "Apply", "time": "2026-01-01T00:00:00Z"}]
        theirs = {"metadata": {"managedFields": managed}, "spec": {"shares": [{"to": "s", "weight": 100}]}}

        def change_back() -> bool:
            if shares(here) != {"s": 100}:
                here.world.change(SPLIT.kind, "web", theirs)
            return time() >= end

        before, time = len(writes(here)), asyncio.get_running_loop().time
        end = time() + 60
        await here.until(change_back, 120)
        assert 5 < len([each for each in writes(here) if each.startswith("patch")]) - before < 15
        assert [each for each in here.events if "Conflict" in each] == [f"web Warning TrafficRoutingConflict {FIGHT}"]
        assert any(FIGHT in each for _, plan in here.plans for each in plan.because)
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: shares(here) == {"c": 0, "s": 100})


async def test_whoever_was_faster_is_seen_before_the_next_write() -> None:
    async with at_rest() as here:
        here.world.before["patch", SPLIT.kind] = lambda: here.world.change(
            SPLIT.kind, "web", {"spec": {"timeout": "9s"}}, deliver=False
        )
        await begins_update(here)
        spec = here.world.get_now(SPLIT.kind, "web")["spec"]
        assert (spec["timeout"], shares(here)) == ("9s", {"c": 20, "s": 80})
        assert len(writes(here)) == 2


async def test_an_object_that_is_gone_is_made_again() -> None:
    async with at_rest() as here:
        await begins_update(here)
        here.world.remove(SPLIT.kind, "web")
        await here.until(lambda: any(each.startswith("create") for each in writes(here)))
        await here.until(lambda: shares(here) == {"c": 20, "s": 80})


async def test_a_write_that_is_refused_is_told_once() -> None:
    async with at_rest() as here:
        refusal = error(Invalid, 422, "Invalid", "spec.shares: only on Mondays")
        here.world.fail["patch", SPLIT.kind] = [refusal, refusal]
        containers = [{"name": "web", "image": "app:2"}]
        here.world.change("Rollout", "web", {"spec": {"template": {"spec": {"containers": containers}}}})
        await here.until(lambda: weight(here) == 20, 120)
        told = [each for each in here.events if "TrafficRoutingError" in each]
        assert told == ["web Warning TrafficRoutingError patch Split web: Invalid: spec.shares: only on Mondays"]


async def test_a_kind_that_can_not_be_read_is_told_and_nothing_is_planned_on_it() -> None:
    async with running(kit=KIT) as here:
        here.world.traffic.problem = "the API server doesn't serve it"
        for name in ("c", "s"):
            here.world.put(service(name))
        here.world.put(routed())
        await here.until(lambda: here.status().get("phase") == "Degraded")
        wanted = "spec.strategy.canary.trafficRouting: Split web can't be read: the API server doesn't serve it"
        assert wanted in here.status()["message"]
        assert here.plans == []
        here.world.traffic.problem = None
        here.world.changes(here.freshness, here.loop, here.readers).traffic_known(str(Kind(SPLIT.group, SPLIT.kind)))
        await here.until(lambda: here.status().get("phase") == "Healthy")


async def test_a_kind_is_followed_while_a_router_reads_it() -> None:
    async with at_rest() as here:
        assert here.world.traffic.followed == {Kind(SPLIT.group, SPLIT.kind)}
        here.freshness.outdated(KEY, here.world.get_now(SPLIT.kind, "web"), 0.0)
        drop_router(here)
        await here.until(lambda: here.world.traffic.followed == set())
        assert "routedBy" not in here.status()
        assert "Split" not in {each.kind.partition(".")[0] for each in here.freshness.owed(KEY)}


def drop_router(here: Harness) -> None:
    here.world.change("Rollout", "web", {"spec": {"strategy": {"canary": {"trafficRouting": None}}}})


async def test_a_router_that_is_dropped_is_left_once_the_update_is_over() -> None:
    async with at_rest() as here:
        await begins_update(here)
        drop_router(here)
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: "routedBy" not in here.status())
        assert shares(here) == {"c": 0, "s": 100}


async def test_what_is_left_over_and_can_not_be_read_is_waited_for() -> None:
    async with at_rest() as here:
        here.world.traffic.problem = "no right to watch it"
        drop_router(here)
        await here.until(lambda: any("can't be seen" in each for _, plan in here.plans for each in plan.because))
        assert here.status()["phase"] == "Healthy"
        assert [each["router"] for each in here.status()["routedBy"]] == ["test/recording"]
        here.world.traffic.problem = None
        here.world.changes(here.freshness, here.loop, here.readers).traffic_known(str(Kind(SPLIT.group, SPLIT.kind)))
        await here.until(lambda: "routedBy" not in here.status())


@pytest.mark.parametrize("deed", [fall, sleep])
async def test_a_stranger_that_can_not_say_what_it_reads_holds_up_its_own_rollout_only(deed: Any) -> None:
    deeds: dict[str, Any] = {"reads": deed}
    router = Routes()
    router.deeds = deeds
    kit = kit_with(router)
    async with running(kit=replace(kit, routers={**kit.routers, **KIT.routers})) as here:
        here.world.put(rollout("beside"))
        for name in ("c", "s"):
            here.world.put(service(name))
        theirs = routed()
        theirs["spec"]["strategy"]["canary"]["trafficRouting"] = {"plugins": {"stranger": {}}}
        here.world.put(theirs)
        await here.until(lambda: here.status().get("phase") == "Degraded")
        assert "'stranger'" in here.status()["message"]
        await here.until(lambda: here.status("beside").get("phase") == "Healthy")
        deeds.clear()
        if deed is fall:  # what hangs isn't asked again before it is back
            here.loop.wake(KEY, 0)
            await here.until(lambda: here.world.traffic.followed == {Kind(PAGE.group, PAGE.kind)})


@pytest.mark.parametrize("deed", [fall, sleep])
@pytest.mark.parametrize("place", ["reads", "leave"])
async def test_a_stranger_that_can_not_be_left_keeps_nothing_waiting(place: str, deed: Any) -> None:
    deeds: dict[str, Any] = {}
    router = Stays()
    router.deeds = deeds
    kit = kit_with(router)
    async with running(kit=replace(kit, routers={**kit.routers, **KIT.routers})) as here:
        for name in ("c", "s"):
            here.world.put(service(name))
        theirs = routed()
        theirs["spec"]["strategy"]["canary"]["trafficRouting"] = {"plugins": {"stranger": {}}}
        here.world.put(theirs)
        await here.until(lambda: here.status().get("phase") == "Healthy")
        await here.until(lambda: [each["router"] for each in here.status().get("routedBy", ())] == ["stranger"])
        deeds[place] = deed
        drop_router(here)
        set_image(here)
        await here.until(lambda: here.status().get("phase") == "Paused")
        assert [each["router"] for each in here.status()["routedBy"]] == ["stranger"]
        assert any("no longer names, can't be left" in each for _, plan in here.plans for each in plan.because)


WEB = Reference("gateway.networking.k8s.io", "HTTPRoute", "default", "web")
ROUTES = Kind(WEB.group, WEB.kind)


class Server:
    """Serves one HTTPRoute by WatchList, once its definition is there, and to those who may read it."""

    def __init__(self) -> None:
        self.versions: list[str] = ["v1beta1", "v1"]
        self.refuses = False
        self.watched: list[str] = []
        self._gone = asyncio.Event()

    async def fetch(self, path: str) -> dict[str, Any]:
        if not self.versions:
            raise error(NotFound, 404, "NotFound")
        if path.endswith(WEB.group):
            return {"preferredVersion": {"version": "v1"}, "versions": [{"version": each} for each in self.versions]}
        status = {"name": "httproutes/status", "kind": WEB.kind, "namespaced": True}
        return {"resources": [status, {"name": "httproutes", "kind": WEB.kind, "namespaced": True}]}

    def uninstall(self) -> None:
        self.versions = []
        self._gone.set()
        self._gone = asyncio.Event()

    async def watch(self, resource: Resource, **_: Any) -> AsyncGenerator[dict[str, Any], None]:
        if self.refuses:
            raise error(Forbidden, 403, "Forbidden", f"no right to watch {resource.plural}")
        if not self.versions:
            raise error(NotFound, 404, "NotFound")
        self.watched.append(resource.api_version)
        metadata = {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "5", "labels": {"app": "web"}}
        yield {
            "type": "ADDED",
            "object": {"apiVersion": resource.api_version, "kind": WEB.kind, "metadata": metadata, "spec": {}},
        }
        mark = {"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}
        yield {"type": "BOOKMARK", "object": mark}
        await self._gone.wait()


@asynccontextmanager
async def following(server: Server, namespace: str | None = None) -> AsyncIterator[tuple[Traffic, list[str]]]:
    """Follow HTTPRoutes; yield who does it, and which kinds it has told of."""
    told: list[str] = []
    traffic = Traffic(Clusters(cast("Api", server), "rollouts", {}), namespace, lambda *_: None, told.append)
    task = asyncio.create_task(traffic.run())
    traffic.follow(ROUTES)
    await asyncio.sleep(1)
    try:
        yield traffic, told
    finally:
        task.cancel()
        await asyncio.wait({task})


def trouble(traffic: Traffic) -> str | None:
    found = traffic.obstacle((WEB,))
    return found.trouble if found is not None else None


async def test_it_is_watched_in_the_version_that_is_preferred() -> None:
    server = Server()
    async with following(server) as (traffic, told):
        assert server.watched == ["gateway.networking.k8s.io/v1"]
        assert (trouble(traffic), told) == (None, [str(ROUTES)])
        other = Reference(WEB.group, WEB.kind, "default", "other")
        labelled = Selected(WEB.group, WEB.kind, "default", parse_selector("app=web"))
        nobody = Selected(WEB.group, WEB.kind, "default", parse_selector("app=api"))
        found = traffic.picked((WEB, other))
        assert [each is not None for each in found.values()] == [True, False]
        assert list(traffic.picked((labelled,))) == [WEB]
        assert traffic.picked((nobody,)) == {}
        assert traffic.find(WEB.kind, "default", "web") == found[WEB]
        served = traffic.served(WEB.kind, WEB.group)
        assert served is not None
        assert served.resource.path("default") == "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes"
        traffic.unfollow(ROUTES)
        await asyncio.sleep(1)
        assert (trouble(traffic), traffic.served(WEB.kind, WEB.group)) == ("", None)


async def test_definitions_may_come_later_and_go_and_come_back() -> None:
    server = Server()
    server.versions = []
    missing = f"the API server doesn't serve {ROUTES}: install its definition"
    async with following(server) as (traffic, told):
        assert (trouble(traffic), told) == (missing, [str(ROUTES)])
        server.versions = ["v1"]
        await asyncio.sleep(RETRY)
        assert (trouble(traffic), len(told)) == (None, 2)
        server.uninstall()
        await asyncio.sleep(3 * RETRY)
        assert (trouble(traffic), traffic.picked((WEB,))) == (missing, {WEB: None})
        server.versions = ["v1"]
        await asyncio.sleep(RETRY)
        assert trouble(traffic) is None


async def test_a_watch_that_is_refused_is_told_after_a_while_and_recovers() -> None:
    server = Server()
    server.refuses = True
    async with following(server) as (traffic, _):
        assert trouble(traffic) == ""
        await asyncio.sleep(PATIENCE)
        assert "no right to watch httproutes" in (trouble(traffic) or "")
        server.refuses = False
        await asyncio.sleep(60)
        assert trouble(traffic) is None


async def test_whoever_looks_after_one_namespace_says_so_of_others() -> None:
    async with following(Server(), "shop") as (traffic, _):
        assert trouble(traffic) == "it is in namespace default, and this controller looks after shop only"


class Moves(Clusters):
    """Has every group's objects where a test says."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cast("Api", Server()), "rollouts", {})
        self.cluster = cluster

    def of(self, group: str) -> Cluster:
        del group
        return self.cluster

    async def move(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._news.set()
        self._news = asyncio.Event()
        await asyncio.sleep(RETRY)


async def test_objects_are_read_in_the_cluster_that_has_them_at_the_time() -> None:
    here, there = Server(), Server()
    clusters = Moves(Cluster(cast("Api", here)))
    told: list[str] = []
    traffic = Traffic(clusters, None, lambda *_: None, told.append)
    task = asyncio.create_task(traffic.run())
    traffic.follow(ROUTES)
    await asyncio.sleep(1)
    assert (trouble(traffic), len(told)) == (None, 1)
    await clusters.move(Cluster(None))
    assert (trouble(traffic), traffic.picked((WEB,)), len(told)) == ("", {WEB: None}, 1)
    await clusters.move(Cluster(None, "no good Secret"))
    assert (trouble(traffic), traffic.served(WEB.kind, WEB.group), len(told)) == ("no good Secret", None, 2)
    await clusters.move(Cluster(cast("Api", there), title="the API server of a Secret"))
    served = traffic.served(WEB.kind, WEB.group)
    assert served is not None
    assert cast("object", served.api) is there
    assert (trouble(traffic), len(told)) == (None, 3)
    there.uninstall()
    await asyncio.sleep(3 * RETRY)
    assert trouble(traffic) == f"the API server of a Secret doesn't serve {ROUTES}: install its definition"
    task.cancel()
    await asyncio.wait({task})
