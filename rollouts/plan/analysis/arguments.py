"""Which values do a run's arguments have? What a Rollout gives wins over what templates declare."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.api.analysis import Argument, RolloutArgument, SecretKeyRef
from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]

LATEST, STABLE = "Latest", "Stable"
_ENTRY = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")
_PLAIN = frozenset({"metadata.name", "metadata.namespace", "metadata.uid"})
_PART = re.compile(r"([^.\[\]]+)|\[(\d{1,9})\]")


class ArgumentError(ValueError):
    """A value that can't be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What is filled in: literal values, and the Secrets whose values come with each measurement."""

    values: Mapping[str, str]
    secrets: Mapping[str, SecretKeyRef]
    problems: tuple[Problem, ...] = ()


def field_of(raw: Raw, path: str) -> str:
    """Return a field of an object as text: by the downward API's paths, or by names and [indices].

    A label or annotation that isn't there is an empty text, as for pods. Raises ArgumentError.
    """
    entry = _ENTRY.fullmatch(path)
    if entry:
        return str(((raw.get("metadata") or {}).get(entry[1]) or {}).get(entry[2], ""))
    if path.startswith("metadata.") and path not in _PLAIN:
        known = "metadata.name, metadata.namespace, metadata.uid, metadata.labels['x'] and metadata.annotations['x']"
        raise ArgumentError(f"{path} is not supported: below metadata there are {known}")
    return _text(_walk(raw, path), path)


def _walk(raw: Raw, path: str) -> Any:
    here: Any = raw
    for key, index in _PART.findall(path):
        if isinstance(here, Mapping) and key in here:
            here = here[key]
        elif isinstance(here, list) and index and int(index) < len(here):
            here = here[int(index)]
        else:
            raise ArgumentError(f"{path} is not there")
    return here


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise ArgumentError(f"{path} is no text, number or boolean")


def rollout_arguments(
    incoming: Iterable[RolloutArgument], rollout: Raw, hashes: Mapping[str, str]
) -> Iterator[Raw | Problem]:
    """Yield the arguments that a Rollout gives, with their values. `hashes` holds those of Latest and Stable."""
    for index, arg in enumerate(incoming):
        source = arg.value_from
        path = f"args[{index}].valueFrom"
        if source is None or arg.value is not None:
            yield {"name": arg.name} if arg.value is None else {"name": arg.name, "value": arg.value}
        elif source.pod_template_hash_value is not None:
            value = hashes.get(source.pod_template_hash_value)
            if value is None:
                message = f'"{source.pod_template_hash_value}" is neither {LATEST} nor {STABLE}'
                yield Problem(f"{path}.podTemplateHashValue", message)
            else:
                yield {"name": arg.name, "value": value}
        elif source.field_ref is not None:
            yield _of_field({"name": arg.name}, source.field_ref.field_path, rollout, path)


def merge_arguments(declared: Iterable[Raw], incoming: Iterable[Raw], rollout: Raw | None) -> Iterator[Raw | Problem]:
    """Yield the arguments of a run: the declared ones, with what comes in instead where that has a value.

    What isn't declared is dropped. Fields are those of `rollout`, None where there is none.
    """
    given = {arg["name"]: arg for arg in incoming}
    for index, arg in enumerate(declared):
        instead = given.get(arg["name"], {})
        chosen = instead if instead.get("value") is not None or instead.get("valueFrom") is not None else arg
        source = chosen.get("valueFrom") or {}
        path = f"args[{index}]"
        if chosen.get("value") is not None:
            yield {"name": chosen["name"], "value": chosen["value"]}
        elif source.get("secretKeyRef") is not None:
            yield {"name": chosen["name"], "valueFrom": {"secretKeyRef": source["secretKeyRef"]}}
        elif source.get("fieldRef") is not None and rollout is not None:
            yield _of_field(
                {"name": chosen["name"]}, source["fieldRef"].get("fieldPath", ""), rollout, f"{path}.valueFrom"
            )
        else:
            yield _unresolved(path, chosen["name"])


def _of_field(arg: Raw, field_path: str, rollout: Raw, path: str) -> Raw | Problem:
    try:
        return {**arg, "value": field_of(rollout, field_path)}
    except ArgumentError as error:
        return Problem(f"{path}.fieldRef.fieldPath", f'argument "{arg["name"]}": {error}')


def read_arguments(args: Iterable[Argument]) -> Arguments:
    """Return what a run's arguments stand for."""
    values: dict[str, str] = {}
    secrets: dict[str, SecretKeyRef] = {}
    problems: list[Problem] = []
    for index, arg in enumerate(args):
        source = arg.value_from
        if arg.value is not None:
            values[arg.name] = arg.value
        elif source is not None and source.secret_key_ref is not None:
            secrets[arg.name] = source.secret_key_ref
        elif source is not None and source.field_ref is not None:
            path = f"args[{index}].valueFrom.fieldRef"
            problems.append(Problem(path, "is a field of a Rollout, which this run doesn't have: give a value instead"))
        else:
            problems.append(_unresolved(f"args[{index}]", arg.name))
    return Arguments(values, secrets, tuple(problems))


def _unresolved(path: str, name: str) -> Problem:
    return Problem(path, f"args.{name} was not resolved: give it a value")
