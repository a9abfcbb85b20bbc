"""Where does the template come from when workloadRef names it, and when does the Deployment give up its pods?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollouts.api import keys
from rollouts.plan import Observed, Refusal, observe_rollout
from rollouts.plan.actions import CreateReplicaSet, ScaleWorkload
from rollouts.plan.hashing import template_digest
from rollouts.plan.validate import problems
from rollouts.registry import load_kit
from tests.plan.decided import Decided, Row, decided, planned
from tests.plan.given import ONE, TWO, Raw, deleting, live, replica_set, rollout, stable, template, updating

GENERATION, FIRST = "rollout.argoproj.io/workload-generation", "rollout.argoproj.io/workload-replicas"


def deployment(
    image: str = "app:1",
    size: int = 5,
    available: int | None = None,
    *,
    generation: int = 4,
    observed: int | None = None,
    replicas: int | None = None,
) -> Raw:
    """Return a Deployment whose pods are all available unless something else is said."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "old",
            "namespace": "default",
            "uid": "uid-old",
            "resourceVersion": "9",
            "generation": generation,
        },
        "spec": {"replicas": size, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)},
        "status": {
            "replicas": size if replicas is None else replicas,
            "availableReplicas": size if available is None else available,
            "observedGeneration": generation if observed is None else observed,
        },
    }


def referring(scale_down: str | None = None, *, kind: str = "Deployment", **spec: Any) -> Raw:
    """Return a Rollout that refers to it, without template and selector of its own."""
    raw = rollout(**spec)
    del raw["spec"]["template"], raw["spec"]["selector"]
    reference = {"apiVersion": "v1" if kind == "PodTemplate" else "apps/v1", "kind": kind, "name": "old"}
    raw["spec"]["workloadRef"] = {**reference, **({"scaleDown": scale_down} if scale_down else {})}
    return raw


def given(raw: Raw, workload: Raw | None, *replica_sets: Raw) -> Observed:
    return observe_rollout(raw, replica_sets, {}, workload=workload)


def noted(raw: Raw, first: int | str | None = None, generation: int = 4) -> Raw:
    """Return a Rollout whose annotations and status are up to date."""
    notes = {**raw["metadata"]["annotations"], GENERATION: str(generation)}
    if first is not None:
        notes[FIRST] = str(first)
    status = {**raw["status"], "workloadObservedGeneration": str(generation)}
    return {**raw, "metadata": {**raw["metadata"], "annotations": notes}, "status": status}


def begun(scale_down: str, available: int, first: int | str | None = 5, **spec: Any) -> Raw:
    """Return a Rollout in its first revision, with so many of its five pods available."""
    counts = {"readyReplicas": available, "availableReplicas": available}
    is_whole = available == 5
    phase = {} if is_whole else {"phase": "Progressing", "message": "updated replicas are still becoming available"}
    return noted(stable(referring(scale_down, **spec), **counts, **phase), first)


def says(here: Observed) -> tuple[list[str], list[str]]:
    """Return what is done to the Deployment and the Rollout, and what is said about the Deployment."""
    told = decided(here)
    does = [each for each in told.does if "Deployment" in each or "patch the Rollout" in each]
    return does, [each for each in told.because if "Deployment" in each]


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


