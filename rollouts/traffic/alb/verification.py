"""Has the load balancer followed its Ingress? AWS is asked what its rules forward to, and whether pods are targets.

Which target group is a Service's tells the tag that the AWS Load Balancer Controller gives it. A rule counts if it
forwards to the stable Service: those of header routes don't.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rollouts.api import keys
from rollouts.api.traffic import AlbTrafficRouting
from rollouts.aws.load_balancers import LoadBalancers, Resource, Weights, load_balancers_for
from rollouts.ports import Asked, Destination, Found, ListObjects, ObjectKind, Request, Route
from rollouts.ports.router import Raw

PODS = ObjectKind("", "v1", "pods", "Pod")
ASKS_BY = "AWS_VERIFY_TARGET_GROUP"
TAG = "ingress.k8s.aws/resource"
TAG_SETTING = "ALB_TAG_KEY_RESOURCE_ID"
VERIFIED, UNVERIFIED, NOT_FOUND = "TargetGroupVerified", "TargetGroupUnverified", "LoadBalancerNotFound"

T = TypeVar("T")
Asks = Generator[Request | ListObjects, Any, T]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the load balancer of an Ingress should do: all that the answer depends on."""

    namespace: str
    ingress: str
    hosts: tuple[str, ...]
    port: int
    canary: Destination
    stable: Destination
    additional: tuple[Destination, ...]

    @property
    def every(self) -> tuple[Destination, ...]:
        return self.canary, *self.additional, self.stable

    def tag(self, service: str) -> str:
        """Return what the target group of a Service is tagged with."""
        return f"{self.namespace}/{self.ingress}-{service}:{self.port}"


Groups = Mapping[str, Resource]
"""Target groups, by the names of their Services."""


def wanted(spec: AlbTrafficRouting, namespace: str, name: str, route: Route, raw: Raw) -> Wanted:
    """Return what an Ingress asks of its load balancer by a route."""
    balancers = ((raw.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    hosts = tuple(each["hostname"] for each in balancers if each.get("hostname"))
    return Wanted(namespace, name, hosts, spec.service_port, route.canary, route.stable, route.additional)


def verify(wanted: Wanted, asked: Asked) -> Asks[Found]:
    """Ask AWS whether the load balancers of an Ingress do what is wanted. Raises MeasurementError."""
    waits = f"Ingress {wanted.ingress} has no load balancer yet: does the AWS Load Balancer Controller look after it?"
    found = Found(verified=False, because=waits)
    for host in wanted.hosts:
        found = yield from _verify(wanted, host, asked)
        if not found.verified:
            return found
    return found


def _verify(wanted: Wanted, host: str, asked: Asked) -> Asks[Found]:
    balancers = yield from load_balancers_for(asked, host)
    balancer = yield from balancers.named(host)
    if balancer is None:
        because = f"AWS has no load balancer in {balancers.region} with the name {host}"
        return Found(verified=False, because=because, reason=NOT_FOUND)
    every = yield from balancers.target_groups(balancer)
    key = asked.settings.get(TAG_SETTING) or TAG
    tags = yield from balancers.tags(every, key)
    by_tag = {tags[each.arn]: each for each in every if each.arn in tags}
    tagged = {each.service: by_tag.get(wanted.tag(each.service)) for each in wanted.every}
    groups = {service: group for service, group in tagged.items() if group is not None}
    facts = _facts(wanted, balancer, groups)
    missing = [each.service for each in wanted.every if each.weight and each.service not in groups]
    if missing:
        tag = f"{key}={wanted.tag(missing[0])}"
        because = f"load balancer {balancer.name} has no target group for Service {missing[0]} (tagged {tag})"
        return Found(verified=False, because=because, reason=UNVERIFIED, facts=facts)
    rules = yield from balancers.forwards(balancer)
    because = _weighed_otherwise(wanted, groups, rules) or (yield from _unhealthy(wanted, groups, balancers))
    if because:
        because = f"load balancer {balancer.name}: {because}"
        return Found(verified=False, because=because, reason=UNVERIFIED, facts=facts)
    shares = ", ".join(f"{each.service} {each.weight}" for each in wanted.every)
    because = f"load balancer {balancer.name} forwards as Ingress {wanted.ingress} says: {shares}"
    return Found(verified=True, because=because, reason=VERIFIED, facts=facts)


def _weighed_otherwise(wanted: Wanted, groups: Groups, rules: Sequence[Weights]) -> str:
    """Say which rule weighs otherwise; empty if none does."""
    anchor = wanted.stable if wanted.stable.service in groups else wanted.canary
    ours = [rule for rule in rules if groups[anchor.service].arn in rule]
    if not ours:
        return f"no rule forwards to the target group of Service {anchor.service} yet"
    for rule in ours:
        for each in wanted.every:
            group = groups.get(each.service)
            weight = rule.get(group.arn, 0) if group is not None else 0
            if weight != each.weight:
                return f"Service {each.service} weighs {weight} still, not {each.weight}"
    return ""


def _unhealthy(wanted: Wanted, groups: Groups, balancers: LoadBalancers) -> Asks[str]:
    """Say which ready pods get no traffic yet; empty if all do. Behind groups of instances pods can't be told apart."""
    for each in wanted.every:
        group = groups.get(each.service)
        if group is None or not each.weight or not each.pod_hash or group.target_type != "ip":
            continue
        pods = yield from ListObjects(PODS, f"{keys.POD_TEMPLATE_HASH}={each.pod_hash}").ask()
        states = yield from balancers.health(group)
        lacking = [address for address in _ready(pods) if states.get(address) != "healthy"]
        if lacking:
            state = states.get(lacking[0], "not registered")
            return f"{len(lacking)} ready pods of Service {each.service} aren't healthy targets ({lacking[0]}: {state})"
    return ""


def _ready(pods: Iterable[Raw]) -> Iterator[str]:
    """Yield the addresses of pods that are ready, and stay."""
    for pod in pods:
        status = pod.get("status") or {}
        is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
        if is_ready and status.get("podIP") and "deletionTimestamp" not in pod["metadata"]:
            yield status["podIP"]


def _facts(wanted: Wanted, balancer: Resource, groups: Groups) -> dict[str, Any]:
    """Return what the Rollout's status tells of AWS, as the API has it."""
    ends = {"canaryTargetGroup": wanted.canary.service, "stableTargetGroup": wanted.stable.service}
    return {
        "ingress": wanted.ingress,
        "loadBalancer": _told(balancer),
        **{name: _told(groups[service]) for name, service in ends.items() if service in groups},
    }


def _told(resource: Resource) -> dict[str, str]:
    return {"name": resource.name, "arn": resource.arn, "fullName": resource.full_name}
