"""What if people edit what is ours? Everything comes to rest where it would have without them, and nothing is lost."""

import pytest

from rollouts.api import keys
from rollouts.sim.scenario import Scenario, set_image
from rollouts.sim.simulation import Pass, Simulation
from tests.plan.edits import (
    EDITED_AT,
    KIT,
    SERVICES,
    Edit,
    assert_mended,
    both,
    digest,
    label,
    managed_by,
    on_rollout,
    on_service,
    on_set,
    on_status,
    ran,
    sizes,
    swapped_digest,
)
from tests.plan.given import ONE, START, TWO, stamp
from tests.properties.checks import assert_within_bounds

HEALTHY = (
    Edit("the Rollout's revision is garbage", on_rollout(revision="two")),
    Edit("the Rollout's revision is huge", on_rollout(revision="9" * 30)),
    Edit("the Rollout's revision is lower", on_rollout(revision="0")),
    Edit("the Rollout's revision is gone", on_rollout(revision=None)),
    Edit("the ReplicaSet's revision is garbage", on_set(ONE, revision="first")),
    Edit("the ReplicaSet's revision is gone", on_set(ONE, revision=None)),
    Edit("the ReplicaSet's revision is too long to be read", on_set(ONE, revision="9" * 30)),
    Edit("desired-replicas is garbage", on_set(ONE, desired_replicas="many")),
    Edit("desired-replicas is wrong", on_set(ONE, desired_replicas="50")),
    Edit("desired-replicas is gone", on_set(ONE, desired_replicas=None)),
    Edit("a scale-down deadline that is over", on_set(ONE, scale_down_deadline=stamp(1))),
    Edit("a scale-down deadline that is no time", on_set(ONE, scale_down_deadline="soon")),
    Edit("a scale-down deadline in a far future", on_set(ONE, scale_down_deadline="9999-12-31T23:59:59Z")),
    Edit("ephemeral metadata that no parser gets through", on_set(ONE, ephemeral_metadata="[" * 100_000)),
    Edit("the digest is gone", digest(ONE, None)),
    Edit("the digest is another one", digest(ONE, "0123")),
    Edit("the hash label is another one", label(ONE, "abc")),
    Edit("the hash label is gone", label(ONE, None)),
    Edit("currentPodHash is another one", on_status(currentPodHash="abc")),
    Edit("currentPodHash is gone", on_status(currentPodHash=None)),
    Edit("stableRS names no ReplicaSet", on_status(stableRS="abc")),
    Edit("stableRS is gone", on_status(stableRS=None)),
    Edit(
        "the Service's hash is another one",
        on_service("web-stable", spec={"selector": {keys.POD_TEMPLATE_HASH: "abc"}}),
    ),
    Edit("the Service's hash is gone", on_service("web-stable", spec={"selector": {keys.POD_TEMPLATE_HASH: None}})),
    Edit("the Service's managed-by is gone", on_service("web-stable", metadata=managed_by(None))),
)
UPDATING = (
    Edit("stable's revision is garbage", on_set(ONE, revision="first"), leaves=[keys.REVISION]),
    Edit("the canary's revision is garbage", on_set(TWO, revision="second")),
    Edit("desired-replicas are wrong", both(*(on_set(each, desired_replicas="50") for each in (ONE, TWO)))),
    Edit("stable carries the canary's digest", swapped_digest(ONE, TWO), leaves=[keys.TEMPLATE_DIGEST]),
    Edit("the canary carries stable's digest", swapped_digest(TWO, ONE)),
    Edit("digests are gone", both(digest(ONE, None), digest(TWO, None)), leaves=[keys.TEMPLATE_DIGEST]),
    Edit("stable's hash label is another one", label(ONE, "abc")),
    Edit("stable carries the canary's hash label", label(ONE, TWO)),
    Edit("the canary's hash label is another one", label(TWO, "abc")),
    Edit("the canary's hash label is gone", label(TWO, None)),
    Edit("managed-by is gone", both(*(on_service(each, metadata=managed_by(None)) for each in SERVICES.values()))),
    Edit("currentPodHash is another one: back to step 1", on_status(currentPodHash="abc")),
)


