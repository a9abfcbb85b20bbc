"""What of an analysis in a file isn't wrong, but left unchecked or without any effect?"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.cli.analysis_checks import CLUSTER_TEMPLATE, EXPERIMENT, TEMPLATE, Templates
from rollouts.plan.analysis.references import analyses_in, closure, experiments_in
from rollouts.plan.analysis.templates import TemplateKey, keys_in
from rollouts.plan.children.analyses.problems import OUT_OF_SIGHT
from rollouts.plan.problem import Problem
from rollouts.view import fields

Raw = Mapping[str, Any]


def analysis_remarks(content: Raw, templates: Templates) -> Iterator[Problem]:
    """Yield the templates that can't be seen, and the arguments that no template declares."""
    for path, references in _references(content):
        for index, key in enumerate(keys_in(references)):
            if key.name and key not in templates.specs:
                yield Problem(f"{path}[{index}].templateName", _unseen(key, templates))
    for path, args, references in _given(content):
        declared = _declared(references, templates)
        for index, arg in enumerate(args):
            if declared is not None and arg.get("name") not in declared:
                known = f"declared are {', '.join(declared)}" if declared else "none is declared"
                message = f'no template reads argument "{arg.get("name")}": {known}'
                yield Problem(f"{path}[{index}].name", message)


def _maps(raw: Raw, *path: str) -> list[Raw]:
    """Return what is listed at a path; an entry of another shape has been told about."""
    return [each for each in fields.items(raw, *path) if isinstance(each, Mapping)]


def _unseen(key: TemplateKey, templates: Templates) -> str:
    if key in templates.misshapen:
        return f"{key} has problems of its own: the analysis is not checked"
    return f"{key} is in none of these files: the analysis is not checked"


def _references(content: Raw) -> Iterator[tuple[str, list[Raw]]]:
    """Yield each list of references to templates, with its path."""
    match content.get("kind"):
        case "Rollout":
            for path, analysis in analyses_in(content):
                yield f"{path}.templates", _maps(analysis, "templates")
            for path, experiment in experiments_in(content):
                yield f"{path}.analyses", _maps(experiment, "analyses")
        case kind if kind == EXPERIMENT:
            yield "spec.analyses", _maps(content, "spec", "analyses")
        case kind if kind in (TEMPLATE, CLUSTER_TEMPLATE):
            yield "spec.templates", _maps(content, "spec", "templates")


def _given(content: Raw) -> Iterator[tuple[str, list[Raw], list[Raw]]]:
    """Yield the arguments that are given, with their path, and the references that they are for."""
    if content.get("kind") == "Rollout":
        for path, analysis in analyses_in(content):
            yield f"{path}.args", _maps(analysis, "args"), _maps(analysis, "templates")
    for path, references in _references(content):
        if path.endswith(".analyses"):
            for index, each in enumerate(references):
                yield f"{path}[{index}].args", _maps(each, "args"), [each]


def _declared(references: list[Raw], templates: Templates) -> list[str] | None:
    """Return the arguments that templates declare; None where one of them can't be seen."""
    specs = closure(keys_in(references), templates.granted).values()
    if any(spec is None or spec is OUT_OF_SIGHT for spec in specs):
        return None
    return list(dict.fromkeys(str(arg.get("name")) for spec in specs for arg in _maps(spec or {}, "args")))
