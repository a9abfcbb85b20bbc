"""What does a server's answer say? Its JSON, its errors, its numbers; whatever else it may be is told in a sentence."""

import math
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import orjson

from rollouts.expr import Floats
from rollouts.jsonpath import JSONPathLimitError
from rollouts.jsonpath.gotext import float_text, json_pieces, positional
from rollouts.ports.provider import MeasurementError, Request, Response
from rollouts.ports.refusal import excerpt, host_of, refusal


def asked_for_json(request: Request) -> Generator[Request, Response, Any]:
    """Send a request, and return the JSON of its successful answer. Raises MeasurementError."""
    response = yield request
    return json_of(request, accepted(request, response))


def accepted(request: Request, response: Response) -> Response:
    """Return an answer that is a success. Raises MeasurementError."""
    if 200 <= response.status < 300:
        return response
    advice = {
        401: "are the credentials right?",
        403: "may these credentials read this?",
        404: "is the address right?",
        429: "measure less often",
    }.get(response.status, "")
    raise MeasurementError(refusal(request, response, advice=advice))


def json_of(request: Request, response: Response) -> Any:
    """Return the JSON in an answer. Raises MeasurementError."""
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError:
        said = excerpt(response.body)
        found = f"it begins with {said[:80]!r}" if said else "it is empty"
        raise MeasurementError(
            f"the answer of {host_of(request.url)} is no JSON: {found}; is the address right?"
        ) from None


def unexpected(request: Request, what: str) -> MeasurementError:
    """Return the error for an answer of another shape."""
    return MeasurementError(
        f"the answer of {host_of(request.url)} has {what}; is the address that of the right service?"
    )


def at(document: Any, *path: str | int) -> Any:
    """Return what is at a path, None where there's nothing."""
    for part in path:
        if isinstance(document, dict) and isinstance(part, str):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and -len(document) <= part < len(document):
            document = document[part]
        else:
            return None
    return document


def list_at(document: Any, *path: str | int) -> list[Any]:
    """Return the list at a path, an empty one where there's none."""
    found = at(document, *path)
    return found if isinstance(found, list) else []


def number(value: Any) -> float | None:
    """Return a number, be it written in quotes; None for whatever else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def numbers(values: Iterable[Any]) -> Floats:
    """Return those of the values that are numbers."""
    return Floats(_numbers(values))


def _numbers(values: Iterable[Any]) -> Iterator[float]:
    for value in values:
        found = number(value)
        if found is not None:
            yield found


def number_text(value: float) -> str:
    """Return a number without an exponent."""
    return positional(value) if math.isfinite(value) and value else float_text(value)


def list_text(values: Iterable[float]) -> str:
    """Return numbers as `[1,2.5]`."""
    return f"[{','.join(map(number_text, values))}]"


def json_text(value: Any) -> str:
    """Return JSON in its shortest form with sorted keys. Raises MeasurementError."""
    try:
        return "".join(json_pieces(value, whole_numbers=False))
    except JSONPathLimitError as error:
        raise MeasurementError(f"the answer can't be shown: {error}") from None
