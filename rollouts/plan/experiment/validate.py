"""Can this experiment be carried out at all? Every problem names its field, its value and the way out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rollouts.api.durations import parse_duration
from rollouts.api.experiment import DEFAULT_PROGRESS_DEADLINE_SECONDS, ExperimentSpec, ExperimentTemplate
from rollouts.api.selectors import read_selector
from rollouts.plan.analysis.references import closure
from rollouts.plan.analysis.rules import rule_problems
from rollouts.plan.analysis.spec import run_spec
from rollouts.plan.analysis.templates import TemplateKey, flatten
from rollouts.plan.experiment.arguments import argument_problems
from rollouts.plan.experiment.members import replica_set_name, service_ports
from rollouts.plan.experiment.runs import problem_at
from rollouts.plan.problem import Problem
from rollouts.plan.validate_template import shape_problems

Raw = Mapping[str, Any]

_LONGEST_NAME, _LONGEST_SERVICE_NAME = 253, 63
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def experiment_problems(raw: Raw, spec: ExperimentSpec) -> Iterator[Problem]:
    """Yield every problem of a raw Experiment, whatever it refers to."""
    experiment = str(raw["metadata"].get("name") or "")
    if not spec.templates:
        yield Problem("spec.templates", "is empty: an experiment needs at least one template")
    yield from _numbers(spec)
    for index, template in enumerate(spec.templates):
        path = f"spec.templates[{index}]"
        yield from name_problems(f"{path}.name", template.name, replica_set_name(experiment, template.name))
        yield from _pods(path, template, spec)
        yield from _service(path, template, replica_set_name(experiment, template.name))
    yield from repeated("spec.templates", "template", [each.name for each in spec.templates])
    services = [_service_name(each, replica_set_name(experiment, each.name)) for each in spec.templates]
    yield from repeated("spec.templates", "Service", services, below=".service.name")
    yield from _analyses(raw["spec"], spec, experiment)


def reference_problems(
    raw_spec: Raw, spec: ExperimentSpec, templates: Mapping[TemplateKey, Raw | None], *, granted: bool = False
) -> Iterator[Problem]:
    """Yield what is wrong about the analysis templates that the spec refers to, and about their arguments.

    With `granted`, a template that isn't among them may well be elsewhere.
    """
    metrics: list[str] = []
    is_whole = True
    for index, raw in enumerate(raw_spec.get("analyses") or ()):
        path = f"spec.analyses[{index}]"
        key = TemplateKey(spec.analyses[index].template_name, bool(spec.analyses[index].cluster_scope))
        if granted and None in closure(iter([key]), templates.get).values():
            is_whole = False
            continue
        flat = flatten([raw], templates.get, path)
        _, problems = run_spec(flat, raw.get("args") or ())
        yield from (problem_at(path, each) for each in problems)
        metrics += [str(metric.get("name")) for metric in flat.metrics]
    if is_whole:
        yield from rule_problems("spec.dryRun", spec.dry_run, metrics)
        yield from rule_problems("spec.measurementRetention", spec.measurement_retention, metrics)


def _numbers(spec: ExperimentSpec) -> Iterator[Problem]:
    deadline = spec.progress_deadline_seconds
    if deadline is not None and deadline < 1:
        yield Problem("spec.progressDeadlineSeconds", f"{deadline} is too small: must be 1 or more")
    delay = spec.scale_down_delay_seconds
    if delay is not None and delay < 0:
        yield Problem("spec.scaleDownDelaySeconds", f"{delay} is negative: must be 0 or more")
    yield from duration_problems("spec.duration", spec.duration)


def duration_problems(path: str, duration: str | None) -> Iterator[Problem]:
    """Yield what is wrong with how long an experiment is to run."""
    try:
        if duration and parse_duration(duration).total_seconds() < 0:
            yield Problem(path, f"{duration!r} is negative: must be 0s or more")
    except ValueError as error:
        yield Problem(path, str(error))


def name_problems(path: str, name: str, whole: str) -> Iterator[Problem]:
    """Yield what is wrong with a name that becomes a part of the name of an object, which is then `whole`."""
    if not name:
        yield Problem(path, "is empty: give it a name")
    elif not _NAME.fullmatch(name):
        wanted = 'lower-case letters, digits, "-" and "."'
        yield Problem(path, f'"{name}" becomes a part of an object\'s name: write it of {wanted}')
    elif len(whole) > _LONGEST_NAME:
        yield Problem(path, f'"{whole}" would be longer than the {_LONGEST_NAME} characters of a name: shorten it')


def repeated(path: str, noun: str, names: Iterable[str], below: str = ".name") -> Iterator[Problem]:
    """Yield the names that are there twice; `path` is that of the list."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name and name in seen:
            yield Problem(f"{path}[{index}]{below}", f'"{name}" is the name of two {_plural(noun)}: rename one')
        seen.add(name)


