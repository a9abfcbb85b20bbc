"""What does an answer of AWS say? Its XML, and its refusals in a sentence."""

import re
from xml.etree.ElementTree import Element, ParseError, fromstring

from rollouts.ports.provider import MeasurementError, Request, Response
from rollouts.ports.refusal import excerpt, host_of, refusal

_NAMESPACE = re.compile(r"^\{[^}]*\}")


def document(request: Request, response: Response) -> Element:
    """Return the root of an answer that is XML, its names without their namespace. Raises MeasurementError."""
    if not 200 <= response.status < 300:
        raise MeasurementError(refused(request, response))
    try:
        return _parsed(response.body)
    except ParseError:
        raise MeasurementError(f"the answer of {host_of(request.url)} is no XML: is the address right?") from None


def refused(request: Request, response: Response) -> str:
    """Say how AWS has refused a request: in its own words, where it has some."""
    try:
        root = _parsed(response.body)
    except ParseError:
        root = Element("nothing")
    said = None
    if code := root.findtext(".//Code"):
        said = f"{code}: {excerpt((root.findtext('.//Message') or '').encode())}"
    advice = {
        401: "are the credentials right?",
        403: "may these credentials do this?",
        429: "ask less often",
    }.get(response.status, "")
    return refusal(request, response, said=said, advice=advice)


def _parsed(body: bytes) -> Element:
    # The answer is AWS' own, over TLS, of limited size; expat refuses entities that grow beyond all measure.
    root = fromstring(body)  # noqa: S314
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
    return root
