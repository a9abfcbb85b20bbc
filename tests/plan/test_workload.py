"""Where does the template come from when workloadRef names it?"""

from rollouts.api import keys
from rollouts.plan import observe_rollout
from rollouts.plan.actions import CreateReplicaSet
from rollouts.plan.hashing import template_digest
from tests.plan.decided import decided, planned
from tests.plan.given import ONE, TWO, live, replica_set, stable, template
from tests.plan.workloads import FIRST, GENERATION, deployment, given, noted, referring


def test_the_first_pass_takes_template_and_selector_from_the_deployment() -> None:
    plan = planned(given(live(referring("progressively")), deployment()))
    created = next(each for each in plan.actions if isinstance(each, CreateReplicaSet))
    assert created.name == f"web-{ONE}"
    assert created.body["spec"]["selector"]["matchLabels"] == {"app": "web", keys.POD_TEMPLATE_HASH: ONE}
    assert created.body["spec"]["template"]["spec"] == template("app:1")["spec"]
    assert GENERATION not in created.body["metadata"]["annotations"]
    assert plan.status is not None
    assert plan.status["workloadObservedGeneration"] == "4"
    assert plan.status["selector"] == "app=web"
    told = decided(given(live(referring("progressively")), deployment()))
    assert f"patch the Rollout: revision=1, {GENERATION.split('/')[1]}=4, {FIRST.split('/')[1]}=5" in told.does, (
        told.does
    )


def test_a_selector_of_its_own_stays() -> None:
    raw = referring(selector={"matchLabels": {"app": "web", "tier": "a"}})
    raw["spec"]["selector"] = {"matchLabels": {"app": "web", "tier": "a"}}
    body = deployment()
    body["spec"]["template"]["metadata"]["labels"] = {"app": "web", "tier": "a"}
    plan = planned(given(live(raw), body))
    assert plan.status is not None
    assert plan.status["selector"] == "app=web,tier=a"


def test_a_replica_sets_own_label_is_left_behind() -> None:
    """A Deployment's controller would take pods with its label for its own."""
    raw = deployment()
    raw["kind"] = "ReplicaSet"
    labels = {"app": "web", "pod-template-hash": "abc"}
    raw["spec"] |= {"selector": {"matchLabels": labels}}
    raw["spec"]["template"]["metadata"]["labels"] = labels
    created = next(
        each
        for each in planned(given(live(referring(kind="ReplicaSet")), raw)).actions
        if isinstance(each, CreateReplicaSet)
    )
    assert created.digest == template_digest(template())
    assert "pod-template-hash" not in str(created.body).replace(keys.POD_TEMPLATE_HASH, "")


def test_a_pod_template_has_no_selector() -> None:
    raw = {**deployment(), "kind": "PodTemplate", "template": template()}
    del raw["spec"], raw["status"]
    own = referring(kind="PodTemplate")
    own["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    assert any(isinstance(each, CreateReplicaSet) for each in planned(given(live(own), raw)).actions)
    without = planned(given(live(referring(kind="PodTemplate")), raw))
    assert without.problem == (
        'The Rollout "web" is invalid: spec.selector: is missing, and PodTemplate "old" has none:'
        " name the labels that its pods carry"
    )


def test_a_changed_template_begins_an_update() -> None:
    here = given(noted(stable(referring())), deployment("app:2", generation=5), replica_set("app:1", 5))
    told = decided(here)
    assert told.does == (
        f"create ReplicaSet web-{TWO} (revision 2) with 1 pods",
        "patch the Rollout: revision=2, workload-generation=5",
    )
    assert told.status["workloadObservedGeneration"] == "5"


def test_the_template_is_not_digested_again_while_its_generation_stays() -> None:
    first = given(noted(stable(referring())), deployment(), replica_set("app:1", 5))
    again = observe_rollout(first.raw, workload=deployment(size=3), previous=first)
    assert again.spec is first.spec
    newer = observe_rollout(first.raw, workload=deployment("app:2", generation=5), previous=first)
    assert newer.digest != first.digest


def test_without_a_size_it_begins_with_the_deployments_that_it_takes_over() -> None:
    for scale_down, size, expected in (
        ("progressively", 8, 8),
        ("onsuccess", 8, 8),
        ("never", 8, 1),
        ("onsuccess", 0, 1),
    ):
        raw = referring(scale_down)
        del raw["spec"]["replicas"]
        told = decided(given(live(raw), deployment(size=size)))
        assert told.does == (f"patch the Rollout: spec.replicas={expected}",), scale_down
