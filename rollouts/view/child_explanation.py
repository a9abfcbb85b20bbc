"""Why does an analysis run or an experiment stand as it does, and what can a person do about it?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rollouts.api.timestamps import format_time
from rollouts.view import ages, fields, requests
from rollouts.view.experiments import ExperimentView, experiment_view
from rollouts.view.explanation import Choice, offered
from rollouts.view.fields import Raw
from rollouts.view.requests import Change, kubectl_line
from rollouts.view.runs import purpose_of, shown_run
from rollouts.view.status import COMPLETED, Shown
from rollouts.view.verdicts import Finding, of_experiment, of_metrics


@dataclass(frozen=True, slots=True)
class ChildExplanation:
    """The answer about an object that measures, or runs side by side with others, for somebody."""

    noun: str
    name: str
    namespace: str
    status: Shown
    purpose: str
    because: tuple[str, ...]
    findings: tuple[Finding, ...]
    looks_again_at: datetime | None
    choices: tuple[Choice, ...]

    def lines(self, now: datetime) -> Iterator[str]:
        """Yield the answer as text."""
        yield f"{self.noun} {self.name!r} in namespace {self.namespace!r} is {self.status}"
        yield f"It runs for {self.purpose}"
        if self.because:
            yield "Because:"
            yield from (f"  - {reason}" for reason in self.because)
        if self.findings:
            yield "What was found:"
            yield from (line for each in self.findings for line in each.lines())
        if self.looks_again_at is not None:
            left = ages.remaining(self.looks_again_at, now)
            yield f"The controller looks again by itself at {format_time(self.looks_again_at)} (in {left})"
        yield from offered(self.choices)


def explain_run(run: Raw, because: Sequence[str], until: datetime | None) -> ChildExplanation:
    """Return the explanation of an AnalysisRun; `because` and `until` are the planner's."""
    return ChildExplanation(
        noun="analysis run",
        name=fields.name_of(run),
        namespace=fields.namespace_of(run),
        status=shown_run(run),
        purpose=purpose_of(run),
        because=() if shown_run(run).phase in COMPLETED else tuple(because),
        findings=of_metrics(run),
        looks_again_at=until,
        choices=tuple(_choices(run, "analysisrun")),
    )


def explain_experiment(experiment: Raw, runs: Iterable[Raw], now: datetime) -> ChildExplanation:
    """Return the explanation of an Experiment, as far as its own status and its runs tell."""
    view = experiment_view(experiment, (), (), (), now)
    return ChildExplanation(
        noun="experiment",
        name=view.name,
        namespace=view.namespace,
        status=view.status,
        purpose=view.owner,
        because=tuple(_waits(view)),
        findings=(of_experiment(experiment, runs),),
        looks_again_at=None if view.is_over else view.until,
        choices=tuple(_choices(experiment, "experiment")),
    )


def _waits(view: ExperimentView) -> Iterator[str]:
    """Yield what ends the experiment; nothing once that has happened."""
    if view.is_over:
        return
    if view.available_at is None:
        yield "it begins to count once all pods of all templates are available"
    if view.duration:
        yield f"it lasts {view.duration}"
    required = [row.name for row in view.analyses if row.is_required]
    if required:
        yield f"it ends once these analyses are Successful: {', '.join(required)}"
    if not view.duration and not required:
        yield "it has no duration, and no analysis is required for its completion: somebody has to terminate it"


def _choices(child: Raw, word: str) -> Iterator[Choice]:
    name, namespace = fields.name_of(child), fields.namespace_of(child)
    answer = requests.terminate(child)
    if isinstance(answer, Change):
        patches = tuple(kubectl_line(patch, name, namespace, word) for patch in answer.patches)
        yield Choice("end it now", f"rollouts terminate {word} {name} -n {namespace}", patches)
    for each in fields.items(child, "metadata", "ownerReferences"):
        kind = str(each.get("kind"))
        if each.get("controller") and kind in ("Rollout", "Experiment"):
            command = f"rollouts explain {kind.lower()} {each.get('name')} -n {namespace}"
            yield Choice(f"see what it means for the {kind.lower()}", command)
    yield Choice("look at everything", f"rollouts get {word} {name} -n {namespace}")
