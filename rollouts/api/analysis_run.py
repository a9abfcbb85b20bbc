"""What has been measured, and what is the verdict? The AnalysisRun."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from rollouts.api.analysis import Argument, DryRun, MeasurementRetention
from rollouts.api.base import Bool, Int32, Model, Time, parse, parse_leniently
from rollouts.api.meta import Strings
from rollouts.api.metrics import Metric


class TtlStrategy(Model):
    """When a finished analysis run is deleted. Without it, the run stays."""

    seconds_after_completion: Int32 | None = Field(
        None, description="Seconds after the end of a run for which no other field here applies."
    )
    seconds_after_success: Int32 | None = Field(None, description="Seconds after the end of a successful run.")
    seconds_after_failure: Int32 | None = Field(None, description="Seconds after the end of a failed run.")


class AnalysisRunSpec(Model):
    """What is measured in this run."""

    metrics: tuple[Metric, ...] = Field(description="The metrics to measure. Their names are unique.")
    args: tuple[Argument, ...] = Field((), description="The arguments that the metrics use, with their values.")
    dry_run: tuple[DryRun, ...] = Field((), description="Metrics that only report and never decide.")
    measurement_retention: tuple[MeasurementRetention, ...] = Field(
        (), description="How many measurements of a metric are kept."
    )
    terminate: Bool | None = Field(
        None, description="Set to true to end the run now. It is Successful unless a metric says otherwise."
    )
    ttl_strategy: TtlStrategy | None = Field(None, description="When to delete the run after its end.")


class Measurement(Model):
    """One measurement of a metric."""

    phase: str = Field(description="How it ended: Successful, Failed, Inconclusive or Error; Running until then.")
    message: str | None = Field(None, description="Why it ended so, if there is more to say.")
    started_at: Time | None = Field(None, description="When the measurement began.")
    finished_at: Time | None = Field(None, description="When it ended.")
    resume_at: Time | None = Field(None, description="When to look again at a measurement that takes long.")
    value: str | None = Field(None, description="What was measured, as text.")
    metadata: Strings | None = Field(None, description="What the provider notes about the measurement.")


class MetricResult(Model):
    """What is known about one metric."""

    name: str = Field(description="Name of the metric.")
    phase: str = Field(description="The verdict on the metric, or Running.")
    message: str | None = Field(None, description="Why the verdict is so.")
    count: Int32 | None = Field(None, description="How many measurements have ended, errors not counted.")
    successful: Int32 | None = Field(None, description="How many of them were successful.")
    failed: Int32 | None = Field(None, description="How many of them failed.")
    inconclusive: Int32 | None = Field(None, description="How many of them were inconclusive.")
    error: Int32 | None = Field(None, description="How many measurements ended in an error.")
    consecutive_error: Int32 | None = Field(
        None, description="How many of the last measurements in a row ended in an error."
    )
    consecutive_success: Int32 | None = Field(
        None, description="How many of the last measurements in a row were successful."
    )
    dry_run: Bool | None = Field(None, description="True if the metric only reports.")
    measurements: tuple[Measurement, ...] = Field((), description="The newest measurements, the last one at the end.")
    metadata: Strings | None = Field(
        None, description="What the provider notes about the metric, such as the query that was sent."
    )


class RunSummary(Model):
    """How many metrics ended in which way."""

    count: Int32 | None = Field(None, description="How many metrics there are.")
    successful: Int32 | None = Field(None, description="How many of them are Successful.")
    failed: Int32 | None = Field(None, description="How many of them are Failed.")
    inconclusive: Int32 | None = Field(None, description="How many of them are Inconclusive.")
    error: Int32 | None = Field(None, description="How many of them are in Error.")


class AnalysisRunStatus(Model):
    """How far the run is. The controller writes it."""

    phase: str = Field("", description="The verdict, or Pending or Running until there is one.")
    message: str | None = Field(None, description="Why the verdict is so.")
    metric_results: tuple[MetricResult, ...] = Field((), description="What is known about each metric.")
    started_at: Time | None = Field(None, description="When the run began.")
    completed_at: Time | None = Field(None, description="When the run ended.")
    run_summary: RunSummary | None = Field(None, description="The metrics that decide, counted.")
    dry_run_summary: RunSummary | None = Field(None, description="The metrics that only report, counted.")


class AnalysisRun(Model):
    """Metrics that are being measured, or have been, and the verdict on them."""

    metadata: dict[str, Any] = Field({}, description="The object's metadata.")
    spec: AnalysisRunSpec = Field(description="What is measured in this run.")


def parse_analysis_run(obj: Mapping[str, Any]) -> AnalysisRun:
    """Read a raw AnalysisRun. Raises pydantic.ValidationError where it doesn't have the API's shape."""
    return parse(AnalysisRun, obj)


def parse_analysis_run_status(raw: Mapping[str, Any] | None) -> tuple[AnalysisRunStatus, list[str]]:
    """Read a raw status as far as it has the API's shape; each part left out is named."""
    return parse_leniently(AnalysisRunStatus, raw)
