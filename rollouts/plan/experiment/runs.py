"""Which analysis run does each analysis of an experiment have, or get?

A run is of this experiment's present course if it carries the time at which the pods have become available. One from
before, which a retry has left behind, keeps its name, and the next one gets a number behind its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.api.experiment import ExperimentAnalysis, ExperimentAnalysisRunStatus, ExperimentSpec
from rollouts.api.meta import Metadata
from rollouts.api.names import API_VERSION
from rollouts.api.timestamps import format_time
from rollouts.plan.actions import ANALYSIS_RUN, EXPERIMENT, CreateChild, TerminateChild
from rollouts.plan.analysis.rules import finds
from rollouts.plan.analysis.spec import run_spec
from rollouts.plan.analysis.substitution import SubstitutionError
from rollouts.plan.analysis.templates import Flat, flatten
from rollouts.plan.experiment.arguments import filled_arguments
from rollouts.plan.experiment.members import Member
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.experiment.phases import ENDED, ERROR, PENDING
from rollouts.plan.ownership import free_name, instance_label, owner_reference, taken_by_others
from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis of the spec. `run` is its raw run of the present course, `status` what is known of it.

    Both are None before it begins.
    """

    spec: ExperimentAnalysis
    run: Raw | None
    status: ExperimentAnalysisRunStatus | None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def phase(self) -> str:
        return self.status.phase if self.status is not None else ""

    @property
    def is_required(self) -> bool:
        return bool(self.spec.required_for_completion)


@dataclass(frozen=True, slots=True)
class Start:
    """A run that begins now: its creation, or the status of one that can't be made."""

    create: CreateChild | None = None
    failed: ExperimentAnalysisRunStatus | None = None


def run_name(experiment: str, analysis: str) -> str:
    """Return the name of an analysis' first run."""
    return f"{experiment}-{analysis}"


def analyses(here: ObservedExperiment, spec: ExperimentSpec) -> list[Analysis]:
    """Return each analysis of the spec with its run."""
    known = {each.name: each for each in here.status.analysis_runs}
    return [_analysis(here, spec, each, known.get(each.name)) for each in spec.analyses]


def _analysis(
    here: ObservedExperiment,
    spec: ExperimentSpec,
    analysis: ExperimentAnalysis,
    known: ExperimentAnalysisRunStatus | None,
) -> Analysis:
    run = _run_of(here, spec, analysis.name, known)
    if run is None:
        # What has been said about an end stays, although somebody has deleted the run since.
        return Analysis(analysis, None, known if known is not None and known.phase in ENDED else None)
    status = run.get("status") or {}
    found = ExperimentAnalysisRunStatus(
        name=analysis.name,
        analysis_run=run["metadata"]["name"],
        phase=str(status.get("phase") or PENDING),
        message=str(status.get("message") or "") or None,
    )
    return Analysis(analysis, run, found)


def _run_of(
    here: ObservedExperiment, spec: ExperimentSpec, analysis: str, known: ExperimentAnalysisRunStatus | None
) -> Raw | None:
    course = _course(here)
    if not course:
        return None
    base = run_name(here.name, analysis)
    others = {run_name(here.name, each.name) for each in spec.analyses} - {base}
    found = {
        number: each
        for each in here.runs
        if (number := _number_in(each["metadata"]["name"], base)) is not None
        and here.owns(each)
        and "deletionTimestamp" not in each["metadata"]
        and each["metadata"]["name"] not in others
    }
    for each in found.values():
        if known is not None and each["metadata"]["name"] == known.analysis_run:
            return each
    ours = [number for number, each in found.items() if _annotations(each).get(keys.EXPERIMENT_AVAILABLE_AT) == course]
    return found[max(ours)] if ours else None


def _course(here: ObservedExperiment) -> str:
    """Return what tells the present course from those before a retry; nothing before its pods have been available.

    It is no matter of comparing times: the API server's clock and ours may differ.
    """
    began = here.status.available_at
    return format_time(began) if began is not None else ""


