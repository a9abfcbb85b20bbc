"""Which headers do people send with a request? A header that can't be sent is told before."""

import re
from collections.abc import Iterator, Sequence

from rollouts.api.providers import Header
from rollouts.ports.provider import MeasurementError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def headers_of(headers: Sequence[Header]) -> dict[str, str]:
    """Return the headers by name. Raises MeasurementError."""
    for header in headers:
        if not _NAME.fullmatch(header.key) or "\n" in header.value or "\r" in header.value or "\0" in header.value:
            raise MeasurementError(f"the header {header.key[:80]!r} can't be sent: its value has to be one line")
    return {header.key: header.value for header in headers}


def header_problems(headers: Sequence[Header]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the headers' names."""
    for index, header in enumerate(headers):
        if "{{" not in header.key and not _NAME.fullmatch(header.key):
            yield f"headers[{index}].key", f"{header.key!r} is no name of a header: write it as in X-Scope-OrgID"
