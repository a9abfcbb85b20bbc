"""Why does an analysis stand as it does? In numbers: values, the condition, the limit, and a provider's error."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rollouts.view import fields
from rollouts.view.experiments import TemplateRow, shown_experiment, template_rows
from rollouts.view.fields import Raw
from rollouts.view.metrics import MeasurementRow, MetricRow, metric_rows
from rollouts.view.runs import BAD, PENDING, RUNNING, oldest_first, shown_run, slot_of
from rollouts.view.status import COMPLETED, RUN_STATUSES, shown_status

_MOST_VALUES = 3
_LONGEST_VALUE = 80

# What an error says, and what helps. Most of a provider's errors ask the right question themselves.
_ADVICE = (
    ("nil or empty", "the provider has no data: check the query, or say by noData what that shall mean"),
    ('the Secret "', "create it, with that key, in the namespace of the analysis run"),
    ("expected bool", "a condition has to be true or false: try it with `rollouts eval`"),
)
_TRY = "try the template with `rollouts analyze`"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an analysis says: which run, metric or template, why it stands as it does, and what it is made of."""

    subject: str
    reasons: tuple[str, ...] = ()
    parts: tuple["Finding", ...] = ()

    def lines(self, stem: str = "  ") -> Iterator[str]:
        """Yield it as text."""
        yield f"{stem}- {self.subject}"
        yield from (f"{stem}  {reason}" for reason in self.reasons)
        for each in self.parts:
            yield from each.lines(f"{stem}  ")


def of_rollout(rollout: Raw, runs: Iterable[Raw], experiments: Iterable[Raw]) -> tuple[Finding, ...]:
    """Return what holds or has aborted a Rollout: its present analyses, and the one that has ended an update badly."""
    runs = list(runs)
    tries = fields.controlled_by(rollout, experiments)
    return (
        *(of_run(each) for each in _concerned(rollout, fields.controlled_by(rollout, runs), _names(rollout))),
        *(of_experiment(each, runs) for each in _concerned(rollout, tries, _experiment(rollout))),
    )


def _names(rollout: Raw) -> set[str]:
    """Return the runs that the status names as the present ones."""
    status = fields.part(rollout, "status")
    named = (fields.part(status, *place).get("name") for place in RUN_STATUSES)
    return {str(name) for name in named if name}


def _experiment(rollout: Raw) -> set[str]:
    name = fields.part(rollout, "status", "canary").get("currentExperiment")
    return {str(name)} if name else set()


def _concerned(rollout: Raw, children: Iterable[Raw], names: set[str]) -> list[Raw]:
    """Return the named children; of an aborted update, the one that has ended it, which nothing names any more."""
    children = oldest_first(children)
    found = [each for each in children if fields.name_of(each) in names and not _is_good(each)]
    return found if found or not fields.is_aborted(rollout) else _culprit(rollout, children)


def _culprit(rollout: Raw, children: Sequence[Raw]) -> list[Raw]:
    """Return the latest child of this update whose words the Rollout repeats.

    Others that ended badly may be of an earlier try, or were told to end by the abort.
    """
    told, current = shown_status(rollout).message, fields.part(rollout, "status").get("currentPodHash")
    bad = (each for each in children if fields.hash_of(each) == current and shown_run(each).phase in BAD)
    return [each for each in bad if (message := shown_run(each).message) and message in told][-1:]


def _is_good(child: Raw) -> bool:
    return shown_run(child).phase == "Successful"


def of_run(run: Raw) -> Finding:
    """Return why a run stands as it does: each metric that has a say in it."""
    shown, slot = shown_run(run), slot_of(run)
    subject = f"analysis run {fields.name_of(run)}{f' ({slot})' if slot else ''} is {shown.phase}"
    is_told = any(row.phase == shown.phase for row in metric_rows(run))
    reasons = (shown.message,) if shown.message and not is_told else ()
    if shown.phase == PENDING:
        reasons = (*reasons, "no controller has looked at it yet")
    return Finding(subject, reasons, of_metrics(run))


