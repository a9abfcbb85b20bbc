"""What does an answer of AWS say? Its XML, and its refusals in a sentence."""

import re
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError, fromstring

from rollouts.ports.provider import MeasurementError, Request, Response

_NAMESPACE = re.compile(r"^\{[^}]*\}")
_EXCERPT = 300


def document(request: Request, response: Response) -> Element:
    """Return the root of an answer that is XML, its names without their namespace. Raises MeasurementError."""
    if not 200 <= response.status < 300:
        raise MeasurementError(refusal(request, response))
    try:
        return _parsed(response.body)
    except ParseError:
        raise MeasurementError(f"the answer of {_host(request)} is no XML: is the address right?") from None


def refusal(request: Request, response: Response) -> str:
    """Say how AWS has refused a request: in its own words, where it has some."""
    said = " ".join(response.body[:_EXCERPT].decode(errors="replace").split())
    try:
        root = _parsed(response.body)
    except ParseError:
        root = Element("nothing")
    if code := root.findtext(".//Code"):
        said = f"{code}: {' '.join((root.findtext('.//Message') or '').split())[:_EXCERPT]}"
    advice = {
        401: "; are the credentials right?",
        403: "; may these credentials do this?",
        429: "; ask less often",
    }.get(response.status, "")
    return f"{_host(request)} answered {response.status}{f': {said}' if said else ' with an empty body'}{advice}"


def _parsed(body: bytes) -> Element:
    # The answer is AWS' own, over TLS, of limited size; expat refuses entities that grow beyond all measure.
    root = fromstring(body)  # noqa: S314
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
    return root


def _host(request: Request) -> str:
    return urlsplit(request.url).hostname or "the server"
