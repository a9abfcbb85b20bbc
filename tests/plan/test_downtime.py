"""What if the controller is away for longer than the deadline, from any write on? Nothing is given up for that."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from rollouts.plan import plan_rollout
from rollouts.registry import load_kit
from rollouts.sim.scenario import Scenario
from rollouts.sim.simulation import Pass, Simulation
from rollouts.sim.world import World
from tests.plan.given import START, Raw, rollout

KIT = load_kit()
AWAY = timedelta(hours=1)
STEPS: list[Raw] = [{"setWeight": 40}, {"pause": {"duration": 5}}, {"setWeight": 80}]
# More writes than the update needs: the last of these numbers find it complete.
WRITES = range(30)


def written(world: World) -> Iterator[None]:
    """Let the controller work on the Rollout until nothing is left to do, with a halt after each of its writes."""
    while True:
        here = world.observe("web")
        plan = plan_rollout(here, world.now, KIT)
        for action in plan.actions:
            world.perform(action, here.raw)
            yield
        if plan.status is not None:
            version = world.rollouts["web"]["metadata"]["resourceVersion"]
            world.write_status("web", plan.status, resource_version=version)
            yield
        if plan.is_settled and not world.run_replica_sets():
            times = [time for time in (world.next_change(), plan.wake_at) if time is not None]
            if not times:
                return
            world.now = max(world.now, min(times))


def stopped_after(writes: int) -> World:
    """Return the world as a controller leaves it that dies after so many writes of an update."""
    world = World(START)
    world.create_rollout(rollout(steps=STEPS, progressDeadlineSeconds=60, progressDeadlineAbort=True))
    for _ in written(world):
        pass
    world.patch_rollout("web", {"spec": rollout("app:2", steps=STEPS)["spec"]})
    for _ in zip(range(writes), written(world), strict=False):
        pass
    return world


@pytest.mark.parametrize("writes", WRITES)
def test_away_after_some_writes(writes: int) -> None:
    world = stopped_after(writes)
    for _ in range(10):  # pods go on as they were asked to
        world.now += timedelta(seconds=1)
        world.run_replica_sets()
    world.now += AWAY

    passes = [each for each in Simulation(Scenario(world, (), 1000), KIT).run() if isinstance(each, Pass)]

    assert [event for each in passes for event in each.events if event.reason == "RolloutAborted"] == []
    assert world.rollouts["web"]["status"]["phase"] == "Healthy"
