from typing import Any

import jsonpatch
import pytest

from rollouts.api.merging import merged
from rollouts.controller import requests
from rollouts.plan.actions import PatchPod, PatchRollout, SwitchService, TemplateChange, UpdateReplicaSet

OWNER = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "web", "uid": "u-rollout", "resourceVersion": "7"},
}
REFERENCE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "name": "web",
    "uid": "u-rollout",
    "controller": True,
    "blockOwnerDeletion": True,
}


def seen(**metadata: object) -> dict[str, object]:
    return {"metadata": {"name": "web-a", "uid": "u-a", "resourceVersion": "5", **metadata}, "spec": {"replicas": 2}}


def test_scaling_holds_at_the_size_that_was_seen_whatever_the_status_says() -> None:
    before = seen(annotations={"rollout.argoproj.io/desired-replicas": "5", "scale-down-deadline": "x"})
    action = UpdateReplicaSet(
        name="web-a",
        uid="u-a",
        revision=1,
        seen_size=2,
        size=4,
        annotations={"rollout.argoproj.io/desired-replicas": "6", "scale-down-deadline": None, "absent": None},
        min_ready_seconds=3,
    )
    patch = requests.update_replica_set(action, before)
    assert patch == [
        {"op": "test", "path": "/metadata/uid", "value": "u-a"},
        {"op": "test", "path": "/spec/replicas", "value": 2},
        {"op": "add", "path": "/metadata/annotations/rollout.argoproj.io~1desired-replicas", "value": "6"},
        {"op": "remove", "path": "/metadata/annotations/scale-down-deadline"},
        {"op": "replace", "path": "/spec/replicas", "value": 4},
        {"op": "add", "path": "/spec/minReadySeconds", "value": 3},
    ]
    after = jsonpatch.apply_patch({**before, "status": {"replicas": 1}}, patch)
    assert after["spec"] == {"replicas": 4, "minReadySeconds": 3}
    assert after["metadata"]["annotations"] == {"rollout.argoproj.io/desired-replicas": "6"}
    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch({**before, "spec": {"replicas": 3}}, patch)


def test_annotations_can_be_added_where_there_are_none() -> None:
    action = UpdateReplicaSet("web-a", "u-a", 1, 2, annotations={"a/b~c": "1", "gone": None})
    patch = requests.update_replica_set(action, seen())
    after = jsonpatch.apply_patch(seen(), patch)
    assert after["metadata"]["annotations"] == {"a/b~c": "1"}
    with pytest.raises(jsonpatch.JsonPatchTestFailed):  # somebody else may have added theirs meanwhile
        jsonpatch.apply_patch(seen(resourceVersion="6", annotations={"theirs": "1"}), patch)


def test_removing_annotations_where_there_are_none_is_nothing_to_do() -> None:
    action = UpdateReplicaSet("web-a", "u-a", 1, 2, size=1, annotations={"gone": None})
    assert [each["op"] for each in requests.update_replica_set(action, seen())] == ["test", "test", "replace"]


def with_template(metadata: dict[str, object], affinity: object = None, **annotations: str) -> dict[str, object]:
    spec = {} if affinity is None else {"affinity": affinity}
    return {**seen(annotations=annotations), "spec": {"replicas": 2, "template": {"metadata": metadata, "spec": spec}}}


def changed(before: dict[str, object], seen_annotations: dict[str, str | None], **changes: Any) -> list[dict[str, Any]]:
    action = UpdateReplicaSet(
        "web-a", "u-a", 1, 2, template=TemplateChange(**changes), seen_annotations=seen_annotations
    )
    return requests.update_replica_set(action, before)


def test_a_template_is_changed_only_while_its_record_is_what_was_seen() -> None:
    before = with_template({"labels": {"app": "web", "old": "x"}, "annotations": {"a/b": "c"}}, {"x": {}}, record="r")
    changes: dict[str, Any] = {
        "labels": {"role": "y", "old": None},
        "annotations": {"a/b": None},
        "affinity": {"z": {}},
    }
    patch = changed(before, {"record": "r"}, **changes)
    template = jsonpatch.apply_patch(before, patch)["spec"]["template"]
    assert template == {
        "metadata": {"labels": {"app": "web", "role": "y"}, "annotations": {}},
        "spec": {"affinity": {"z": {}}},
    }
    metadata: dict[str, object] = {"labels": {"old": "x"}, "annotations": {"a/b": "c"}}
    for other in (
        with_template(metadata, {"x": {}}, record="another"),
        with_template(metadata, {"another": {}}, record="r"),
    ):
        with pytest.raises(jsonpatch.JsonPatchTestFailed):
            jsonpatch.apply_patch(other, patch)


