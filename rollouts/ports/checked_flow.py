"""Does a stranger's flow ask for what can be sent? Each request is looked at before it leaves."""

from collections.abc import Callable, Generator
from dataclasses import replace
from types import GeneratorType
from typing import Any, get_args
from urllib.parse import urlsplit

from rollouts.ports.checked import Checks, Interrupted
from rollouts.ports.objects import ObjectRequest
from rollouts.ports.provider import MeasurementError, Request

LONGEST_TIMEOUT = 600.0
LARGEST_BODY = 10 * 1024 * 1024
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


def checked_flow(checks: Checks, what: str, begin: Callable[[], Any]) -> Generator[Any, Any, Any]:
    """Pass on the requests of a flow and return what it returns. Raises PluginError, or MeasurementError."""
    flow: Generator[Any, Any, Any] = checks.call(what, GeneratorType, begin)
    try:
        turn: Callable[[], Any] = lambda: next(flow)  # noqa: E731 - each turn is another one
        while True:
            request = checks.call(what, object, turn, (StopIteration, MeasurementError))
            try:
                answer = yield _checked_request(checks, what, request)
            except MeasurementError as error:
                turn = _throwing(flow, error)
            else:
                turn = _sending(flow, answer)
    except StopIteration as end:
        return end.value
    finally:
        _close(checks, what, flow)


def _sending(flow: Generator[Any, Any, Any], answer: Any) -> Callable[[], Any]:
    return lambda: flow.send(answer)


def _throwing(flow: Generator[Any, Any, Any], error: MeasurementError) -> Callable[[], Any]:
    return lambda: flow.throw(error)


def _close(checks: Checks, what: str, flow: Generator[Any, Any, Any]) -> None:
    """End a flow that nobody goes on with; one that won't end is left to the garbage collector."""
    try:
        flow.close()
    except (Interrupted, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise checks.broken(f"{what} raised {type(error).__name__} when it was closed") from error


def _checked_request(checks: Checks, what: str, request: Any) -> Any:
    if isinstance(request, get_args(ObjectRequest)):
        return request  # whoever answers it looks at what the plugin may ask
    if not isinstance(request, Request):
        raise checks.broken(f"{what} yielded a {type(request).__name__}, which is no request")
    if request.method not in _METHODS or not _is_url(request.url):
        raise checks.broken(f"{what} yielded a request without an absolute URL, or with a method that is none")
    headers = checks.notes("the headers of a request", request.headers)
    if not isinstance(request.body, bytes | None) or len(request.body or b"") > LARGEST_BODY:
        raise checks.broken(f"{what} yielded a request whose body is no bytes, or more than {LARGEST_BODY}")
    if not isinstance(request.timeout, int | float) or not 0 < request.timeout <= LONGEST_TIMEOUT:
        raise checks.broken(f"{what} yielded a request with a timeout that isn't within {LONGEST_TIMEOUT:g} seconds")
    # Its answers are its own: no key that it chooses leads to what was answered to another plugin.
    reuse = f"{checks.title} {checks.text('the key for reuse', request.reuse)}" if request.reuse else ""
    return replace(request, headers=headers, verify=bool(request.verify), reuse=reuse)


def _is_url(url: object) -> bool:
    try:
        return isinstance(url, str) and urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).hostname)
    except ValueError:
        return False
