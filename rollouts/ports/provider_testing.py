"""Does a metric provider keep the promises of its port? `rollouts.ports.testing` exports this."""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from rollouts.ports.provider import (
    AnyProvider,
    Asked,
    MeasurementError,
    NoData,
    Outcome,
    Pending,
    Reading,
    Request,
    Response,
    Verdict,
)

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "marker-of-a-secret-0451"  # noqa: S105 - it opens nothing: it is looked for where no secret may be
_PHASES = {"Successful", "Failed", "Inconclusive", "Error"}
_LONGEST_FLOW = 20
_LONGEST_MEMORY = 1024
_RUBBISH: tuple[bytes, ...] = (
    b"", b"null", b"true", b"0", b"-1", b"1e308", b"1e999", b"NaN", b'"text"', b'""', b"[]", b"{}", b"[[]]", b"[[[]]]",
    b"[null]", b'[{"a":null}]', b"9" * 400, b"[" * 3000, b'{"data":[],"error":{}}', b'{"data":{"result":7}}',
    b"<!doctype html><title>502 Bad Gateway</title>", b"\xff\xfe\x00", b"#datatype,string\n,,\n\n,", b'a,b\n"',
)  # fmt: skip
_WRONG: tuple[Any, ...] = (
    None, True, -1, 1e308, 10**30, "", "NaN", "-Inf", "text", [], [[]], [None], [[1]], {}, {"a": 1},
)  # fmt: skip


class ProviderConformance:
    """What every metric provider promises.

    `specs` holds valid specs of it, at least one. `answers` holds one good body for each request that the flow of the
    first makes. `secrets` are the values by key of the Secret that it reads, `settings` those of the controller that it
    looks at: write SECRET where the real ones hold something secret.
    """

    provider: ClassVar[AnyProvider]
    specs: ClassVar[Sequence[Any]]
    answers: ClassVar[Sequence[bytes]]
    secrets: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, str]] = {}

    def _asked(self, spec: Any, *, with_secrets: bool = True) -> Asked:
        references = self.provider.secrets_of(spec, "default")
        values = self.secrets if with_secrets else None
        return Asked(_NOW, "default", dict.fromkeys(references, values), self.settings)

    def _run(self, spec: Any, asked: Asked, responses: Sequence[Response]) -> tuple[Outcome | str, list[Request]]:
        """Return the outcome, or the text of a MeasurementError, and the requests; the last response is repeated."""
        requests: list[Request] = []
        flow = self.provider.flow(spec, asked)
        try:
            request = next(flow)
            for turn in range(_LONGEST_FLOW):
                requests.append(request)
                request = flow.send(responses[min(turn, len(responses) - 1)])
        except StopIteration as end:
            return end.value, requests
        except MeasurementError as error:
            return str(error), requests
        raise AssertionError(f"more than {_LONGEST_FLOW} requests are made for one measurement")

    def _good(self) -> list[Response]:
        return [Response(200, {"content-type": "application/json"}, body) for body in self.answers]

    def _responses(self) -> Iterator[list[Response]]:
        """Yield what servers may answer, at each turn of the flow."""
        good = self._good()
        for turn, body in enumerate(self.answers):
            for rubbish in (*_RUBBISH, *_twisted(body)):
                yield [*good[:turn], Response(200, {}, rubbish)]
            for status in (204, 301, 400, 401, 403, 404, 405, 429, 500, 503):
                yield [*good[:turn], Response(status, {}, b"it went wrong")]
                yield [*good[:turn], Response(status, {}, b"")]

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
                shown += [repr(outcome), repr(requests), *(request.url for request in requests)]
            assert not [text for text in shown if SECRET in text], "a secret is shown"

    def test_requests_can_be_sent(self) -> None:
        """Each has an absolute URL and a limit of time."""
        for spec in self.specs:
            for request in self._run(spec, self._asked(spec), self._good())[1]:
                assert request.url.startswith(("http://", "https://")), f"{request.url} is no absolute URL"
                assert 0 < request.timeout <= 600, f"{request.timeout} seconds are no useful limit"
                assert all(isinstance(value, str) for value in request.headers.values())


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


def _twisted(body: bytes) -> Iterator[bytes]:
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
