"""Which spec does an AnalysisRun get that is made from templates? Theirs, with what their user adds and fills in."""

from collections.abc import Iterable, Mapping
from typing import Any

from rollouts.plan.analysis.arguments import merge_arguments
from rollouts.plan.analysis.templates import Flat
from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]


def run_spec(
    flat: Flat,
    incoming: Iterable[Raw],
    rollout: Raw | None = None,
    *,
    dry_run: Iterable[Raw] = (),
    retention: Iterable[Raw] = (),
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return the raw spec, and what is wrong with the templates and with the arguments.

    `incoming` are arguments whose values are known. `rollout` is the object that templates may take fields of.
    """
    merged = tuple(merge_arguments(flat.args, incoming, rollout))
    spec: dict[str, Any] = {
        "metrics": list(flat.metrics),
        "args": [each for each in merged if not isinstance(each, Problem)],
        "dryRun": [*flat.dry_run, *dry_run],
        "measurementRetention": [*flat.measurement_retention, *retention],
    }
    problems = (*flat.problems, *(each for each in merged if isinstance(each, Problem)))
    return {key: value for key, value in spec.items() if value}, problems
