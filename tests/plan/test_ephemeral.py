"""Which metadata do templates and living pods get by their role, and what of it is the user's own?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from rollouts.api import keys
from rollouts.api.rollout import parse_rollout
from rollouts.plan import Refusal
from rollouts.plan.actions import CreateReplicaSet, EvictPod, PatchPod, UpdateReplicaSet
from rollouts.plan.observed import Observed, Pod
from rollouts.plan.pods import is_up_to_date, pods_wanted
from rollouts.plan.upkeep import MOST_PATCHES
from rollouts.plan.validate import problems
from rollouts.registry import load_kit
from tests.plan.decided import Decided, Row, decided, given, planned
from tests.plan.given import (
    ONE,
    TWO,
    Raw,
    after,
    blue_green,
    live,
    paused,
    replica_set,
    rollout,
    service,
    stable,
    stamp,
)

ROLES: Raw = {
    "canaryMetadata": {"labels": {"role": "canary"}, "annotations": {"watch": "closely"}},
    "stableMetadata": {"labels": {"role": "stable"}},
}
CANARY, STABLE = ROLES["canaryMetadata"], ROLES["stableMetadata"]


def carrying(raw: Raw, laid: Mapping[str, Any], *, hidden: Mapping[str, Any] | None = None, pending: Any = None) -> Raw:
    """Return a ReplicaSet over whose template metadata is laid, as we do it."""
    notes = {
        keys.EPHEMERAL_METADATA: json.dumps(laid) if laid else None,
        keys.OVERRIDDEN_METADATA: json.dumps(hidden) if hidden else None,
        keys.PENDING_METADATA: json.dumps(pending) if pending else None,
    }
    template = raw["spec"]["template"]
    metadata = dict(template["metadata"])
    for part in ("labels", "annotations"):
        if metadata.get(part) or laid.get(part):
            metadata[part] = {**(metadata.get(part) or {}), **(laid.get(part) or {})}
    annotations = raw["metadata"]["annotations"] | {key: value for key, value in notes.items() if value}
    spec = {**raw["spec"], "template": {**template, "metadata": metadata}}
    return {**raw, "metadata": {**raw["metadata"], "annotations": annotations}, "spec": spec}


def unobserved(raw: Raw) -> Raw:
    """Return a ReplicaSet whose own controller hasn't seen its spec yet."""
    return {**raw, "metadata": {**raw["metadata"], "generation": 2}}


def pods(image: str, count: int, first: int = 1, *, deleting: bool = False, **labels: str) -> list[Pod]:
    """Return pods of an image that carry labels."""
    whole = {"app": "web", **labels}
    return [
        Pod(f"{image}-{number}", f"uid-{number}", f"uid-{image}", after(number), not deleting, deleting, whole)
        for number in range(first, first + count)
    ]


def updated(*changes: str) -> str:
    return f"update ReplicaSet web-{ONE} (revision 1): {', '.join(changes)}"


def refused(verb: str, kind: str, *subjects: str) -> list[Refusal]:
    return [Refusal(verb, kind, subject, "Forbidden", "a webhook says no") for subject in subjects]


PROMOTED = stable(rollout(canary=ROLES))
PENDING = {"labels": ["role"]}
LAID, ASKED = 'ephemeral-metadata={"labels":{"role":"stable"}}', 'pending-metadata={"labels":["role"]}'
UNSEEN = f"web-{ONE}'s own controller has not seen its new template yet: it may make pods from the old one"
ALL_SHOW = f"all pods of web-{ONE} show the metadata of its role"

