"""Which ReplicaSet and which Service does each template of an experiment have, or get?

Their names follow from the experiment's and the template's: a creation whose answer was lost is found again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.api.experiment import DEFAULT_REPLICAS, ExperimentSpec, ExperimentTemplate, ExperimentTemplateStatus
from rollouts.plan.actions import EXPERIMENT, SERVICE, CreateChild, CreateReplicaSet
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.hashing import pod_hash, template_digest
from rollouts.plan.observed import Raw, ReplicaSet, controller_uid
from rollouts.plan.ownership import owner_reference


@dataclass(frozen=True, slots=True)
class Member:
    """One template with what belongs to it.

    `replica_set` is the living one, None before it has been created; `is_leaving` tells that one which is being
    deleted still holds the name. `service` is what has the Service's name, ours or not; `wants_service` is false
    without container ports: there is nothing that it could lead to.
    """

    template: ExperimentTemplate
    before: ExperimentTemplateStatus | None
    replica_set_name: str
    pod_hash: str
    digest: str
    collision_count: int | None
    replica_set: ReplicaSet | None
    is_leaving: bool
    service_name: str
    wants_service: bool
    service: Raw | None
    service_is_ours: bool

    @property
    def name(self) -> str:
        return self.template.name

    @property
    def desired(self) -> int:
        return DEFAULT_REPLICAS if self.template.replicas is None else self.template.replicas

    @property
    def has_service(self) -> bool:
        """Whether its Service is there, or none is wanted."""
        return not self.wants_service or (self.service is not None and self.service_is_ours)


def replica_set_name(experiment: str, template: str, collision_count: int | None = None) -> str:
    """Return the name of a template's ReplicaSet; another one for each time that it was taken."""
    return f"{experiment}-{template}" + (f"-{collision_count}" if collision_count else "")


def members(here: ObservedExperiment, spec: ExperimentSpec) -> list[Member]:
    """Return each template of the spec with what belongs to it."""
    known = {each.name: each for each in here.status.template_statuses}
    return [_member(here, template, known.get(template.name)) for template in spec.templates]


def _member(here: ObservedExperiment, template: ExperimentTemplate, before: ExperimentTemplateStatus | None) -> Member:
    count = before.collision_count if before is not None else None
    found = _find(here, template.name, replica_set_name(here.name, template.name, count))
    if found is None and (refusal := here.refusal("create", "ReplicaSet", _name(here, template, count))):
        count = (count or 0) + 1 if refusal.name_is_taken else count
    name = found.name if found is not None else _name(here, template, count)
    digest = _digest(here, template)
    ports = list(service_ports(template.template))
    service_name = (template.service.name if template.service is not None else None) or name
    service = next((each for each in here.services if each["metadata"]["name"] == service_name), None)
    return Member(
        template=template,
        before=before,
        replica_set_name=name,
        pod_hash=found.pod_hash if found is not None else pod_hash(digest, count),
        digest=digest,
        collision_count=count,
        replica_set=found,
        is_leaving=any(each.name == name and each.is_deleting for each in here.replica_sets),
        service_name=service_name,
        wants_service=template.service is not None and bool(ports),
        service=service,
        service_is_ours=service is not None and here.owns(service),
    )


def _name(here: ObservedExperiment, template: ExperimentTemplate, count: int | None) -> str:
    return replica_set_name(here.name, template.name, count)


def _find(here: ObservedExperiment, template: str, name: str) -> ReplicaSet | None:
    """Return a template's ReplicaSet: by its name, which can't change, or by the annotation that it was created with.

    The latter is for one that got another name after a collision which the status doesn't tell of any more.
    """
    living = [each for each in here.replica_sets if not each.is_deleting]
    named = (each for each in living if each.name == name)
    marked = (each for each in living if each.annotations.get(keys.EXPERIMENT_TEMPLATE_NAME) == template)
    return next(named, None) or next(marked, None)


def _digest(here: ObservedExperiment, template: ExperimentTemplate) -> str:
    """Return the digest that names the pods. Equal templates side by side must not share their Services' traffic."""
    return template_digest({"experiment": here.name, "name": template.name, "template": template.template})


