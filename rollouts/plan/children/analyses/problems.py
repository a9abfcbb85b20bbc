"""Can the analyses of a Rollout be carried out? Their templates are there and sound, and every argument has a value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rollouts.api.analysis import DryRun, MeasurementRetention
from rollouts.api.base import parse
from rollouts.api.meta import Metadata
from rollouts.api.metrics import Metric
from rollouts.plan.analysis.arguments import LATEST, STABLE, ArgumentError, field_of
from rollouts.plan.analysis.guard import GUARD
from rollouts.plan.analysis.metric import rules_of
from rollouts.plan.analysis.references import BLUE_GREEN, CANARY, analyses_in
from rollouts.plan.analysis.rules import rule_problems
from rollouts.plan.analysis.substitution import SubstitutionError, fill
from rollouts.plan.analysis.templates import Find, TemplateKey, flatten, keys_in
from rollouts.plan.analysis.validate import metric_problems
from rollouts.plan.problem import Problem
from rollouts.plan.validate_roles import metadata_problems
from rollouts.ports import Kit

Raw = Mapping[str, Any]

BACKGROUND = f"{CANARY}.analysis"
# A run is named after its Rollout, with the hash, the revision, the step and a number behind it.
MAX_NAME_LENGTH = 253 - 33
# What a template that is out of sight is taken for: nothing in it can be checked.
OUT_OF_SIGHT: Raw = {}


def analyses_problems(raw: Raw, kit: Kit, find: Find) -> Iterator[Problem]:
    """Yield every problem of a raw Rollout's analyses; `find` returns OUT_OF_SIGHT for a template not to be seen."""
    analyses = [(path, analysis) for path, analysis in analyses_in(raw) if _measures(analysis) or path != BACKGROUND]
    if analyses and len(raw["metadata"].get("name", "")) > MAX_NAME_LENGTH:
        message = f"must have at most {MAX_NAME_LENGTH} characters: analysis runs are named after it"
        yield Problem("metadata.name", message)
    for path, analysis in analyses:
        if _measures(analysis):
            yield from problems_of(path, analysis, raw, kit, find, may_be_endless=path == BACKGROUND)
        elif path.startswith(BLUE_GREEN):
            yield Problem(f"{path}.templates", "is empty: name a template, set podHealth: true, or remove the analysis")


def _measures(analysis: Raw) -> bool:
    return bool(analysis.get("templates") or analysis.get("podHealth"))


def problems_of(
    path: str, analysis: Raw, rollout: Raw, kit: Kit, find: Find, *, may_be_endless: bool
) -> Iterator[Problem]:
    """Yield every problem of one analysis; `may_be_endless` tells that something else ends it."""
    yield from _Analysis(path, analysis, rollout, kit, find, may_be_endless=may_be_endless).problems()


