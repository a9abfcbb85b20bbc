"""Whom does a change of an analysis template concern? Templates may refer to further ones, users to any.

Users are indexed by the templates that they name, and templates by those that they name: whom a template concerns is
found upwards, at a price that depends on its users only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from rollouts.kube.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, EXPERIMENTS
from rollouts.plan.analysis.references import analyses_in, experiments_in, templates_of, templates_of_experiment
from rollouts.plan.analysis.templates import TemplateKey, keys_in

Raw = Mapping[str, Any]
Object = dict[str, Any]

BY_TEMPLATE = "template"
BY_NEED = "need"
ANY_NAMESPACE = "*"
TEMPLATE_KINDS = (ANALYSIS_TEMPLATES.kind, CLUSTER_ANALYSIS_TEMPLATES.kind)


class Indexed(Protocol):
    """The part of a cache that is searched."""

    def by_index(self, name: str, key: str) -> list[Object]:
        """Return the objects of an index."""


def kind_of(key: TemplateKey) -> str:
    """Return the kind of a template."""
    return CLUSTER_ANALYSIS_TEMPLATES.kind if key.is_cluster else ANALYSIS_TEMPLATES.kind


def place_of(key: TemplateKey, namespace: str) -> str:
    """Return the entry of a template in an index."""
    return f"/{key.name}" if key.is_cluster else f"{namespace}/{key.name}"


def _places(rollout: Raw) -> tuple[str, ...]:
    """Return the entries of the templates that a Rollout names."""
    return tuple(place_of(key, rollout["metadata"]["namespace"]) for key in templates_of(rollout))


def needs_of(rollout: Raw) -> tuple[str, ...]:
    """Return the kinds that a Rollout can't be looked after without, as far as its analyses go."""
    has_experiments = any(True for _ in experiments_in(rollout))
    if not has_experiments and not any(True for _ in analyses_in(rollout)):
        return ()
    return (ANALYSIS_RUNS.kind, *TEMPLATE_KINDS, *((EXPERIMENTS.kind,) if has_experiments else ()))


def places_of_experiment(experiment: Raw) -> tuple[str, ...]:
    """Return the entries of the templates that an Experiment names."""
    return tuple(place_of(key, experiment["metadata"]["namespace"]) for key in experiment_templates(experiment))


def needs_of_experiment(experiment: Raw) -> tuple[str, ...]:
    """Return the kinds that an Experiment can't be looked after without."""
    has_analyses = any(True for _ in experiment_templates(experiment))
    return (ANALYSIS_RUNS.kind, *TEMPLATE_KINDS) if has_analyses else ()


def experiment_templates(experiment: Raw) -> Iterator[TemplateKey]:
    """Yield the templates that an Experiment names; one may come more than once."""
    spec = experiment.get("spec")
    return templates_of_experiment(spec if isinstance(spec, Mapping) else {})


def _named_by(template: Raw) -> tuple[str, ...]:
    """Return the entries of the templates that a template names: a cluster's may name one of any namespace."""
    spec = template.get("spec")
    references = spec.get("templates") if isinstance(spec, Mapping) else None
    namespace = template["metadata"].get("namespace") or ANY_NAMESPACE
    sound = [each for each in references if isinstance(each, Mapping)] if isinstance(references, list) else []
    return tuple(place_of(key, namespace) for key in keys_in(sound))


Indexes = Mapping[str, Callable[[Raw], tuple[str, ...]]]

TEMPLATE_INDEXES: Indexes = {BY_TEMPLATE: _named_by}
ROLLOUT_TEMPLATE_INDEXES: Indexes = {BY_TEMPLATE: _places, BY_NEED: needs_of}
EXPERIMENT_INDEXES: Indexes = {BY_TEMPLATE: places_of_experiment, BY_NEED: needs_of_experiment}


def users_of(template: Raw, users_kept: Sequence[Indexed], *templates: Indexed) -> list[Object]:
    """Return the objects that a template matters to; now and then one more, which then finds nothing new."""
    place = _place(template)
    waiting, seen, users = [place], {place}, list[Object]()
    while waiting:
        place = waiting.pop()
        users += [each for kept in users_kept for each in kept.by_index(BY_TEMPLATE, place)]
        parents = [_place(each) for each in _parents(place, *templates)]
        waiting += [each for each in parents if each not in seen]
        seen.update(parents)
    return users


def _parents(place: str, *templates: Indexed) -> list[Object]:
    namespace, _, name = place.partition("/")
    places = (place, f"{ANY_NAMESPACE}/{name}") if namespace else (place,)
    return [each for kept in templates for each_place in places for each in kept.by_index(BY_TEMPLATE, each_place)]


def _place(template: Raw) -> str:
    metadata = template["metadata"]
    return f"{metadata.get('namespace') or ''}/{metadata['name']}"