ROWS = (
    Row(
        "never: the Deployment is left alone, whatever happens",
        given(noted(stable(referring())), deployment(), replica_set("app:1", 5)),
        Decided(),
    ),
    Row(
        "onsuccess: it keeps its pods while one of ours is missing",
        given(begun("onsuccess", 4), deployment(), replica_set("app:1", 5, 4)),
        Decided(
            because=(
                "stable has 4 of 5 pods available",
                "Deployment old keeps its pods until all pods of the Rollout are available",
            )
        ),
    ),
    Row(
        "onsuccess: all of ours are there, it gives up all of its own",
        given(begun("onsuccess", 5), deployment(), replica_set("app:1", 5)),
        Decided(
            does=("scale Deployment old from 5 to 0 pods",),
            because=("Deployment old goes from 5 to 0 pods: all pods of the Rollout are available",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_whole_plans(row: Row) -> None:
    told = decided(row.here, row.now)
    assert (told.does, told.because) == (row.decided.does, row.decided.because)


@pytest.mark.parametrize(
    ("sentence", "raw", "workload", "pods", "does", "because"),
    [
        (
            "none of ours is available: it keeps its pods",
            begun("progressively", 0),
            deployment(),
            (5, 0),
            [],
            "Deployment old keeps 5 pods while the Rollout has 0 pods available",
        ),
        (
            "two of ours are available: two of its own may go",
            begun("progressively", 2),
            deployment(),
            (5, 2),
            ["scale Deployment old from 5 to 3 pods"],
            "Deployment old goes from 5 to 3 pods: the Rollout has 2 pods available",
        ),
        (
            "one of its own isn't available: it may be one that is that goes",
            begun("progressively", 2),
            deployment(available=4),
            (5, 2),
            ["scale Deployment old from 5 to 4 pods"],
            "Deployment old goes from 5 to 4 pods: the Rollout has 2 pods available",
        ),
        (
            "its counts are from before it was scaled: wait",
            begun("progressively", 3),
            deployment(size=3, available=5, generation=4, observed=3),
            (5, 3),
            [],
            "Deployment old is not scaled down before the counts of pods have settled",
        ),
        (
            "two of ours have failed: it gets pods back",
            begun("progressively", 1),
            deployment(size=2),
            (5, 1),
            ["scale Deployment old from 2 to 4 pods"],
            "Deployment old goes from 2 to 4 pods: the Rollout has only 1 pod available",
        ),
        (
            "but never more than it had at first",
            begun("progressively", 0, first=3),
            deployment(size=1),
            (5, 0),
            ["scale Deployment old from 1 to 3 pods"],
            "Deployment old goes from 1 to 3 pods: the Rollout has only 0 pods available",
        ),
        (
            "it had more than the Rollout asks for: that many are kept until all of ours are there",
            begun("progressively", 4, first=8),
            deployment(size=8),
            (5, 4),
            ["scale Deployment old from 8 to 4 pods"],
            "Deployment old goes from 8 to 4 pods: the Rollout has 4 pods available",
        ),
        (
            "an autoscaler has raised it: nothing is taken from it before all of ours are there",
            begun("progressively", 4),
            deployment(size=8),
            (5, 4),
            [],
            (
                "Deployment old keeps its 8 pods until the Rollout has all of its own, it had 5 at first:"
                " an autoscaler or a person scales it"
            ),
        ),
        (
            "all of ours are available: the rest goes",
            begun("progressively", 5),
            deployment(size=8, available=1),
            (5, 5),
            ["scale Deployment old from 8 to 0 pods"],
            "Deployment old goes from 8 to 0 pods: all pods of the Rollout are available",
        ),
        (
            "it has none left: that is written down",
            begun("progressively", 5),
            deployment(size=0),
            (5, 5),
            ["patch the Rollout: workload-replicas=0"],
            "",
        ),
        (
            "somebody who goes back scales it up again: it is left alone",
            begun("progressively", 5, first=0),
            deployment(size=5),
            (5, 5),
            [],
            (
                "Deployment old has 5 pods again: it has been scaled down once, and what an autoscaler or a person"
                " makes of it now is left alone"
            ),
        ),
        (
            "an annotation that somebody has spoilt: hands off",
            begun("progressively", 5, first="five"),
            deployment(),
            (5, 5),
            [],
            "Deployment old is not scaled: rollout.argoproj.io/workload-replicas is no number: five",
        ),
        (
            "spec.paused: nothing is scaled",
            begun("progressively", 2, paused=True),
            deployment(),
            (5, 2),
            [],
            "",
        ),
    ],
)
def test_progressively(
    sentence: str, raw: Raw, workload: Raw, pods: tuple[int, int], does: list[str], because: str
) -> None:
    here = given(raw, workload, replica_set("app:1", *pods))
    assert says(here) == (does, [because] if because else []), sentence


def test_a_rollout_without_pods_takes_nothing_over() -> None:
    raw = noted(stable(referring("onsuccess", replicas=0), replicas=0), 5)
    assert says(given(raw, deployment(), replica_set("app:1", 0, desired=0)))[0] == []


def test_a_later_revision_begins_no_handover() -> None:
    raw = noted(updating(referring("progressively")))
    here = given(raw, deployment("app:2"), replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
    assert says(here) == ([], [])


def test_a_handover_that_has_begun_goes_on_in_a_later_revision() -> None:
    raw = noted(updating(referring("progressively")), 5)
    here = given(raw, deployment("app:2", size=2), replica_set("app:1", 4, 3), replica_set("app:2", 1, 1, revision=2))
    assert says(here)[0] == ["scale Deployment old from 2 to 1 pods"]


def test_pods_that_go_in_the_same_pass_stand_in_for_nothing() -> None:
    """The Rollout is scaled from 5 to 3 while the Deployment, which had 5 pods, has 1 left."""
    raw = begun("progressively", 5, replicas=3)
    does = decided(given(raw, deployment(size=1), replica_set("app:1", 5))).does
    assert "5 to 3 pods" in does[0]
    assert does[1:] == ("scale Deployment old from 1 to 2 pods",)


def test_a_refusal_is_told() -> None:
    refusal = Refusal("scale", "Deployment", "old", "Forbidden", "no right")
    here = replace(given(begun("onsuccess", 5), deployment(), replica_set("app:1", 5)), refusals=(refusal,))
    assert says(here)[1][-1] == "the API server refuses to scale Deployment old: no right"


def test_the_action_names_what_was_seen() -> None:
    """Where counts mattered, nothing of the Deployment may have changed; else its size mustn't have."""
    plan = planned(given(begun("onsuccess", 5), deployment(), replica_set("app:1", 5)))
    assert plan.actions == (ScaleWorkload("old", "uid-old", 5, 0),)
    plan = planned(given(begun("progressively", 2), deployment(), replica_set("app:1", 5, 2)))
    assert plan.actions == (ScaleWorkload("old", "uid-old", 5, 3, "9"),)
    plan = planned(given(begun("progressively", 2), deployment(size=0), replica_set("app:1", 5, 2)))
    assert plan.actions == (ScaleWorkload("old", "uid-old", 0, 3, "9"),)


def other(**reference: Any) -> Raw:
    raw = referring()
    raw["spec"]["workloadRef"] |= reference
    return raw


def owned_by_a_rollout() -> Raw:
    raw = {**deployment(), "kind": "ReplicaSet"}
    raw["metadata"] = {**raw["metadata"], "labels": {keys.POD_TEMPLATE_HASH: "abc"}}
    return raw


SUPPORTED = "write Deployment or ReplicaSet of apps/v1, or PodTemplate of v1"


@pytest.mark.parametrize(
    ("raw", "workload", "problem"),
    [
        (
            other(kind="DaemonSet"),
            None,
            f'spec.workloadRef.kind: "DaemonSet" of apiVersion "apps/v1" can\'t be referred to: {SUPPORTED}',
        ),
        (
            other(apiVersion="extensions/v1"),
            None,
            f'spec.workloadRef.kind: "Deployment" of apiVersion "extensions/v1" can\'t be referred to: {SUPPORTED}',
        ),
        (
            other(apiVersion=None),
            None,
            f'spec.workloadRef.kind: "Deployment" of apiVersion "" can\'t be referred to: {SUPPORTED}',
        ),
        (other(name=""), None, "spec.workloadRef.name: is missing: name the Deployment that holds the pod template"),
        (
            other(scaleDown="onSuccess"),
            deployment(),
            'spec.workloadRef.scaleDown: "onSuccess" is unknown: write never, onsuccess or progressively',
        ),
        (
            referring(),
            None,
            'spec.workloadRef.name: Deployment "old" does not exist: create it, or correct the name',
        ),
        (
            referring(),
            deleting(deployment()),
            (
                'spec.workloadRef.name: Deployment "old" is being deleted: create it again, or write its template into'
                " spec.template"
            ),
        ),
        (
            referring(kind="ReplicaSet"),
            owned_by_a_rollout(),
            'spec.workloadRef.name: ReplicaSet "old" belongs to a Rollout itself: name one that doesn\'t',
        ),
        (
            {**referring(), "spec": {**referring()["spec"], "template": template()}},
            deployment(),
            'spec.template: must be left out: spec.workloadRef takes it from Deployment "old"; keep one',
        ),
        (
            {**referring(), "spec": {**referring()["spec"], "selector": {"matchLabels": {"app": "shop"}}}},
            deployment(),
            (
                "spec.template.metadata.labels: {'app': 'web'} don't match spec.selector"
                " {'matchLabels': {'app': 'shop'}}"
            ),
        ),
    ],
)
def test_what_cannot_be_carried_out(raw: Raw, workload: Raw | None, problem: str) -> None:
    plan = planned(given(live(raw), workload))
    assert plan.problem == f'The Rollout "web" is invalid: {problem}'
    assert plan.actions == ()
    assert plan.wake_at is not None


def test_it_recovers_once_the_deployment_is_there() -> None:
    raw = live(referring())
    invalid = planned(given(raw, None)).status
    assert invalid is not None
    plan = planned(given({**raw, "status": dict(invalid)}, deployment()))
    assert plan.problem is None
    assert plan.status is not None
    assert "InvalidSpec" not in [each["type"] for each in plan.status["conditions"]]


def test_an_empty_template_as_typed_clients_write_it_is_none() -> None:
    raw = referring()
    raw["spec"]["template"] = {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}}
    assert planned(given(live(raw), deployment())).problem is None


def test_a_template_out_of_sight_is_not_checked() -> None:
    """As lint sees it, where the Deployment is in none of its files."""
    raw = referring(canary={"stableService": "s"})
    found: Mapping[str, Any] = {"metadata": {"name": "s"}, "spec": {"selector": {"app": "other"}}}
    observed = given(raw | {"metadata": {"name": "web", "uid": "1"}}, None)
    elsewhere = {"kind": "Deployment", "metadata": {"name": "old"}}
    assert list(problems(observed.rollout, raw, load_kit(), {"s": found}, workload=elsewhere)) == []
