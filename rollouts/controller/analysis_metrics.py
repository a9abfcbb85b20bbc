"""What does Prometheus hear of analyses? The API's series, derived from the caches when they are asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rollouts.controller.caches import Lookups
from rollouts.controller.templates import TEMPLATE_KINDS
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS

Raw = Mapping[str, Any]

NAME = ("namespace", "name")
PENDING = "Pending"

# The words of existing dashboards, where they aren't the field with a capital letter.
_TYPES: Mapping[str, str] = {
    "cloudWatch": "CloudWatch",
    "newRelic": "NewRelic",
    "plugin": "RPCPlugin",
    "skywalking": "SkyWalking",
    "web": "WebMetric",
}


class AnalysisCollector(Collector):
    """Yields the present state of runs, templates and experiments."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def describe(self) -> list[Metric]:
        """Return nothing: the names are known, and the registry must not collect to learn them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the series of each kind."""
        yield from self._phases(ANALYSIS_RUNS.kind, "analysis_run", "An AnalysisRun")
        yield from self._phases(EXPERIMENTS.kind, "experiment", "An Experiment")
        yield from self._metrics()
        yield from self._templates()

    def _phases(self, kind: str, stem: str, title: str) -> Iterator[Metric]:
        info = GaugeMetricFamily(f"{stem}_info", f"{title}.", labels=(*NAME, "phase"))
        phases = GaugeMetricFamily(f"{stem}_phase", "The same (deprecated).", labels=(*NAME, "phase"))
        for raw in self._lookups.of(kind).items():
            labels = (*_names(raw), str(_mapping(raw.get("status")).get("phase") or PENDING))
            info.add_metric(labels, 1)
            phases.add_metric(labels, 1)
        yield info
        yield phases

    def _metrics(self) -> Iterator[Metric]:
        types = GaugeMetricFamily(
            "analysis_run_metric_type", "The provider of a metric.", labels=(*NAME, "metric", "type")
        )
        phases = GaugeMetricFamily(
            "analysis_run_metric_phase",
            "The verdict on a metric, or Running.",
            labels=(*NAME, "metric", "dry_run", "type", "phase"),
        )
        for raw in self._lookups.of(ANALYSIS_RUNS.kind).items():
            names, known = _names(raw), dict(_types(raw))
            for metric, kind in known.items():
                types.add_metric((*names, metric, kind), 1)
            for result in _mappings(_mapping(raw.get("status")).get("metricResults")):
                metric = str(result.get("name"))
                is_dry = str(bool(result.get("dryRun"))).lower()
                phases.add_metric((*names, metric, is_dry, known.get(metric, ""), str(result.get("phase"))), 1)
        yield types
        yield phases

    def _templates(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("analysis_template_info", "A template of analyses.", labels=NAME)
        metrics = GaugeMetricFamily(
            "analysis_template_metric_info", "A metric of a template.", labels=(*NAME, "type", "metric")
        )
        for raw in (raw for kind in TEMPLATE_KINDS for raw in self._lookups.of(kind).items()):
            info.add_metric(_names(raw), 1)
            for metric, kind in _types(raw):
                metrics.add_metric((*_names(raw), kind, metric), 1)
        yield info
        yield metrics


def _types(raw: Raw) -> Iterator[tuple[str, str]]:
    """Yield the name of each metric of a run or a template, and the word for its provider."""
    for metric in _mappings(_mapping(raw.get("spec")).get("metrics")):
        key = next((key for key, value in _mapping(metric.get("provider")).items() if value is not None), "")
        yield str(metric.get("name")), _TYPES.get(key, key[:1].upper() + key[1:])


def _names(raw: Raw) -> tuple[str, str]:
    return raw["metadata"].get("namespace") or "", raw["metadata"]["name"]


def _mapping(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Raw]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
