"""Which kinds does the cluster know from the start, and what are their fields?"""

import re
from functools import cache
from importlib.resources import files

from rollouts.devcluster.kinds import Kind, ScalePaths
from rollouts.devcluster.objects import Object

_SCALARS: dict[str, Object] = {
    "str": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "num": {"type": "number"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time", "nullable": True},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
    "intstr": {"x-kubernetes-int-or-string": True},
    "quantity": {"x-kubernetes-int-or-string": True, "x-number": True},
}
_ATOMIC: Object = {"x-kubernetes-map-type": "atomic"}
_FIELD = re.compile(r"(\w+) (\S+?)(?:, (?=\w+ )|$)")
# `group/version Kind plural namespaced? shortNames categories`, then subresources
_KINDS = """
v1 Namespace namespaces - ns -
v1 Node nodes - no -
v1 Pod pods ns po all
v1 Service services ns svc all
v1 Event events ns ev -
v1 ConfigMap configmaps ns cm -
v1 Secret secrets ns - -
v1 ServiceAccount serviceaccounts ns sa -
v1 PodTemplate podtemplates ns - -
apps/v1 ReplicaSet replicasets ns rs all
apps/v1 Deployment deployments ns deploy all
batch/v1 Job jobs ns - all
coordination.k8s.io/v1 Lease leases ns - -
discovery.k8s.io/v1 EndpointSlice endpointslices ns - -
policy/v1 PodDisruptionBudget poddisruptionbudgets ns pdb -
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers ns hpa all
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions - crd,crds api-extensions
rbac.authorization.k8s.io/v1 Role roles ns - -
rbac.authorization.k8s.io/v1 RoleBinding rolebindings ns - -
rbac.authorization.k8s.io/v1 ClusterRole clusterroles - - -
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings - - -
"""
_WITH_STATUS = frozenset(
    [
        "Namespace",
        "Node",
        "Pod",
        "Service",
        "ReplicaSet",
        "Deployment",
        "Job",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
        "CustomResourceDefinition",
    ]
)
# kinds whose objects count generations
_WITH_GENERATION = frozenset(
    [
        "Pod",
        "PodTemplate",
        "ReplicaSet",
        "Deployment",
        "Job",
        "PodDisruptionBudget",
        "CustomResourceDefinition",
        "EndpointSlice",
    ]
)
_SCALABLE = frozenset({"ReplicaSet", "Deployment"})
_SCALE = ScalePaths(spec=("spec", "replicas"), status=("status", "replicas"), selector=("spec", "selector"))


def field_schema(written: str) -> Object:
    """Turn a field's type as written in builtin.types into a schema."""
    retain, text = written.endswith("~"), written.removesuffix("~")
    atomic, text = text.endswith("!"), text.removesuffix("!")
    schema: Object
    if text.startswith("["):
        inner, _, marks = text[1:].partition("]")
        schema = {"type": "array", "items": field_schema(inner)}
        if marks == "%":
            schema |= {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
        elif marks:
            keys = marks[1:].split(",")
            schema |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
            schema |= {"x-kubernetes-patch-merge-key": keys[0], "x-kubernetes-patch-strategy": "merge"}
    elif text.startswith("{"):
        schema = {"type": "object", "additionalProperties": field_schema(text[1:-1])}
    else:
        schema = _SCALARS.get(text) or type_schema(text)
    if atomic:
        schema = {**schema, **_ATOMIC}
    return {**schema, "x-retain-keys": True} if retain else schema


@cache
def _types() -> dict[str, str]:
    text = files("rollouts.devcluster").joinpath("builtin.types").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


@cache
def type_schema(name: str) -> Object:
    """Return the schema of a type of builtin.types; the same object each time, to be read only."""
    types = _types()
    written = types.get(name) or types[f"{name}!"]
    fields = {field: field_schema(each) for field, each in _FIELD.findall(written)}
    return {"type": "object", "properties": fields, "x-name": name, **({} if name in types else _ATOMIC)}


@cache
def kind_schema(name: str) -> Object:
    """Return the schema of a built-in kind."""
    schema = type_schema(name)
    fields = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": type_schema("ObjectMeta")}
    return {**schema, "properties": {**fields, **schema["properties"]}}


def _kind(line: str) -> Kind:
    api_version, name, plural, scope, short, categories = line.split()
    group, _, version = api_version.rpartition("/")
    return Kind(
        group=group,
        version=version,
        kind=name,
        plural=plural,
        namespaced=scope == "ns",
        short_names=() if short == "-" else tuple(short.split(",")),
        categories=() if categories == "-" else tuple(categories.split(",")),
        has_status=name in _WITH_STATUS,
        has_generation=name in _WITH_GENERATION,
        scale=_SCALE if name in _SCALABLE else None,
        schema=kind_schema(name),
    )


@cache
def builtin_kinds() -> tuple[Kind, ...]:
    """Return every built-in kind."""
    return tuple(_kind(line) for line in _KINDS.strip().splitlines())


def builtin(name: str) -> Kind:
    """Return one built-in kind."""
    return next(kind for kind in builtin_kinds() if kind.kind == name)
