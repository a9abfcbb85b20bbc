import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from rollouts.kube.errors import Forbidden, Invalid, ServerError, Unreachable
from rollouts.plan import Observed, Plan, plan_rollout
from rollouts.plan.actions import PatchRollout, UpdateReplicaSet
from rollouts.ports import Kit
from tests.controller.harness import KEY, START, Harness, running
from tests.controller.world import error, replica_set, rollout

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def spec(image: str) -> dict[str, Any]:
    return {"spec": {"template": rollout(image=image)["spec"]["template"]}}


async def test_a_canary_goes_up_pauses_and_is_resumed() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        here.world.change("Rollout", "web", spec("nginx:2"))
        await here.until(lambda: here.status().get("pauseConditions"))
        sizes = sorted(each["spec"]["replicas"] for each in here.world.lookups.replica_sets.items())
        assert sizes == [1, 4]
        here.world.change("Rollout", "web", {"status": {"pauseConditions": None}})
        await here.until(lambda: here.status().get("phase") == "Healthy")
    assert [reason for reason, _ in itertools.groupby(here.reasons())] == [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutStepCompleted",
        "RolloutPaused",
        "RolloutStepCompleted",
        "RolloutResumed",
        "ScalingReplicaSet",
        "RolloutCompleted",
    ]


async def test_a_rollout_at_rest_is_not_planned_again_and_not_written_to() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        await asyncio.sleep(20)
        plans, requests = len(here.plans), len(here.world.requests)
        for _ in range(100):
            here.loop.add(KEY)
            await asyncio.sleep(1)
        assert (len(here.plans), len(here.world.requests)) == (plans, requests)


async def test_it_is_looked_at_again_once_per_resync() -> None:
    async with running() as here:
        here.world.put(rollout())
        await asyncio.sleep(100)
        requests = len(here.world.requests)
        await asyncio.sleep(3600)
        times = [at for at, _ in here.plans if at > 100]
        assert len(times) >= 3
        # A quarter of an hour, give or take a tenth: not all Rollouts at the same moment.
        assert all(810 <= later - sooner <= 995 for sooner, later in itertools.pairwise(times))
        assert len(here.world.requests) == requests


async def test_nothing_is_planned_before_the_cache_shows_our_own_writes() -> None:
    async with running() as here:
        here.world.put(rollout())
        here.delivers = False
        await here.until(lambda: here.plans)
        await asyncio.sleep(20)
        assert len(here.plans) == 1
        assert sorted(request.split()[0] for request in here.world.requests) == ["create", "patch", "patch"]
        here.resume_delivery()
        await here.until(lambda: here.status().get("phase") == "Healthy")


async def test_a_lost_event_is_made_up_for_by_the_safety_wake() -> None:
    async with running() as here:
        here.world.put(rollout())
        listeners, here.world.listeners = here.world.listeners, {}
        await asyncio.sleep(0.5)
        assert len(here.plans) == 1
        await asyncio.sleep(0.6)
        assert len(here.plans) == 2
        here.world.listeners = listeners


async def test_what_stays_away_too_long_is_settled_by_a_live_read() -> None:
    async with running() as here:
        here.world.put(rollout())
        here.delivers = False
        await here.until(lambda: here.plans)
        await asyncio.sleep(29)
        assert not any(request.startswith("get") for request in here.world.requests)
        await asyncio.sleep(5)
        assert {"get Rollout web"} <= set(here.world.requests)
        assert len(here.plans) == 1  # the live read has shown that the watch lags behind: waiting goes on
        here.resume_delivery()
        await here.until(lambda: here.status().get("phase") == "Healthy")


async def test_a_child_that_came_and_went_unseen_is_not_waited_for_after_a_live_read() -> None:
    async with running() as here:
        here.world.put(rollout())
        here.delivers = False
        await here.until(lambda: here.plans)
        (name,) = (name for kind, _, name in here.world.objects if kind == "ReplicaSet")
        here.world.remove("ReplicaSet", name, deliver=False)
        here.resume_delivery()
        await here.until(lambda: len(here.plans) > 1, 40)
        await here.until(lambda: here.status().get("phase") == "Healthy")
        assert here.world.requests.count(f"create ReplicaSet {name}") == 2


async def test_a_conflict_means_that_somebody_spoke_and_is_heard_at_once() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        here.world.change("Rollout", "web", spec("nginx:2"))
        await here.until(lambda: here.status().get("pauseConditions"))
        # The user aborts in the very moment in which we write on.
        here.world.before["patch", "Rollout"] = lambda: here.world.change(
            "Rollout", "web", {"status": {"abort": True}}, deliver=False
        )
        here.world.change("Rollout", "web", {"status": {"pauseConditions": None}})
        await here.until(lambda: here.status().get("phase") == "Degraded", 2)
        assert here.status()["abort"]
        assert here.reasons()[-2:] == ["ScalingReplicaSet", "RolloutAborted"] or "RolloutAborted" in here.reasons()