def new_replica_set(here: ObservedExperiment, member: Member) -> CreateReplicaSet:
    """Return the action that creates a template's ReplicaSet at its size."""
    template = member.template
    mark = {keys.POD_TEMPLATE_HASH: member.pod_hash}
    pods = dict(template.template)
    metadata = dict(pods.get("metadata") or {})
    labels = {**(metadata.get("labels") or {}), **mark}
    pods["metadata"] = {**metadata, "labels": labels}
    selector = dict(template.selector)
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **mark}
    spec: dict[str, Any] = {"replicas": member.desired, "selector": selector, "template": pods}
    if template.min_ready_seconds:
        spec["minReadySeconds"] = template.min_ready_seconds
    body = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": _metadata(here, member, member.replica_set_name, labels),
        "spec": spec,
    }
    return CreateReplicaSet(
        member.replica_set_name, member.pod_hash, member.digest, revision=0, size=member.desired, body=body
    )


def new_service(here: ObservedExperiment, member: Member) -> CreateChild:
    """Return the action that creates a template's Service: a port for each port of its containers."""
    selector = {**(member.template.selector.get("matchLabels") or {}), keys.POD_TEMPLATE_HASH: member.pod_hash}
    mark = {keys.POD_TEMPLATE_HASH: member.pod_hash}
    body = {
        "apiVersion": "v1",
        "kind": SERVICE,
        "metadata": _metadata(here, member, member.service_name, mark),
        "spec": {"selector": selector, "ports": list(service_ports(member.template.template))},
    }
    return CreateChild(SERVICE, member.service_name, body)


def _metadata(here: ObservedExperiment, member: Member, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": here.namespace,
        "labels": dict(labels),
        "annotations": {keys.EXPERIMENT_NAME: here.name, keys.EXPERIMENT_TEMPLATE_NAME: member.name},
        "ownerReferences": [owner_reference(here.raw, EXPERIMENT)],
    }


def service_names(experiment: Raw) -> Iterator[str]:
    """Yield the names that the Services of a raw Experiment have; of one whose names were taken, the first ones."""
    spec = experiment.get("spec")
    templates = spec.get("templates") if isinstance(spec, Mapping) else None
    for template in templates if isinstance(templates, list) else ():
        service = template.get("service") if isinstance(template, Mapping) else None
        if isinstance(service, Mapping):
            name = service.get("name") or replica_set_name(experiment["metadata"]["name"], str(template.get("name")))
            yield str(name)


def service_ports(template: Raw) -> Iterator[dict[str, Any]]:
    """Yield the ports of a Service for pods of a template, each once. A Service of several needs a name for each."""
    seen: set[tuple[str, object]] = set()
    names: set[str] = set()
    for port in _container_ports(template):
        number, protocol = port.get("containerPort"), str(port.get("protocol") or "TCP")
        if number is None or (protocol, number) in seen:
            continue
        seen.add((protocol, number))
        name = str(port.get("name") or "")
        if not name or name in names:
            name = f"{protocol.lower()}-{number}"
        names.add(name)
        yield {"name": name, "port": number, "protocol": protocol, "targetPort": number}


def _container_ports(template: Raw) -> Iterator[Raw]:
    containers = (template.get("spec") or {}).get("containers")
    for container in containers if isinstance(containers, Sequence) else ():
        ports = container.get("ports") if isinstance(container, Mapping) else None
        yield from (each for each in ports or () if isinstance(each, Mapping))


def left_over(here: ObservedExperiment, kept: Sequence[Member]) -> list[ReplicaSet]:
    """Return the ReplicaSets of ours that belong to no template of the spec (any more)."""
    known = {each.replica_set.uid for each in kept if each.replica_set is not None}
    return [each for each in here.replica_sets if each.uid not in known and not each.is_deleting]


def controlled_by_other(raw: Raw) -> str:
    """Say whose an object is that isn't ours."""
    references = raw["metadata"].get("ownerReferences") or ()
    owner = next((each for each in references if each.get("controller")), None)
    return f"{owner['kind']} {owner['name']}" if owner is not None and controller_uid(raw["metadata"]) else "nobody"
