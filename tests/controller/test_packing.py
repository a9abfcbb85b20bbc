"""Does an object behind workloadRef come out of its packing as plans read it?"""

from rollouts.controller.workloads import pack, unpack
from tests.controller.test_workloads import TEMPLATE, deployment


def test_what_plans_read_comes_out_as_it_went_in() -> None:
    raw = deployment()
    raw["metadata"] |= {"annotations": {"a": "b"}, "labels": {"app": "web"}}
    raw["status"]["conditions"] = [{"type": "Available"}]
    raw["spec"]["strategy"] = {"type": "Recreate"}
    assert unpack(pack(raw)) == deployment()


def test_a_pod_template_and_a_rollouts_own_replica_set_too() -> None:
    metadata = {"name": "old", "namespace": "default", "uid": "u", "resourceVersion": "5", "generation": 1}
    held = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": TEMPLATE}
    assert unpack(pack(held)) == held
    labels = {"rollouts-pod-template-hash": "abc", "app": "web"}
    owned = {**deployment(), "kind": "ReplicaSet", "metadata": {**metadata, "labels": labels}}
    assert unpack(pack(owned))["metadata"]["labels"] == {"rollouts-pod-template-hash": "abc"}