async def test_a_refused_creation_is_told_and_tried_again_less_and_less_often() -> None:
    async with running() as here:
        full = error(Forbidden, 403, "Forbidden", "exceeded quota: pods")
        here.world.fail["create", "ReplicaSet"] = [full] * 4
        here.world.put(rollout())
        await asyncio.sleep(8)
        assert here.world.requests.count("create ReplicaSet web-" + here.status()["currentPodHash"]) == 1
        assert "exceeded quota: pods" in str(here.status()["conditions"])
        assert "ReplicaSetCreateError" in here.reasons()
        requests = len(here.world.requests)
        await asyncio.sleep(60)
        assert [request.split()[0] for request in here.world.requests[requests:]].count("create") == 2
        await here.until(lambda: here.status().get("phase") == "Healthy", 400)


async def test_a_refused_creation_is_tried_at_once_when_the_rollout_changes() -> None:
    async with running() as here:
        here.world.fail["create", "ReplicaSet"] = [error(Invalid, 422, "Invalid", "bad image")]
        here.world.put(rollout())
        await asyncio.sleep(3)
        here.world.change("Rollout", "web", spec("nginx:2"))
        await here.until(lambda: here.status().get("phase") == "Healthy", 3)


async def test_a_name_that_is_taken_leads_to_another_one() -> None:
    async with running() as here:
        here.world.put(rollout())
        here.delivers = False
        await here.until(lambda: here.plans)
        (name,) = (name for kind, _, name in here.world.objects if kind == "ReplicaSet")
        pod_hash = name.removeprefix("web-")
    async with running() as here:
        stranger = replica_set(None, pod_hash)
        stranger["metadata"]["labels"] = {"app": "other"}  # neither ours nor in our cache
        here.world.put(stranger, deliver=False)
        del here.world.stores["ReplicaSet"]
        here.world.put(rollout())
        await here.until(lambda: here.status().get("collisionCount") == 1, 3)
        here.world.stores["ReplicaSet"] = here.world.lookups.replica_sets  # type: ignore[assignment]
        await here.until(lambda: here.status().get("phase") == "Healthy", 5)


async def test_trouble_comes_back_with_back_off_and_is_told_once() -> None:
    async with running() as here:
        down = error(ServerError, 500, "InternalError", "etcd is down")
        here.world.fail["patch", "Rollout"] = [down] * 12
        here.world.put(rollout())
        await asyncio.sleep(4)
        assert here.reasons().count("ReconciliationError") == 1
        assert here.metrics.registry.get_sample_value(
            "rollout_reconcile_error_total", {"namespace": "default", "name": "web"}
        )
        assert len(here.world.requests) < 40
        await here.until(lambda: here.status().get("phase") == "Healthy", 30)


async def test_an_unreachable_server_is_no_event_storm() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        away = error(Unreachable, 0, "Unreachable", "connection refused")
        here.world.fail["create", "ReplicaSet"] = [away] * 30
        here.world.fail["patch", "Rollout"] = [away] * 30
        here.world.change("Rollout", "web", spec("nginx:2"))
        await asyncio.sleep(100)
        assert here.reasons().count("ReconciliationError") <= 1
        await here.until(lambda: here.status().get("pauseConditions"), 300)


async def test_a_broken_plan_hurts_one_rollout_only() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        if observed.name == "broken":
            raise ZeroDivisionError("a bug")
        return plan_rollout(observed, now, kit)

    async with running(plan) as here:
        here.world.put(rollout("broken"))
        here.world.put(rollout("web"))
        await here.until(lambda: here.status("web").get("phase") == "Healthy", 2)
        await asyncio.sleep(30)
        assert here.reasons().count("ReconciliationError") == 1
        assert "ZeroDivisionError: a bug" in here.events[1] or "ZeroDivisionError" in str(here.events)
        assert sum(1 for at, _ in here.plans if at > 25) == 0  # it backs off to once in 10 seconds, and web rests


async def test_an_unreadable_spec_is_shown_and_looked_at_again_when_it_changes() -> None:
    async with running() as here:
        here.world.put(rollout(replicas="many"))  # type: ignore[arg-type]
        await here.until(lambda: here.status().get("phase") == "Degraded", 2)
        assert "spec.replicas" in here.status()["message"]
        await asyncio.sleep(60)
        assert len([request for request in here.world.requests if "status" in request]) == 1
        here.world.change("Rollout", "web", {"spec": {"replicas": 5}})
        await here.until(lambda: here.status().get("phase") == "Healthy", 2)


