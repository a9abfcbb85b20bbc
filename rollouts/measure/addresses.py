"""Where does a request go? URLs from what people write as an address, and the host for messages."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode, urlsplit

from rollouts.ports.provider import SHARED_SETTINGS, MeasurementError


def is_templated(text: str | None) -> bool:
    """Whether a value still holds `{{args.name}}`, so that nothing is known of it."""
    return text is not None and "{{" in text


def joined(address: str, path: str, query: Mapping[str, str] | None = None) -> str:
    """Return the URL of a path below an address. Raises MeasurementError."""
    url = checked(address).rstrip("/") + path
    return f"{url}?{urlencode(query, quote_via=quote)}" if query else url


def given(address: str | None) -> str:
    """Return an address that may have been left out. Raises MeasurementError."""
    if not address:
        raise MeasurementError(
            f"no address: set it in the metric, or once for all metrics in the Secret {SHARED_SETTINGS.name} "
            "in the controller's namespace"
        )
    return address


def checked(url: str) -> str:
    """Return a URL that a request can be sent to. Raises MeasurementError."""
    why = _complaint(url)
    if why:
        raise MeasurementError(why)
    return url


def segment(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")


def address_problems(field: str, address: str | None, *, default: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an address; where there is a default it may be missing."""
    if not address:
        if not default:
            yield field, f"{field} is missing: set the URL of the server, for example https://metrics.example.com"
    elif not is_templated(address):
        why = _complaint(address)
        if why:
            yield field, why


def _complaint(address: str) -> str:
    way_out = "write it as in https://metrics.example.com"
    try:
        parts = urlsplit(address)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError as error:
        return f"the address is no URL ({error}): {way_out}"
    if known and not any(char.isspace() for char in address):
        return ""
    return f"the address of host {parts.hostname or '?'!r} is no URL of a server: {way_out}"