class _Analysis:
    """One analysis of a Rollout, put together from its templates."""

    def __init__(self, path: str, raw: Raw, rollout: Raw, kit: Kit, find: Find, *, may_be_endless: bool) -> None:
        self.path = path
        self.raw = raw
        self.rollout = rollout
        self.kit = kit
        self.may_be_endless = may_be_endless
        self.flat = flatten(raw.get("templates") or (), find, f"{path}.templates")
        roots = keys_in(raw.get("templates") or ())
        self.is_whole = not self.flat.problems and all(
            find(key) is not OUT_OF_SIGHT for key in (*roots, *self.flat.keys)
        )
        self.values: dict[str, str] = {}
        self.open: set[str] = set()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with it."""
        yield from self.flat.problems
        yield from self._starting_step()
        yield from self._metadata()
        yield from self._hashes()
        for arg in self.flat.args:
            yield from self._argument(arg)
        for key in dict.fromkeys(self.flat.sources):
            yield from self._metrics(key)
        if self.is_whole:
            yield from self._rules("dryRun", self.flat.dry_run, DryRun)
            yield from self._rules("measurementRetention", self.flat.measurement_retention, MeasurementRetention)
        if self.is_whole and not self.flat.metrics and not self.raw.get("podHealth"):
            yield Problem(f"{self.path}.templates", "hold no metric together: add one to a template")

    def _starting_step(self) -> Iterator[Problem]:
        start = self.raw.get("startingStep")
        if start is None:
            return
        steps = len(self.rollout["spec"]["strategy"]["canary"].get("steps") or ())
        if not 0 <= start <= steps:
            path = f"{self.path}.startingStep"
            yield Problem(path, f"{start} is the index of no step: they go from 0 to {max(0, steps - 1)}")

    def _metadata(self) -> Iterator[Problem]:
        raw = self.raw.get("analysisRunMetadata")
        if raw is not None:
            for below, message in metadata_problems({"analysisRunMetadata": parse(Metadata, raw)}, {}):
                yield Problem(f"{self.path}.{below}", message)

    def _hashes(self) -> Iterator[Problem]:
        for index, arg in enumerate(self.raw.get("args") or ()):
            value = (arg.get("valueFrom") or {}).get("podTemplateHashValue")
            if value is not None and value not in {LATEST, STABLE}:
                path = f"{self.path}.args[{index}].valueFrom.podTemplateHashValue"
                yield Problem(path, f'"{value}" is neither {LATEST} nor {STABLE}')

    def _argument(self, declared: Raw) -> Iterator[Problem]:
        """Note where the value of an argument comes from, or tell that it comes from nowhere."""
        name = str(declared.get("name"))
        given: Raw = next((arg for arg in self.raw.get("args") or () if arg.get("name") == name), {})
        chosen = given if given.get("value") is not None or given.get("valueFrom") is not None else declared
        source = chosen.get("valueFrom") or {}
        if chosen.get("value") is not None:
            self.values[name] = chosen["value"]
            return
        self.open.add(name)
        field = (source.get("fieldRef") or {}).get("fieldPath", "")
        if field.startswith("metadata"):
            yield from self._field(name, field)
        elif not any(source.get(key) is not None for key in ("fieldRef", "secretKeyRef", "podTemplateHashValue")):
            way_out = "give it one here, or a default in the template that declares it"
            yield Problem(f"{self.path}.args", f"args.{name} was not resolved, it has no value: {way_out}")

    def _field(self, name: str, path: str) -> Iterator[Problem]:
        metadata = {"namespace": "default", "uid": "", **self.rollout["metadata"]}
        try:
            field_of({"metadata": metadata}, path)
        except ArgumentError as error:
            yield Problem(f"{self.path}.args", f'argument "{name}": {error}')

    def _metrics(self, key: TemplateKey) -> Iterator[Problem]:
        """Yield what is wrong with the metrics of one template."""
        metrics = [metric for metric, source in zip(self.flat.metrics, self.flat.sources, strict=True) if source == key]
        for problem in metric_problems("metrics", metrics, self.values, self.open, self.kit):
            yield Problem(f"{self.path}.templates", f"{key}: {problem}")
        if self.may_be_endless:
            return
        for metric in metrics:
            if self._is_endless(metric):
                way_out = "give it a count, or use it in a background analysis"
                yield Problem(
                    f"{self.path}.templates", f'{key}: metric "{metric.get("name")}" is measured without end: {way_out}'
                )

    def _is_endless(self, metric: Raw) -> bool:
        """Whether nothing but a failure would end a metric; what is wrong with it otherwise has been told."""
        try:
            rules = rules_of(parse(Metric, fill(metric, self.values, self.open)))
        except (SubstitutionError, ValidationError, ValueError):
            return False
        return rules.count is None and rules.consecutive_success_limit <= 0

    def _rules(self, field: str, rules: Sequence[Raw], model: type[DryRun | MeasurementRetention]) -> Iterator[Problem]:
        parsed = [parse(model, each) for each in (*rules, *(self.raw.get(field) or ()))]
        names = [str(metric.get("name")) for metric in self.flat.metrics]
        names += [GUARD] if self.raw.get("podHealth") else []
        for problem in rule_problems(field, parsed, names):
            yield Problem(f"{self.path}.{field}", f"with those of its templates: {problem}")
