"""What could be read from the API server at one moment?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.api.services import service_names
from rollouts.plan import Observed, Refusal, observe_rollout
from rollouts.plan.actions import ANALYSIS_RUN, EXPERIMENT
from rollouts.plan.analysis.references import closure, templates_of
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.workload import meant_spec, reference_in
from rollouts.ports import Reference
from rollouts.sim.belonging import concerns, manager_of
from rollouts.sim.children import Place, children_of

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What could be read at one moment."""

    rollouts: Mapping[str, Raw]
    replica_sets: Mapping[str, Raw]
    services: Mapping[str, Raw]
    workloads: Mapping[str, Raw]
    objects: Mapping[Reference, Raw] = field(default_factory=dict)
    children: Mapping[Place, Raw] = field(default_factory=dict)
    templates: Mapping[TemplateKey, Raw] = field(default_factory=dict)

    def observe(self, name: str, refusals: Iterable[Refusal] = ()) -> Observed:
        """Return the picture that a controller gets of a Rollout, without pods."""
        raw = self.rollouts[name]
        reference = reference_in(raw)
        workload = self.workloads.get(reference.name) if reference is not None else None
        uid, selector = raw["metadata"]["uid"], meant_spec(raw["spec"], workload).get("selector") or {}
        services = {service: self.services.get(service) for service in service_names(raw)}
        return observe_rollout(
            raw,
            [each for each in self.replica_sets.values() if concerns(each, uid, selector)],
            services,
            None,
            refusals,
            left=[each for key, each in self.services.items() if key not in services and manager_of(each) == name],
            workload=workload,
            objects=self.objects,
            runs=children_of(self.children, ANALYSIS_RUN, uid),
            experiments=children_of(self.children, EXPERIMENT, uid),
            templates=closure(templates_of(raw), self.templates.get),
        )
