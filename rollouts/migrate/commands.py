"""How does a person do a step with kubectl?"""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from rollouts.api.selectors import format_selector
from rollouts.migrate.objects import ROLLOUT, Raw, name_of, namespace_of, part
from rollouts.migrate.steps import Create, Delete, Patch, Step, Until, Wait

_TIMEOUT = "--timeout=10m"


def file_of(obj: Raw) -> str:
    """Return the name of the file that an object of the output is written to."""
    return f"{str(obj.get('kind')).lower()}-{name_of(obj)}.yaml"


def commands(step: Step, *, directory: str = "", is_live: bool = True) -> tuple[str, ...]:
    """Return the kubectl commands that do the same; `is_live` unless sizes come from manifests."""
    match step:
        case Create(obj=obj):
            path = f"{directory}/{file_of(obj)}" if directory else file_of(obj)
            return (_kubectl("create", "-f", path, at=obj) if is_live else _create_at_size(path, obj),)
        case Delete(target=target):
            return (_kubectl("delete", _resource(target), name_of(target), "--cascade=foreground", at=target),)
        case Patch(target=target, body=body):
            return (_patch_command(target, body),)
        case Wait(until=until, target=target):
            return (_wait_command(until, target),)


def _resource(obj: Raw) -> str:
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    kind = str(obj.get("kind")).lower()
    return kind if kind in ("deployment", "rollout", "service") else f"{kind}s.{group}"


def _kubectl(*words: str, at: Raw) -> str:
    where = ["-n", namespace_of(at)] if namespace_of(at) else []
    return shlex.join(["kubectl", *words, *where])


def _create_at_size(path: str, obj: Raw) -> str:
    """Return the command that creates a workload at the size that the other one has at that time."""
    other = "deployment" if obj.get("kind") == ROLLOUT else "rollout"
    where = f" -n {shlex.quote(namespace_of(obj))}" if namespace_of(obj) else ""
    size = f"$(kubectl get {other} {shlex.quote(name_of(obj))}{where} -o jsonpath='{{.spec.replicas}}')"
    local = f"kubectl patch -f {shlex.quote(path)} --local --type=merge -o yaml"
    return f'{local} -p "{{\\"spec\\":{{\\"replicas\\":{size}}}}}" | kubectl create{where} -f -'


def _patch_command(target: Raw, body: Any) -> str:
    resource, name = _resource(target), name_of(target)
    spec = part(body, "spec") if isinstance(body, Mapping) else {}
    if set(spec) == {"replicas"}:
        return _kubectl("scale", resource, name, f"--replicas={spec['replicas']}", at=target)
    form = "merge" if isinstance(body, Mapping) else "json"
    return _kubectl("patch", resource, name, f"--type={form}", "-p", json.dumps(body, separators=(",", ":")), at=target)


def _wait_command(until: Until, target: Raw) -> str:
    name = name_of(target)
    if until is Until.ROLLOUT_SEEN:
        where = f" -n {namespace_of(target)}" if namespace_of(target) else ""
        generation = f"$(kubectl get rollout {name}{where} -o jsonpath='{{.metadata.generation}}')"
        condition = f"--for=jsonpath='{{.status.observedGeneration}}'=\"{generation}\""
        return f"kubectl wait rollout/{name}{where} {condition} {_TIMEOUT}"
    pods = f"{format_selector(part(target, 'spec', 'selector'))},pod-template-hash"
    words = {
        Until.ROLLOUT_HEALTHY: ("wait", f"rollout/{name}", "--for=jsonpath={.status.phase}=Healthy", _TIMEOUT),
        Until.ROLLOUT_GONE: ("wait", f"rollout/{name}", "--for=delete", _TIMEOUT),
        Until.DEPLOYMENT_GONE: ("wait", f"deployment/{name}", "--for=delete", _TIMEOUT),
        Until.DEPLOYMENT_EMPTY: ("wait", "pod", "-l", pods, "--for=delete", _TIMEOUT),
        Until.SERVED: ("get", "endpointslices", "-l", f"kubernetes.io/service-name={name}"),
    }
    return _kubectl(*words.get(until, ("rollout", "status", f"deployment/{name}", _TIMEOUT)), at=target)
