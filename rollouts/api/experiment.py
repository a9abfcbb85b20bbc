"""Which ReplicaSets run side by side for a while? Experiments, and how a canary step asks for one."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from rollouts.api.analysis import Argument, DryRun, MeasurementRetention, RolloutArgument
from rollouts.api.base import Bool, Int32, Model, Time, parse, parse_leniently
from rollouts.api.meta import Condition, LabelSelector, Metadata, PodTemplate

DEFAULT_REPLICAS = 1
DEFAULT_PROGRESS_DEADLINE_SECONDS = 600
DEFAULT_SCALE_DOWN_DELAY_SECONDS = 30


class ExperimentService(Model):
    """A Service for the pods of one template, deleted together with them."""

    name: str | None = Field(None, description="Name of the Service. Defaults to the name of the ReplicaSet.")


class RolloutExperimentTemplate(Model):
    """A ReplicaSet that an experiment step runs, made from the canary's or the stable template."""

    name: str = Field(description="Name of the template, unique in the step.")
    spec_ref: str = Field(description="Whose pod template to use: canary or stable.")
    replicas: Int32 | None = Field(None, description="How many pods to run. Defaults to 1.")
    metadata: Metadata | None = Field(
        None, description="Labels and annotations for the pods. The labels are added to the selector as well."
    )
    selector: LabelSelector | None = Field(
        None, description="Selector of the ReplicaSet. Defaults to that of the ReplicaSet whose template is used."
    )
    weight: Int32 | None = Field(
        None, description="The share of the traffic in percent that these pods get, at the cost of the stable ones."
    )
    service: ExperimentService | None = Field(
        None, description="Creates a Service for the pods. One is created for a weight, too."
    )


class RolloutExperimentAnalysis(Model):
    """An analysis that an experiment step runs."""

    name: str = Field(description="Name of the analysis, unique in the step.")
    template_name: str = Field(description="Name of the analysis template.")
    cluster_scope: Bool | None = Field(
        None, description="Look for a ClusterAnalysisTemplate instead of an AnalysisTemplate in the same namespace."
    )
    args: tuple[RolloutArgument, ...] = Field((), description="Arguments for the template.")
    required_for_completion: Bool | None = Field(
        None, description="The experiment lasts until this analysis has ended; once all such are Successful, it ends."
    )


class RolloutExperiment(Model):
    """An experiment that runs as a step of the canary."""

    templates: tuple[RolloutExperimentTemplate, ...] = Field(description="The ReplicaSets to run side by side.")
    duration: str | None = Field(
        None,
        description=(
            "How long the experiment runs once all its pods are available, for example 30m. Else its analyses decide."
        ),
    )
    analyses: tuple[RolloutExperimentAnalysis, ...] = Field(
        (), description="The analyses to run once all pods are available."
    )
    dry_run: tuple[DryRun, ...] = Field((), description="Metrics that only report and never decide.")
    analysis_run_metadata: Metadata | None = Field(None, description="Labels and annotations for the analysis runs.")
    scale_down_delay_seconds: Int32 | None = Field(
        None, description="Seconds until the ReplicaSets are scaled down after the end. Defaults to 30."
    )


class ExperimentTemplate(Model):
    """A ReplicaSet that the experiment runs."""

    name: str = Field(description="Name of the template, unique in the experiment.")
    template: PodTemplate = Field(description="What its pods look like.")
    selector: LabelSelector = Field(description="Which pods belong to it. The labels of the template must match.")
    replicas: Int32 | None = Field(None, description="How many pods to run. Defaults to 1.")
    min_ready_seconds: Int32 | None = Field(
        None, description="Seconds for which a pod must be ready to count as available. Defaults to 0."
    )
    service: ExperimentService | None = Field(
        None, description="Creates a Service for the pods, if their containers declare ports."
    )


class ExperimentAnalysis(Model):
    """An analysis that the experiment runs."""

    name: str = Field(description="Name of the analysis, unique in the experiment.")
    template_name: str = Field(description="Name of the analysis template.")
    cluster_scope: Bool | None = Field(
        None, description="Look for a ClusterAnalysisTemplate instead of an AnalysisTemplate in the same namespace."
    )
    args: tuple[Argument, ...] = Field((), description="Arguments for the template.")
    required_for_completion: Bool | None = Field(
        None, description="The experiment lasts until this analysis has ended; once all such are Successful, it ends."
    )