def of_metrics(run: Raw) -> tuple[Finding, ...]:
    """Return what each metric says; one that did well in a run that has ended needs no words."""
    is_over = shown_run(run).phase in COMPLETED
    return tuple(_of_metric(row) for row in metric_rows(run) if not is_over or row.phase in BAD)


def of_experiment(experiment: Raw, runs: Iterable[Raw]) -> Finding:
    """Return why an experiment stands as it does: its templates that aren't complete, and its analyses."""
    shown = shown_experiment(experiment)
    waits = (row for row in template_rows(experiment) if row.status not in ("Running", "Successful"))
    own = oldest_first(fields.controlled_by(experiment, runs))
    return Finding(
        f"experiment {fields.name_of(experiment)} is {shown.phase}",
        (*((shown.message,) if shown.message else ()), *(_of_template(row) for row in waits)),
        tuple(of_run(each) for each in own if not _is_good(each)),
    )


def _of_template(row: TemplateRow) -> str:
    message = f": {row.message}" if row.message else ""
    return f'template "{row.name}": {row.status}, {row.available} of {row.desired} pods available{message}'


def _of_metric(row: MetricRow) -> Finding:
    note = " (it only reports: dryRun)" if row.is_dry_run else ""
    return Finding(f'metric "{row.name}"{note}: {row.phase or "not measured yet"}, {row.tally}', tuple(_reasons(row)))


def _reasons(row: MetricRow) -> Iterator[str]:
    yield from _tolerance(row)
    yield from _values(row)
    yield from _words(row)
    yield from _errors(row)
    if row.phase in BAD and row.message and not any(row.message == each.message for each in row.measurements):
        yield row.message


def _tolerance(row: MetricRow) -> Iterator[str]:
    """Yield how much more a metric may suffer before it ends the analysis."""
    limit = row.limits.get("failureLimit", -1)
    if row.phase in BAD or not row.failed or limit < 0:
        return
    left = limit - row.failed
    yield f"{left} more failure{'s are' if left > 1 else ' is'} tolerated" if left > 0 else "the next failure ends it"


def _values(row: MetricRow) -> Iterator[str]:
    """Yield the last values of those that decided, and which condition they were held against."""
    wanted = row.phase if row.phase in ("Failed", "Inconclusive") else ""
    found = [each for each in row.measurements if each.value and (not wanted or each.phase == wanted)]
    if not found:
        return
    values = ", ".join(_value(each) for each in found[-_MOST_VALUES:])
    noun = "the last value is" if len(found) == 1 else "the last values are"
    yield f"{noun} {values}{_condition(row, found)}"


def _value(measurement: MeasurementRow) -> str:
    text = measurement.value
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _condition(row: MetricRow, found: Sequence[MeasurementRow]) -> str:
    success, failure = row.success_condition, row.failure_condition
    phase = found[-1].phase
    if phase == "Failed" and failure:
        return f": failureCondition is {failure}" + (f", successCondition {success}" if success else "")
    if phase == "Inconclusive" and success and failure:
        return f": neither successCondition ({success}) nor failureCondition ({failure}) is met"
    if success:
        return f": successCondition is {success}" + (f", failureCondition {failure}" if failure else "")
    return f": failureCondition is {failure}" if failure else ""


def _words(row: MetricRow) -> Iterator[str]:
    """Yield what the provider said about the last one of those that decided, or why it has no answer yet."""
    wanted = row.phase if row.phase in ("Failed", "Inconclusive") else RUNNING
    said = [each.message for each in row.measurements if each.message and (each.phase or RUNNING) == wanted]
    yield from said[-1:]


def _errors(row: MetricRow) -> Iterator[str]:
    """Yield the latest error, and what to do about it."""
    last = row.measurements[-1] if row.measurements else None
    if last is None or last.phase != "Error":
        return
    message = last.message or "without a message"
    yield f"the last error{f' of {row.provider}' if row.provider else ''}: {message}"
    if advice := next((advice for text, advice in _ADVICE if text in message), "" if "?" in message else _TRY):
        yield advice
