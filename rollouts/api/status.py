"""How far is a Rollout? Its status, and a reader that survives what others may have written there."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from rollouts.api.base import Bool, Int32, Int64, Model, Time, parse_leniently
from rollouts.api.meta import Condition, OpenObject


class PauseCondition(Model):
    """A reason for which the rollout waits. Removing it resumes the rollout."""

    reason: str = Field(
        description="CanaryPauseStep, BlueGreenPause, InconclusiveAnalysisRun or InconclusiveExperiment."
    )
    start_time: Time = Field(description="When the pause began.")


class RolloutAnalysisRunStatus(Model):
    """An analysis run that belongs to the rollout."""

    name: str = Field(description="Name of the analysis run.")
    status: str = Field(description="Its phase.")
    message: str | None = Field(None, description="Its message.")


class WeightDestination(Model):
    """What one destination gets of the traffic."""

    weight: Int32 = Field(description="The share of the traffic, in parts of maxTrafficWeight.")
    service_name: str | None = Field(None, description="The Service that the traffic goes through.")
    pod_template_hash: str | None = Field(None, description="Hash of the ReplicaSet that gets the traffic.")


class TrafficWeights(Model):
    """How the traffic is split, as last told to the router."""

    canary: WeightDestination = Field(description="What the canary gets.")
    stable: WeightDestination = Field(description="What the stable version gets.")
    additional: tuple[WeightDestination, ...] = Field((), description="What the pods of experiments get.")
    verified: Bool | None = Field(
        None, description="Whether the router has been seen to follow. Unset if that isn't checked."
    )


class StepPluginStatus(Model):
    """How far a plugin step is."""

    index: Int32 = Field(description="Index of the step, counted from 0.")
    name: str = Field(description="Name of the plugin.")
    operation: str = Field(description="What the plugin was asked to do: Run, Terminate or Abort.")
    phase: str | None = Field(None, description="Running, Successful, Failed or Error.")
    message: str | None = Field(None, description="What the plugin says about it.")
    started_at: Time | None = Field(None, description="When the operation began.")
    updated_at: Time | None = Field(None, description="When the plugin was last called.")
    finished_at: Time | None = Field(None, description="When the operation ended.")
    backoff: str | None = Field(None, description="How long to wait until the plugin is called again, for example 30s.")
    executions: Int32 | None = Field(None, description="How often the plugin has been called.")
    disabled: Bool | None = Field(None, description="True if the plugin is switched off, so that the step is skipped.")
    status: OpenObject | None = Field(None, description="What the plugin wants to be reminded of at its next call.")


class RoutedBy(Model):
    """A traffic router that was used, and what it needs to know to be left again once the spec doesn't name it."""

    router: str = Field(description="Its name in trafficRouting.")
    spec: OpenObject = Field(description="What stood there.")
    canary_service: str | None = Field(None, description="The Service that canary traffic went through.")
    stable_service: str | None = Field(None, description="The Service that stable traffic went through.")
    managed_routes: tuple[str, ...] = Field((), description="The names of the managed routes.")


class CanaryStatus(Model):
    """How far the canary is."""

    weights: TrafficWeights | None = Field(
        None, description="How the traffic is split. Unset without a traffic router."
    )
    current_step_analysis_run_status: RolloutAnalysisRunStatus | None = Field(
        None, description="The analysis run of the current step."
    )
    current_background_analysis_run_status: RolloutAnalysisRunStatus | None = Field(
        None, description="The analysis run in the background."
    )
    current_experiment: str | None = Field(None, description="Name of the experiment of the current step.")
    paused_step_index: Int32 | None = Field(
        None, description="Index of the step whose pause is in force, so that moving on is not taken for resuming."
    )
    stable_ping_pong: str | None = Field(None, description="Which of the two Services is the stable one: ping or pong.")
    step_plugin_statuses: tuple[StepPluginStatus, ...] = Field((), description="How far the plugin steps are.")


class BlueGreenStatus(Model):
    """How far the blue-green rollout is."""

    active_selector: str | None = Field(None, description="Hash that the active Service selects.")
    preview_selector: str | None = Field(None, description="Hash that the preview Service selects.")
    scale_up_preview_check_point: Bool | None = Field(
        None, description="True once the preview was available at previewReplicaCount and may grow to its full size."
    )
    pre_promotion_analysis_run_status: RolloutAnalysisRunStatus | None = Field(
        None, description="The analysis run before the switch."
    )
    post_promotion_analysis_run_status: RolloutAnalysisRunStatus | None = Field(
        None, description="The analysis run after the switch."
    )