def _plural(noun: str) -> str:
    return "analyses" if noun == "analysis" else f"{noun}s"


def _pods(path: str, template: ExperimentTemplate, spec: ExperimentSpec) -> Iterator[Problem]:
    for field, value in (("replicas", template.replicas), ("minReadySeconds", template.min_ready_seconds)):
        if value is not None and value < 0:
            yield Problem(f"{path}.{field}", f"{value} is negative: must be 0 or more")
    deadline = spec.progress_deadline_seconds
    seconds = DEFAULT_PROGRESS_DEADLINE_SECONDS if deadline is None else deadline
    if (template.min_ready_seconds or 0) > seconds:
        message = f"{template.min_ready_seconds} is more than progressDeadlineSeconds ({seconds}): it could only fail"
        yield Problem(f"{path}.minReadySeconds", message)
    shape = list(shape_problems(template.template, f"{path}.template"))
    yield from shape
    if not shape:
        yield from _selector(path, template)


def _selector(path: str, template: ExperimentTemplate) -> Iterator[Problem]:
    try:
        selector = read_selector(template.selector)
    except (ValueError, AttributeError, TypeError) as error:
        yield Problem(f"{path}.selector", str(error))
        return
    labels = (template.template.get("metadata") or {}).get("labels") or {}
    if not selector.requirements:
        yield Problem(f"{path}.selector", "is empty: it must select the pods of its template")
    elif not selector.matches(labels):
        message = f"{selector} doesn't select the template's own labels: add them to template.metadata.labels"
        yield Problem(f"{path}.selector", message)
    if not (template.template.get("spec") or {}).get("containers"):
        yield Problem(f"{path}.template.spec.containers", "is empty: pods need at least one container")


def _service_name(template: ExperimentTemplate, replica_set: str) -> str:
    if template.service is None or not list(service_ports(template.template)):
        return ""
    return template.service.name or replica_set


def _service(path: str, template: ExperimentTemplate, replica_set: str) -> Iterator[Problem]:
    if name := _service_name(template, replica_set):
        yield from service_name_problems(f"{path}.service.name", name)


def service_name_problems(path: str, name: str) -> Iterator[Problem]:
    """Yield what is wrong with the name of a Service."""
    if len(name) > _LONGEST_SERVICE_NAME or not _SERVICE_NAME.fullmatch(name):
        wanted = f'lower-case letters, digits and "-", with a letter first and at most {_LONGEST_SERVICE_NAME} of them'
        yield Problem(path, f'"{name}" is no name of a Service: write one of {wanted}')


def _analyses(raw_spec: Raw, spec: ExperimentSpec, experiment: str) -> Iterator[Problem]:
    templates = [each.name for each in spec.templates]
    for index, analysis in enumerate(spec.analyses):
        path = f"spec.analyses[{index}]"
        yield from name_problems(f"{path}.name", analysis.name, f"{experiment}-{analysis.name}")
        if not analysis.template_name:
            yield Problem(f"{path}.templateName", "is empty: name an analysis template")
        args = raw_spec["analyses"][index].get("args") or ()
        yield from argument_problems(f"{path}.args", args, templates, raw_spec)
    yield from repeated("spec.analyses", "analysis", [each.name for each in spec.analyses])
