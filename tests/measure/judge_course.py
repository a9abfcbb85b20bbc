"""How does a judged canary fare? Its whole run, on a virtual clock: planned, measured by the flow, and written.

The source is a Prometheus that answers by a function of the query and the time. Nothing else is made up: the plan, the
flow, the conditions and the status are what the controller runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import orjson

from rollouts.measure.judge import Judge
from rollouts.measure.prometheus import Prometheus
from rollouts.measure.web import Web
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.metric import choose
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports import Kit
from rollouts.ports.objects import ObjectRequest
from rollouts.ports.provider import Asked, MeasurementError, Outcome, Request, Response
from tests.plan.analysis.given import run
from tests.plan.given import START

Raw = dict[str, Any]
Answers = Callable[[str, float], float | None]
"""What Prometheus answers to a query after so many seconds; None is no series. ServerDownError: it is down."""

KIT = Kit(steps={}, providers={"judge": Judge({"prometheus": Prometheus(), "web": Web()})})
_MANY_PASSES = 2_000


class ServerDownError(Exception):
    """No answer."""


def judged(name: str = "errors", interval: str | None = "30s", count: int | None = None, **judge: Any) -> Raw:
    """Return a metric with a judge of requests."""
    whole = {
        "source": {"prometheus": {"address": "http://prometheus:9090"}},
        "canary": "abc",
        "baseline": "xyz",
        "requests": {"total": "total $version $seconds", "bad": "bad $version $seconds"},
        **judge,
    }
    spec = {key: value for key, value in whole.items() if value is not None}
    rules = {"interval": interval, "count": count}
    return {
        "name": name,
        **{key: value for key, value in rules.items() if value is not None},
        "provider": {"judge": spec},
    }


@dataclass
class JudgedCourse:
    """A run of one judged metric."""

    metric: Raw
    answers: Answers
    spec: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = START
    measured: list[Raw] = field(default_factory=list)
    raw: Raw = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.raw = run(self.metric, **self.spec)

    @property
    def seconds(self) -> float:
        return (self.now - START).total_seconds()

    @property
    def result(self) -> Raw:
        found: Raw = self.raw["status"]["metricResults"][0]
        return found

    @property
    def phases(self) -> list[str]:
        return [each["phase"] for each in self.measured]

    @property
    def last(self) -> Raw:
        found: Raw = self.result["measurements"][-1]
        return found

    def go(self, until: float = 3_600) -> "JudgedCourse":
        """Go on until the run has ended, or for so many seconds."""
        taken: list[Taken] = []
        for _ in range(_MANY_PASSES):
            plan = plan_analysis(observe_run(self.raw, taken), self.now, KIT)
            if plan.status is not None:
                self.raw = {**self.raw, "status": orjson.loads(orjson.dumps(plan.status))}
            self.measured += [self.last for _ in taken]
            taken = [self._taken(each) for each in plan.measure]
            if taken or plan.status is not None:
                continue
            if plan.wake_at is None or plan.wake_at > START + timedelta(seconds=until):
                return self
            self.now = plan.wake_at
        raise AssertionError(f"it doesn't come to an end: {self.raw['status']}")

    def _taken(self, measure: Measure) -> Taken:
        if measure.verb == "terminate":
            return Taken(measure.metric, measure.started_at, self.now)
        chosen = choose(measure.filled({}), KIT)
        asked = Asked(
            self.now,
            "default",
            metadata=measure.metadata,
            memory=measure.memory,
            began=measure.began,
            is_last=measure.is_last,
        )
        outcome: Outcome | None = None
        error = ""
        flow = chosen.provider.flow(chosen.spec, asked)
        try:
            request = next(flow)
            while True:
                request = flow.send(self._answer(request))
        except StopIteration as end:
            outcome = end.value
        except MeasurementError as problem:
            error = str(problem)
        return Taken(measure.metric, measure.started_at, self.now, outcome, error)

    def _answer(self, request: Request | ObjectRequest) -> Response:
        assert isinstance(request, Request)
        query = parse_qs((request.body or b"").decode())["query"][0]
        try:
            value = self.answers(query, self.seconds)
        except ServerDownError:
            return Response(503, {}, b"restarting")
        series = [] if value is None else [{"metric": {}, "value": [0, repr(float(value))]}]
        return Response(
            200, {}, orjson.dumps({"status": "success", "data": {"resultType": "vector", "result": series}})
        )