ROWS = (
    Row(
        "nothing to do: every template has the metadata of its role",
        given(PROMOTED, carrying(replica_set("app:1", 5), STABLE)),
        Decided(),
    ),
    Row(
        "the record is another controller's: the order of its keys means nothing",
        given(
            PROMOTED,
            carrying(
                replica_set("app:1", 5, annotations={keys.EPHEMERAL_METADATA: '{"labels": {"role": "stable"}}'}), STABLE
            ),
        ),
        Decided(),
    ),
    Row(
        "metadata for a stable that has none yet: the template and what is pending, in one patch",
        given(PROMOTED, replica_set("app:1", 5)),
        Decided(
            does=(
                updated(LAID, ASKED, "in its template: label role=stable"),
            ),
            because=(f"the template of web-{ONE} follows its role",),
        ),
    ),
    Row(
        "without pods nothing is pending",
        given(stable(rollout(canary=ROLES, replicas=0), replicas=0, updatedReplicas=0, readyReplicas=0,
                     availableReplicas=0), replica_set("app:1", 0, desired=0)),
        Decided(
            does=(
                updated(LAID, "in its template: label role=stable"),
            ),
            because=(f"the template of web-{ONE} follows its role",),
        ),
    ),
    Row(
        "the strategy asks for none any more: only what was laid over goes",
        given(stable(), carrying(replica_set("app:1", 5), STABLE)),
        Decided(
            does=(
                updated("without ephemeral-metadata", ASKED, "in its template: without label role"),
            ),
            because=(f"the template of web-{ONE} follows its role",),
        ),
    ),
    Row(
        "pending, and the pods are not listed yet: they are waited for",
        given(PROMOTED, carrying(replica_set("app:1", 5), STABLE, pending=PENDING)),
        Decided(
            wakes=130.0,
            because=(f"the pods of web-{ONE} may lack the metadata of their role: they have not been listed yet",),
        ),
    ),
    Row(
        "pods that lack it are patched, those that show it are not, those that go are left alone",
        given(
            PROMOTED,
            carrying(replica_set("app:1", 5), STABLE, pending=PENDING),
            pods=[
                *pods("app:1", 2),
                *pods("app:1", 3, first=3, role="stable"),
                *pods("app:1", 1, first=6, deleting=True),
                *pods("of a Deployment", 3),
            ],
        ),
        Decided(
            does=("patch pod app:1-1: label role=stable", "patch pod app:1-2: label role=stable"),
            wakes=130.0,
            because=(f"2 pods do not show the metadata of web-{ONE}'s role yet",),
        ),
    ),
    Row(
        "what is to go from pods goes, whatever its value",
        given(
            stable(),
            carrying(replica_set("app:1", 5), {}, pending=PENDING),
            pods=[*pods("app:1", 1, role="mine"), *pods("app:1", 4, first=2)],
        ),
        Decided(
            does=("patch pod app:1-1: without label role",),
            wakes=130.0,
            because=(f"1 pod does not show the metadata of web-{ONE}'s role yet",),
        ),
    ),
    Row(
        "all show it: nothing is pending any more",
        given(
            PROMOTED,
            carrying(replica_set("app:1", 5), STABLE, pending=PENDING),
            pods=pods("app:1", 5, role="stable"),
        ),
        Decided(does=(f"update ReplicaSet web-{ONE} (revision 1): without pending-metadata",), because=(ALL_SHOW,)),
    ),
    Row(
        "all show it, but more may come from the old template: it stays pending",
        given(
            PROMOTED,
            unobserved(carrying(replica_set("app:1", 5), STABLE, pending=PENDING)),
            pods=pods("app:1", 5, role="stable"),
        ),
        Decided(
            wakes=130.0,
            because=(UNSEEN,),
        ),
    ),
    Row(
        "pods that are refused are told of and left for later; the others get theirs",
        given(
            PROMOTED,
            carrying(replica_set("app:1", 5), STABLE, pending=PENDING),
            pods=[*pods("app:1", 3), *pods("app:1", 2, first=4, role="stable")],
            refusals=refused("patch", "Pod", "app:1-1", "app:1-2"),
        ),
        Decided(
            does=("patch pod app:1-3: label role=stable",),
            wakes=130.0,
            because=(
                f"3 pods do not show the metadata of web-{ONE}'s role yet",
                "the API server refuses the metadata of pod app:1-1 (and of 1 more): a webhook says no",
            ),
        ),
    ),
    Row(
        "a template that is refused keeps nothing from being scaled",
        given(
            stable(rollout(canary=ROLES, replicas=6)),
            replica_set("app:1", 5),
            refusals=refused("update", "ReplicaSet", f"web-{ONE}"),
        ),
        Decided(
            does=(f"update ReplicaSet web-{ONE} (revision 1): 5 to 6 pods, desired-replicas=6",),
            status={
                "message": "more replicas need to be updated",
                "phase": "Progressing",
                "conditions": {
                    "Available": "False AvailableReason",
                    "Healthy": "False RolloutHealthy",
                    "Progressing": "True ReplicaSetNotAvailable",
                },
            },
            because=(
                "stable is being scaled from 5 to 6 pods",
                f"the API server refuses to change ReplicaSet web-{ONE}: a webhook says no",
            ),
        ),
    ),
    Row(
        "an annotation that somebody has made unreadable is written anew",
        given(
            PROMOTED,
            carrying(replica_set("app:1", 5, annotations={keys.EPHEMERAL_METADATA: "rubbish"}), {}),
        ),
        Decided(
            does=(
                updated(LAID, ASKED, "in its template: label role=stable"),
            ),
            because=(f"the template of web-{ONE} follows its role",),
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_metadata_of_a_role(row: Row) -> None:
    assert decided(row.here, row.now) == row.decided


def changes(here: Observed) -> dict[str, UpdateReplicaSet]:
    """Return the updates of templates by the ReplicaSets' names."""
    updates = (each for each in planned(here).actions if isinstance(each, UpdateReplicaSet))
    return {each.name: each for each in updates if each.template is not None}


def made(here: Observed) -> CreateReplicaSet:
    (created,) = (each for each in planned(here).actions if isinstance(each, CreateReplicaSet))
    return created


def test_a_new_replica_set_is_made_with_the_metadata_of_its_role() -> None:
    first = made(given(live(rollout(canary=ROLES))))
    metadata = first.body["spec"]["template"]["metadata"]
    assert metadata == {"labels": {"app": "web", "role": "stable", keys.POD_TEMPLATE_HASH: ONE}}
    assert json.loads(first.body["metadata"]["annotations"][keys.EPHEMERAL_METADATA]) == STABLE
    assert first.body["metadata"]["labels"] == {"app": "web", keys.POD_TEMPLATE_HASH: ONE}, "the ReplicaSet has no role"
    update = made(given(stable(rollout("app:2", canary=ROLES)), carrying(replica_set("app:1", 5), STABLE)))
    metadata = update.body["spec"]["template"]["metadata"]
    assert metadata["labels"] == {"app": "web", "role": "canary", keys.POD_TEMPLATE_HASH: TWO}
    assert metadata["annotations"] == {"watch": "closely"}
    assert keys.PENDING_METADATA not in update.body["metadata"]["annotations"]


def test_while_an_update_is_under_way_each_has_its_role_and_older_ones_have_none() -> None:
    sets = (
        replica_set("app:1", 3),
        replica_set("app:2", 2, revision=2),
        carrying(replica_set("app:3", 0, revision=1, created=-9), CANARY),
    )
    found = changes(given(paused(rollout("app:2", canary=ROLES)), *sets))
    labels = {name: update.template.labels for name, update in found.items() if update.template}
    three = sets[2]["metadata"]["name"]
    assert labels == {f"web-{ONE}": {"role": "stable"}, f"web-{TWO}": {"role": "canary"}, three: {"role": None}}


def test_blue_green_has_its_own_names_for_the_roles() -> None:
    strategy = {"previewMetadata": CANARY, "activeMetadata": STABLE}
    services = {name: service(name) | {"metadata": {"name": name, "uid": name, "resourceVersion": "1"}}
                for name in ("active", "preview")}  # fmt: skip
    raw = live(blue_green("app:2", strategy=strategy), revision=2, currentPodHash=TWO, stableRS=ONE)
    found = changes(given(raw, replica_set("app:1", 5), replica_set("app:2", 5, revision=2), services=services))
    labels = {name: update.template.labels for name, update in found.items() if update.template}
    assert labels == {f"web-{ONE}": {"role": "stable"}, f"web-{TWO}": {"role": "canary"}}


def test_blue_green_is_held_to_the_same_rules() -> None:
    strategy = {"previewMetadata": {"labels": {"app": "preview"}}, "antiAffinity": {}}
    raw = live(blue_green(strategy=strategy))
    paths = [problem.path for problem in problems(parse_rollout(raw), raw, load_kit())]
    at = "spec.strategy.blueGreen"
    assert paths == [f"{at}.previewMetadata.labels", f"{at}.antiAffinity"]


def test_what_the_template_says_by_itself_comes_back() -> None:
    """A key that the user's template has, too, is hidden while the role lasts, never lost."""
    own = rollout(canary={"canaryMetadata": {"labels": {"app": "web", "tier": "canary"}}})
    own["spec"]["template"]["metadata"]["labels"]["tier"] = "front"
    raw = replica_set("app:1", 5, labels={"app": "web", "tier": "front", keys.POD_TEMPLATE_HASH: ONE})
    update = paused(own, currentPodHash=ONE, stableRS=TWO)
    raw["metadata"]["annotations"][keys.TEMPLATE_DIGEST] = given(update).digest
    (change,) = changes(given(update, raw, replica_set("app:2", 0))).values()
    assert change.template is not None
    assert change.template.labels == {"tier": "canary"}
    hidden = json.loads(change.annotations[keys.OVERRIDDEN_METADATA] or "")
    assert hidden == {"labels": {"app": "web", "tier": "front"}}
    laid = carrying(raw, {"labels": {"app": "web", "tier": "canary"}}, hidden=hidden)
    (back,) = changes(given(stable(own), laid)).values()
    assert back.template is not None
    assert (back.template.labels, back.template.annotations) == ({"tier": "front"}, {})
    assert back.annotations[keys.EPHEMERAL_METADATA] is None
    assert back.annotations[keys.OVERRIDDEN_METADATA] is None


def test_a_change_relies_on_the_record_that_was_seen() -> None:
    (fresh,) = changes(given(PROMOTED, replica_set("app:1", 5))).values()
    assert fresh.seen_annotations == {keys.EPHEMERAL_METADATA: None}
    pending = carrying(replica_set("app:1", 5), STABLE, pending={"labels": ["role"]})
    (later,) = changes(given(stable(rollout(canary={"stableMetadata": {"labels": {"x": "y"}}})), pending)).values()
    assert later.seen_annotations == {
        keys.EPHEMERAL_METADATA: json.dumps(STABLE),
        keys.PENDING_METADATA: '{"labels": ["role"]}',
    }
    assert json.loads(later.annotations[keys.PENDING_METADATA] or "") == {"labels": ["role", "x"]}


def test_no_hand_edit_makes_us_write_what_a_selector_needs() -> None:
    notes: Sequence[str] = (keys.EPHEMERAL_METADATA, keys.OVERRIDDEN_METADATA, keys.PENDING_METADATA)
    rubbish = '{"labels": {"app": "x", "rollouts-pod-template-hash": "x"}, "annotations": ["app", 7]}'
    raw = replica_set("app:1", 5, annotations=dict.fromkeys(notes, rubbish))
    here = given(PROMOTED, raw, pods=pods("app:1", 5))
    for action in planned(here).actions:
        if isinstance(action, UpdateReplicaSet) and action.template is not None:
            assert set(action.template.labels) <= {"role"}
        if isinstance(action, PatchPod):
            assert set(action.labels) <= {"role"}


def test_many_pods_are_patched_a_few_at_a_time() -> None:
    raw = carrying(replica_set("app:1", 200, desired=200), STABLE, pending=PENDING)
    whole = pods("app:1", 200)
    actions = planned(given(PROMOTED, raw, pods=whole)).actions
    assert [each.name for each in actions if isinstance(each, PatchPod)] == [pod.name for pod in whole[:MOST_PATCHES]]
    against = refused("patch", "Pod", *(pod.name for pod in whole[:MOST_PATCHES]))
    actions = planned(given(PROMOTED, raw, pods=whole, refusals=against)).actions
    assert [each.name for each in actions if isinstance(each, PatchPod)] == [whole[MOST_PATCHES].name]


def test_pods_are_listed_only_while_something_is_to_be_done_to_them() -> None:
    quiet, busy = replica_set("app:1", 5), carrying(replica_set("app:2", 5), STABLE, pending=PENDING)
    assert pods_wanted(given(stable(), quiet), after(100)) is None
    assert pods_wanted(given(stable(), quiet, busy), after(100)) == f"app=web,{keys.POD_TEMPLATE_HASH} in ({TWO})"
    assert pods_wanted(given(stable(rollout(restartAt=stamp(50))), quiet, busy), after(100)) == "app=web"


def test_a_restart_and_a_change_of_metadata_go_on_side_by_side() -> None:
    raw = carrying(replica_set("app:1", 5), STABLE, pending=PENDING)
    whole = [replace(pod, is_available=True) for pod in pods("app:1", 5)]
    plan = planned(given(stable(rollout(canary=ROLES, restartAt=stamp(50))), raw, pods=whole))
    assert [each.name for each in plan.actions if isinstance(each, EvictPod)] == ["app:1-1"]
    assert len([each for each in plan.actions if isinstance(each, PatchPod)]) == 5
    assert plan.because == (
        "restarting: 5 pods are older than spec.restartAt",
        f"5 pods do not show the metadata of web-{ONE}'s role yet",
    )


def test_pods_are_not_made_to_look_like_a_template_of_long_ago() -> None:
    seen = carrying(replica_set("app:1", 5), STABLE, pending=PENDING)
    here, names = given(PROMOTED, seen), [f"web-{ONE}"]
    assert is_up_to_date(here, names, [{**seen, "status": {"replicas": 9}}])
    assert not is_up_to_date(here, names, [unobserved(seen)])
    assert not is_up_to_date(here, names, [carrying(replica_set("app:1", 5), STABLE)])
    assert not is_up_to_date(here, names, [])


@pytest.mark.parametrize("hidden", [None, {"labels": {"tier": "front"}}])
def test_another_controllers_replica_set_is_found_under_what_is_laid_over_it(hidden: Raw | None) -> None:
    """Its template has the same key as the metadata; what was hidden is known only where we have done it."""
    own = rollout()
    own["spec"]["template"]["metadata"]["labels"]["tier"] = "front"
    labels = {"app": "web", "tier": "stable", keys.POD_TEMPLATE_HASH: "another"}
    raw = replica_set("app:1", 5, labels=labels, annotations={keys.TEMPLATE_DIGEST: None})
    raw["spec"]["selector"]["matchLabels"] = {"app": "web", keys.POD_TEMPLATE_HASH: "another"}
    theirs = carrying(raw, {"labels": {"tier": "stable"}}, hidden=hidden)
    here = given(stable(own, currentPodHash="another", stableRS="another"), theirs)
    assert not [each for each in planned(here).actions if isinstance(each, CreateReplicaSet)]
