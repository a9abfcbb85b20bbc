"""What does a run's spec say? Checked and read once; each pass over the run goes by it until the spec changes."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from rollouts.api.analysis_run import AnalysisRunSpec
from rollouts.api.base import parse
from rollouts.api.metrics import Metric
from rollouts.plan.analysis.arguments import Arguments, read_arguments
from rollouts.plan.analysis.metric import Rules, rules_of
from rollouts.plan.analysis.rules import is_dry, retention_of
from rollouts.plan.analysis.substitution import fill
from rollouts.plan.analysis.validate import run_problems
from rollouts.ports import Kit

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PreparedMetric:
    """One metric: as it stands in the spec, and its rules. `keep` is how many of its measurements are kept."""

    name: str
    template: Raw = field(repr=False)
    rules: Rules
    is_dry: bool
    keep: int
    has_conditions: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A spec that was read.

    `problem` is the first one that keeps it from being carried out; only a spec that `is_checked` has been searched for
    one. `metrics` is None where they can't be read.
    """

    arguments: Arguments
    metrics: tuple[PreparedMetric, ...] | None
    problem: str = ""
    is_checked: bool = False


def prepare(raw: Raw, spec: AnalysisRunSpec, kit: Kit, *, checks: bool) -> Prepared:
    """Read a raw spec; `checks` also looks for problems, which nobody needs of a run that has ended."""
    first = next(run_problems(raw, spec, kit), None) if checks else None
    arguments = read_arguments(spec.args)
    metrics: tuple[PreparedMetric, ...] | None = None
    with suppress(ValueError, ValidationError):
        metrics = tuple(_metric(each, spec, arguments) for each in raw["metrics"])
    return Prepared(arguments, metrics, "" if first is None else str(first), is_checked=checks)


def _metric(raw: Raw, spec: AnalysisRunSpec, arguments: Arguments) -> PreparedMetric:
    metric = parse(Metric, fill(raw, arguments.values, arguments.secrets))
    name = metric.name
    keep = retention_of(name, spec.measurement_retention)
    has_conditions = bool(metric.success_condition or metric.failure_condition)
    return PreparedMetric(name, raw, rules_of(metric), is_dry(name, spec.dry_run), keep, has_conditions)
