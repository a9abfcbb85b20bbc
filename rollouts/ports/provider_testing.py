"""Does a metric provider keep the promises of its port? `rollouts.ports.testing` exports this."""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from rollouts.ports.objects import (
    CreateObject,
    DeleteObject,
    ListObjects,
    ObjectAnswer,
    ObjectRequest,
    ReadObject,
    ReadPath,
)
from rollouts.ports.provider import (
    AnyProvider,
    Asked,
    MeasurementError,
    NoData,
    ObjectError,
    Outcome,
    Pending,
    Reading,
    Request,
    Response,
    Turn,
    Verdict,
)

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "marker-of-a-secret-0451"  # noqa: S105 - it opens nothing: it is looked for where no secret may be
_PHASES = {"Successful", "Failed", "Inconclusive", "Error"}
_LONGEST_FLOW = 20
_LONGEST_MEMORY = 1024
RUBBISH: tuple[bytes, ...] = (
    b"", b"null", b"true", b"0", b"-1", b"1e308", b"1e999", b"NaN", b'"text"', b'""', b"[]", b"{}", b"[[]]", b"[[[]]]",
    b"[null]", b'[{"a":null}]', b"9" * 400, b"[" * 3000, b'{"data":[],"error":{}}', b'{"data":{"result":7}}',
    b"<!doctype html><title>502 Bad Gateway</title>", b"\xff\xfe\x00", b"#datatype,string\n,,\n\n,", b'a,b\n"',
)  # fmt: skip
_WRONG: tuple[Any, ...] = (
    None, True, -1, 1e308, 10**30, "", "NaN", "-Inf", "text", [], [[]], [None], [[1]], {}, {"a": 1},
)  # fmt: skip
_UID = "6f0c9a52-3d5e-4c57-9a53-0d5c3f0f6d11"
_UNREACHABLE = MeasurementError("the server doesn't answer")
_REFUSALS = tuple(
    ObjectError(f"the server says {reason}", reason)
    for reason in ("Forbidden", "NotFound", "AlreadyExists", "Conflict", "Invalid", "TooManyRequests", "Timeout")
)
_Request = Request | ObjectRequest
_ANSWERS: Mapping[type[Any], tuple[tuple[type[Any], ...], Any]] = {
    Request: ((Response,), Response(200, {}, b"")),
    ReadObject: ((dict,), None),
    ListObjects: ((list, tuple), ()),
    CreateObject: ((dict,), {}),
    DeleteObject: ((), None),
    ReadPath: ((dict,), {}),
}


class ProviderConformance:
    """What every metric provider promises.

    `specs` holds valid specs of it, at least one. `answers` holds one good answer for each request that the flow of the
    first makes: a body over HTTP, else what the port says of the request. `secrets` are the values by key of the Secret
    that it reads, `settings` those of the controller that it looks at: write SECRET where the real ones hold something
    secret.
    """

    provider: ClassVar[AnyProvider]
    specs: ClassVar[Sequence[Any]]
    answers: ClassVar[Sequence[bytes | ObjectAnswer]]
    secrets: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, str]] = {}

    def _asked(self, spec: Any, *, with_secrets: bool = True) -> Asked:
        references = self.provider.secrets_of(spec, "default")
        values = self.secrets if with_secrets else None
        turn = Turn("web-1", _UID, "errors", 1, _NOW)
        return Asked(_NOW, "default", dict.fromkeys(references, values), self.settings, turn=turn)

    def _run(self, spec: Any, asked: Asked, answers: Sequence[Any]) -> tuple[Outcome | str, list[_Request]]:
        """Return the outcome, or the text of a MeasurementError, and the requests; the last answer is repeated."""
        requests: list[_Request] = []
        flow = self.provider.flow(spec, asked)
        try:
            request = next(flow)
            for turn in range(_LONGEST_FLOW):
                requests.append(request)
                answer = answers[min(turn, len(answers) - 1)]
                fitting = _fitting(request, answer)
                request = flow.throw(fitting) if isinstance(fitting, MeasurementError) else flow.send(fitting)
        except StopIteration as end:
            return end.value, requests
        except MeasurementError as error:
            return str(error), requests
        raise AssertionError(f"more than {_LONGEST_FLOW} requests are made for one measurement")

    def _good(self) -> list[Any]:
        headers = {"content-type": "application/json"}
        return [Response(200, headers, each) if isinstance(each, bytes) else each for each in self.answers]

    def _responses(self) -> Iterator[list[Any]]:
        """Yield what servers may answer, at each turn of the flow."""
        good = self._good()
        for turn, body in enumerate(self.answers):
            bad = _bad_responses(body) if isinstance(body, bytes) else _bad_objects(body)
            yield from ([*good[:turn], each, *good[turn + 1 :]] for each in bad)
            yield from ([*good[:turn], each] for each in (_UNREACHABLE, *_REFUSALS))

    def test_it_has_a_key_a_model_and_specs(self) -> None:
        """A provider is found by its key, and its spec is read by its model."""
        assert self.provider.key, "key is empty: it is the provider's field, or its name among the plugins"
        assert self.specs, "specs is empty: name at least one valid spec"
        for spec in self.specs:
            assert isinstance(spec, self.provider.model), f"{spec!r} is no {self.provider.model.__name__}"

    def test_valid_specs_have_no_problems(self) -> None:
        """Validation lets through what works, and doesn't change its mind."""
        for spec in self.specs:
            for _ in range(2):
                assert list(self.provider.problems(spec)) == []

    def test_good_answers_make_a_measurement(self) -> None:
        """Nothing is measured in tests that don't measure."""
        outcome, requests = self._run(self.specs[0], self._asked(self.specs[0]), self._good())
        assert isinstance(outcome, Reading | Verdict | Pending), f"the good answers give {outcome!r}"
        assert len(requests) == len(self.answers), f"{len(requests)} requests were made: give as many answers"

    def test_a_flow_is_pure(self) -> None:
        """The same answers get the same requests and the same outcome."""
        for spec in self.specs:
            asked = self._asked(spec)
            assert self._run(spec, asked, self._good()) == self._run(spec, asked, self._good())

    def test_any_answer_gives_an_outcome_or_a_measurement_error(self) -> None:
        """Servers answer whatever they like: that is an error of the measurement, never one of the controller."""
        for spec in self.specs:
            for responses in self._responses():
                outcome, _ = self._run(spec, self._asked(spec), responses)
                if isinstance(outcome, str):
                    assert outcome.strip(), "an error says nothing"
                    assert "\n" not in outcome, f"an error is one line: {outcome!r}"
                else:
                    _check_outcome(outcome)

    def test_secrets_that_do_not_exist_are_told(self) -> None:
        """Who forgot a Secret is told its name."""
        for spec in self.specs:
            references = self.provider.secrets_of(spec, "default")
            outcome, requests = self._run(
                spec, replace(self._asked(spec, with_secrets=False), settings={}), self._good()
            )
            if references and not requests:
                assert isinstance(outcome, str), f"without its Secret the outcome is {outcome!r}"
                assert any(reference.name in outcome for reference in references), f"no name of a Secret in {outcome!r}"

    def test_no_secret_is_shown(self) -> None:
        """Messages, values, metadata and URLs are read by people and written to logs."""
        for spec in self.specs:
            asked = self._asked(spec)
            shown = [repr(asked), repr(dict(self.provider.metadata_of(spec)))]
            for responses in (self._good(), *self._responses()):
                outcome, requests = self._run(spec, asked, responses)
                shown += [repr(outcome), repr(requests), *(each.url for each in requests if isinstance(each, Request))]
            assert not [text for text in shown if SECRET in text], "a secret is shown"

    def test_requests_can_be_sent(self) -> None:
        """Each has an absolute URL and a limit of time, or is about objects that the provider declares."""
        for spec in self.specs:
            for request in self._run(spec, self._asked(spec), self._good())[1]:
                if not isinstance(request, Request):
                    _check_object_request(self.provider, request)
                    continue
                assert request.url.startswith(("http://", "https://")), f"{request.url} is no absolute URL"
                assert 0 < request.timeout <= 600, f"{request.timeout} seconds are no useful limit"
                assert all(isinstance(value, str) for value in request.headers.values())


