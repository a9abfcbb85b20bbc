"""What is measured, and with which arguments? Templates, and how a Rollout refers to them."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from rollouts.api.base import Bool, Int32, Model, parse
from rollouts.api.meta import FieldRef, Metadata
from rollouts.api.metrics import Metric


class AnalysisTemplateRef(Model):
    """A reference to an AnalysisTemplate or ClusterAnalysisTemplate."""

    template_name: str | None = Field(None, description="Name of the template.")
    cluster_scope: Bool | None = Field(
        None, description="Look for a ClusterAnalysisTemplate instead of an AnalysisTemplate in the same namespace."
    )


class DryRun(Model):
    """Metrics that are measured and reported but never decide."""

    metric_name: str = Field(
        description="Name of the metric, or a regular expression that finds it in the name: .* means every metric."
    )


class MeasurementRetention(Model):
    """How many measurements of a metric are kept."""

    metric_name: str = Field(description="Name of the metric, or a regular expression that finds it in the name.")
    limit: Int32 = Field(
        description="How many of the newest measurements to keep. Without a rule, and for 0 or less, it is 10."
    )


class RolloutArgumentValueFrom(Model):
    """Where a Rollout takes the value of an argument from."""

    pod_template_hash_value: str | None = Field(
        None, description="Latest for the hash of the version being rolled out, Stable for that of the stable version."
    )
    field_ref: FieldRef | None = Field(None, description="A field of the Rollout.")


class RolloutArgument(Model):
    """An argument that a Rollout hands to an analysis."""

    name: str = Field(
        description="Name of the argument, as the template declares it. One that it doesn't declare is ignored."
    )
    value: str | None = Field(None, description="The value itself.")
    value_from: RolloutArgumentValueFrom | None = Field(
        None, description="Where to take the value from, if it isn't given here."
    )


class RolloutAnalysis(Model):
    """An analysis that runs for a Rollout."""

    templates: tuple[AnalysisTemplateRef, ...] = Field(
        (), description="The templates whose metrics are measured together, in one analysis run."
    )
    args: tuple[RolloutArgument, ...] = Field(
        (), description="Arguments for the templates. They win over the values that the templates declare."
    )
    dry_run: tuple[DryRun, ...] = Field(
        (), description="Metrics that only report, besides those that the templates name."
    )
    measurement_retention: tuple[MeasurementRetention, ...] = Field(
        (), description="How many measurements are kept, besides what the templates say."
    )
    pod_health: Bool | None = Field(
        None,
        description=(
            "Watch over the pods themselves: restarts, memory, readiness and warnings of the canary's beside those of "
            "the stable ones. Needs no template and no metrics system."
        ),
    )
    analysis_run_metadata: Metadata | None = Field(None, description="Labels and annotations for the analysis run.")


class BackgroundAnalysis(Model):
    """An analysis that runs while the canary goes through its steps."""

    templates: tuple[AnalysisTemplateRef, ...] = Field(
        (), description="The templates whose metrics are measured together, in one analysis run."
    )
    args: tuple[RolloutArgument, ...] = Field(
        (), description="Arguments for the templates. They win over the values that the templates declare."
    )
    dry_run: tuple[DryRun, ...] = Field(
        (), description="Metrics that only report, besides those that the templates name."
    )
    measurement_retention: tuple[MeasurementRetention, ...] = Field(
        (), description="How many measurements are kept, besides what the templates say."
    )
    pod_health: Bool | None = Field(
        None,
        description=(
            "Watch over the pods themselves: restarts, memory, readiness and warnings of the canary's beside those of "
            "the stable ones. Needs no template and no metrics system."
        ),
    )
    analysis_run_metadata: Metadata | None = Field(None, description="Labels and annotations for the analysis run.")
    starting_step: Int32 | None = Field(
        None, description="Index of the step at which the analysis starts, counted from 0. Defaults to the first."
    )


class SecretKeyRef(Model):
    """One key of a Secret in the namespace of the analysis run."""

    name: str = Field(description="Name of the Secret.")
    key: str = Field(description="The key whose value is taken.")


class ArgumentValueFrom(Model):
    """Where the value of an argument is taken from when the analysis runs."""

    secret_key_ref: SecretKeyRef | None = Field(
        None, description="A key of a Secret. The value is read for each measurement and never shown."
    )
    field_ref: FieldRef | None = Field(None, description="A field of the Rollout that the analysis runs for.")


class Argument(Model):
    """An argument of an analysis, used in metrics as {{args.name}}."""

    name: str = Field(description="Name of the argument.")
    value: str | None = Field(
        None, description="Its value, or its default in a template. Without any, who uses the template must give one."
    )
    value_from: ArgumentValueFrom | None = Field(
        None, description="Where to take the value from, if it isn't given here."
    )


class AnalysisTemplateSpec(Model):
    """What is measured and how it is judged; the same for both kinds of template."""

    metrics: tuple[Metric, ...] = Field((), description="The metrics to measure. Their names are unique.")
    args: tuple[Argument, ...] = Field((), description="The arguments that the metrics use.")
    dry_run: tuple[DryRun, ...] = Field((), description="Metrics that only report and never decide.")
    measurement_retention: tuple[MeasurementRetention, ...] = Field(
        (), description="How many measurements of a metric are kept."
    )
    templates: tuple[AnalysisTemplateRef, ...] = Field(
        (), description="Further templates whose metrics and arguments are added to these."
    )


class AnalysisTemplate(Model):
    """Metrics and how they are judged, for use by Rollouts, experiments and people."""

    metadata: dict[str, Any] = Field({}, description="The object's metadata.")
    spec: AnalysisTemplateSpec = Field(description="What is measured and how it is judged.")


class ClusterAnalysisTemplate(Model):
    """An AnalysisTemplate that every namespace may use."""

    metadata: dict[str, Any] = Field({}, description="The object's metadata.")
    spec: AnalysisTemplateSpec = Field(description="What is measured and how it is judged.")


def parse_analysis_template(obj: Mapping[str, Any]) -> AnalysisTemplate:
    """Read a raw AnalysisTemplate. Raises pydantic.ValidationError where it doesn't have the API's shape."""
    return parse(AnalysisTemplate, obj)


def parse_cluster_analysis_template(obj: Mapping[str, Any]) -> ClusterAnalysisTemplate:
    """Read a raw ClusterAnalysisTemplate. Raises pydantic.ValidationError where it doesn't have the API's shape."""
    return parse(ClusterAnalysisTemplate, obj)