def test_where_nothing_is_recorded_yet_nobody_may_have_written() -> None:
    before = with_template({"labels": {"app": "web"}})
    changes: dict[str, Any] = {"annotations": {"a": "b"}, "affinity": {"z": {}}}
    patch = changed(before, {"record": None}, **changes)
    template = jsonpatch.apply_patch(before, patch)["spec"]["template"]
    assert template == {
        "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}},
        "spec": {"affinity": {"z": {}}},
    }
    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch({**before, **seen(resourceVersion="6"), "spec": before["spec"]}, patch)


def test_an_affinity_that_is_no_more_is_taken_away() -> None:
    before = with_template({"labels": {}}, {"x": {}})
    assert jsonpatch.apply_patch(before, changed(before, {}, affinity={}))["spec"]["template"]["spec"] == {}


def test_a_pods_patch_is_for_that_very_pod() -> None:
    patch = requests.patch_pod(PatchPod("p", "u-p", {"a": None}))
    assert patch == {"metadata": {"uid": "u-p", "labels": {"a": None}}}


def test_keys_are_escaped_as_json_pointers_want_it() -> None:
    action = UpdateReplicaSet("web-a", "u-a", 1, 2, annotations={"a~1/b": "1"})
    after = jsonpatch.apply_patch(seen(annotations={}), requests.update_replica_set(action, seen(annotations={})))
    assert after["metadata"]["annotations"] == {"a~1/b": "1"}


def test_a_changed_hash_label_is_put_back() -> None:
    before = seen(labels={"rollouts-pod-template-hash": "abc"})
    action = UpdateReplicaSet("web-a", "u-a", 1, seen_size=2, hash_label="a")
    after = jsonpatch.apply_patch(before, requests.update_replica_set(action, before))
    assert after["metadata"]["labels"] == {"rollouts-pod-template-hash": "a"}


def test_adopting_keeps_other_owners_and_releasing_too() -> None:
    other = {"kind": "Thing", "uid": "u-thing"}
    adopted = merged(seen(ownerReferences=[other]), requests.adopt(seen(ownerReferences=[other]), OWNER))
    assert adopted["metadata"]["ownerReferences"] == [other, REFERENCE]
    released = merged(adopted, requests.release(adopted, OWNER))
    assert released["metadata"]["ownerReferences"] == [other]


def test_releasing_from_the_last_owner_leaves_none() -> None:
    owned = seen(ownerReferences=[REFERENCE])
    assert "ownerReferences" not in merged(owned, requests.release(owned, OWNER))["metadata"]


def test_the_rollout_is_patched_at_the_version_that_was_seen() -> None:
    assert requests.patch_rollout(PatchRollout(annotations={"a": "1"}), OWNER) == {
        "metadata": {"resourceVersion": "7", "annotations": {"a": "1"}}
    }
    assert requests.patch_rollout(PatchRollout(replicas=1), OWNER) == {
        "metadata": {"resourceVersion": "7"},
        "spec": {"replicas": 1},
    }


@pytest.mark.parametrize("rubbish", [None, "rubbish", 3, []])
def test_the_status_patch_is_the_difference_alone(rubbish: object) -> None:
    status = {"phase": "Paused", "pauseConditions": [{}], "replicas": 3}
    before = {**OWNER, "status": status}
    assert requests.patch_status(before, "8", {"phase": "Healthy", "replicas": 3}) == {
        "metadata": {"resourceVersion": "8"},
        "status": {"phase": "Healthy", "pauseConditions": None},
    }
    assert requests.patch_status(before, "8", status) is None
    assert requests.patch_status({**OWNER, "status": rubbish}, "8", {"replicas": 1}) == {
        "metadata": {"resourceVersion": "8"},
        "status": {"replicas": 1},
    }


def test_a_service_is_switched_and_marked() -> None:
    action = SwitchService("web", "u-s", "abc", "", "33")
    assert requests.switch_service(action, "web") == {
        "metadata": {
            "resourceVersion": "33",
            "annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"},
        },
        "spec": {"selector": {"rollouts-pod-template-hash": "abc"}},
    }
