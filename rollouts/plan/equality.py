"""Do two pod templates ask for the same pods?

One comes from the user, sparse; the other from a live ReplicaSet, where the API server has filled in its defaults and
rewritten quantities. Two templates are equal when they are the same after both have been filled in and rewritten alike.
The defaults are those of core/v1 in Kubernetes (pkg/apis/core/v1/defaults.go documents them), and what is left out is
what its types leave out (`omitempty`). A template of the wrong shape is compared as it is: refusing it is for others.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from rollouts.api import keys

Json = dict[str, Any]

_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal("1e3"),
    "M": Decimal("1e6"), "G": Decimal("1e9"), "T": Decimal("1e12"), "P": Decimal("1e15"), "E": Decimal("1e18"),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?)([numkMGTPE]|[KMGTPE]i)?", re.ASCII)

# Mappings whose keys are the user's own: an empty value means something there, an empty mapping doesn't.
_USERS_KEYS = frozenset(
    {
        "annotations",
        "labels",
        "limits",
        "matchLabels",
        "nodeSelector",
        "options",
        "overhead",
        "requests",
        "volumeAttributes",
    }
)
# Fields that are pointers to strings in core/v1, where empty isn't the same as left out.
_MEANT_WHEN_EMPTY = frozenset({"storageClassName"})
# Fields that are plain flags and counts in core/v1: false and 0 are the same as left out.
_NOTHING_WHEN_ZERO = frozenset(
    {
        "chapAuthDiscovery", "chapAuthSession", "hostIPC", "hostNetwork", "hostPID", "hostPort", "initialDelaySeconds",
        "partition", "readOnly", "stdin", "stdinOnce", "tty",
    }
)  # fmt: skip


def _quantity(value: Any) -> Any:
    """Return a resource quantity as a number, so that `1000m` and `1` are one; what is none stays as it is."""
    match = _QUANTITY.fullmatch(str(value))
    return value if match is None else Decimal(match[1]) * _SUFFIXES[match[2] or ""]


def _quantities(holder: Json, *fields: str) -> None:
    """Read the quantities of resources; the API server rounds them up to thousandths."""
    for field in fields:
        if isinstance(holder.get(field), dict):
            holder[field] = {name: _rounded_up(_quantity(value)) for name, value in holder[field].items()}


def _rounded_up(number: Any) -> Any:
    return Decimal(math.ceil(number * 1000)) / 1000 if isinstance(number, Decimal) else number


def _means_nothing(key: str, value: Any) -> bool:
    if value is None or value == []:
        return True
    if value == "":
        return key not in _MEANT_WHEN_EMPTY
    if value == {}:
        return key in _USERS_KEYS
    return key in _NOTHING_WHEN_ZERO and value in (False, 0)


def _users(mapping: Mapping[str, Any]) -> Json:
    return {key: "" if value is None else value for key, value in mapping.items()}


def _copy(value: Any) -> Any:
    """Copy JSON without what means nothing: nulls, empty lists and strings, plain flags that are off."""
    if isinstance(value, Mapping):
        copied = {
            key: _users(each) if key in _USERS_KEYS and isinstance(each, Mapping) else _copy(each)
            for key, each in value.items()
        }
        return {key: each for key, each in copied.items() if not _means_nothing(key, each)}
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value


def _child(holder: Json, *path: str) -> Json:
    """Return the mapping at `path`; an empty one, which belongs to nothing, where there is none."""
    for field in path:
        child = holder.get(field)
        holder = child if isinstance(child, dict) else {}
    return holder


def _children(holder: Json, field: str) -> list[Json]:
    """Return the mappings of the list in `field`."""
    children = holder.get(field)
    return [each for each in children if isinstance(each, dict)] if isinstance(children, list) else []


def _fill(holder: Json, **defaults: Any) -> None:
    """Fill in defaults, in a mapping that is there only because it says something."""
    for key, value in defaults.items():
        holder.setdefault(key, value)


def _fill_child(holder: Json, field: str, **defaults: Any) -> None:
    if isinstance(holder.get(field), dict):
        _fill(holder[field], **defaults)


def _fill_probe(probe: Json) -> None:
    for field, default in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        probe[field] = probe.get(field) or default
    _fill_child(probe, "httpGet", path="/", scheme="HTTP")


def _pull_policy(image: Any) -> str:
    name, _, digest = str(image).rsplit("/", 1)[-1].partition("@")
    tag = name.partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def _fill_reference(source: Json) -> None:
    """Fill in where a value comes from: a field of the pod, or a resource of one of its containers."""
    _fill_child(source, "fieldRef", apiVersion="v1")
    resource = _child(source, "resourceFieldRef")
    resource["divisor"] = _quantity(resource.get("divisor", "0"))


def _fill_requests(resources: Json) -> None:
    """Fill in requests from limits, as the API server does in pods."""
    limits = _child(resources, "limits")
    if limits:
        resources["requests"] = limits | _child(resources, "requests")


def _fill_container(container: Json) -> None:
    _fill(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=_pull_policy(container.get("image", "")),
        resources={},
    )
    for port in _children(container, "ports"):
        _fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(name), dict):
            _fill_probe(container[name])
    for hook in ("postStart", "preStop"):
        _fill_child(_child(container, "lifecycle", hook), "httpGet", path="/", scheme="HTTP")
    for variable in _children(container, "env"):
        _fill_reference(_child(variable, "valueFrom"))
    resources = _child(container, "resources")
    _fill_requests(resources)
    _quantities(resources, "limits", "requests")


def _fill_files(volume: Json) -> None:
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        _fill_child(volume, kind, defaultMode=0o644)
    for item in _children(_child(volume, "downwardAPI"), "items"):
        _fill_reference(item)
    for source in _children(_child(volume, "projected"), "sources"):
        _fill_child(source, "serviceAccountToken", expirationSeconds=3600)
        for item in _children(_child(source, "downwardAPI"), "items"):
            _fill_reference(item)


def _fill_empty_dir(volume: Json) -> None:
    if not any(isinstance(source, dict) for source in volume.values()):
        volume["emptyDir"] = {}
    directory = _child(volume, "emptyDir")
    if "sizeLimit" in directory:
        directory["sizeLimit"] = _quantity(directory["sizeLimit"])


def _fill_claim(volume: Json) -> None:
    _fill_child(volume, "ephemeral", volumeClaimTemplate={})
    claim = _child(volume, "ephemeral", "volumeClaimTemplate")
    _fill(claim, metadata={}, spec={})
    _fill_child(claim, "spec", volumeMode="Filesystem")
    _quantities(_child(claim, "spec", "resources"), "limits", "requests")


def _fill_network_volume(volume: Json) -> None:
    _fill_child(volume, "iscsi", iscsiInterface="default", lun=0)
    _fill_child(volume, "rbd", pool="rbd", user="admin", keyring="/etc/ceph/keyring")
    _fill_child(volume, "azureDisk", cachingMode="ReadWrite", kind="Shared", fsType="ext4")
    _fill_child(volume, "scaleIO", storageMode="ThinProvisioned", fsType="xfs")


def _fill_image(volume: Json) -> None:
    _fill_child(volume, "image", pullPolicy=_pull_policy(_child(volume, "image").get("reference", "")))


_VOLUME_RULES: tuple[Callable[[Json], None], ...] = (
    _fill_empty_dir, _fill_files, _fill_claim, _fill_network_volume, _fill_image,
)  # fmt: skip


def _fill_spec(spec: Json) -> None:
    _fill(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        securityContext={},
        enableServiceLinks=True,
    )
    # The API server mirrors the deprecated name of this field.
    account = spec.pop("serviceAccount", None)
    if account is not None:
        spec.setdefault("serviceAccountName", account)
    for kind in ("containers", "initContainers"):
        for container in _children(spec, kind):
            _fill_container(container)
    for volume in _children(spec, "volumes"):
        for rule in _VOLUME_RULES:
            rule(volume)
    for constraint in _children(spec, "topologySpreadConstraints"):
        _fill(constraint, nodeAffinityPolicy="Honor", nodeTaintsPolicy="Ignore")
    _quantities(_child(spec, "resources"), "limits", "requests")
    _quantities(spec, "overhead")


def normalize(template: Mapping[str, Any]) -> Json:
    """Return a copy of a pod template, filled in and rewritten for comparison, without the pod template hash label."""
    copied: Json = _copy(template)
    _fill(copied, metadata={}, spec={})
    metadata = _child(copied, "metadata")
    for field in ("creationTimestamp", "name", "namespace"):
        metadata.pop(field, None)
    labels = _child(metadata, "labels")
    labels.pop(keys.POD_TEMPLATE_HASH, None)
    if not labels:
        metadata.pop("labels", None)
    _fill_spec(_child(copied, "spec"))
    return copied


def templates_equal(desired: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether the two templates ask for the same pods."""
    return normalize(desired) == normalize(live)
