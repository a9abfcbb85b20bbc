"""What do an experiment's arguments stand for? They may name its templates' pods, and when it began and ends."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from rollouts.api.durations import parse_duration
from rollouts.api.experiment import ExperimentSpec
from rollouts.api.timestamps import format_time
from rollouts.plan.analysis.substitution import SubstitutionError, fill_tags, is_open
from rollouts.plan.experiment.members import Member
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]

_TEMPLATES = "templates."
_HASH, _REPLICA_SET = ".podTemplateHash", ".replicaset.name"
_AVAILABLE_AT, _FINISHED_AT = "experiment.availableAt", "experiment.finishedAt"
_KNOWN = (
    "{{templates.NAME.podTemplateHash}}, {{templates.NAME.replicaset.name}}, {{experiment.availableAt}} "
    "and {{experiment.finishedAt}}"
)


def duration_of(spec: ExperimentSpec) -> timedelta | None:
    """Return how long the experiment lasts at most; None without a limit. Raises ValueError."""
    return parse_duration(spec.duration) if spec.duration else None


def filled_arguments(here: ObservedExperiment, members: Collection[Member], args: Collection[Raw]) -> list[Raw]:
    """Return raw arguments with their tags filled in. Raises SubstitutionError."""
    values = _values(here, members)
    return [{**arg, "value": fill_tags(arg["value"], values)} if is_open(arg.get("value")) else arg for arg in args]


def argument_problems(path: str, args: Collection[Raw], templates: Collection[str], spec: Raw) -> Iterator[Problem]:
    """Yield the tags of an analysis' arguments that can never be filled in."""
    known = _checks(templates, has_end=bool(spec.get("duration")))
    for index, arg in enumerate(args):
        if is_open(arg.get("value")):
            try:
                fill_tags(arg["value"], known)
            except SubstitutionError as error:
                yield Problem(f"{path}[{index}].value", str(error))


def _values(here: ObservedExperiment, members: Collection[Member]) -> Callable[[str], str]:
    known = {f"{_TEMPLATES}{each.name}{_HASH}": each.pod_hash for each in members}
    known |= {f"{_TEMPLATES}{each.name}{_REPLICA_SET}": each.replica_set_name for each in members}
    at = here.status.available_at
    if at is not None:
        known[_AVAILABLE_AT] = format_time(at)
        length = duration_of(here.spec) if here.spec is not None else None
        if length is not None:
            known[_FINISHED_AT] = format_time(at + length)
    return lambda tag: _known(tag, known)


def _checks(templates: Collection[str], *, has_end: bool) -> Callable[[str], str]:
    known = {f"{_TEMPLATES}{each}{part}": "" for each in templates for part in (_HASH, _REPLICA_SET)}
    known |= {_AVAILABLE_AT: "", **({_FINISHED_AT: ""} if has_end else {})}
    return lambda tag: _known(tag, known)


def _known(tag: str, known: Mapping[str, str]) -> str:
    if tag in known:
        return known[tag]
    if tag == _FINISHED_AT:
        raise SubstitutionError(f"{{{{{tag}}}}} is known only for an experiment with a duration: give it one")
    raise SubstitutionError(f"failed to resolve {{{{{tag}}}}}: there are {_KNOWN}, with the name of a template")
