"""Does a called step keep the promises of its port? `rollouts.ports.testing` exports this."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, get_args

from rollouts.ports.called import Answer, AnyCalledStep, CallFlow, Phase, Situation
from rollouts.ports.provider import MeasurementError, Request, Response
from rollouts.ports.provider_testing import RUBBISH, SECRET, twisted

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST_FLOW = 20
_LONGEST_STATUS = 32 * 1024
_ROLLOUT: Mapping[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "web", "namespace": "default", "uid": "uid-web", "generation": 3},
    "spec": {"replicas": 1},
    "status": {"currentPodHash": "76d57f768c", "stableRS": "78766d5789", "currentStepIndex": 1},
}


class CalledStepConformance:
    """What every called step promises beside what every step does: test it with StepConformance, too.

    `specs` holds valid specs of it, at least one. `answers` holds one good body for each request that `run` makes for
    the first. `secrets` are the values by key of the Secrets that it reads: write SECRET where the real ones hold
    something secret.
    """

    step: ClassVar[AnyCalledStep]
    specs: ClassVar[Sequence[Any]]
    answers: ClassVar[Sequence[bytes]]
    secrets: ClassVar[Mapping[str, str]] = {}

    def _here(self, spec: Any, status: Mapping[str, Any], *, with_secrets: bool = True) -> Situation:
        values = self.secrets if with_secrets else None
        references = self.step.secrets_of(spec, "default")
        return Situation(_NOW, _ROLLOUT, 1, status, dict.fromkeys(references, values))

    def _flows(self, spec: Any, here: Situation) -> Iterator[Callable[[], CallFlow]]:
        yield lambda: self.step.run(spec, here)
        yield lambda: self.step.abort(spec, here)
        yield lambda: self.step.terminate(spec, here)

    def _run(self, flow: CallFlow, responses: Sequence[Response]) -> tuple[Answer | str, list[Request]]:
        """Return the answer, or the text of a MeasurementError, and the requests; the last response is repeated."""
        requests: list[Request] = []
        try:
            request = next(flow)
            for turn in range(_LONGEST_FLOW):
                requests.append(request)
                request = flow.send(responses[min(turn, len(responses) - 1)])
        except StopIteration as end:
            return end.value, requests
        except MeasurementError as error:
            return str(error), requests
        raise AssertionError(f"more than {_LONGEST_FLOW} requests are made for one call")

    def _good(self) -> list[Response]:
        return [Response(200, {"content-type": "application/json"}, body) for body in self.answers]

    def _responses(self) -> Iterator[list[Response]]:
        """Yield what servers may answer, at each turn of the flow."""
        good = self._good()
        yield good
        for turn, body in enumerate(self.answers):
            for rubbish in (*RUBBISH, *twisted(body)):
                yield [*good[:turn], Response(200, {}, rubbish)]
            for status in (204, 301, 400, 401, 403, 404, 405, 409, 429, 500, 503):
                yield [*good[:turn], Response(status, {}, b"it went wrong")]

    def _statuses(self, spec: Any) -> Iterator[Mapping[str, Any]]:
        """Yield what a step may be reminded of: nothing, what it has noted, and what somebody has made of that."""
        yield {}
        first, _ = self._run(self.step.run(spec, self._here(spec, {})), self._good())
        if isinstance(first, Answer) and first.status:
            yield dict(first.status)
            for key in first.status:
                yield {each: value for each, value in first.status.items() if each != key}
                yield {**first.status, key: "edited by hand"}
                yield {**first.status, key: -7}

    def test_good_answers_make_an_answer(self) -> None:
        """Nothing is tested by answers that lead nowhere."""
        answer, requests = self._run(self.step.run(self.specs[0], self._here(self.specs[0], {})), self._good())
        assert isinstance(answer, Answer), f"the good answers give {answer!r}"
        assert answer.phase != "Error", f"the good answers give {answer!r}"
        assert len(requests) == len(self.answers), f"{len(requests)} requests were made: give as many answers"

    def test_a_flow_is_pure(self) -> None:
        """The same answers get the same requests and the same answer: a call may be made twice."""
        for spec in self.specs:
            for flow in self._flows(spec, self._here(spec, {})):
                assert self._run(flow(), self._good()) == self._run(flow(), self._good())

    def test_whatever_comes_back_gives_an_answer(self) -> None:
        """Servers answer whatever they like, and anybody may edit a status."""
        for spec in self.specs:
            for status in self._statuses(spec):
                for flow in self._flows(spec, self._here(spec, status)):
                    for responses in self._responses():
                        _check(self._run(flow(), responses)[0])

    def test_a_request_that_fails_gives_an_answer(self) -> None:
        """Servers don't always answer."""
        for spec in self.specs:
            for flow in self._flows(spec, self._here(spec, {})):
                running = flow()
                try:
                    next(running)
                    running.throw(MeasurementError("no connection"))
                except StopIteration as end:
                    _check(end.value)
                except MeasurementError as error:
                    _check(str(error))

    def test_secrets_that_do_not_exist_are_told(self) -> None:
        """Who forgot a Secret is told its name."""
        for spec in self.specs:
            here = self._here(spec, {}, with_secrets=False)
            answer, requests = self._run(self.step.run(spec, here), self._good())
            if here.secrets and not requests:
                assert any(reference.name in repr(answer) for reference in here.secrets), f"no Secret in {answer!r}"

    def test_no_secret_is_shown(self) -> None:
        """Messages, statuses and URLs are read by people and written to logs."""
        for spec in self.specs:
            here = self._here(spec, {})
            shown = [repr(here)]
            for responses in self._responses():
                answer, requests = self._run(self.step.run(spec, here), responses)
                shown += [repr(answer), repr(requests), *(request.url for request in requests)]
            assert not [text for text in shown if SECRET in text], "a secret is shown"

    def test_requests_can_be_sent(self) -> None:
        """Each has an absolute URL and a limit of time."""
        for spec in self.specs:
            for flow in self._flows(spec, self._here(spec, {})):
                for request in self._run(flow(), self._good())[1]:
                    assert request.url.startswith(("http://", "https://")), f"{request.url} is no absolute URL"
                    assert 0 < request.timeout <= 600, f"{request.timeout} seconds are no useful limit"


def _check(answer: Answer | str) -> None:
    if isinstance(answer, str):
        assert answer.strip(), "an error says nothing"
        assert "\n" not in answer, f"an error is one line: {answer!r}"
        return
    assert isinstance(answer, Answer), f"{answer!r} is no Answer"
    assert answer.phase in get_args(Phase), f"{answer.phase!r} is no phase"
    assert isinstance(answer.message, str)
    assert "\n" not in answer.message, f"a message is one line: {answer.message!r}"
    assert answer.phase in {"Successful", "Running"} or answer.message.strip(), f"{answer!r} doesn't say why"
    assert answer.again_after is None or answer.again_after >= timedelta(), f"{answer!r} lies in the past"
    if answer.status is not None:
        assert len(json.dumps(answer.status, allow_nan=False)) <= _LONGEST_STATUS, "the status is too long"
