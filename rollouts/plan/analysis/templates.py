"""Which metrics do the templates that somebody refers to hold together? Templates may refer to further ones.

What is wrong is told in `problems`; the rest is there nevertheless, so that lint can tell everything at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.plan.problem import Problem

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class TemplateKey:
    """Which template: its name, and whether every namespace may use it."""

    name: str
    is_cluster: bool = False

    def __str__(self) -> str:
        return f'{"ClusterAnalysisTemplate" if self.is_cluster else "AnalysisTemplate"} "{self.name}"'


@dataclass(frozen=True, slots=True)
class Flat:
    """The spec of several templates as if it were one, raw.

    `keys` are the templates that were put together, `sources` tells for each metric which one it comes from.
    """

    metrics: tuple[Raw, ...] = ()
    args: tuple[Raw, ...] = ()
    dry_run: tuple[Raw, ...] = ()
    measurement_retention: tuple[Raw, ...] = ()
    problems: tuple[Problem, ...] = ()
    keys: tuple[TemplateKey, ...] = ()
    sources: tuple[TemplateKey, ...] = ()


Find = Callable[[TemplateKey], Raw | None]
"""Returns the raw spec of a template, or None if there is no such template."""


def keys_in(references: Iterable[Raw]) -> Iterator[TemplateKey]:
    """Yield which templates raw references name."""
    for each in references:
        yield TemplateKey(str(each.get("templateName") or ""), bool(each.get("clusterScope")))


def flatten(references: Iterable[Raw], find: Find, path: str = "spec.templates") -> Flat:
    """Put together what raw references name; each template counts once, however often it is referred to."""
    walk = _Walk(find)
    for index, key in enumerate(keys_in(references)):
        walk.visit(key, f"{path}[{index}]", ())
    return _joined(walk.specs, walk.problems, path)


def flatten_template(key: TemplateKey, spec: Raw, find: Find) -> Flat:
    """Put a template together with those that it refers to."""
    walk = _Walk(find)
    walk.enter(key, spec, "spec", ())
    return _joined(walk.specs, walk.problems, "spec")


class _Walk:
    """A walk through references, in the order in which they are written."""

    def __init__(self, find: Find) -> None:
        self.specs: dict[TemplateKey, Raw] = {}
        self.problems: list[Problem] = []
        self._find = find

    def visit(self, key: TemplateKey, path: str, way: tuple[TemplateKey, ...]) -> None:
        if key in way:
            circle = " -> ".join(each.name for each in (*way[way.index(key) :], key))
            self.problems.append(Problem(path, f"goes in a circle: {circle}; take one of these references out"))
        elif key not in self.specs:
            spec = self._find(key)
            if not key.name:
                self.problems.append(Problem(f"{path}.templateName", "is missing: name a template"))
            elif spec is None:
                by = f", which {way[-1]} refers to," if way else ""
                self.problems.append(Problem(f"{path}.templateName", f"{key}{by} does not exist"))
            else:
                self.enter(key, spec, path, way)

    def enter(self, key: TemplateKey, spec: Raw, path: str, way: tuple[TemplateKey, ...]) -> None:
        self.specs[key] = spec
        for index, reference in enumerate(keys_in(spec.get("templates") or ())):
            below = path if way or path != "spec" else f"spec.templates[{index}]"
            self.visit(reference, below, (*way, key))


def _joined(specs: Mapping[TemplateKey, Raw], problems: list[Problem], path: str) -> Flat:
    metrics: dict[str, TemplateKey] = {}
    for key, spec in specs.items():
        for metric in spec.get("metrics") or ():
            owner = metrics.setdefault(metric.get("name") or "", key)
            if owner != key:
                message = f'two metrics are called "{metric.get("name")}", in {owner} and in {key}: rename one'
                problems.append(Problem(path, message))
    args: dict[str, Raw] = {}
    for key, spec in specs.items():
        for arg in spec.get("args") or ():
            _add_argument(args, arg, key, problems, path)
    return Flat(
        metrics=_all(specs, "metrics"),
        args=tuple(args.values()),
        dry_run=_all(specs, "dryRun"),
        measurement_retention=_all(specs, "measurementRetention"),
        problems=tuple(problems),
        keys=tuple(specs),
        sources=tuple(key for key, spec in specs.items() for _ in spec.get("metrics") or ()),
    )


def _all(specs: Mapping[TemplateKey, Raw], name: str) -> tuple[Raw, ...]:
    return tuple(each for spec in specs.values() for each in spec.get(name) or ())


def _add_argument(args: dict[str, Raw], arg: Raw, key: TemplateKey, problems: list[Problem], path: str) -> None:
    """Add what a template says of an argument: a literal value wins over none, two of them must be equal."""
    name = arg.get("name") or ""
    before = args.get(name)
    if before is None or (before.get("value") is None and (arg.get("value") or arg.get("valueFrom")) is not None):
        args[name] = arg
    elif None not in (before.get("value"), arg.get("value")) and before["value"] != arg["value"]:
        message = (
            f'argument "{name}" has two values, "{before["value"]}" and, in {key}, "{arg["value"]}": keep one of them'
        )
        problems.append(Problem(path, message))
