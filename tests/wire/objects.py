"""Which objects does the suite write?"""

from typing import Any

Json = dict[str, Any]
IMAGE = "example.test/web:1"


def config(name: str = "one", labels: dict[str, str] | None = None, **data: str) -> Json:
    metadata: Json = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def owned_by(obj: Json, *owners: Json, blocking: bool = False) -> Json:
    references = [
        {
            "apiVersion": owner.get("apiVersion", "v1"),
            "kind": owner.get("kind", "ConfigMap"),
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **({"blockOwnerDeletion": True} if blocking else {}),
        }
        for owner in owners
    ]
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": references}}


def template(labels: dict[str, str], image: str = IMAGE, **spec: Any) -> Json:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}], **spec}}


def _workload(api_version: str, kind: str, name: str, replicas: int | None, image: str, spec: Json) -> Json:
    labels = {"app": name}
    size = {} if replicas is None else {"replicas": replicas}
    whole = {**size, "selector": {"matchLabels": labels}, "template": template(labels, image), **spec}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": whole}


def replica_set(name: str = "web", replicas: int | None = 1, image: str = IMAGE, **spec: Any) -> Json:
    return _workload("apps/v1", "ReplicaSet", name, replicas, image, spec)


def deployment(name: str = "web", replicas: int | None = 1, image: str = IMAGE, **spec: Any) -> Json:
    return _workload("apps/v1", "Deployment", name, replicas, image, spec)


def rollout(
    name: str = "web", replicas: int | None = 1, image: str = IMAGE, steps: list[Json] | None = None, **spec: Any
) -> Json:
    canary = {"canary": {} if steps is None else {"steps": steps}}
    return _workload("argoproj.io/v1alpha1", "Rollout", name, replicas, image, {"strategy": canary, **spec})


def pod(name: str, labels: dict[str, str] | None = None, **spec: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", **_named(template(labels or {}, **spec), name)}


def _named(obj: Json, name: str) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "name": name}}


def service(name: str, **spec: Any) -> Json:
    whole = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": whole}


def budget(name: str, labels: dict[str, str], **spec: Any) -> Json:
    whole = {"selector": {"matchLabels": labels}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": whole}


def gadget(name: str = "one", **spec: Any) -> Json:
    return {"apiVersion": "wire.test/v1", "kind": "Gadget", "metadata": {"name": name}, "spec": {"size": 1, **spec}}


def _fields(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


GADGETS: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.wire.test"},
    "spec": {
        "group": "wire.test",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "shortNames": ["gd"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                    {"name": "Mode", "type": "string", "jsonPath": ".spec.mode", "priority": 1},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {
                    "openAPIV3Schema": _fields(
                        spec={
                            **_fields(
                                size={"type": "integer", "format": "int32", "minimum": 0, "maximum": 10},
                                mode={"type": "string", "enum": ["fast", "slow"], "default": "fast"},
                                word={"type": "string", "maxLength": 5, "pattern": "^[a-z]*$"},
                                either={"x-kubernetes-int-or-string": True},
                                open={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                parts={
                                    "type": "array",
                                    "maxItems": 3,
                                    "x-kubernetes-list-type": "map",
                                    "x-kubernetes-list-map-keys": ["name"],
                                    "items": {
                                        **_fields(name={"type": "string"}, weight={"type": "integer", "default": 7}),
                                        "required": ["name"],
                                    },
                                },
                                nothing={"type": "string", "nullable": True},
                                words={"type": "object", "additionalProperties": {"type": "string"}},
                            ),
                            "required": ["size"],
                        },
                        status=_fields(seen={"type": "integer"}, note={"type": "string"}),
                    )
                },
            }
        ],
    },
}
