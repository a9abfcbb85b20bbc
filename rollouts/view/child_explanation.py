"""Why does an analysis run or an experiment stand as it does, and what can a person do about it?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rollouts.api.timestamps import format_time
from rollouts.plan.experiment.experiment import ExperimentPlan
from rollouts.view import ages, fields, requests
from rollouts.view.experiments import shown_experiment
from rollouts.view.explanation import Choice, action_in_words, offered
from rollouts.view.fields import Raw
from rollouts.view.requests import Change, kubectl_line
from rollouts.view.runs import purpose_of, shown_run
from rollouts.view.status import COMPLETED, Shown
from rollouts.view.verdicts import Finding, of_experiment, of_metrics

_RUN, _EXPERIMENT = "analysisrun", "experiment"


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
    next_writes: tuple[str, ...]
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
        if self.next_writes:
            yield "The controller does next:"
            yield from (f"  - {write}" for write in self.next_writes)
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
        next_writes=(),
        looks_again_at=until,
        choices=tuple(_choices(run, _RUN)),
    )


def explain_experiment(experiment: Raw, plan: ExperimentPlan, runs: Iterable[Raw]) -> ChildExplanation:
    """Return the explanation of an Experiment and of its analyses."""
    return ChildExplanation(
        noun="experiment",
        name=fields.name_of(experiment),
        namespace=fields.namespace_of(experiment),
        status=shown_experiment(experiment),
        purpose=purpose_of(experiment),
        because=plan.because,
        findings=(of_experiment(experiment, runs),),
        next_writes=tuple(action_in_words(each) for each in plan.actions),
        looks_again_at=plan.wake_at,
        choices=tuple(_choices(experiment, _EXPERIMENT)),
    )


def _choices(child: Raw, word: str) -> Iterator[Choice]:
    name, namespace = fields.name_of(child), fields.namespace_of(child)
    offers = [("end it now", "terminate", requests.terminate(child))]
    if word == _EXPERIMENT:
        offers.append(("begin it again", "retry", requests.retry_experiment(child)))
    for does, verb, answer in offers:
        if isinstance(answer, Change):
            patches = tuple(kubectl_line(patch, name, namespace, word) for patch in answer.patches)
            yield Choice(does, f"rollouts {verb} {word} {name} -n {namespace}", patches)
    for each in fields.items(child, "metadata", "ownerReferences"):
        kind = str(each.get("kind"))
        if each.get("controller") and kind in ("Rollout", "Experiment"):
            command = f"rollouts explain {kind.lower()} {each.get('name')} -n {namespace}"
            yield Choice(f"see what it means for the {kind.lower()}", command)
    yield Choice("look at everything", f"rollouts get {word} {name} -n {namespace}")
