"""Which step plugin do tests call? One that asks a gatekeeper over HTTP, and remembers what it was told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rollouts.api.base import Model
from rollouts.plan.calls import Call
from rollouts.ports import Answer, CalledStep, CallFlow, Gate, Here, Open, Request, Shut, Situation, Step, Wishes
from rollouts.registry import load_kit


class Question(Model):
    """What the gatekeeper is asked."""

    url: str = "http://gate.example/"


class Gatekeeper(CalledStep[Question]):
    """Goes on once the gatekeeper says so; counts its calls by what it remembers."""

    key = "gatekeeper"
    model = Question

    def problems(self, spec: Question, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        if not spec.url.startswith("http"):
            yield "url", f"{spec.url!r} is no URL: begin it with http://"

    def run(self, spec: Question, here: Situation) -> CallFlow:
        response = yield Request("GET", spec.url)
        said = json.loads(response.body)
        calls = int(here.status.get("calls", 0)) + 1
        return Answer(said["phase"], said.get("message", ""), timedelta(seconds=10), {"calls": calls})

    def abort(self, spec: Question, here: Situation) -> CallFlow:
        yield Request("DELETE", spec.url, body=json.dumps(dict(here.status)).encode())
        return Answer("Successful", "undone")


class Declared(Step[Mapping[str, Any]]):
    """A plugin without I/O: holds the weight that its configuration names, and is open from a minute after the hour."""

    key = "declared"

    def hold(self, wishes: Wishes, spec: Mapping[str, Any]) -> Wishes:
        return replace(wishes, weight=int(spec.get("weight", 0)))

    def gate(self, spec: Mapping[str, Any], here: Here, now: datetime) -> Gate:
        del spec
        if here.unmet:
            return Shut(here.unmet)
        opens = now.replace(minute=2, second=0, microsecond=0)
        return Open("the minute has come") if now >= opens else Shut("too early", until=opens, patient=True)


_OURS = load_kit()
KIT = replace(
    _OURS,
    steps={**_OURS.steps, "gatekeeper": Gatekeeper(), "declared": Declared(), "another": Gatekeeper()},
    strangers={"gatekeeper": "rollouts-gatekeeper 1.0", "declared": "rollouts-declared 2.0"},
    disabled=frozenset({"broken-one"}),
    broken={"lost": "step 'lost' (lost:Step, of rollouts-lost 1.0) can't be loaded: ImportError: no module"},
)


def plugin(name: str = "gatekeeper", **config: Any) -> dict[str, Any]:
    """Return a step that a plugin carries out."""
    return {"plugin": {"name": name, **({"config": config} if config else {})}}


class Answers:
    """Returns one answer after the other; the last one again and again."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Answer:
        self.calls.append(call)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
