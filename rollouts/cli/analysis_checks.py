"""What is wrong with an analysis in a file? Templates and those that they refer to, runs and experiments."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.api import names, unknown
from rollouts.api.analysis import AnalysisTemplateSpec
from rollouts.api.analysis_run import AnalysisRunSpec
from rollouts.api.base import parse
from rollouts.api.experiment import ExperimentSpec
from rollouts.api.nulls import without_nulls
from rollouts.plan.analysis.substitution import arguments_in
from rollouts.plan.analysis.templates import Flat, TemplateKey, flatten_template
from rollouts.plan.analysis.validate import run_problems, template_problems
from rollouts.plan.children.analyses.problems import OUT_OF_SIGHT
from rollouts.plan.experiment.validate import experiment_problems, reference_problems
from rollouts.plan.problem import Problem
from rollouts.registry import load_kit
from rollouts.view import fields

Raw = Mapping[str, Any]

TEMPLATE, CLUSTER_TEMPLATE = names.ANALYSIS_TEMPLATE.name, names.CLUSTER_ANALYSIS_TEMPLATE.name
RUN, EXPERIMENT = names.ANALYSIS_RUN.name, names.EXPERIMENT.name
KINDS = frozenset({TEMPLATE, CLUSTER_TEMPLATE, RUN, EXPERIMENT})


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates in some files, by name and scope: their raw specs."""

    specs: Mapping[TemplateKey, Raw]
    misshapen: frozenset[TemplateKey] = frozenset()

    @classmethod
    def among(cls, contents: Iterable[Raw]) -> "Templates":
        """Collect those whose shape is sound; the others are told about themselves."""
        found = [each for each in contents if each.get("kind") in {TEMPLATE, CLUSTER_TEMPLATE}]
        sound = [each for each in found if is_sound(each)]
        specs = {key_of(each): without_nulls(each["kind"], each)["spec"] for each in sound}
        return cls(specs, frozenset(map(key_of, found)) - specs.keys())

    def granted(self, key: TemplateKey) -> Raw:
        """Return a template's spec; one that is in none of the files may well be in the cluster."""
        return self.specs.get(key, OUT_OF_SIGHT)

    def elsewhere(self, flat: Flat, spec: Raw) -> set[str]:
        """Return the arguments that may be declared by a template that isn't among those put together."""
        declared = {str(arg.get("name")) for other in self.specs.values() for arg in fields.items(other, "args")}
        is_whole = all(key in self.specs for key in _references(spec, self.specs))
        return declared if is_whole else {*declared, *arguments_in(flat.metrics)}


def _references(spec: Raw, specs: Mapping[TemplateKey, Raw]) -> set[TemplateKey]:
    """Return the templates that a spec refers to, and those that they refer to."""
    found: set[TemplateKey] = set()
    waiting = [spec]
    while waiting:
        for each in fields.items(waiting.pop(), "templates"):
            key = TemplateKey(str(each.get("templateName") or ""), bool(each.get("clusterScope")))
            if key not in found:
                found.add(key)
                waiting.append(specs.get(key, {}))
    return found


def is_sound(content: Raw) -> bool:
    """Whether an API server would take the object, apart from fields that it would drop."""
    found = unknown.findings(content["kind"], content)
    return "spec" in content and all(isinstance(each, unknown.UnknownField) for each in found)


def key_of(content: Raw) -> TemplateKey:
    """Return how a template is referred to."""
    return TemplateKey(fields.name_of(content), content.get("kind") == CLUSTER_TEMPLATE)


def analysis_problems(content: Raw, templates: Templates) -> Iterator[Problem]:
    """Yield every problem of a template, run or experiment; of one whose shape isn't sound there is nothing to add."""
    if not is_sound(content):
        return
    whole = without_nulls(content["kind"], content)
    spec = whole["spec"]
    if content["kind"] == EXPERIMENT:
        experiment = parse(ExperimentSpec, spec)
        yield from experiment_problems({**whole, "metadata": fields.part(whole, "metadata")}, experiment)
        yield from reference_problems(spec, experiment, templates.specs, granted=True)
        return
    if content["kind"] == RUN:
        yield from run_problems(spec, parse(AnalysisRunSpec, spec), load_kit())
        return
    parsed = parse(AnalysisTemplateSpec, spec)
    flat = flatten_template(key_of(content), spec, templates.granted)
    yield from template_problems(spec, parsed, flat, load_kit(), elsewhere=templates.elsewhere(flat, spec))