class ExperimentSpec(Model):
    """Which ReplicaSets run side by side, for how long, and what is measured meanwhile."""

    templates: tuple[ExperimentTemplate, ...] = Field(description="The ReplicaSets to run side by side.")
    analyses: tuple[ExperimentAnalysis, ...] = Field((), description="The analyses to run once all pods are available.")
    duration: str | None = Field(
        None,
        description=(
            "How long the experiment runs once all its pods are available, for example 30m. Else its analyses decide."
        ),
    )
    progress_deadline_seconds: Int32 | None = Field(
        None, description="Seconds without progress after which a ReplicaSet has failed. Defaults to 600."
    )
    scale_down_delay_seconds: Int32 | None = Field(
        None, description="Seconds until the ReplicaSets are scaled down after the end. Defaults to 30."
    )
    terminate: Bool | None = Field(None, description="Set to true to end the experiment now.")
    dry_run: tuple[DryRun, ...] = Field((), description="Metrics that only report and never decide.")
    measurement_retention: tuple[MeasurementRetention, ...] = Field(
        (), description="How many measurements of a metric are kept."
    )
    analysis_run_metadata: Metadata | None = Field(None, description="Labels and annotations for the analysis runs.")


class ExperimentTemplateStatus(Model):
    """How far one ReplicaSet of the experiment is."""

    name: str = Field(description="Name of the template.")
    replicas: Int32 = Field(description="How many pods there are.")
    updated_replicas: Int32 = Field(description="How many of them are made from the template as it is now.")
    ready_replicas: Int32 = Field(description="How many of them are ready.")
    available_replicas: Int32 = Field(description="How many of them have been ready for minReadySeconds.")
    status: str | None = Field(
        None,
        description="Progressing until all pods are available, then Running; Successful, Failed or Error at the end.",
    )
    message: str | None = Field(None, description="Why the status is so.")
    last_transition_time: Time | None = Field(None, description="When the status or the number of pods last changed.")
    service_name: str | None = Field(None, description="Name of the Service that was created.")
    pod_template_hash: str | None = Field(
        None, description="Hash that the pods and their ReplicaSet are labelled with."
    )
    collision_count: Int32 | None = Field(
        None, description="How often the name of the ReplicaSet was already taken by a different one."
    )


class ExperimentAnalysisRunStatus(Model):
    """How far one analysis of the experiment is."""

    name: str = Field(description="Name of the analysis.")
    analysis_run: str = Field(description="Name of its analysis run.")
    phase: str = Field(description="The phase of the analysis run.")
    message: str | None = Field(None, description="The message of the analysis run.")


class ExperimentStatus(Model):
    """How far the experiment is. The controller writes it."""

    phase: str | None = Field(None, description="Pending, Running, Successful, Failed, Error or Inconclusive.")
    message: str | None = Field(None, description="Why the phase is so.")
    available_at: Time | None = Field(
        None, description="When the pods of all templates had become available; the duration counts from here."
    )
    template_statuses: tuple[ExperimentTemplateStatus, ...] = Field((), description="How far each ReplicaSet is.")
    analysis_runs: tuple[ExperimentAnalysisRunStatus, ...] = Field((), description="How far each analysis is.")
    conditions: tuple[Condition, ...] = Field(
        (), description="Whether the experiment makes progress and whether its spec is valid."
    )


class Experiment(Model):
    """ReplicaSets that run side by side for a while, and the analyses of them."""

    metadata: dict[str, Any] = Field({}, description="The object's metadata.")
    spec: ExperimentSpec = Field(description="Which ReplicaSets run, for how long, and what is measured.")


def parse_experiment(obj: Mapping[str, Any]) -> Experiment:
    """Read a raw Experiment. Raises pydantic.ValidationError where it doesn't have the API's shape."""
    return parse(Experiment, obj)


def parse_experiment_status(raw: Mapping[str, Any] | None) -> tuple[ExperimentStatus, list[str]]:
    """Read a raw status as far as it has the API's shape; each part left out is named."""
    return parse_leniently(ExperimentStatus, raw)
