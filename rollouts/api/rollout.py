"""What does a user ask for? The Rollout and its spec."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from pydantic.config import JsonDict

from rollouts.api.base import Bool, Int32, Model, Time, parse
from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.api.canary import CanaryStrategy
from rollouts.api.meta import LabelSelector, PodTemplate

DEFAULT_REPLICAS = 1
DEFAULT_MIN_READY_SECONDS = 0
DEFAULT_REVISION_HISTORY_LIMIT = 10
DEFAULT_PROGRESS_DEADLINE_SECONDS = 600
DEFAULT_RUN_HISTORY_LIMIT = 5

_IMMUTABLE: JsonDict = {
    "x-kubernetes-validations": [
        {"rule": "self == oldSelf", "message": "the selector is immutable: delete the Rollout and create it anew"},
    ],
}


class Strategy(Model):
    """How pods of a new version replace those of the stable one. Set exactly one field."""

    canary: CanaryStrategy | None = Field(None, description="Replace the stable version step by step.")
    blue_green: BlueGreenStrategy | None = Field(
        None, description="Run the new version beside the stable one, then switch over."
    )


class WorkloadRef(Model):
    """An object whose pod template the Rollout uses."""

    api_version: str | None = Field(None, description="API version of the object, for example apps/v1.")
    kind: str | None = Field(None, description="Kind of the object: Deployment, ReplicaSet or PodTemplate.")
    name: str | None = Field(None, description="Name of the object, in the same namespace.")
    scale_down: str | None = Field(
        None, description="When the Deployment itself is scaled down: never (the default), onsuccess or progressively."
    )


class RollbackWindow(Model):
    """Which earlier versions may come back without going through the steps again."""

    revisions: Int32 | None = Field(
        None, description="How many revisions back a rollback skips all steps. It must be above 0 to have an effect."
    )


class AnalysisRunStrategy(Model):
    """How many finished analysis runs and experiments are kept."""

    successful_run_history_limit: Int32 | None = Field(
        None, description="How many Successful ones are kept. Defaults to 5."
    )
    unsuccessful_run_history_limit: Int32 | None = Field(
        None,
        description="How many that are Failed, Inconclusive or in Error are kept, counted together. Defaults to 5.",
    )

    @property
    def successful_run_history_limit_or_default(self) -> int:
        """How many Successful ones are kept."""
        limit = self.successful_run_history_limit
        return DEFAULT_RUN_HISTORY_LIMIT if limit is None else limit

    @property
    def unsuccessful_run_history_limit_or_default(self) -> int:
        """How many that did not succeed are kept."""
        limit = self.unsuccessful_run_history_limit
        return DEFAULT_RUN_HISTORY_LIMIT if limit is None else limit


class RolloutSpec(Model):
    """What the Rollout runs, and how it changes."""

    replicas: Int32 | None = Field(None, description="How many pods to run. Defaults to 1.")
    selector: LabelSelector | None = Field(
        None,
        json_schema_extra=_IMMUTABLE,
        description=(
            "Which pods belong to the Rollout. The template's labels must match. "
            "It can't be changed later. Required unless workloadRef is set."
        ),
    )
    template: PodTemplate | None = Field(
        None, description="What the pods look like. A change starts a rollout. Must be left out if workloadRef is set."
    )
    workload_ref: WorkloadRef | None = Field(None, description="Take the pod template from another object instead.")
    min_ready_seconds: Int32 | None = Field(
        None,
        description="Seconds for which a pod must be ready, without a crash, to count as available. Defaults to 0.",
    )
    revision_history_limit: Int32 | None = Field(
        None, description="How many old ReplicaSets are kept to roll back to. Defaults to 10."
    )
    paused: Bool | None = Field(
        None,
        description="True stops everything: no step, no scaling, no switch of a Service, until it is false again.",
    )
    progress_deadline_seconds: Int32 | None = Field(
        None,
        description=(
            "Seconds without progress after which the rollout counts as stuck. "
            "Must exceed minReadySeconds. Defaults to 600."
        ),
    )
    progress_deadline_abort: Bool | None = Field(
        None, description="Abort an update that is stuck. Defaults to false: it is only reported."
    )
    restart_at: Time | None = Field(
        None, description="Pods created before this time are replaced one after the other, within maxUnavailable."
    )
    rollback_window: RollbackWindow | None = Field(
        None, description="Lets a rollback to a recent version skip all steps."
    )
    analysis: AnalysisRunStrategy | None = Field(
        None, description="How many finished analysis runs and experiments are kept."
    )
    strategy: Strategy | None = Field(None, description="How pods of a new version replace those of the stable one.")

    @property
    def replicas_or_default(self) -> int:
        """How many pods to run."""
        return DEFAULT_REPLICAS if self.replicas is None else self.replicas

    @property
    def min_ready_seconds_or_default(self) -> int:
        """Seconds for which a pod must be ready to count as available."""
        return DEFAULT_MIN_READY_SECONDS if self.min_ready_seconds is None else self.min_ready_seconds

    @property
    def revision_history_limit_or_default(self) -> int:
        """How many old ReplicaSets are kept."""
        limit = self.revision_history_limit
        return DEFAULT_REVISION_HISTORY_LIMIT if limit is None else limit

    @property
    def progress_deadline_seconds_or_default(self) -> int:
        """Seconds without progress after which the rollout counts as stuck."""
        seconds = self.progress_deadline_seconds
        return DEFAULT_PROGRESS_DEADLINE_SECONDS if seconds is None else seconds


class Rollout(Model):
    """A workload like a Deployment that changes its pods under control, step by step."""

    metadata: dict[str, Any] = Field({}, description="The object's metadata.")
    spec: RolloutSpec = Field(description="What the Rollout runs, and how it changes.")


def parse_rollout(obj: Mapping[str, Any]) -> Rollout:
    """Read a raw Rollout. Raises pydantic.ValidationError where its spec doesn't have the API's shape.

    The status is left alone: `rollouts.api.status.parse_status` reads it, rubbish or not.
    """
    return parse(Rollout, obj)
