"""What in a pod template may keep two sets of its pods from running side by side, or means another thing elsewhere?"""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from rollouts.api import keys
from rollouts.migrate.notes import Note, mind
from rollouts.migrate.objects import ROLLOUT, Raw, part

_HASH = "pod-template-hash"
_DEPLOYMENTS_HASH = re.compile(rf"(?<!rollouts-)\b{_HASH}\b")


def about_pods(template: Raw, kind: str) -> Iterator[Note]:
    """Yield what to mind of a template that moves into an object of `kind`."""
    spec = part(template, "spec")
    affinity = part(spec, "affinity", "podAntiAffinity")
    if affinity.get("requiredDuringSchedulingIgnoredDuringExecution"):
        yield mind("the pods ask to be kept apart (podAntiAffinity, required): the second set needs nodes of its own")
    if spec.get("hostNetwork") or any(port.get("hostPort") for port in _ports(spec)):
        yield mind("the pods use ports of their nodes: the second set needs nodes of its own")
    claims = [part(each, "persistentVolumeClaim").get("claimName") for each in _mappings(spec.get("volumes"))]
    for claim in filter(None, claims):
        yield mind(f"both sets mount volume claim {claim}: it must be one that several nodes may write to")
    yield from _about_hash(template, kind)


def _ports(spec: Raw) -> Iterator[Raw]:
    for container in _mappings(spec.get("containers")):
        yield from _mappings(container.get("ports"))


def _mappings(value: Any) -> Iterator[Raw]:
    yield from (each for each in value or () if isinstance(each, dict)) if isinstance(value, list) else ()


def _about_hash(template: Raw, kind: str) -> Iterator[Note]:
    """Spreading constraints and environment variables may name the label that tells revisions apart."""
    text = orjson.dumps(template).decode()
    ours = keys.POD_TEMPLATE_HASH
    if kind == ROLLOUT and _DEPLOYMENTS_HASH.search(text):
        yield mind(f"the template names {_HASH}, which a Rollout's pods don't carry: name {ours} instead")
    if kind != ROLLOUT and ours in text:
        yield mind(f"the template names {ours}, which a Deployment's pods don't carry: name {_HASH} instead")
