"""What does the planner get to see of an Experiment? The object, and everything that it has brought into the world."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from rollouts.api.base import describe
from rollouts.api.experiment import ExperimentSpec, ExperimentStatus, parse_experiment, parse_experiment_status
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.observed import Refusal, ReplicaSet, controller_uid, observe_replica_set, refusal_of

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ObservedExperiment:
    """Everything that one plan for an Experiment may depend on.

    `spec` is None where it doesn't have the API's shape, and `unreadable` says why. `replica_sets` are those that it
    controls, oldest first. `services` and `runs` are those that it controls, and those of others that have a name
    which one of ours would get. `templates` holds the raw specs of the analysis templates that it refers to, and of
    those that these refer to: None for one that doesn't exist.
    """

    raw: Raw = field(repr=False)
    spec: ExperimentSpec | None
    status: ExperimentStatus
    unreadable: str = ""
    replica_sets: tuple[ReplicaSet, ...] = ()
    services: tuple[Raw, ...] = field(default=(), repr=False)
    runs: tuple[Raw, ...] = field(default=(), repr=False)
    templates: Mapping[TemplateKey, Raw | None] = field(default_factory=dict, repr=False)
    refusals: tuple[Refusal, ...] = ()

    @property
    def name(self) -> str:
        name: str = self.raw["metadata"]["name"]
        return name

    @property
    def namespace(self) -> str:
        namespace: str = self.raw["metadata"].get("namespace", "default")
        return namespace

    @property
    def uid(self) -> str:
        uid: str = self.raw["metadata"]["uid"]
        return uid

    @property
    def is_deleting(self) -> bool:
        return "deletionTimestamp" in self.raw["metadata"]

    def owns(self, raw: Raw) -> bool:
        """Whether an object is this experiment's, by its uid: another one of the same name may have left it."""
        return controller_uid(raw["metadata"]) == self.uid

    def refusal(self, verb: str, kind: str, subject: str) -> Refusal | None:
        """Return the API server's refusal of a write, if there was one."""
        return refusal_of(self.refusals, verb, kind, subject)


def observe_experiment(
    raw: Raw,
    replica_sets: Iterable[Raw] = (),
    services: Iterable[Raw] = (),
    runs: Iterable[Raw] = (),
    templates: Mapping[TemplateKey, Raw | None] | None = None,
    refusals: Iterable[Refusal] = (),
) -> ObservedExperiment:
    """Put a raw Experiment and the raw objects that belong to it together."""
    status, _ = parse_experiment_status(raw.get("status"))
    try:
        spec, unreadable = parse_experiment(raw).spec, ""
    except ValidationError as error:
        spec, unreadable = None, describe(error)
    uid = raw["metadata"]["uid"]
    views = (observe_replica_set(each) for each in replica_sets)
    owned = sorted((each for each in views if each.owner_uid == uid), key=lambda each: (each.created, each.name))
    return ObservedExperiment(
        raw=raw,
        spec=spec,
        status=status,
        unreadable=unreadable,
        replica_sets=tuple(owned),
        services=tuple(services),
        runs=tuple(runs),
        templates=templates or {},
        refusals=tuple(refusals),
    )
