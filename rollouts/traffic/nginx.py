"""How does a Route become Ingresses of Ingress NGINX?

Beside each Ingress that sends traffic to the stable Service stands a canary Ingress made after it: annotations tell its
share. It stays there between updates, with nothing, so that the share of the next one is a change of an annotation.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar

from rollouts.api.merging import merge_patch
from rollouts.api.traffic import NginxTrafficRouting
from rollouts.ports import Ability, Create, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.owned import is_owned, owned_by, taken, without_owned

GROUP = "networking.k8s.io"
PREFIX = "nginx.ingress.kubernetes.io"
CLASS = "kubernetes.io/ingress.class"
FROM_SPEC = "rollouts.argoproj.io/canary-ingress-annotations"
"""Annotation of ours: the keys that the Rollout has set, so that those which it names no longer go."""

_PERCENT = 100
_LONGEST_NAME = 253
_SUFFIX = "-canary"
_COPIED = ("ingressClassName", "tls")


class Nginx(Router[NginxTrafficRouting]):
    """Keeps a canary Ingress beside each stable one."""

    key = "nginx"
    model: ClassVar = NginxTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT})

    def problems(self, spec: NginxTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        named = _ingresses(spec)
        if bool(spec.stable_ingress) == bool(spec.stable_ingresses):
            many = "both are set" if spec.stable_ingress else "neither is set"
            yield "", f"needs one of stableIngress and stableIngresses: {many}"
        times = Counter(named.values())
        yield from (
            (path, f"{name} is listed {times[name]} times: list it once")
            for path, name in named.items()
            if times[name] > 1
        )
        if objects is not None:
            for path, name in named.items():
                yield from ((path, message) for message in _live(name, owner, objects))

    def reads(self, spec: NginxTrafficRouting, owner: Owner) -> Reads:
        names = _ingresses(spec).values()
        return tuple(each for name in names for each in (_ingress(owner, name), _canary_of(owner, name)))

    def write(self, spec: NginxTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        writes = (_write(spec, owner, route, objects, name) for name in dict.fromkeys(_ingresses(spec).values()))
        return tuple(each for each in writes if each is not None)

    def leave(self, spec: NginxTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        del route  # without its canary Ingress, an Ingress sends everything to the stable Service
        return without_owned((_canary_of(owner, name) for name in _ingresses(spec).values()), objects, owner)


def _ingresses(spec: NginxTrafficRouting) -> dict[str, str]:
    """Return the names of the stable Ingresses by the path of each."""
    several = {f"stableIngresses[{index}]": name for index, name in enumerate(spec.stable_ingresses)}
    return {**({"stableIngress": spec.stable_ingress} if spec.stable_ingress else {}), **several}


def _ingress(owner: Owner, name: str) -> Reference:
    return Reference(GROUP, "Ingress", owner.namespace, name)


def _canary_of(owner: Owner, name: str) -> Reference:
    """Return the canary Ingress of a stable one; a name that is too long is cut where another part may follow."""
    begin = f"{owner.name}-{name}"[: _LONGEST_NAME - len(_SUFFIX)].rstrip(".")
    return _ingress(owner, f"{begin}{_SUFFIX}")


def _live(name: str, owner: Owner, objects: Objects) -> Iterator[str]:
    """Say what is wrong with a stable Ingress, and with the canary's."""
    stable, canary = _ingress(owner, name), _canary_of(owner, name)
    raw = objects.get(stable)
    if raw is None:
        yield f"{stable} doesn't exist in namespace {owner.namespace}: create it"
    elif not _rules(raw, owner.stable_service):
        yield f"no rule of {stable} has the stable Service {owner.stable_service} as a backend: add it to one"
    if message := taken(canary, objects.get(canary), owner):
        yield message


def _rules(raw: Raw, stable: str) -> list[Raw]:
    """Return the rules that send traffic to the stable Service, whole."""
    rules = (raw.get("spec") or {}).get("rules") or ()
    return [each for each in rules if any(_service(path) == stable for path in _paths(each))]


def _paths(rule: Raw) -> list[Raw]:
    paths: list[Raw] = (rule.get("http") or {}).get("paths") or []
    return paths


def _service(path: Raw) -> str:
    name: str = (path["backend"].get("service") or {}).get("name", "")
    return name


def _write(spec: NginxTrafficRouting, owner: Owner, route: Route, objects: Objects, name: str) -> Create | Patch | None:
    """Return what is due on the canary Ingress of a stable one."""
    stable, reference = objects.get(_ingress(owner, name)), _canary_of(owner, name)
    canary = objects.get(reference)
    rules = _rules(stable or {}, route.stable.service)
    if stable is None or not rules or (canary is not None and not is_owned(canary, owner)):
        return None
    body = {"rules": [_towards(each, route) for each in rules]}
    body |= {key: stable["spec"][key] for key in _COPIED if key in stable["spec"]}
    annotations = _annotations(spec, stable, route)
    if canary is None:
        metadata = {"annotations": annotations, "ownerReferences": owned_by(owner)}
        return Create(reference, {"metadata": metadata, "spec": body})
    now = canary["metadata"].get("annotations") or {}
    gone = _ours(spec, now)
    changes = merge_patch(now, {**{key: now[key] for key in now if key not in gone}, **annotations})
    fields = merge_patch({key: canary["spec"][key] for key in ("rules", *_COPIED) if key in canary["spec"]}, body)
    patch: Raw = {
        **({"metadata": {"annotations": changes}} if changes else {}),
        **({"spec": fields} if fields else {}),
    }
    return Patch(reference, patch) if patch else None


def _towards(rule: Raw, route: Route) -> Raw:
    """Return a rule with the canary Service where the stable one was."""

    def turned(path: Raw) -> Raw:
        if _service(path) != route.stable.service:
            return path
        service = {**path["backend"]["service"], "name": route.canary.service}
        return {**path, "backend": {**path["backend"], "service": service}}

    return {**rule, "http": {**rule["http"], "paths": [turned(each) for each in _paths(rule)]}}


def _annotations(spec: NginxTrafficRouting, stable: Raw, route: Route) -> dict[str, str]:
    """Return the annotations of a canary Ingress; those of the weight have the last word."""
    prefix = spec.annotation_prefix or PREFIX
    more = spec.additional_ingress_annotations or {}
    prefixed = {key if key.startswith(f"{prefix}/") else f"{prefix}/{key}": value for key, value in more.items()}
    named = {**prefixed, **(spec.canary_ingress_annotations or {})}
    of_stable = stable["metadata"].get("annotations") or {}
    whole = route.max_weight
    return {
        **({CLASS: of_stable[CLASS]} if CLASS in of_stable else {}),
        **({FROM_SPEC: ",".join(sorted(named))} if named else {}),
        **named,
        f"{prefix}/canary": "true",
        f"{prefix}/canary-weight": str(route.canary.weight),
        **({f"{prefix}/canary-weight-total": str(whole)} if whole != _PERCENT else {}),
    }


def _ours(spec: NginxTrafficRouting, now: Mapping[str, str]) -> set[str]:
    """Return the annotations that we have set, so far as they may not be wanted any more."""
    named = (now.get(FROM_SPEC) or "").split(",")
    return {*named, FROM_SPEC, CLASS, f"{spec.annotation_prefix or PREFIX}/canary-weight-total"}
