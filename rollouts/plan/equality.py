"""Do two pod templates ask for the same pods?

One comes from the user, sparse; the other from a live ReplicaSet, where the API server has filled in its defaults and
rewritten quantities. Two templates are equal when they are the same after both have been filled in and rewritten alike.
The defaults are those of core/v1 in Kubernetes (pkg/apis/core/v1/defaults.go documents them).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from rollouts.api import keys

Json = dict[str, Any]

_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal("1e3"),
    "M": Decimal("1e6"), "G": Decimal("1e9"), "T": Decimal("1e12"), "P": Decimal("1e15"), "E": Decimal("1e18"),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip


def _quantity(value: Any) -> Any:
    """Return a resource quantity as a number, so that `1000m` and `1` are one; what is none stays as it is."""
    text = str(value)
    number = text.rstrip("EKMGTPikmnu")
    try:
        return Decimal(number) * _SUFFIXES[text[len(number) :]]
    except (InvalidOperation, KeyError):
        return value


def _quantities(holder: Json, *fields: str) -> None:
    for field in fields:
        if holder.get(field):
            holder[field] = {name: _quantity(value) for name, value in holder[field].items()}


def _copy(value: Any) -> Any:
    """Copy JSON without what means nothing: nulls and empty lists, mappings and strings in mappings."""
    if isinstance(value, Mapping):
        copied = {key: _copy(each) for key, each in value.items()}
        return {key: each for key, each in copied.items() if each is not None and each not in ("", [])}
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value


def _fill(holder: Json, **defaults: Any) -> None:
    for key, value in defaults.items():
        holder.setdefault(key, value)


def _fill_probe(container: Json, name: str) -> None:
    probe = container.get(name)
    if not isinstance(probe, dict):
        return
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if isinstance(probe.get("httpGet"), dict):
        _fill(probe["httpGet"], path="/", scheme="HTTP")
    if isinstance(probe.get("grpc"), dict):
        probe["grpc"].pop("service", None)


def _pull_policy(image: str) -> str:
    name = image.rsplit("/", 1)[-1]
    if "@" in name:
        return "IfNotPresent"
    tag = name.partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _fill_env(container: Json) -> None:
    for variable in container.get("env", ()):
        source = variable.get("valueFrom") or {}
        if "fieldRef" in source:
            _fill(source["fieldRef"], apiVersion="v1")
        if "resourceFieldRef" in source:
            divisor = _quantity(source["resourceFieldRef"].get("divisor", "0"))
            source["resourceFieldRef"]["divisor"] = divisor


def _fill_requests(resources: Json) -> None:
    """Fill in requests from limits, as the API server does."""
    if resources.get("limits"):
        requests = resources.setdefault("requests", {})
        for name, value in resources["limits"].items():
            requests.setdefault(name, value)


def _fill_container(container: Json) -> None:
    _fill(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=_pull_policy(container.get("image", "")),
    )
    for port in container.get("ports", ()):
        _fill(port, protocol="TCP")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        _fill_probe(container, probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and isinstance(hook.get("httpGet"), dict):
            _fill(hook["httpGet"], path="/", scheme="HTTP")
    _fill_env(container)
    for mount in container.get("volumeMounts", ()):
        if mount.get("readOnly") is False:
            del mount["readOnly"]
    resources = container.setdefault("resources", {})
    _fill_requests(resources)
    _quantities(resources, "limits", "requests")


def _default_mode(volume: Json, source: str) -> None:
    if isinstance(volume.get(source), dict):
        _fill(volume[source], defaultMode=420)


def _fill_host_path(volume: Json) -> None:
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")


def _fill_empty_dir(volume: Json) -> None:
    if isinstance(volume.get("emptyDir"), dict) and "sizeLimit" in volume["emptyDir"]:
        volume["emptyDir"]["sizeLimit"] = _quantity(volume["emptyDir"]["sizeLimit"])


def _fill_projected(volume: Json) -> None:
    if not isinstance(volume.get("projected"), dict):
        return
    for source in volume["projected"].get("sources", ()):
        if isinstance(source.get("serviceAccountToken"), dict):
            _fill(source["serviceAccountToken"], expirationSeconds=3600)
        for item in (source.get("downwardAPI") or {}).get("items", ()):
            if "fieldRef" in item:
                _fill(item["fieldRef"], apiVersion="v1")


def _fill_claim(volume: Json) -> None:
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}
    if "spec" in claim:
        _fill(claim["spec"], volumeMode="Filesystem")
        _quantities(claim["spec"].get("resources") or {}, "limits", "requests")


def _fill_network_volume(volume: Json) -> None:
    if isinstance(volume.get("iscsi"), dict):
        _fill(volume["iscsi"], iscsiInterface="default")
    if isinstance(volume.get("rbd"), dict):
        _fill(volume["rbd"], pool="rbd", user="admin", keyring="/etc/ceph/keyring")
    if isinstance(volume.get("azureDisk"), dict):
        _fill(volume["azureDisk"], cachingMode="ReadWrite", kind="Shared", fsType="ext4", readOnly=False)
    if isinstance(volume.get("scaleIO"), dict):
        _fill(volume["scaleIO"], storageMode="ThinProvisioned", fsType="xfs")


_VOLUME_RULES: tuple[Callable[[Json], None], ...] = (
    _fill_host_path, _fill_empty_dir, _fill_projected, _fill_claim, _fill_network_volume,
)  # fmt: skip


def _fill_volume(volume: Json) -> None:
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        _default_mode(volume, source)
    for item in (volume.get("downwardAPI") or {}).get("items", ()):
        if "fieldRef" in item:
            _fill(item["fieldRef"], apiVersion="v1")
    for rule in _VOLUME_RULES:
        rule(volume)


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
    for flag in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(flag) is False:
            del spec[flag]
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(kind, ()):
            _fill_container(container)
    for volume in spec.get("volumes", ()):
        if not any(isinstance(source, dict) for source in volume.values()):
            volume["emptyDir"] = {}
        _fill_volume(volume)
    for constraint in spec.get("topologySpreadConstraints", ()):
        _fill(constraint, nodeAffinityPolicy="Honor", nodeTaintsPolicy="Ignore")
    _quantities(spec, "overhead")


def normalize(template: Mapping[str, Any]) -> Json:
    """Return a copy of a pod template, filled in and rewritten for comparison, without the pod template hash label."""
    copied: Json = _copy(template)
    metadata = copied.setdefault("metadata", {})
    for field in ("creationTimestamp", "name", "namespace"):
        metadata.pop(field, None)
    labels = metadata.setdefault("labels", {})
    labels.pop(keys.POD_TEMPLATE_HASH, None)
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    _fill_spec(copied.setdefault("spec", {}))
    # hostPath's type and a string variable's value are written out empty by the API server: drop what is empty again.
    return _drop_empty(copied)  # type: ignore[no-any-return]


def _drop_empty(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = {key: _drop_empty(each) for key, each in value.items()}
        return {key: each for key, each in dropped.items() if each != ""}
    if isinstance(value, list):
        return [_drop_empty(each) for each in value]
    return value


def templates_equal(desired: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether the two templates ask for the same pods."""
    return normalize(desired) == normalize(live)
