"""How far is one metric of an analysis? Its measurements, counted against its limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from rollouts.api.analysis import Argument, DryRun, SecretKeyRef
from rollouts.api.base import parse
from rollouts.api.durations import format_duration
from rollouts.api.metrics import Metric
from rollouts.plan.analysis.arguments import Arguments, read_arguments
from rollouts.plan.analysis.metric import Rules, rules_of
from rollouts.plan.analysis.rules import is_dry
from rollouts.plan.analysis.substitution import SubstitutionError, fill
from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.moods import RowMood, phase_mood

# What is counted, and the limit that it is held against.
_LIMITS = (("failed", "failureLimit"), ("inconclusive", "inconclusiveLimit"))


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """One measurement; `at` is when it ended, or began if it goes on."""

    at: datetime | None
    phase: str
    mood: RowMood
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric. `rules` is None where its numbers can't be read; `phase` is empty before the first measurement."""

    name: str
    phase: str
    provider: str
    is_dry_run: bool
    success_condition: str
    failure_condition: str
    message: str
    count: int
    successful: int
    failed: int
    inconclusive: int
    errors: int
    errors_in_a_row: int
    measurements: tuple[MeasurementRow, ...]
    rules: Rules | None = field(default=None, repr=False)

    @property
    def mood(self) -> RowMood:
        """How the verdict feels; what only reports does no harm."""
        return phase_mood(self.phase) if self.phase else "idle"

    @property
    def tally(self) -> str:
        """How much was measured of how much, and what came of it: 3 of 5, every 30s: 2 successful, 1 failed of ..."""
        return ": ".join(filter(None, (self._progress(), ", ".join(self._outcomes()))))

    def _progress(self) -> str:
        rules = self.rules
        end = f" of {rules.count}" if rules is not None and rules.count is not None else ""
        pace = f", every {format_duration(rules.interval)}" if rules is not None and rules.interval else ""
        return f"{self.count}{end} measured{pace}"

    def _outcomes(self) -> Iterator[str]:
        if self.successful:
            yield f"{self.successful} successful"
        limits = self.limits
        for noun, limit in _LIMITS:
            if count := getattr(self, noun):
                yield f"{count} {noun} ({limit} {limits[limit]})" if limit in limits else f"{count} {noun}"
        if self.errors:
            row = f", {self.errors_in_a_row} in a row" if self.errors_in_a_row else ""
            limit = "consecutiveErrorLimit"
            held = f" ({limit} {limits[limit]})" if self.errors_in_a_row and limit in limits else ""
            yield f"{self.errors} in error{row}{held}"

    @property
    def limits(self) -> Mapping[str, int]:
        """The limits by the names of their fields; empty where they can't be read."""
        if self.rules is None:
            return {}
        return {
            "failureLimit": self.rules.failure_limit,
            "inconclusiveLimit": self.rules.inconclusive_limit,
            "consecutiveErrorLimit": self.rules.consecutive_error_limit,
        }


def metric_rows(run: Raw) -> tuple[MetricRow, ...]:
    """Return the metrics of a raw AnalysisRun in the order of its spec."""
    results = {str(each.get("name")): each for each in fields.items(run, "status", "metricResults")}
    arguments = _arguments(run)
    dry = _dry_run(run)
    return tuple(_row(each, results.get(str(each.get("name")), {}), arguments, dry) for each in metrics_of(run))


def metrics_of(run: Raw) -> list[Raw]:
    """Return the raw metrics of a run."""
    return [each for each in fields.items(run, "spec", "metrics") if isinstance(each, Mapping)]


def _row(metric: Raw, result: Raw, arguments: Arguments, dry: tuple[DryRun, ...]) -> MetricRow:
    filled = _filled(metric, arguments)
    name = str(metric.get("name", ""))
    return MetricRow(
        name=name,
        phase=str(result.get("phase") or ""),
        provider=_provider(metric),
        is_dry_run=result.get("dryRun") is True or is_dry(name, dry),
        success_condition=str(filled.get("successCondition") or ""),
        failure_condition=str(filled.get("failureCondition") or ""),
        message=str(result.get("message") or ""),
        count=fields.count(result, "count"),
        successful=fields.count(result, "successful"),
        failed=fields.count(result, "failed"),
        inconclusive=fields.count(result, "inconclusive"),
        errors=fields.count(result, "error"),
        errors_in_a_row=fields.count(result, "consecutiveError"),
        measurements=tuple(_measurement(each) for each in fields.items(result, "measurements")),
        rules=_rules(filled),
    )


def _measurement(raw: Raw) -> MeasurementRow:
    phase = str(raw.get("phase") or "")
    return MeasurementRow(
        at=fields.time_at(raw, "finishedAt") or fields.time_at(raw, "startedAt"),
        phase=phase,
        mood=phase_mood(phase),
        value=str(raw.get("value") or ""),
        message=str(raw.get("message") or ""),
    )


def _provider(metric: Raw) -> str:
    names = [*fields.part(metric, "provider")]
    plugin = fields.part(metric, "provider", "plugin")
    return next(iter(plugin), "") if plugin else next(iter(names), "")


def _arguments(run: Raw) -> Arguments:
    """Return the arguments, as far as they can be read: a run that is refused is shown all the same."""
    values: dict[str, str] = {}
    secrets: dict[str, SecretKeyRef] = {}
    for raw in fields.items(run, "spec", "args"):
        try:
            one = read_arguments([parse(Argument, raw)])
        except ValidationError:
            continue
        values |= one.values
        secrets |= one.secrets
    return Arguments(values, secrets)


def _dry_run(run: Raw) -> tuple[DryRun, ...]:
    named = (str(each.get("metricName", "")) for each in fields.items(run, "spec", "dryRun"))
    return tuple(DryRun(metric_name=name) for name in named)


def _filled(metric: Raw, arguments: Arguments) -> Raw:
    """Return the metric with its arguments; those of Secrets stay open, and so does what can't be filled in."""
    try:
        filled: Raw = fill(metric, arguments.values, arguments.secrets)
    except SubstitutionError:
        return metric
    return filled


def _rules(metric: Raw) -> Rules | None:
    """Return the metric's numbers, whatever its provider is."""
    try:
        return rules_of(parse(Metric, {**metric, "provider": {}}))
    except (ValueError, ValidationError):
        return None
