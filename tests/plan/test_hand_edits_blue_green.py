"""What if people edit what is ours in a blue-green rollout?"""

import pytest

from rollouts.api import keys
from rollouts.sim.scenario import Change, Scenario, resume
from rollouts.sim.simulation import Pass, Simulation
from tests.plan.edits import (
    FEW,
    KIT,
    Do,
    Edit,
    assert_mended,
    both,
    digest,
    label,
    managed_by,
    on_service,
    on_set,
    on_status,
    ran,
    sizes,
    swapped_digest,
)
from tests.plan.given import ONE, TWO, blue_green, stamp

BLUE_GREEN = blue_green(strategy={"autoPromotionEnabled": False, "scaleDownDelaySeconds": 60})


def selecting(name: str, pod_hash: str | None) -> Do:
    return on_service(name, spec={"selector": {keys.POD_TEMPLATE_HASH: pod_hash}})


HEALTHY = (
    Edit("the ReplicaSet's revision is garbage", on_set(ONE, revision="first")),
    Edit("desired-replicas is wrong", on_set(ONE, desired_replicas="50")),
    Edit("a scale-down deadline on what is active", on_set(ONE, scale_down_deadline=stamp(1))),
    Edit("one that is no time", on_set(ONE, scale_down_deadline="soon")),
    Edit("the digest is gone", digest(ONE, None)),
    Edit("the hash label is another one", label(ONE, "abc")),
    Edit("the hash label is gone", label(ONE, None)),
    Edit("currentPodHash is another one", on_status(currentPodHash="abc")),
    Edit("stableRS names no ReplicaSet", on_status(stableRS="abc")),
    Edit("stableRS is gone", on_status(stableRS=None)),
    Edit("the active Service's hash is gone", on_service("active", spec={"selector": {keys.POD_TEMPLATE_HASH: None}})),
    Edit(
        "the active Service's hash is no version's",
        on_service("active", spec={"selector": {keys.POD_TEMPLATE_HASH: "a"}}),
    ),
    Edit("the active Service's managed-by is gone", on_service("active", metadata=managed_by(None))),
)
UPDATING = (
    Edit("desired-replicas are wrong", both(*(on_set(each, desired_replicas="50") for each in (ONE, TWO)))),
    Edit("stable carries the preview's digest", swapped_digest(ONE, TWO), leaves=[keys.TEMPLATE_DIGEST]),
    Edit("the preview carries stable's digest", swapped_digest(TWO, ONE)),
    Edit("stable's hash label is the preview's", label(ONE, TWO)),
    Edit("the preview's hash label is gone", label(TWO, None)),
    Edit("a scale-down deadline on the preview", on_set(TWO, scale_down_deadline=stamp(1))),
    Edit("the preview Service's managed-by is gone", on_service("preview", metadata=managed_by(None))),
    Edit("the preview Service selects stable", selecting("preview", ONE)),
)


@pytest.mark.parametrize("edit", HEALTHY, ids=str)
def test_while_it_is_healthy(edit: Edit) -> None:
    assert_mended(edit, updates=False, raw=BLUE_GREEN)


@pytest.mark.parametrize("edit", UPDATING, ids=str)
def test_in_mid_update(edit: Edit) -> None:
    assert_mended(edit, updates=True, raw=BLUE_GREEN)


def delayed(edit: Edit) -> tuple[Simulation, list[Pass]]:
    """Promote app:2, and edit what is left of app:1 while it stays for a minute."""
    simulation, _ = ran(updates=True, raw=BLUE_GREEN)
    start = simulation.world.now
    later = Simulation(Scenario(simulation.world, [resume(0, "web"), Change(10, edit.says, edit.do)], 400), KIT)
    passes = [each for each in later.run() if isinstance(each, Pass)]
    return later, [each for each in passes if (each.now - start).total_seconds() >= 10]


@pytest.mark.parametrize(
    ("text", "seconds", "size"),
    [
        ("2020-01-01T00:00:00Z", 0, 0),
        ("soon", 0, 0),
        ("", 0, 0),
        ("2999-12-31T23:59:59Z", None, 5),
        (None, 60, 0),
    ],
    ids=["over", "no time", "empty", "in a far future: as somebody wishes", "taken off: the delay begins anew"],
)
def test_a_deadline_of_what_is_out_of_use(text: str | None, seconds: float | None, size: int) -> None:
    simulation, passes = delayed(Edit("a deadline", on_set(ONE, scale_down_deadline=text)))
    gone = [each for each in passes if each.sizes_before[f"web-{ONE}"] > each.sizes_after[f"web-{ONE}"]]
    assert sizes(simulation) == {f"web-{ONE}": size, f"web-{TWO}": 5}
    assert [(each.now - passes[0].now).total_seconds() for each in gone] == ([] if seconds is None else [seconds])
    assert len([each for each in passes if each.has_written]) <= FEW
    told = [event.reason for each in passes for event in each.events]
    assert told.count("InvalidScaleDownDeadline") == (text in {"soon", ""})
