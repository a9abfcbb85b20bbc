"""What does an HTTP service answer, or a part of its answer?"""

from collections.abc import Iterator

import orjson

from rollouts.api.providers import WebMetric
from rollouts.jsonpath import JSONPathError, JSONPathLimitError, compile_template
from rollouts.jsonpath.errors import SelectionError
from rollouts.measure.addresses import address_problems, checked, is_templated
from rollouts.measure.answers import accepted, json_text
from rollouts.measure.authentication import authenticated, authentication_problems
from rollouts.measure.headers import header_problems, headers_of
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Outcome, Provider, Reading, Request, Response
from rollouts.ports.refusal import host_of

_METHODS = ("GET", "POST", "PUT")


class Web(Provider[WebMetric]):
    """The JSON of an answer, or the part that jsonPath finds; what is no JSON is a text."""

    key = "web"
    model = WebMetric

    def problems(self, spec: WebMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("url", spec.url)
        if spec.method and spec.method not in _METHODS and not is_templated(spec.method):
            yield "method", f"{spec.method!r} can't be used: choose GET, POST or PUT"
        if spec.body and spec.json_body is not None:
            yield "jsonBody", "body and jsonBody are both set: choose one of them"
        if (spec.body or spec.json_body is not None) and (spec.method or "GET") == "GET":
            yield "method", "a body can't be sent by GET: set method to POST or PUT, or leave the body out"
        if spec.timeout_seconds is not None and spec.timeout_seconds < 0:
            yield "timeoutSeconds", f"{spec.timeout_seconds} is negative: leave it out for 10 seconds"
        if spec.json_path and not is_templated(spec.json_path):
            try:
                compile_template(spec.json_path)
            except JSONPathError as error:
                yield "jsonPath", f"{spec.json_path!r} is no JSONPath: {error}"
        yield from header_problems(spec.headers)
        yield from authentication_problems(spec.authentication)

    def flow(self, spec: WebMetric, asked: Asked) -> Flow:
        request = yield from authenticated(_request(spec), spec.authentication, asked)
        response = yield request
        return _outcome(spec, request, accepted(request, response))


def _request(spec: WebMetric) -> Request:
    method = spec.method or "GET"
    if method not in _METHODS:
        raise MeasurementError(f"the method {method!r} can't be used: choose GET, POST or PUT")
    headers, body = headers_of(spec.headers), None
    if spec.json_body is not None:
        body = orjson.dumps(spec.json_body)
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    elif spec.body:
        body = spec.body.encode()
    timeout = float(spec.timeout_seconds or 10)
    return Request(method, checked(spec.url), headers, body, timeout=timeout, verify=not spec.insecure)


def _outcome(spec: WebMetric, request: Request, response: Response) -> Outcome:
    try:
        document = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        text = response.body.decode(errors="replace")
        return Reading(text, text)
    path = spec.json_path or "{$}"
    try:
        found = [each for group in compile_template(path).find(document) for each in group]
        if found:
            return Reading(found[0], json_text(found[0]))
        why = "it finds nothing"
    except SelectionError as error:
        why = str(error)
    except JSONPathLimitError as error:
        raise MeasurementError(f"jsonPath {path!r}: {error}") from None
    except JSONPathError as error:
        raise MeasurementError(f"jsonPath {path!r} can't be used: {error}") from None
    because = f"the answer of {host_of(request.url)} has nothing at {path}: {why}"
    return NoData(because, error=because)