def _annotations(raw: Raw) -> Mapping[str, str]:
    return raw["metadata"].get("annotations") or {}


def _number_in(name: str, base: str) -> int | None:
    """Return which of an analysis' runs this is, by its name: 0 for the first; None if it is none."""
    if name == base:
        return 0
    number = name.removeprefix(f"{base}.")
    return int(number) if number != name and number.isascii() and number.isdigit() and len(number) < 10 else None


def start(here: ObservedExperiment, spec: ExperimentSpec, members: Sequence[Member], index: int) -> Start:
    """Return what begins an analysis that has no run yet."""
    analysis, raw = spec.analyses[index], here.raw["spec"]["analyses"][index]
    taken = {each["metadata"]["name"] for each in here.runs} | taken_by_others(here.refusals, ANALYSIS_RUN)
    name = free_name(run_name(here.name, analysis.name), ".", taken)
    if refusal := here.refusal("create", ANALYSIS_RUN, name):
        return Start(failed=_error(analysis, name, refusal.message))
    path = f"spec.analyses[{index}]"
    flat = flatten([raw], here.templates.get, path)
    try:
        args = filled_arguments(here, members, raw.get("args") or ())
    except SubstitutionError as error:
        return Start(failed=_error(analysis, name, str(error)))
    body, problems = run_spec(
        flat, args, dry_run=_rules(here, "dryRun", flat), retention=_rules(here, "measurementRetention", flat)
    )
    if problems:
        return Start(failed=_error(analysis, name, str(problem_at(path, problems[0]))))
    whole = {
        "apiVersion": API_VERSION,
        "kind": ANALYSIS_RUN,
        "metadata": _metadata(here, spec, name),
        "spec": body,
    }
    return Start(CreateChild(ANALYSIS_RUN, name, whole))


def _metadata(here: ObservedExperiment, spec: ExperimentSpec, name: str) -> dict[str, Any]:
    given = spec.analysis_run_metadata or Metadata()
    labels = {**(given.labels or {}), **instance_label(here.raw)}
    return {
        "name": name,
        "namespace": here.namespace,
        **({"labels": labels} if labels else {}),
        "annotations": {**(given.annotations or {}), keys.EXPERIMENT_AVAILABLE_AT: _course(here)},
        "ownerReferences": [owner_reference(here.raw, EXPERIMENT)],
    }


def problem_at(path: str, problem: Problem) -> Problem:
    """Return a problem of an analysis' run at the analysis' own path: that is the only reference which it has."""
    is_reference = problem.path.startswith(path)
    where = problem.path.replace(f"{path}[0]", path, 1) if is_reference else f"{path}.{problem.path}"
    return Problem(where, problem.message)


def _error(analysis: ExperimentAnalysis, run: str, message: str) -> ExperimentAnalysisRunStatus:
    return ExperimentAnalysisRunStatus(name=analysis.name, analysis_run=run, phase=ERROR, message=message)


def _rules(here: ObservedExperiment, field: str, flat: Flat) -> list[Raw]:
    """Return the experiment's rules about metrics that this run has: a rule is about all runs of the experiment."""
    names = [str(metric.get("name")) for metric in flat.metrics]
    rules: Iterable[Raw] = here.raw["spec"].get(field) or ()
    return [each for each in rules if any(finds(each["metricName"], name) for name in names)]


def terminations(here: ObservedExperiment) -> Iterator[TerminateChild]:
    """Yield what ends the runs that still go on."""
    for each in here.runs:
        metadata = each["metadata"]
        has_ended = (each.get("status") or {}).get("phase") in ENDED or "deletionTimestamp" in metadata
        if here.owns(each) and not has_ended and not each["spec"].get("terminate"):
            yield TerminateChild(ANALYSIS_RUN, metadata["name"], metadata["uid"])
