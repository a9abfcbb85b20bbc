"""How is one metric measured and judged? Its limits, its conditions and the choice of a provider."""

from typing import Literal

from pydantic import Field

from rollouts.api.base import IntOrString, Model
from rollouts.api.judge import JudgeMetric
from rollouts.api.meta import OpenObject
from rollouts.api.providers import (
    CloudWatchMetric,
    DatadogMetric,
    DynatraceMetric,
    ExternalMetric,
    GraphiteMetric,
    InfluxdbMetric,
    JobMetric,
    KayentaMetric,
    NewRelicMetric,
    PodHealthMetric,
    PrometheusMetric,
    SkyWalkingMetric,
    SplunkMetric,
    StackdriverMetric,
    WavefrontMetric,
    WebMetric,
)

DEFAULT_FAILURE_LIMIT = 0
DEFAULT_INCONCLUSIVE_LIMIT = 0
DEFAULT_CONSECUTIVE_ERROR_LIMIT = 4
DEFAULT_CONSECUTIVE_SUCCESS_LIMIT = 0


class MetricProvider(Model):
    """Where measurements come from. Set exactly one field."""

    prometheus: PrometheusMetric | None = Field(None, description="A query to Prometheus.")
    job: JobMetric | None = Field(None, description="A Job: successful if it completes, failed if it fails.")
    web: WebMetric | None = Field(None, description="A request to any HTTP service that answers in JSON.")
    datadog: DatadogMetric | None = Field(None, description="A query to Datadog.")
    new_relic: NewRelicMetric | None = Field(None, description="A query to New Relic.")
    wavefront: WavefrontMetric | None = Field(None, description="A query to Wavefront.")
    kayenta: KayentaMetric | None = Field(None, description="A canary judgement by Kayenta.")
    cloud_watch: CloudWatchMetric | None = Field(None, description="A query to Amazon CloudWatch.")
    graphite: GraphiteMetric | None = Field(None, description="A query to Graphite.")
    influxdb: InfluxdbMetric | None = Field(None, description="A query to InfluxDB.")
    skywalking: SkyWalkingMetric | None = Field(None, description="A query to Apache SkyWalking.")
    dynatrace: DynatraceMetric | None = Field(None, description="A query to Dynatrace.")
    stackdriver: StackdriverMetric | None = Field(None, description="A query to Google Cloud Monitoring.")
    splunk: SplunkMetric | None = Field(None, description="A computation of Splunk Observability Cloud.")
    external_metrics: ExternalMetric | None = Field(None, description="A metric by Kubernetes' external metrics API.")
    judge: JudgeMetric | None = Field(
        None, description="A comparison of the canary with stable, or another baseline, by statistics."
    )
    pod_health: PodHealthMetric | None = Field(None, description="How healthy the pods are, beside the stable ones.")
    plugin: OpenObject | None = Field(
        None, description="Configuration of a metric plugin, under the name of the plugin."
    )


class Metric(Model):
    """What is measured, how often, and when it is good or bad."""

    name: str = Field(description="Name of the metric, unique among those of an analysis.")
    interval: str | None = Field(
        None, description="Time between two measurements, for example 30s or 5m. Without it, there is one measurement."
    )
    initial_delay: str | None = Field(None, description="Time to wait before the first measurement, for example 1m.")
    count: IntOrString | None = Field(
        None, description="How many measurements to take. Without it: one if there is no interval, else no end."
    )
    success_condition: str | None = Field(
        None, description="Expression that makes a measurement successful, for example result[0] >= 0.95."
    )
    failure_condition: str | None = Field(
        None,
        description="Expression that makes a measurement failed. If both conditions are false it is inconclusive.",
    )
    failure_limit: IntOrString | None = Field(
        None, description="How many failed measurements are tolerated; -1 tolerates all. Defaults to 0."
    )
    inconclusive_limit: IntOrString | None = Field(
        None, description="How many inconclusive measurements are tolerated. Defaults to 0."
    )
    consecutive_error_limit: IntOrString | None = Field(
        None, description="How many errors in a row are tolerated. Defaults to 4."
    )
    consecutive_success_limit: IntOrString | None = Field(
        None,
        description=(
            "How many successful measurements in a row make the metric successful. "
            "Defaults to 0, which means that they don't."
        ),
    )
    no_data: Literal["fail", "inconclusive", "wait"] | None = Field(
        None,
        description=(
            "What it means when the provider has no data: fail, inconclusive, or wait, which measures again after "
            "the interval (or 10 s) without counting. Without it, the provider's answer decides: an error, or an "
            "empty result for the conditions."
        ),
    )
    provider: MetricProvider = Field(description="Where measurements come from.")
