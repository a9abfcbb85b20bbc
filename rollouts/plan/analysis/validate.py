"""Can this analysis be carried out at all? Every problem names its field, its value and the way out.

Values that are still open (`{{args.name}}` without a value so far) are left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rollouts.api.analysis import AnalysisTemplateSpec
from rollouts.api.analysis_run import AnalysisRunSpec
from rollouts.api.base import field_path, parse
from rollouts.api.durations import parse_duration
from rollouts.api.metrics import (
    DEFAULT_CONSECUTIVE_ERROR_LIMIT,
    DEFAULT_CONSECUTIVE_SUCCESS_LIMIT,
    DEFAULT_FAILURE_LIMIT,
    DEFAULT_INCONCLUSIVE_LIMIT,
    Metric,
)
from rollouts.expr import ExpressionError, compile_condition
from rollouts.plan.analysis.arguments import read_arguments
from rollouts.plan.analysis.metric import ProviderError, choose, number
from rollouts.plan.analysis.rules import rule_problems
from rollouts.plan.analysis.substitution import SubstitutionError, fill, is_open
from rollouts.plan.analysis.templates import Flat
from rollouts.plan.problem import Problem
from rollouts.ports import Kit

Raw = Mapping[str, Any]


def run_problems(spec: Raw, parsed: AnalysisRunSpec, kit: Kit) -> Iterator[Problem]:
    """Yield every problem of an AnalysisRun's spec."""
    arguments = read_arguments(parsed.args)
    yield from _below("spec", arguments.problems)
    if not parsed.metrics:
        yield Problem("spec.metrics", "is empty: at least one metric is needed")
    yield from metric_problems("spec.metrics", spec.get("metrics") or (), arguments.values, arguments.secrets, kit)
    yield from _rules("spec", parsed, [metric.name for metric in parsed.metrics])


