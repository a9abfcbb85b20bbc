"""What is true of every rollout with a traffic router, whatever people, pods, networks and routers do?"""

from hypothesis import event, given
from hypothesis import strategies as st

from rollouts.plan import plan_rollout
from rollouts.sim.faults import Trouble
from rollouts.sim.pods import image_of
from rollouts.sim.scenario import abort, patch_spec, resume, retry, set_image
from rollouts.sim.simulation import Pass, Simulation
from tests.properties.routed_worlds import (
    RoutedTrial,
    answers_to,
    led_to,
    managed,
    name_of,
    pauses,
    routed_trials,
    scales,
    shares_of,
    split_of,
    weights,
)
from tests.properties.worlds import NAME
from tests.routing import KEY, KIT, SPLIT


def run(trial: RoutedTrial) -> Simulation:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.trial.faults)
    for _ in simulation.run():
        pass
    return simulation


def passes(trial: RoutedTrial) -> list[Pass]:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.trial.faults)
    return [moment for moment in simulation.run() if isinstance(moment, Pass)]


def needed(record: Pass, weight: int) -> int:
    replicas = record.here.rollout.spec.replicas or 0
    return -(-weight * replicas // 100)


def assert_traffic_finds_pods(record: Pass) -> None:
    """Check that a pass sends no more traffic to a ReplicaSet without available pods; a size of 0 has none at all."""
    before, after = shares_of(record.before, followed=False), shares_of(record.after, followed=False)
    for pod_hash, weight in after.items():
        if needed(record, weight) and weight > before.get(pod_hash, 0) and before:
            assert record.available.get(name_of(pod_hash), 0) > 0, (
                f"{record.now}: {before} -> {after}, available {record.available}, {record.plan.because}"
            )
    led = led_to(record.before, followed=False)
    for route, pod_hash in led_to(record.after, followed=False).items():
        if led.get(route) != pod_hash:
            assert record.available.get(name_of(pod_hash), 0) > 0, (
                f"{record.now}: {route} leads to {pod_hash}, available {record.available}, {record.plan.because}"
            )


def assert_managed_routes_keep_pods(record: Pass) -> None:
    """Check that a pass took the last pod from nobody to whom a managed route leads; a size of 0 has no pods at all.

    What the data plane does is known only of one that is verified.
    """
    if not record.here.rollout.spec.replicas:
        return
    routing = record.here.raw["spec"]["strategy"]["canary"]["trafficRouting"]
    for followed in (False, True) if routing["plugins"][KEY]["verifies"] else (False,):
        for moment in (record.before, record.after):
            for route, pod_hash in led_to(moment, followed=followed).items():
                name = name_of(pod_hash)
                available = record.available.get(name, 0)
                if min(record.sizes_before.get(name, 0), available):
                    assert record.sizes_after.get(name, 0), (
                        f"{record.now}: {route} leads to {name}, which loses its pods: {record.plan.because}"
                    )


def assert_capacity_is_kept(record: Pass) -> None:
    """Check that a pass took no pod that the traffic needs, by what the router was told and by what it does."""
    for followed in (False, True):
        for moment in (record.before, record.after):
            for pod_hash, weight in shares_of(moment, followed=followed).items():
                name = name_of(pod_hash)
                available = record.available.get(name, 0)
                before = min(record.sizes_before.get(name, 0), available)
                after = min(record.sizes_after.get(name, 0), available)
                assert after >= min(before, needed(record, weight)), (
                    f"{record.now}: {name} {before} -> {after}, weight {weight}, {record.plan.because}"
                )


@given(routed_trials(may_crash=True, may_be_rubbish=True))
def test_it_comes_to_rest_and_stays_there(trial: RoutedTrial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.trial.faults)
    records = [moment for moment in simulation.run() if isinstance(moment, Pass)]
    for record in records[::5]:
        assert plan_rollout(record.here, record.now, KIT) == record.plan, "the same picture gives the same plan"
    world = simulation.world
    event(f"phase {world.rollouts[NAME]['status']['phase']}")
    refusals = simulation.memory.refusals(world.rollouts[NAME], world.now)
    plan = plan_rollout(world.observe(NAME, None, refusals), world.now, KIT)
    assert plan.is_settled, f"still to do: {plan.actions}, {plan.because}"


@given(routed_trials())
def test_traffic_is_sent_to_available_pods_only(trial: RoutedTrial) -> None:
    for record in passes(trial):
        assert_traffic_finds_pods(record)
        assert_managed_routes_keep_pods(record)


@given(routed_trials(step=st.one_of(managed, managed, scales, weights, pauses), may_crash=True))
def test_managed_routes_lead_to_available_pods_only(trial: RoutedTrial) -> None:
    simulation = Simulation(trial.scenario(), KIT, faults=trial.trial.faults)
    for record in simulation.run():
        if isinstance(record, Pass):
            assert_traffic_finds_pods(record)
            assert_managed_routes_keep_pods(record)
    world = simulation.world
    pods = {name: each["status"].get("availableReplicas", 0) for name, each in world.replica_sets.items()}
    for pod_hash in led_to(world.snapshot(), followed=False).values():
        event("a managed route is in force at the end")
        assert pods[name_of(pod_hash)] or not any(pods.values()), world.rollouts[NAME]["status"]


@given(routed_trials(step=st.one_of(weights, weights, pauses)))
def test_no_side_ever_loses_pods_that_its_traffic_needs(trial: RoutedTrial) -> None:
    for record in passes(trial):
        assert_capacity_is_kept(record)


@given(routed_trials(step=st.one_of(weights, weights, pauses), may_crash=True, troubles=()))
def test_crashes_take_no_side_the_pods_that_its_traffic_needs(trial: RoutedTrial) -> None:
    for record in passes(trial):
        assert_capacity_is_kept(record)


@given(routed_trials())
def test_people_who_go_on_resuming_get_to_the_end(trial: RoutedTrial) -> None:
    finish = [patch_spec(1, NAME, "not paused", paused=False), retry(1, NAME)]
    finish += [resume(400, NAME) for _ in range(6)]
    simulation = run(trial.then(*finish))
    world = simulation.world
    raw = world.rollouts[NAME]
    assert raw["status"]["phase"] == "Healthy", raw["status"]
    image, size = image_of(raw["spec"]["template"]), raw["spec"]["replicas"]
    sizes = {image_of(each["spec"]["template"]): each["spec"]["replicas"] for each in world.replica_sets.values()}
    assert sizes == {**dict.fromkeys(sizes, 0), image: size}
    if size:
        assert raw["status"]["canary"]["weights"]["canary"]["weight"] == 0
        assert shares_of(world.snapshot(), followed=False) == {raw["status"]["stableRS"]: 100}
        assert led_to(world.snapshot(), followed=False) == {}


# Not interrupted: an abort that arrives before the new template has been seen is for the template before.
@given(routed_trials(troubles=[trouble for trouble in Trouble if trouble is not Trouble.INTERRUPTED]))
def test_an_abort_always_returns_to_stable(trial: RoutedTrial) -> None:
    unpause = patch_spec(1, NAME, "not paused", paused=False)
    simulation = run(trial.then(unpause, set_image(300, NAME, "app:4"), abort(5, NAME)))
    world = simulation.world
    raw = world.rollouts[NAME]
    if not raw["spec"]["replicas"] or raw["status"].get("currentPodHash") == raw["status"]["stableRS"]:
        return
    stable = name_of(raw["status"]["stableRS"])
    assert {name: each["spec"]["replicas"] for name, each in world.replica_sets.items() if name != stable} == (
        dict.fromkeys(set(world.replica_sets) - {stable}, 0)
    )
    assert shares_of(world.snapshot(), followed=False) in ({}, {raw["status"]["stableRS"]: 100})
    assert led_to(world.snapshot(), followed=False) == {}


@given(routed_trials(may_crash=True))
def test_a_client_that_got_the_canary_keeps_it_as_long_as_the_canary_is_in_service(trial: RoutedTrial) -> None:
    cookies: dict[str, str] = {}
    for record in passes(trial):
        for cookie, pod_hash in cookies.items():
            status = record.plan.status or record.here.raw.get("status") or {}  # of the template that the pass has seen
            answering = answers_to(record.after, cookie)
            is_in_service = not status.get("abort") and status.get("currentPodHash") == pod_hash in answering
            assert not is_in_service or answering.keys() == {pod_hash}, f"{record.now}: {cookie}, {answering}"
        split = split_of(record.after)
        if split is not None and split["spec"].get("returning"):
            to_canary = split["spec"]["returning"][0]["values"][0]
            (pod_hash,) = answers_to(record.after, to_canary)
            event("clients stick" if cookies else "the first client sticks")
            assert cookies.setdefault(to_canary, pod_hash) == pod_hash, "a cookie means the same pods all along"


ROUTED_ONLY = ("trafficRouting", "pingPong", "dynamicStableScale", "scaleDownDelaySeconds", "minPodsPerReplicaSet")


@given(routed_trials(step=st.one_of(weights, weights, pauses)), st.sampled_from((1, 3, 10)))
def test_a_router_that_the_spec_drops_is_left(trial: RoutedTrial, after: float) -> None:
    canary = {**dict.fromkeys(ROUTED_ONLY), "abortScaleDownDelaySeconds": None, "scaleDownDelayRevisionLimit": None}
    finish = [patch_spec(after, NAME, "no router any more", paused=False, strategy={"canary": canary}), retry(1, NAME)]
    finish += [resume(400, NAME) for _ in range(6)]
    world = run(trial.then(*finish)).world
    raw = world.rollouts[NAME]
    assert raw["status"]["phase"] == "Healthy", raw["status"]
    assert "routedBy" not in raw["status"]
    split = world.snapshot().objects.get(SPLIT)
    event("routed" if split is not None else "never routed")
    if split is not None:
        assert [each["weight"] for each in split["spec"]["shares"] if each["weight"]] == [100]
        assert "c" not in {each["to"] for each in split["spec"]["shares"] if each["weight"]}