@pytest.mark.parametrize("edit", HEALTHY, ids=str)
def test_while_it_is_healthy(edit: Edit) -> None:
    for each in assert_mended(edit, updates=False):
        assert_within_bounds(each)


@pytest.mark.parametrize("edit", UPDATING, ids=str)
def test_in_mid_update(edit: Edit) -> None:
    for each in assert_mended(edit, updates=True):
        assert_within_bounds(each)


@pytest.mark.parametrize(
    ("edit", "stable_hash", "phase"),
    [
        (
            Edit("stableRS names no ReplicaSet: the current template gets all", on_status(stableRS="abc")),
            "abc",
            "Paused",
        ),
        (Edit("stableRS is gone: there is nothing to go back to", on_status(stableRS=None)), TWO, "Healthy"),
        (Edit("stableRS is the canary's: that promotes it", on_status(stableRS=TWO)), TWO, "Healthy"),
    ],
    ids=lambda value: str(value) if isinstance(value, Edit) else "",
)
def test_without_a_stable_one_no_available_pod_is_lost(edit: Edit, stable_hash: str, phase: str) -> None:
    simulation, passes = ran(edit, updates=True)
    for each in passes:
        assert_within_bounds(each)
    status = simulation.world.rollouts["web"]["status"]
    assert (status["stableRS"], status["phase"]) == (stable_hash, phase)
    assert sizes(simulation)[f"web-{TWO}"] == 5
    assert len(passes) < 60


def test_a_stable_replica_set_that_is_hidden_from_us_keeps_its_pods_and_is_found_when_it_is_wanted_again() -> None:
    simulation, _ = ran(Edit("stable's hash label is gone", label(ONE, None)), updates=True)
    assert sizes(simulation) == {f"web-{ONE}": 3, f"web-{TWO}": 5}
    back = Simulation(Scenario(simulation.world, [set_image(0, "web", "app:1")], 100), KIT)
    assert [each for each in back.run() if isinstance(each, Pass)]
    assert sizes(simulation) == {f"web-{ONE}": 5, f"web-{TWO}": 0}
    assert simulation.world.rollouts["web"]["status"]["phase"] == "Healthy"


def test_another_rollouts_name_on_the_service_is_told_and_touches_nothing() -> None:
    theirs = Edit("managed-by is another one", on_service("web-stable", metadata=managed_by("shop")))
    simulation, passes = ran(theirs, updates=True)
    later = [each for each in passes if (each.now - START).total_seconds() >= EDITED_AT and each.has_written]
    assert [each.plan.actions for each in later] == [()]
    assert simulation.world.rollouts["web"]["status"]["phase"] == "Degraded"
    assert sizes(simulation) == {f"web-{ONE}": 3, f"web-{TWO}": 2}


def test_a_history_of_revisions_is_cleaned_and_stays_short() -> None:
    history = ",".join(["garbage", "", "-3", *map(str, range(1, 200))])
    simulation, _ = ran(Edit("a long history", on_set(ONE, revision_history=history)), updates=True)
    back = Simulation(Scenario(simulation.world, [set_image(0, "web", "app:1")], 100), KIT)
    assert [each for each in back.run() if isinstance(each, Pass)]
    notes = simulation.world.replica_sets[f"web-{ONE}"]["metadata"]["annotations"]
    assert notes[keys.REVISION_HISTORY] == ",".join([*map(str, range(151, 200)), "1"])


def test_a_deadline_that_is_no_time_is_told_once() -> None:
    simulation, passes = ran(Edit("soon", on_set(ONE, scale_down_deadline="soon")), updates=False)
    told = [event for each in passes for event in each.events if event.reason == "InvalidScaleDownDeadline"]
    assert [(event.type, event.message) for event in told] == [
        ("Warning", f'The scale-down-deadline "soon" of ReplicaSet web-{ONE} is no time: taken as over')
    ]
    assert sizes(simulation) == {f"web-{ONE}": 5}