def _fitting(request: _Request, answer: Any) -> Any:
    """Return an answer of the kind that the request gets: another turn of the flow may ask something else."""
    kinds, otherwise = _ANSWERS[type(request)]
    return answer if isinstance(answer, (*kinds, MeasurementError)) else otherwise


def _check_object_request(provider: AnyProvider, request: ObjectRequest) -> None:
    if isinstance(request, ReadPath):
        places = [each.format(namespace="default") for each in provider.paths]
        assert any(request.path.startswith(each) for each in places), f"{request.path} is below none of its paths"
        return
    assert request.verb in provider.objects.get(request.kind, ()), f"it doesn't declare to {request.verb} {request}"


def _bad_responses(body: bytes) -> Iterator[Response]:
    for rubbish in (*RUBBISH, *twisted(body)):
        yield Response(200, {}, rubbish)
    for status in (204, 301, 400, 401, 403, 404, 405, 429, 500, 503):
        yield Response(status, {}, b"it went wrong")
        yield Response(status, {}, b"")


def _bad_objects(answer: ObjectAnswer) -> Iterator[ObjectAnswer]:
    """Yield an answer about objects in other shapes; lists stay lists of objects, and objects stay objects."""
    if answer is None:
        return
    yield [] if isinstance(answer, Sequence) else None
    for path in _paths(answer):
        for wrong in _WRONG:
            twisted = _replaced(answer, path, wrong)
            if not isinstance(twisted, list) or all(isinstance(each, dict) for each in twisted):
                yield twisted


def _check_outcome(outcome: Outcome) -> None:
    assert isinstance(outcome, Reading | NoData | Verdict | Pending), f"{outcome!r} is no outcome"
    assert all(isinstance(value, str) for value in outcome.metadata.values()), f"metadata are texts: {outcome!r}"
    if isinstance(outcome, Reading | NoData | Verdict):
        assert isinstance(outcome.value, str), f"value is the text of the result: {outcome!r}"
    if isinstance(outcome, NoData):
        assert outcome.because.strip(), "because is empty"
    if isinstance(outcome, Verdict):
        assert outcome.phase in _PHASES, f"{outcome.phase!r} is no phase of a measurement that is complete"
        kept = sum(map(len, outcome.memory.values()))
        assert kept <= _LONGEST_MEMORY, f"{kept} characters are kept in the status of each run: keep less"
    if isinstance(outcome, Pending):
        rest = outcome.again_after
        assert rest is None or rest >= timedelta(seconds=1), "the server would be asked without a rest"


def twisted(body: bytes) -> Iterator[bytes]:
    """Yield a JSON body with one part after the other replaced by something that doesn't belong there."""
    try:
        document = json.loads(body)
    except ValueError:
        for end in range(0, len(body), max(1, len(body) // 20)):
            yield body[:end]
        return
    for path in _paths(document):
        for wrong in _WRONG:
            yield json.dumps(_replaced(document, path, wrong)).encode()


def _paths(document: Any) -> Iterator[tuple[Any, ...]]:
    """Yield where there is something in a document."""
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, each in inside:
        yield (key,)
        yield from ((key, *path) for path in _paths(each))


def _replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = deepcopy(document)
    place = copy
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return copy