async def test_counts_share_a_write_and_urgent_news_takes_them_along() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        del kit
        wanted = {"replicas": (now - START) // timedelta(seconds=1)}
        if observed.raw.get("status") == wanted:
            return Plan()
        return Plan(status=wanted, status_can_wait=now < START + timedelta(seconds=22))

    async with running(plan) as here:
        here.world.put(rollout())
        writes: list[int] = []
        for second in range(24):
            here.world.put(replica_set(here.world.get_now("Rollout", "web"), "a", second))
            await asyncio.sleep(1)
            count = sum("status" in request for request in here.world.requests)
            writes.append(count - sum(writes))
        assert 3 <= sum(writes[:21]) <= 4
        assert sum(writes[22:]) >= 1


async def test_a_plan_that_is_never_satisfied_is_slowed_down() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        del now, kit
        return Plan(actions=(PatchRollout(annotations={"count": observed.raw["metadata"]["resourceVersion"]}),))

    async with running(plan) as here:
        here.world.put(rollout())
        await asyncio.sleep(60)
        assert len(here.plans) < 120
        before = len(here.plans)
        await asyncio.sleep(60)
        assert len(here.plans) - before <= 60


async def test_a_wake_in_the_past_does_not_spin() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        del observed, kit
        return Plan(wake_at=now - timedelta(days=1))

    async with running(plan) as here:
        here.world.put(rollout())
        await asyncio.sleep(60)
        assert len(here.plans) < 70


async def test_a_wake_comes_at_its_time() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        del observed, kit
        return Plan(wake_at=START + timedelta(seconds=30) if now < START + timedelta(seconds=30) else None)

    async with running(plan) as here:
        here.world.put(rollout())
        await asyncio.sleep(60)
        assert [at for at, _ in here.plans] == [0.0, 30.0]


async def test_an_update_that_is_refused_is_not_asked_for_again_and_again() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        del now, kit
        return Plan(
            actions=tuple(
                UpdateReplicaSet(each.name, each.uid, 1, each.size, size=7)
                for each in observed.replica_sets
                if each.size != 7
            )
        )

    async with running(plan) as here:
        here.world.put(replica_set(here.world.put(rollout()), "a"))
        here.world.fail["patch", "ReplicaSet"] = [error(Forbidden, 403, "Forbidden", "no permission")] * 2
        await asyncio.sleep(9)
        assert here.world.requests == ["patch ReplicaSet web-a"]
        await here.until(lambda: here.world.get_now("ReplicaSet", "web-a")["spec"]["replicas"] == 7, 60)
        assert here.reasons().count("ReplicaSetUpdateError") == 1


async def test_a_known_rollout_is_not_announced_at_every_start() -> None:
    async with running() as here:
        here.world.put({**rollout(), "status": {"phase": "Healthy"}})
        await asyncio.sleep(5)
        assert "RolloutAddedToInformer" not in here.reasons()


async def test_pods_are_listed_while_a_restart_is_pending_and_a_failed_list_is_tried_again() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        assert not any("Pod" in request for request in here.world.requests)
        here.world.fail["list", "Pod"] = [error(Unreachable, 0, "Unreachable", "cut off")]
        here.world.change("Rollout", "web", {"spec": {"restartAt": "2026-01-01T00:00:00Z"}})
        await here.until(lambda: here.status().get("restartedAt") == "2026-01-01T00:00:00Z", 5)
        assert here.world.requests.count("list Pod app=web") == 2
        assert here.reasons().count("ReconciliationError") == 1


async def test_an_abort_is_heard_while_pods_can_not_be_listed_for_a_restart() -> None:
    async with running() as here:
        here.world.put(rollout())
        await here.until(lambda: here.status().get("phase") == "Healthy")
        here.world.change("Rollout", "web", spec("nginx:2"))
        await here.until(lambda: here.status().get("pauseConditions"))
        here.world.fail["list", "Pod"] = [error(Forbidden, 403, "Forbidden") for _ in range(1000)]
        here.world.change("Rollout", "web", {"spec": {"restartAt": "2026-01-01T00:00:00Z"}})
        await asyncio.sleep(30)
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: here.status().get("abortedAt"), 2)
        assert here.world.requests.count("list Pod app=web") < 50
        assert here.reasons().count("ReconciliationError") == 1


async def test_a_mistake_in_performing_is_told_by_its_own_name() -> None:
    def plan(observed: Observed, now: datetime, kit: Kit) -> Plan:
        del observed, now, kit
        return Plan(actions=(UpdateReplicaSet("unheard-of", "u", 1, 1, size=2),))

    async with running(plan) as here:
        here.world.put(rollout())
        await asyncio.sleep(30)
        assert here.reasons().count("ReconciliationError") == 1
        assert "KeyError" in here.events[-1]
        assert len(here.plans) < 20


async def test_before_it_leads_nothing_is_worked_on_and_then_the_needy_come_first() -> None:
    harness = Harness(plan_rollout)
    healthy = {"phase": "Healthy", "observedGeneration": "1"}
    for number in range(5):
        harness.world.put({**rollout(f"idle-{number}"), "status": healthy})
    harness.world.put(rollout("needy"))
    await asyncio.sleep(10)
    assert harness.plans == []
    assert harness.loop.queue.depth == 0
    working = asyncio.create_task(harness.loop.run())
    await asyncio.sleep(1)
    harness.loop.close()
    await working
    assert harness.world.requests[0].split("-")[0].endswith("needy")
