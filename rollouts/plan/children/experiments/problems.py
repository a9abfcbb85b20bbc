"""Can the experiments of a canary's steps be carried out? What stands in the step, and what it refers to."""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.experiment import RolloutExperiment, RolloutExperimentTemplate
from rollouts.api.selectors import selector_matches
from rollouts.plan.analysis.references import CANARY, experiments_in
from rollouts.plan.analysis.rules import rule_problems
from rollouts.plan.analysis.templates import Find, TemplateKey, flatten
from rollouts.plan.children.analyses.problems import OUT_OF_SIGHT, problems_of
from rollouts.plan.children.experiments.new_experiment import FROM_CANARY, FROM_STABLE
from rollouts.plan.experiment.arguments import argument_problems
from rollouts.plan.experiment.members import service_ports
from rollouts.plan.experiment.validate import (
    duration_problems,
    name_problems,
    repeated,
    service_name_problems,
)
from rollouts.plan.problem import Problem
from rollouts.plan.validate_roles import metadata_problems
from rollouts.ports import Kit

Raw = Mapping[str, Any]

# What the name of an experiment adds to its Rollout's: hash, revision, step and number, with dashes.
_LONGEST_SUFFIX = "-" * 33


def experiments_problems(raw: Raw, kit: Kit, find: Find) -> Iterator[Problem]:
    """Yield every problem of a raw Rollout's experiments; `find` returns OUT_OF_SIGHT for a template not to be seen."""
    for path, experiment in experiments_in(raw):
        spec = parse(RolloutExperiment, experiment)
        yield from _weights(path, spec, raw)
        yield from duration_problems(f"{path}.duration", spec.duration)
        delay = spec.scale_down_delay_seconds
        if delay is not None and delay < 0:
            yield Problem(f"{path}.scaleDownDelaySeconds", f"{delay} is negative: must be 0 or more")
        for index, template in enumerate(spec.templates):
            yield from _template(f"{path}.templates[{index}]", template, raw)
        yield from repeated(f"{path}.templates", "template", [each.name for each in spec.templates])
        yield from _analyses(path, spec, experiment, raw, kit, find)


def _weights(path: str, spec: RolloutExperiment, raw: Raw) -> Iterator[Problem]:
    """Tell of weights that stable doesn't have: what the steps before have given the canary is gone."""
    canary = raw["spec"]["strategy"]["canary"]
    index = int(path.removeprefix(f"{CANARY}.steps[").partition("]")[0])
    given = [each["setWeight"] for each in canary["steps"][:index] if isinstance(each.get("setWeight"), int)]
    routing = canary.get("trafficRouting") or {}
    most, wanted = routing.get("maxTrafficWeight") or 100, sum(each.weight or 0 for each in spec.templates)
    weight = given[-1] if given else 0
    if routing and wanted <= most < wanted + weight:
        message = f"have a weight of {wanted} together, and the canary has {weight}: stable has {most - weight} to give"
        yield Problem(f"{path}.templates", message)


def _template(path: str, template: RolloutExperimentTemplate, raw: Raw) -> Iterator[Problem]:
    whole = f"{raw['metadata'].get('name', '')}{_LONGEST_SUFFIX}-{template.name}"
    yield from name_problems(f"{path}.name", template.name, whole)
    if template.spec_ref not in {FROM_CANARY, FROM_STABLE}:
        yield Problem(f"{path}.specRef", f'"{template.spec_ref}" is neither {FROM_CANARY} nor {FROM_STABLE}')
    if template.replicas is not None and template.replicas < 0:
        yield Problem(f"{path}.replicas", f"{template.replicas} is negative: must be 0 or more")
    for below, message in metadata_problems({"metadata": template.metadata}, {}):
        yield Problem(f"{path}.{below}", message)
    if template.service is not None and template.service.name:
        yield from service_name_problems(f"{path}.service.name", template.service.name)
    yield from _pods(path, template, raw)


def _pods(path: str, template: RolloutExperimentTemplate, raw: Raw) -> Iterator[Problem]:
    """Yield what doesn't go together with the Rollout's pods, which are the canary's; stable's may be others."""
    pods = raw["spec"].get("template") or {}
    if not pods or template.spec_ref != FROM_CANARY:
        return
    extra = (template.metadata.labels if template.metadata is not None else None) or {}
    labels = {**((pods.get("metadata") or {}).get("labels") or {}), **extra}
    if template.selector is not None:
        try:
            matches = selector_matches(template.selector, labels)
        except ValueError as error:
            yield Problem(f"{path}.selector", str(error))
        else:
            if not template.selector or not matches:
                yield Problem(f"{path}.selector", f"doesn't select the template's pods, whose labels are {labels}")
    canary = raw["spec"]["strategy"]["canary"]
    if template.weight and canary.get("stableService") and not list(service_ports(pods)):
        message = "needs a Service for these pods, which needs ports: declare containerPorts in spec.template"
        yield Problem(f"{path}.weight", message)


def _analyses(path: str, spec: RolloutExperiment, experiment: Raw, raw: Raw, kit: Kit, find: Find) -> Iterator[Problem]:
    names, metrics, is_whole = [each.name for each in spec.templates], list[str](), True
    for index, analysis in enumerate(spec.analyses):
        here, written = f"{path}.analyses[{index}]", experiment["analyses"][index]
        yield from name_problems(f"{here}.name", analysis.name, analysis.name)
        yield from argument_problems(f"{here}.args", written.get("args") or (), names, experiment)
        reference = {key: written[key] for key in ("templateName", "clusterScope") if key in written}
        made = {"templates": [reference], "args": written.get("args") or ()}
        endless = not analysis.required_for_completion
        for problem in problems_of(here, made, raw, kit, find, may_be_endless=endless):
            yield Problem(_without_list(problem.path), problem.message)
        flat = flatten([reference], find)
        keys = (TemplateKey(analysis.template_name, bool(analysis.cluster_scope)), *flat.keys)
        is_whole = is_whole and not flat.problems and all(find(key) is not OUT_OF_SIGHT for key in keys)
        metrics += [str(metric.get("name")) for metric in flat.metrics]
    yield from repeated(f"{path}.analyses", "analysis", [each.name for each in spec.analyses])
    if is_whole:
        yield from rule_problems(f"{path}.dryRun", spec.dry_run, metrics)


def _without_list(path: str) -> str:
    """Return the path of a problem in a step that names one template where an analysis has a list of them."""
    way = path.replace(".templates[0].templateName", ".templateName").replace(".templates[0]", ".templateName")
    return f"{way.removesuffix('.templates')}.templateName" if way.endswith(".templates") else way
