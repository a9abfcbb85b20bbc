"""Is the canary worse than a baseline? The judge asks another provider about both, and decides by statistics.

For requests it gathers evidence with every measurement, and may say "worse" at any of them: the test is valid at every
look (`rollouts.judge`, with its sources). What it has seen is kept with the metric in the status of the run, so a
controller that starts anew goes on where the one before it was. No request is counted twice: answers are totals since
the start of the run, or readings of a counter.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from rollouts.api.judge import JudgeMetric
from rollouts.api.metrics import Metric
from rollouts.measure.addresses import is_templated
from rollouts.measure.judge_requests import judged_requests
from rollouts.measure.judge_rules import rate_rule, rule_problems, sample_rule
from rollouts.measure.judge_samples import judged_samples
from rollouts.measure.judge_source import WINDOW, Side, Source, SourceError
from rollouts.ports.provider import AnyProvider, Asked, Flow, MeasurementError, Provider, SecretRef


class Judge(Provider[JudgeMetric]):
    """The canary's requests or samples against a baseline's."""

    key = "judge"
    model = JudgeMetric
    asks = "source"

    def __init__(self, installed: Mapping[str, AnyProvider] | None = None) -> None:
        self._installed = installed or {}

    def beside(self, others: Mapping[str, AnyProvider]) -> "Judge":
        return Judge(others)

    def problems(self, spec: JudgeMetric) -> Iterator[tuple[str, str]]:
        if (spec.requests is None) == (spec.samples is None):
            found = "both" if spec.requests else "neither"
            yield "requests", f"has {found} of requests and samples: set one of them"
            return
        yield from _side_problems(spec)
        yield from rule_problems(spec)
        if spec.requests is not None and (spec.requests.bad is None) == (spec.requests.good is None):
            found = "both" if spec.requests.bad else "neither"
            yield "requests.bad", f"there is {found} of bad and good: set one of them"
            return
        try:
            source = Source.of(spec, self._installed)
        except SourceError as error:
            yield error.path, str(error)
            return
        queries = dict(_queries(spec))
        yield from sorted({problem for path, query in queries.items() for problem in source.problems(path, query)})
        if spec.requests is not None and len({source.is_counter(query) for query in queries.values() if query}) > 1:
            yield "requests", f"one query is about {WINDOW}, the other one reads a counter: write both in one way"

    def problems_around(self, spec: JudgeMetric, metric: Metric) -> Iterator[tuple[str, str]]:
        for name, condition in (
            ("successCondition", metric.success_condition),
            ("failureCondition", metric.failure_condition),
        ):
            if condition:
                yield name, "isn't looked at: the judge decides by itself; leave it out"
        if metric.consecutive_success_limit not in (None, 0, "0"):
            yield (
                "consecutiveSuccessLimit",
                "would end the metric before anything is shown: leave it out, and set provider.judge.endEarly",
            )
        once = metric.interval is None or metric.count in (1, "1")
        if spec.samples is not None and not once and not is_templated(str(metric.count)):
            yield "count", "must be 1: samples are judged once; set initialDelay to the time that they are gathered in"
        if spec.requests is not None and once:
            yield from self._unread_counters(spec)

    def _unread_counters(self, spec: JudgeMetric) -> Iterator[tuple[str, str]]:
        with suppress(SourceError):
            source = Source.of(spec, self._installed)
            for path, query in _queries(spec):
                if source.is_counter(query):
                    yield (
                        f"provider.judge.{path}",
                        f"reads a counter, once, which tells of no new requests: ask for {WINDOW}, or set interval",
                    )

    def secrets_of(self, spec: JudgeMetric, namespace: str) -> tuple[SecretRef, ...]:
        try:
            source = Source.of(spec, self._installed)
            return source.secrets_of(next(query for _, query in _queries(spec)), namespace)
        except (SourceError, ValueError, StopIteration):
            return ()  # the flow says why

    def metadata_of(self, spec: JudgeMetric) -> Mapping[str, str]:
        return {f"ResolvedJudgeQuery.{path}": query for path, query in _queries(spec)}

    def flow(self, spec: JudgeMetric, asked: Asked) -> Flow:
        seconds = max(1, int((asked.now - (asked.began or asked.now)).total_seconds()))
        sides = Side("canary", spec.canary, seconds), Side("baseline", spec.baseline, seconds)
        try:
            source = Source.of(spec, self._installed)
            requests = rate_rule(spec) if spec.requests is not None else None
            samples = sample_rule(spec) if spec.samples is not None else None
        except ValueError as error:
            raise MeasurementError(f"the judge can't ask or decide: {error}") from None
        if requests is not None:
            return (yield from judged_requests(spec, requests, source, sides, asked))
        if samples is not None:
            return (yield from judged_samples(spec, samples, source, sides, asked))
        raise MeasurementError("there are neither requests nor samples to judge: set one of them")


def _side_problems(spec: JudgeMetric) -> Iterator[tuple[str, str]]:
    for name, version in (("canary", spec.canary), ("baseline", spec.baseline)):
        if not version:
            yield name, "is empty: write what tells this version apart in your metrics, such as its pod template hash"
    if spec.canary and spec.canary == spec.baseline:
        yield "baseline", f"{spec.baseline!r} is the canary, too: name the version that it is compared with"


def _queries(spec: JudgeMetric) -> Iterator[tuple[str, str]]:
    if spec.samples is not None:
        yield "samples.query", spec.samples.query
    if spec.requests is not None:
        yield "requests.total", spec.requests.total
        for name, query in (("bad", spec.requests.bad), ("good", spec.requests.good)):
            if query is not None:
                yield f"requests.{name}", query