def template_problems(
    spec: Raw, parsed: AnalysisTemplateSpec, flat: Flat, kit: Kit, *, elsewhere: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield every problem of a template's spec. `flat` is that template with those that it refers to.

    `elsewhere` names arguments that other templates declare: whoever uses them together gives them a value.
    """
    yield from flat.problems
    if not flat.metrics and not parsed.templates:
        yield Problem("spec.metrics", "is empty: at least one metric is needed")
    values = {arg["name"]: arg["value"] for arg in flat.args if arg.get("value") is not None}
    kept = {*elsewhere, *(arg["name"] for arg in flat.args)} - set(values)
    yield from metric_problems("spec.metrics", spec.get("metrics") or (), values, kept, kit)
    if not flat.problems:
        yield from _rules("spec", parsed, [str(metric.get("name")) for metric in flat.metrics])


def _below(path: str, problems: Sequence[Problem]) -> Iterator[Problem]:
    for each in problems:
        yield Problem(f"{path}.{each.path}", each.message)


def _rules(path: str, spec: AnalysisTemplateSpec | AnalysisRunSpec, names: Sequence[str]) -> Iterator[Problem]:
    yield from rule_problems(f"{path}.dryRun", spec.dry_run, names)
    yield from rule_problems(f"{path}.measurementRetention", spec.measurement_retention, names)


def metric_problems(
    path: str, metrics: Sequence[Raw], values: Mapping[str, str], kept: Collection[str], kit: Kit
) -> Iterator[Problem]:
    """Yield every problem of raw metrics; arguments have these `values`, or are `kept` for later."""
    names: set[str] = set()
    for index, raw in enumerate(metrics):
        here = f"{path}[{index}]"
        name = raw.get("name")
        if not name:
            yield Problem(f"{here}.name", "is empty: a metric needs a name")
        elif name in names:
            yield Problem(f"{here}.name", f'"{name}" is the name of two metrics: rename one')
        names.add(name or "")
        try:
            yield from _metric(here, fill(raw, values, kept), kit)
        except SubstitutionError as error:
            yield Problem(here, str(error))


def _metric(path: str, raw: Raw, kit: Kit) -> Iterator[Problem]:
    try:
        metric = parse(Metric, raw)
    except ValidationError as error:
        yield from _shape(path, error)
        return
    yield from _times(path, metric)
    yield from _numbers(path, metric)
    conditions = {"successCondition": metric.success_condition, "failureCondition": metric.failure_condition}
    for name, condition in conditions.items():
        if condition and not is_open(condition):
            yield from _condition(f"{path}.{name}", condition)
    yield from _provider(path, raw, metric, kit)


def _shape(path: str, error: ValidationError) -> Iterator[Problem]:
    for each in error.errors(include_url=False, include_context=False):
        yield Problem(f"{path}.{field_path(each['loc'])}", each["msg"].removeprefix("Value error, "))


def _times(path: str, metric: Metric) -> Iterator[Problem]:
    for name, value in (("interval", metric.interval), ("initialDelay", metric.initial_delay)):
        if not value or is_open(value):
            continue
        try:
            if parse_duration(value).total_seconds() < 0:
                yield Problem(f"{path}.{name}", f"{value!r} is negative: must be 0s or more")
        except ValueError as error:
            yield Problem(f"{path}.{name}", str(error))


def _numbers(path: str, metric: Metric) -> Iterator[Problem]:
    written = {
        "count": (metric.count, 0, 0),
        "failureLimit": (metric.failure_limit, DEFAULT_FAILURE_LIMIT, -1),
        "inconclusiveLimit": (metric.inconclusive_limit, DEFAULT_INCONCLUSIVE_LIMIT, 0),
        "consecutiveErrorLimit": (metric.consecutive_error_limit, DEFAULT_CONSECUTIVE_ERROR_LIMIT, 0),
        "consecutiveSuccessLimit": (metric.consecutive_success_limit, DEFAULT_CONSECUTIVE_SUCCESS_LIMIT, 0),
    }
    values: dict[str, int] = {}
    for name, (value, default, least) in written.items():
        if is_open(value):
            continue
        try:
            values[name] = number(value, default)
        except ValueError as error:
            yield Problem(f"{path}.{name}", str(error))
            continue
        if values[name] < least:
            yield Problem(f"{path}.{name}", f"{value} is too small: must be {least} or more")
    if len(values) == len(written):
        yield from _together(path, values, has_interval=bool(metric.interval))


def _together(path: str, values: Mapping[str, int], *, has_interval: bool) -> Iterator[Problem]:
    """Yield limits that can't be reached by so many measurements, or that contradict each other."""
    count, failures, successes = values["count"], values["failureLimit"], values["consecutiveSuccessLimit"]
    if count > 1 and not has_interval:
        yield Problem(f"{path}.interval", f"is missing: count is {count}, so there is a time between measurements")
    if failures == -1 and successes == 0:
        yield Problem(
            f"{path}.failureLimit", "-1 tolerates every failure: set consecutiveSuccessLimit, or nothing decides"
        )
    if count <= 0:
        return
    if failures >= 0 and successes > 0 and count < failures + successes:
        yield Problem(
            f"{path}.count",
            f"{count} is less than failureLimit ({failures}) and consecutiveSuccessLimit ({successes}) together",
        )
    elif count < failures:
        yield Problem(f"{path}.failureLimit", f"{failures} is more than count ({count}): it could never be exceeded")
    elif count < successes:
        yield Problem(
            f"{path}.consecutiveSuccessLimit", f"{successes} is more than count ({count}): it could never be reached"
        )
    if count < values["inconclusiveLimit"]:
        yield Problem(
            f"{path}.inconclusiveLimit",
            f"{values['inconclusiveLimit']} is more than count ({count}): it could never be exceeded",
        )


def _condition(path: str, condition: str) -> Iterator[Problem]:
    try:
        compile_condition(condition)
    except ExpressionError as error:
        yield Problem(path, f"{condition!r} is no condition: {error}")


def _provider(path: str, raw: Raw, metric: Metric, kit: Kit) -> Iterator[Problem]:
    try:
        chosen = choose(raw, kit)
    except ProviderError as error:
        yield Problem(f"{path}.{error.path}", str(error))
    except ValidationError as error:
        yield from _shape(f"{path}.provider", error)
    else:
        here = f"{path}.{chosen.path}"
        for below, message in chosen.provider.problems(chosen.spec):
            yield Problem(f"{here}.{below}" if below else here, message)
        for below, message in chosen.provider.problems_around(chosen.spec, metric):
            yield Problem(f"{path}.{below}", message)