class AwsResource(Model):
    """A resource at AWS."""

    name: str = Field(description="Name of the resource.")
    arn: str = Field(description="Its Amazon resource name.")
    full_name: str | None = Field(None, description="The name by which metrics know it.")


class AlbStatus(Model):
    """The AWS resources behind an Ingress."""

    ingress: str | None = Field(None, description="Name of the Ingress.")
    load_balancer: AwsResource | None = Field(None, description="The load balancer.")
    canary_target_group: AwsResource | None = Field(None, description="The target group of the canary pods.")
    stable_target_group: AwsResource | None = Field(None, description="The target group of the stable pods.")


class RolloutDuration(Model):
    """When the latest rollout began and ended, and how long people kept it waiting."""

    rollout_started_at: Time | None = Field(None, description="When the rollout began.")
    manual_pause_started_at: Time | None = Field(
        None, description="Since when the rollout has been waiting for a person."
    )
    total_manual_pause_duration_seconds: Int64 | None = Field(
        None, description="Seconds that the rollout has waited for people, without the current pause."
    )
    finished_at: Time | None = Field(None, description="When the rollout ended.")
    completion_status: str | None = Field(
        None, description="How it ended: Promoted, FastPromoted, Aborted, Superseded, RolledBack or FastRolledBack."
    )


class RolloutStatus(Model):
    """How far the Rollout is. The controller writes it; people resume and abort by patching it."""

    observed_generation: str | None = Field(
        None, description="The generation of the spec that this status tells about, as text."
    )
    phase: str | None = Field(None, description="Healthy, Progressing, Paused or Degraded.")
    message: str | None = Field(None, description="Why the phase is so.")
    conditions: tuple[Condition, ...] = Field(
        (),
        description="Aspects of the state: Progressing, Available, Healthy, Completed, Paused, InvalidSpec and others.",
    )
    current_pod_hash: str | None = Field(None, description="Hash of the version that is asked for.")
    stable_rs: str | None = Field(
        None, alias="stableRS", description="Hash of the version that was last rolled out completely."
    )
    current_step_index: Int32 | None = Field(
        None,
        description=(
            "Index of the step in progress, counted from 0; the number of steps when all are done. Patch it to skip."
        ),
    )
    current_step_hash: str | None = Field(None, description="Hash of the list of steps, to notice that it has changed.")
    pause_conditions: tuple[PauseCondition, ...] = Field(
        (), description="Why the rollout waits. Set to null to resume."
    )
    controller_pause: Bool | None = Field(
        None,
        description=(
            "True while the controller has paused the rollout: "
            "pauseConditions gone then means that somebody resumed it."
        ),
    )
    abort: Bool | None = Field(None, description="Set to true to go back to the stable version.")
    aborted_at: Time | None = Field(None, description="When the abort was noticed.")
    promote_full: Bool | None = Field(None, description="Set to true to skip all remaining steps, pauses and analyses.")
    restarted_at: Time | None = Field(None, description="The value of spec.restartAt that has been carried out.")
    replicas: Int32 | None = Field(None, description="How many pods there are.")
    updated_replicas: Int32 | None = Field(None, description="How many of them are of the version that is asked for.")
    ready_replicas: Int32 | None = Field(None, description="How many of them are ready.")
    available_replicas: Int32 | None = Field(None, description="How many of them have been ready for minReadySeconds.")
    hpa_replicas: Int32 | None = Field(
        None, alias="HPAReplicas", description="How many pods an autoscaler should count."
    )
    selector: str | None = Field(None, description="Which pods an autoscaler should count, as text.")
    collision_count: Int32 | None = Field(
        None, description="How often the name of a ReplicaSet was already taken by a different one."
    )
    workload_observed_generation: str | None = Field(
        None, description="The generation of the object in workloadRef that this status tells about, as text."
    )
    canary: CanaryStatus | None = Field(None, description="How far the canary is.")
    blue_green: BlueGreenStatus | None = Field(None, description="How far the blue-green rollout is.")
    alb: AlbStatus | None = Field(None, description="The AWS resources behind the Ingress.")
    albs: tuple[AlbStatus, ...] = Field((), description="The AWS resources behind each Ingress, if there are several.")
    routed_by: tuple[RoutedBy, ...] = Field(
        (), description="The traffic routers that are used, and those that are still to be left."
    )
    duration: RolloutDuration | None = Field(None, description="When the latest rollout began and ended.")


def parse_status(raw: Mapping[str, Any] | None) -> tuple[RolloutStatus, list[str]]:
    """Read a raw status as far as it has the API's shape; each part left out is named with its value."""
    return parse_leniently(RolloutStatus, raw)
